"""Who and what there is: people, tags, bundles, courses, sessions, switches."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from classbolt.columns import Instant, Key
from classbolt.tables.base import account_column, id_column, metadata, refers_to

staff = Table(
    "staff",
    metadata,
    account_column(),
    id_column(),
    Column("name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("role IN ('OWNER', 'MANAGER', 'STAFF')", name="role"),
)

customers = Table(
    "customers",
    metadata,
    account_column(),
    id_column(),
    Column("name", String(200), nullable=False),
    Column("email", String(254)),
    # What a search looks through: name and address, folded so that case and accents do not
    # matter.
    Column("search_text", String(600), nullable=False, server_default=text("''")),
    Column("created_at", Instant, nullable=False),
    Column("erased_at", Instant),
    Column("merged_into_id", Key),
    ForeignKeyConstraint(
        ["account_id", "merged_into_id"], ["customers.account_id", "customers.id"]
    ),
)
Index(None, customers.c.account_id, customers.c.name, customers.c.id)

memberships = Table(
    "memberships",
    metadata,
    account_column(),
    Column("issuer", String(200), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("customer_id", Key),
    Column("staff_id", Key),
    Column("created_at", Instant, nullable=False),
    refers_to(customers, "customer_id"),
    refers_to(staff, "staff_id"),
    CheckConstraint("(customer_id IS NULL) <> (staff_id IS NULL)", name="one_person"),
)

tags = Table(
    "tags",
    metadata,
    account_column(),
    id_column(),
    Column("name", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
)
Index(None, tags.c.account_id, tags.c.name, unique=True)

bundles = Table(
    "bundles",
    metadata,
    account_column(),
    id_column(),
    Column("name", String(200), nullable=False),
    Column("credits", Integer, nullable=False),
    Column("validity_value", Integer, nullable=False),
    Column("validity_unit", String(10), nullable=False),
    Column("price_minor", Integer),
    Column("on_sale", Boolean, nullable=False),
    Column("payment_methods", JSON, nullable=False),
    Column("archived_at", Instant),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("credits >= 1", name="credits"),
    CheckConstraint("validity_value >= 1", name="validity"),
    CheckConstraint("price_minor >= 0", name="price"),
)
Index(None, bundles.c.account_id, bundles.c.name, bundles.c.id)

bundle_tags = Table(
    "bundle_tags",
    metadata,
    account_column(),
    Column("bundle_id", Key, primary_key=True),
    Column("tag_id", Key, primary_key=True),
    refers_to(bundles, "bundle_id"),
    refers_to(tags, "tag_id"),
)

courses = Table(
    "courses",
    metadata,
    account_column(),
    id_column(),
    Column("title", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("tag_id", Key),
    Column("price_minor", Integer, nullable=False),
    Column("payment_methods", JSON, nullable=False),
    Column("late_joining", String(10), nullable=False, server_default="NO"),
    Column("created_at", Instant, nullable=False),
    refers_to(tags, "tag_id"),
    CheckConstraint("price_minor >= 0", name="price"),
    CheckConstraint("late_joining IN ('NO', 'FULL_PRICE', 'PRO_RATA')", name="late_joining"),
)
Index(None, courses.c.account_id, courses.c.title, courses.c.id)

sessions = Table(
    "sessions",
    metadata,
    account_column(),
    id_column(),
    Column("course_id", Key, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("capacity", Integer, nullable=False),
    # Set only when the capacity is lowered below the bookings, and shrinks as seats are freed
    # (X21).
    Column("over_capacity", Integer, nullable=False),
    Column("seats_taken", Integer, nullable=False),
    Column("tag_id", Key),
    Column("called_off_at", Instant),
    # When its start was last changed, unless that was said to be minor (X3).
    Column("moved_at", Instant),
    Column("created_at", Instant, nullable=False),
    refers_to(courses, "course_id"),
    refers_to(tags, "tag_id"),
    CheckConstraint("seats_taken BETWEEN 0 AND capacity + over_capacity", name="seats"),
    CheckConstraint("capacity >= 1", name="capacity"),
    CheckConstraint("over_capacity >= 0", name="over_capacity"),
    CheckConstraint("ends_at > starts_at", name="duration"),
)
Index(None, sessions.c.account_id, sessions.c.course_id, sessions.c.starts_at, sessions.c.id)
Index(None, sessions.c.account_id, sessions.c.starts_at, sessions.c.id)

bolt_on_switches = Table(
    "bolt_on_switches",
    metadata,
    account_column(),
    Column("code", String(40), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

bolt_on_changes = Table(
    "bolt_on_changes",
    metadata,
    account_column(),
    id_column(),
    Column("code", String(40), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("actor_kind", String(10), nullable=False),
    Column("actor_id", Key),
    Column("changed_at", Instant, nullable=False),
)
Index(None, bolt_on_changes.c.account_id, bolt_on_changes.c.changed_at, bolt_on_changes.c.id)
