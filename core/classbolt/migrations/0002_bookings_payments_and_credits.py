"""Bookings, payments and credits."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "customer_bundles",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("customer_id", columns.Key(), nullable=False),
        sa.Column("bundle_id", columns.Key(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("issued_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "balance BETWEEN 0 AND credits", name=op.f("ck_customer_bundles_balance")
        ),
        sa.CheckConstraint("expires_at > issued_at", name=op.f("ck_customer_bundles_validity")),
        sa.ForeignKeyConstraint(
            ["account_id", "bundle_id"],
            ["bundles.account_id", "bundles.id"],
            name=op.f("fk_customer_bundles_account_id_bundle_id_bundles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name=op.f("fk_customer_bundles_account_id_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_customer_bundles_account_id_accounts"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_customer_bundles")),
    )
    with op.batch_alter_table("customer_bundles") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_customer_bundles_account_id_customer_id_expires_at"),
            ["account_id", "customer_id", "expires_at"],
            unique=False,
        )
    op.create_table(
        "payments",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("customer_id", columns.Key(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("paid_at", columns.Instant(), nullable=True),
        sa.Column("marked_by_id", columns.Key(), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_payments_amount")),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name=op.f("fk_payments_account_id_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "marked_by_id"],
            ["staff.account_id", "staff.id"],
            name=op.f("fk_payments_account_id_marked_by_id_staff"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_payments_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_payments")),
    )
    op.create_table(
        "course_bookings",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("course_id", columns.Key(), nullable=False),
        sa.Column("customer_id", columns.Key(), nullable=False),
        sa.Column("payment_id", columns.Key(), nullable=False),
        sa.Column("booked_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "course_id"],
            ["courses.account_id", "courses.id"],
            name=op.f("fk_course_bookings_account_id_course_id_courses"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name=op.f("fk_course_bookings_account_id_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "payment_id"],
            ["payments.account_id", "payments.id"],
            name=op.f("fk_course_bookings_account_id_payment_id_payments"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_course_bookings_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_course_bookings")),
    )
    with op.batch_alter_table("course_bookings") as batch_op:
        batch_op.create_index(
            "uq_course_bookings_one_per_customer",
            ["account_id", "course_id", "customer_id"],
            unique=True,
        )
    op.create_table(
        "bookings",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("session_id", columns.Key(), nullable=False),
        sa.Column("customer_id", columns.Key(), nullable=False),
        sa.Column("course_booking_id", columns.Key(), nullable=True),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("payment_id", columns.Key(), nullable=True),
        sa.Column("customer_bundle_id", columns.Key(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("booked_at", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "status IN ('BOOKED', 'CANCELLED')", name=op.f("ck_bookings_status")
        ),
        sa.CheckConstraint(
            "(payment_id IS NULL) <> (customer_bundle_id IS NULL)",
            name=op.f("ck_bookings_paid_one_way"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "course_booking_id"],
            ["course_bookings.account_id", "course_bookings.id"],
            name=op.f("fk_bookings_account_id_course_booking_id_course_bookings"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_bundle_id"],
            ["customer_bundles.account_id", "customer_bundles.id"],
            name=op.f("fk_bookings_account_id_customer_bundle_id_customer_bundles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name=op.f("fk_bookings_account_id_customer_id_customers"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "payment_id"],
            ["payments.account_id", "payments.id"],
            name=op.f("fk_bookings_account_id_payment_id_payments"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "session_id"],
            ["sessions.account_id", "sessions.id"],
            name=op.f("fk_bookings_account_id_session_id_sessions"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_bookings_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_bookings")),
    )
    with op.batch_alter_table("bookings") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bookings_account_id_course_booking_id"),
            ["account_id", "course_booking_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_bookings_account_id_customer_id_booked_at_id"),
            ["account_id", "customer_id", "booked_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_bookings_account_id_session_id_booked_at_id"),
            ["account_id", "session_id", "booked_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "uq_bookings_one_active_place",
            ["account_id", "session_id", "customer_id"],
            unique=True,
            sqlite_where=sa.text("status = 'BOOKED'"),
            postgresql_where=sa.text("status = 'BOOKED'"),
        )
    op.create_table(
        "cancellations",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("booking_id", columns.Key(), nullable=False),
        sa.Column("cancelled_at", columns.Instant(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", columns.Key(), nullable=True),
        sa.Column("by_business", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("reason_text", sa.String(length=500), nullable=True),
        sa.Column("option", sa.String(length=60), nullable=True),
        sa.Column("deadline", columns.Instant(), nullable=True),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("policy", sa.JSON(), nullable=True),
        sa.Column("customer_bundle_id", columns.Key(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'NONE') = (customer_bundle_id IS NULL)",
            name=op.f("ck_cancellations_gave_something"),
        ),
        sa.CheckConstraint(
            "(outcome = 'NONE') = (reason IS NOT NULL)", name=op.f("ck_cancellations_reason")
        ),
        sa.CheckConstraint(
            "outcome IN ('NONE', 'CREDIT_BACK', 'NEW_BUNDLE')",
            name=op.f("ck_cancellations_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "booking_id"],
            ["bookings.account_id", "bookings.id"],
            name=op.f("fk_cancellations_account_id_booking_id_bookings"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_bundle_id"],
            ["customer_bundles.account_id", "customer_bundles.id"],
            name=op.f("fk_cancellations_account_id_customer_bundle_id_customer_bundles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_cancellations_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_cancellations")),
    )
    with op.batch_alter_table("cancellations") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_cancellations_account_id_booking_id"),
            ["account_id", "booking_id"],
            unique=True,
        )
    op.create_table(
        "credit_entries",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("customer_bundle_id", columns.Key(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("booking_id", columns.Key(), nullable=True),
        sa.Column("correlation_id", columns.Key(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", columns.Key(), nullable=True),
        sa.Column("entered_at", columns.Instant(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'ISSUE' AND amount >= 1) OR (kind = 'SPEND' AND amount = -1 AND booking_id IS NOT NULL) OR (kind = 'CREDIT_BACK' AND amount = 1 AND booking_id IS NOT NULL)",
            name=op.f("ck_credit_entries_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "booking_id"],
            ["bookings.account_id", "bookings.id"],
            name=op.f("fk_credit_entries_account_id_booking_id_bookings"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_bundle_id"],
            ["customer_bundles.account_id", "customer_bundles.id"],
            name=op.f("fk_credit_entries_account_id_customer_bundle_id_customer_bundles"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_credit_entries_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_credit_entries")),
    )
    with op.batch_alter_table("credit_entries") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_credit_entries_account_id_customer_bundle_id_entered_at"),
            ["account_id", "customer_bundle_id", "entered_at"],
            unique=False,
        )
        batch_op.create_index(
            "uq_credit_entries_once_per_booking",
            ["account_id", "booking_id", "kind"],
            unique=True,
        )


def downgrade() -> None:
    with op.batch_alter_table("credit_entries") as batch_op:
        batch_op.drop_index("uq_credit_entries_once_per_booking")
        batch_op.drop_index(
            batch_op.f("ix_credit_entries_account_id_customer_bundle_id_entered_at")
        )
    op.drop_table("credit_entries")
    with op.batch_alter_table("cancellations") as batch_op:
        batch_op.drop_index(batch_op.f("ix_cancellations_account_id_booking_id"))
    op.drop_table("cancellations")
    with op.batch_alter_table("bookings") as batch_op:
        batch_op.drop_index(
            "uq_bookings_one_active_place",
            sqlite_where=sa.text("status = 'BOOKED'"),
            postgresql_where=sa.text("status = 'BOOKED'"),
        )
        batch_op.drop_index(batch_op.f("ix_bookings_account_id_session_id_booked_at_id"))
        batch_op.drop_index(batch_op.f("ix_bookings_account_id_customer_id_booked_at_id"))
        batch_op.drop_index(batch_op.f("ix_bookings_account_id_course_booking_id"))
    op.drop_table("bookings")
    with op.batch_alter_table("course_bookings") as batch_op:
        batch_op.drop_index("uq_course_bookings_one_per_customer")
    op.drop_table("course_bookings")
    op.drop_table("payments")
    with op.batch_alter_table("customer_bundles") as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_bundles_account_id_customer_id_expires_at"))
    op.drop_table("customer_bundles")
