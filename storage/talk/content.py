"""Published questionnaire versions and the revisions of their texts."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.schema import content_versions, kept, text_revisions


def published(conn: Connection) -> dict[str, str]:
    """Every version ever published: its definition by version."""
    found = conn.execute(select(content_versions.c.version, content_versions.c.definition))
    return {row.version: row.definition for row in found}


def store_version(
    conn: Connection, *, version: str, form_id: str, definition: str, now: datetime
) -> None:
    """Keep a version; another worker may have been faster, which changes nothing."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    conn.execute(
        make(content_versions)
        .values(version=version, form_id=form_id, definition=definition, published_at=now)
        .on_conflict_do_nothing()
    )


def revision_digests(conn: Connection, version: str) -> dict[str, tuple[int, str]]:
    """The newest revision of a version's texts by language: (number, digest)."""
    found = conn.execute(
        select(text_revisions.c.language, text_revisions.c.revision, text_revisions.c.digest)
        .where(text_revisions.c.version == version)
        .order_by(text_revisions.c.revision)
    )
    return {row.language: (row.revision, row.digest) for row in found}


def store_revision(
    conn: Connection,
    *,
    version: str,
    language: str,
    revision: int,
    texts: Mapping[str, str],
    state: str,
    digest: str,
    now: datetime,
) -> None:
    """Keep a revision of a version's texts in a language."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    conn.execute(
        make(text_revisions)
        .values(
            version=version,
            language=language,
            revision=revision,
            texts=dict(texts),
            state=state,
            digest=digest,
            published_at=now,
        )
        .on_conflict_do_nothing()
    )


def texts_of(conn: Connection, version: str) -> dict[str, dict[str, str]]:
    """The newest texts of a version by language."""
    found = conn.execute(
        select(text_revisions.c.language, text_revisions.c.texts)
        .where(text_revisions.c.version == version)
        .order_by(text_revisions.c.revision)
    )
    return {row.language: row.texts for row in found}


CONTENTS = "twilio_content:"


def content_sids(conn: Connection) -> dict[str, str]:
    """SIDs of the generic WhatsApp contents by key, as `webhooks set` stored them."""
    found = conn.execute(
        select(kept.c.name, kept.c.value).where(kept.c.name.startswith(CONTENTS, autoescape=True))
    )
    return {row.name.removeprefix(CONTENTS): row.value for row in found}


def keep_content_sids(conn: Connection, sids: Mapping[str, str], *, now: datetime) -> None:
    """Remember the SIDs; the newest word counts."""
    for key, sid in sorted(sids.items()):
        conn.execute(kept.delete().where(kept.c.name == CONTENTS + key))
        conn.execute(insert(kept).values(name=CONTENTS + key, value=sid, at=now))
