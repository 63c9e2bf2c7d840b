"""The words of consent as they were published, and which of them older rows agreed to."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from flows.consent import ASKED, FORM, Purpose, digests
from storage.schema import consents, content_versions, text_revisions
from storage.types import to_ms


def published_texts(conn: Connection) -> list[tuple[str, str, dict[Purpose, str], datetime]]:
    """Every published wording: (version, language, digest by purpose, when), oldest first."""
    found = conn.execute(
        select(
            text_revisions.c.version,
            text_revisions.c.language,
            text_revisions.c.texts,
            text_revisions.c.published_at,
        )
        .join(content_versions, content_versions.c.version == text_revisions.c.version)
        .where(content_versions.c.form_id == FORM)
        .order_by(text_revisions.c.published_at, text_revisions.c.revision)
    )
    return [(r.version, r.language, digests(r.texts), r.published_at) for r in found]


def fill_digests(conn: Connection) -> int:
    """Say which words older rows agreed to, from the version and language they name."""
    unsaid = select(consents.c.id).where(
        consents.c.text_digest.is_(None), consents.c.purpose.in_(ASKED)
    )
    if conn.execute(unsaid.limit(1)).first() is None:
        return 0
    count = 0
    for version, language, said, since in published_texts(conn):
        for purpose, mark in said.items():
            filled = conn.execute(
                update(consents)
                .where(
                    consents.c.text_digest.is_(None),
                    consents.c.purpose == purpose,
                    consents.c.text_version == version,
                    consents.c.language == language,
                    consents.c.at >= since,
                )
                .values(text_digest=mark)
            )
            count += int(filled.rowcount)
    return count


def words_since(conn: Connection, current: Mapping[tuple[str, str], str]) -> str:
    """The first 12 digits of ids made since today's words stand; empty where nothing is older.

    A questionnaire whose id is smaller began under other words, or may have.
    """
    first: dict[str, datetime] = {}
    for _, language, said, at in published_texts(conn):
        fits = all(current.get((language, purpose)) == mark for purpose, mark in said.items())
        if fits:
            first.setdefault(language, at)
        else:
            first.pop(language, None)
    return f"{to_ms(max(first.values())):012x}" if first else ""
