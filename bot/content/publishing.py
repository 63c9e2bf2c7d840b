"""Publishing content: every version a session may stand on is kept in the database.

At each start the current versions and their texts are stored if they are new, and versions that
sessions still stand on are taken back into the library.
"""

from datetime import datetime

from sqlalchemy import Connection

from bot.content.library import Library, digest
from flows.forms import dump, load
from flows.lexicon import SMS
from storage.talk.consent_words import fill_digests, words_since
from storage.talk.content import (
    published,
    revision_digests,
    store_revision,
    store_version,
    texts_of,
)


def publish(conn: Connection, library: Library, *, now: datetime) -> int:
    """Store what is new and adopt what is old; returns how many versions were new."""
    known = published(conn)
    new = 0
    for version in library.current.values():
        form = library.forms[version]
        if version not in known:
            new += 1
            store_version(
                conn,
                version=version,
                form_id=form.questionnaire.form_id,
                definition=dump(form),
                now=now,
            )
        _texts(conn, library, version, now)
    for version in known:
        adopt(conn, library, version)
    library.consent.update(library.consent_words())
    library.consent_since["id"] = words_since(conn, library.consent)
    fill_digests(conn)
    return new


def adopt(conn: Connection, library: Library, version: str) -> None:
    """Take a published version into the library unless it is there.

    It may be an older one, or a newer one that another worker published since this one started.
    """
    if version not in library.forms:
        definition = published(conn).get(version)
        if definition is not None:
            library.adopt(load(definition), texts_of(conn, version))


def _texts(conn: Connection, library: Library, version: str, now: datetime) -> None:
    """The texts of a version, a new revision wherever a language's words changed."""
    stored = revision_digests(conn, version)
    addresses = library.forms[version].texts
    for tag, lexicon in library.lexicons.items():
        texts = {address: lexicon.texts[address] for address in addresses}
        texts |= {a + SMS: lexicon.spellings[a] for a in addresses if a in lexicon.spellings}
        mark = digest(texts)
        revision, before = stored.get(tag, (0, ""))
        if mark != before:
            revision += 1
            store_revision(
                conn,
                version=version,
                language=tag,
                revision=revision,
                texts=texts,
                state="draft-machine" if lexicon.draft else "reviewed",
                digest=mark,
                now=now,
            )
        library.revisions[version, tag] = revision
