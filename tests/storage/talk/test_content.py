"""Published questionnaire versions and the revisions of their texts."""

from datetime import datetime

from sqlalchemy import Connection

from storage.database import Database
from storage.talk.content import (
    content_sids,
    keep_content_sids,
    published,
    revision_digests,
    store_revision,
    store_version,
    texts_of,
)


async def test_a_version_is_stored_once_and_never_changed(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        for definition in ("one", "other"):
            store_version(conn, version="v1", form_id="f", definition=definition, now=now)
        assert published(conn) == {"v1": "one"}

    await database.write(work)


async def test_the_newest_revision_of_each_language_counts(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        def revise(language: str, revision: int, word: str) -> None:
            store_revision(
                conn,
                version="v1",
                language=language,
                revision=revision,
                texts={"f/a:label": word},
                state="approved",
                digest=f"d-{word}",
                now=now,
            )

        revise("en", 2, "second")
        revise("en", 1, "first")
        revise("en", 1, "never")
        revise("zu", 1, "kuqala")
        assert revision_digests(conn, "v1") == {"en": (2, "d-second"), "zu": (1, "d-kuqala")}
        assert texts_of(conn, "v1") == {
            "en": {"f/a:label": "second"},
            "zu": {"f/a:label": "kuqala"},
        }
        assert texts_of(conn, "v2") == {}

    await database.write(work)


async def test_content_sids_are_kept_the_newest_word_counting(
    database: Database, now: datetime
) -> None:
    def work(conn: Connection) -> None:
        keep_content_sids(conn, {"list": "HX1", "buttons": "HX2"}, now=now)
        keep_content_sids(conn, {"list": "HX3"}, now=now)
        assert content_sids(conn) == {"list": "HX3", "buttons": "HX2"}

    await database.write(work)
