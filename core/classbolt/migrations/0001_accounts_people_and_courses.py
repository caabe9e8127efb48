"""Accounts, people, bundles, courses and sessions."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("slug", name=op.f("uq_accounts_slug")),
    )
    op.create_table(
        "bolt_on_changes",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", columns.Key(), nullable=True),
        sa.Column("changed_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_bolt_on_changes_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_bolt_on_changes")),
    )
    with op.batch_alter_table("bolt_on_changes") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bolt_on_changes_account_id_changed_at_id"),
            ["account_id", "changed_at", "id"],
            unique=False,
        )
    op.create_table(
        "bolt_on_switches",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_bolt_on_switches_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "code", name=op.f("pk_bolt_on_switches")),
    )
    op.create_table(
        "bundles",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("validity_value", sa.Integer(), nullable=False),
        sa.Column("validity_unit", sa.String(length=10), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=True),
        sa.Column("on_sale", sa.Boolean(), nullable=False),
        sa.Column("archived_at", columns.Instant(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("credits >= 1", name=op.f("ck_bundles_credits")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_bundles_price")),
        sa.CheckConstraint("validity_value >= 1", name=op.f("ck_bundles_validity")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_bundles_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_bundles")),
    )
    with op.batch_alter_table("bundles") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bundles_account_id_name_id"),
            ["account_id", "name", "id"],
            unique=False,
        )
    op.create_table(
        "customers",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_customers_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_customers")),
    )
    with op.batch_alter_table("customers") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_customers_account_id_name_id"),
            ["account_id", "name", "id"],
            unique=False,
        )
    op.create_table(
        "staff",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("role IN ('OWNER', 'MANAGER', 'STAFF')", name=op.f("ck_staff_role")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_staff_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_staff")),
    )
    op.create_table(
        "tags",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tags_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_tags")),
    )
    with op.batch_alter_table("tags") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_tags_account_id_name"), ["account_id", "name"], unique=True
        )
    op.create_table(
        "bundle_tags",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("bundle_id", columns.Key(), nullable=False),
        sa.Column("tag_id", columns.Key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "bundle_id"],
            ["bundles.account_id", "bundles.id"],
            name=op.f("fk_bundle_tags_account_id_bundle_id_bundles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "tag_id"],
            ["tags.account_id", "tags.id"],
            name=op.f("fk_bundle_tags_account_id_tag_id_tags"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_bundle_tags_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "bundle_id", "tag_id", name=op.f("pk_bundle_tags")
        ),
    )
    op.create_table(
        "courses",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("tag_id", columns.Key(), nullable=True),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("payment_methods", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_courses_price")),
        sa.ForeignKeyConstraint(
            ["account_id", "tag_id"],
            ["tags.account_id", "tags.id"],
            name=op.f("fk_courses_account_id_tag_id_tags"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_courses_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_courses")),
    )
    with op.batch_alter_table("courses") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_courses_account_id_title_id"),
            ["account_id", "title", "id"],
            unique=False,
        )
    op.create_table(
        "memberships",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("customer_id", columns.Key(), nullable=True),
        sa.Column("staff_id", columns.Key(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "(customer_id IS NULL) <> (staff_id IS NULL)",
            name=op.f("ck_memberships_one_person"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name=op.f("fk_memberships_account_id_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "staff_id"],
            ["staff.account_id", "staff.id"],
            name=op.f("fk_memberships_account_id_staff_id_staff"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_memberships_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "issuer", "subject", name=op.f("pk_memberships")),
    )
    op.create_table(
        "sessions",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("course_id", columns.Key(), nullable=False),
        sa.Column("starts_at", columns.Instant(), nullable=False),
        sa.Column("ends_at", columns.Instant(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("over_capacity", sa.Integer(), nullable=False),
        sa.Column("seats_taken", sa.Integer(), nullable=False),
        sa.Column("tag_id", columns.Key(), nullable=True),
        sa.Column("called_off_at", columns.Instant(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_sessions_capacity")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_sessions_duration")),
        sa.CheckConstraint("over_capacity >= 0", name=op.f("ck_sessions_over_capacity")),
        sa.CheckConstraint(
            "seats_taken BETWEEN 0 AND capacity + over_capacity", name=op.f("ck_sessions_seats")
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "course_id"],
            ["courses.account_id", "courses.id"],
            name=op.f("fk_sessions_account_id_course_id_courses"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "tag_id"],
            ["tags.account_id", "tags.id"],
            name=op.f("fk_sessions_account_id_tag_id_tags"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sessions_account_id_course_id_starts_at_id"),
            ["account_id", "course_id", "starts_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_sessions_account_id_starts_at_id"),
            ["account_id", "starts_at", "id"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("sessions") as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_account_id_starts_at_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_account_id_course_id_starts_at_id"))
    op.drop_table("sessions")
    op.drop_table("memberships")
    with op.batch_alter_table("courses") as batch_op:
        batch_op.drop_index(batch_op.f("ix_courses_account_id_title_id"))
    op.drop_table("courses")
    op.drop_table("bundle_tags")
    with op.batch_alter_table("tags") as batch_op:
        batch_op.drop_index(batch_op.f("ix_tags_account_id_name"))
    op.drop_table("tags")
    op.drop_table("staff")
    with op.batch_alter_table("customers") as batch_op:
        batch_op.drop_index(batch_op.f("ix_customers_account_id_name_id"))
    op.drop_table("customers")
    with op.batch_alter_table("bundles") as batch_op:
        batch_op.drop_index(batch_op.f("ix_bundles_account_id_name_id"))
    op.drop_table("bundles")
    op.drop_table("bolt_on_switches")
    with op.batch_alter_table("bolt_on_changes") as batch_op:
        batch_op.drop_index(batch_op.f("ix_bolt_on_changes_account_id_changed_at_id"))
    op.drop_table("bolt_on_changes")
    op.drop_table("accounts")
