"""Programme, schools, classes, waves; people, households, children, consent."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Text, UniqueConstraint, text

from storage.tables.base import CODE, ID, col, count, own_id, ref, sealed, table
from storage.types import Instant

programmes = table(
    "programmes", "reference", own_id(), col("name", Text), col("created_at", Instant)
)
schools = table(
    "schools",
    "reference",
    own_id(),
    ref("programme_id", "programmes"),
    col("name", Text),
    UniqueConstraint("programme_id", "name"),
)
classes = table(
    "classes",
    "reference",
    own_id(),
    ref("school_id", "schools"),
    col("grade", CODE),
    col("name", CODE),
    col("teacher_id", ID, null=True),
    UniqueConstraint("school_id", "grade", "name"),
)
waves = table(
    "waves",
    "reference",
    own_id(),
    ref("programme_id", "programmes"),
    col("number", Integer),
    col("opens_at", Instant),
    col("closes_at", Instant, null=True),
    UniqueConstraint("programme_id", "number"),
)

households = table(
    "households",
    "household",
    own_id(),
    ref("programme_id", "programmes"),
    ref("school_id", "schools"),
    col("created_at", Instant),
    col("erased_at", Instant, null=True),
)
children = table(
    "children",
    "household",
    own_id(),
    ref("programme_id", "programmes"),
    ref("school_id", "schools"),
    ref("household_id", "households"),
    ref("class_id", "classes", null=True),
    Column("code", CODE, nullable=False, unique=True),
    col("list_number", Integer, null=True),
    col("sex", String(1)),
    col("birth_month", String(7)),
    sealed("name"),
    col("created_at", Instant),
    col("left_at", Instant, null=True),
    UniqueConstraint("class_id", "list_number"),
    Index(None, "household_id"),
    Index(None, "school_id"),
)
persons = table(
    "persons",
    "household",
    own_id(),
    ref("programme_id", "programmes"),
    ref("school_id", "schools", null=True),
    ref("household_id", "households", null=True),
    col("kind", CODE),
    sealed("name"),
    col("language", CODE),
    col("shared_phone", Boolean, null=True),
    col("safe_hour", CODE, null=True),
    col("created_at", Instant),
)
person_roles = table(
    "person_roles",
    "intake",
    ref("person_id", "persons"),
    ref("school_id", "schools"),
    col("role", CODE),
    col("from_at", Instant),
    col("until_at", Instant, null=True),
    UniqueConstraint("person_id", "school_id", "role"),
    Index(None, "school_id", "role"),
)
addresses = table(
    "addresses",
    "intake",
    own_id(),
    col("channel", CODE),
    col("account", CODE),
    col("blind", String(32)),
    sealed("value", null=False),
    ref("person_id", "persons", null=True),
    col("language", CODE),
    col("open_prompt", JSON(none_as_null=True), null=True),
    count("stuck"),
    col("opted_out_at", Instant, null=True),
    col("bad_at", Instant, null=True),
    col("last_inbound_at", Instant, null=True),
    col("created_at", Instant),
    # While the key of the index rotates: what the other key makes of the same address.
    col("blind2", String(32), null=True),
    # What she says while she belongs to nobody we know is sealed with a key of her own.
    col("key_id", ID, null=True),
    # What the guards count (`flows.guard`): times, numbers and keyed marks, no words.
    col("guard", JSON(none_as_null=True), null=True),
    UniqueConstraint("channel", "account", "blind"),
    Index(None, "person_id"),
    Index(
        "ix_addresses_blind2",
        "channel",
        "account",
        "blind2",
        unique=True,
        sqlite_where=text("blind2 IS NOT NULL"),
        postgresql_where=text("blind2 IS NOT NULL"),
    ),
)
person_address = table(
    "person_address",
    "household",
    ref("person_id", "persons"),
    ref("address_id", "addresses"),
    col("from_at", Instant),
    col("until_at", Instant, null=True),
    # The key of what was said there before it was hers: destroyed when she is erased.
    col("key_id", ID, null=True),
    UniqueConstraint("person_id", "address_id", "from_at"),
)
child_caregiver = table(
    "child_caregiver",
    "household",
    ref("child_id", "children"),
    ref("person_id", "persons"),
    col("capacity", CODE),
    col("from_at", Instant),
    col("until_at", Instant, null=True),
    UniqueConstraint("child_id", "person_id", "from_at"),
    Index(None, "person_id"),
)
join_codes = table(
    "join_codes",
    "household",
    own_id(),
    ref("child_id", "children"),
    Column("blind", String(32), nullable=False, unique=True),
    col("issued_at", Instant),
    col("expires_at", Instant),
    col("claimed_at", Instant, null=True),
    ref("claimed_by", "addresses", null=True),
    # A child may have several slips; the one that is used first closes the others.
    Index(None, "child_id"),
)
consents = table(
    "consents",
    "household",
    own_id(),
    ref("person_id", "persons"),
    ref("child_id", "children", null=True),
    col("purpose", CODE),
    col("granted", Boolean),
    col("capacity", CODE),
    col("text_version", CODE),
    # What she read, as a digest: the words may change while the questionnaire does not.
    col("text_digest", CODE, null=True),
    col("partners_version", CODE, null=True),
    col("language", CODE),
    col("channel", CODE),
    col("mode", CODE),
    # Who saw it: somebody we know, or a name on the paper.
    col("witness_id", ID, null=True),
    sealed("witness_name"),
    # What she is (a neighbour, the school's clerk), and where the proof is kept: the paper, or the
    # recording of a call.
    sealed("witness_role"),
    sealed("proof"),
    col("helper_id", ID, null=True),
    col("recorded_by", ID, null=True),
    col("recorded_at", Instant, null=True),
    col("at", Instant),
    col("withdrawn_at", Instant, null=True),
    Index(None, "child_id", "purpose"),
    Index(None, "person_id"),
)
