"""Payments by card."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0006"
down_revision = "0005"

BOOKED = "status = 'BOOKED'"
TAKES_SEATS = "status IN ('BOOKED', 'HELD')"
STATUSES = "status IN ('BOOKED', 'CANCELLED')"
STATUSES_WITH_HELD = "status IN ('HELD', 'BOOKED', 'CANCELLED', 'EXPIRED')"
ONE_ACTIVE = {
    "bookings": ("uq_bookings_one_active_place", ["account_id", "session_id", "customer_id"]),
    "course_bookings": (
        "uq_course_bookings_one_per_customer",
        ["account_id", "course_id", "customer_id"],
    ),
}


def let_statuses_be(statuses: str, active: str) -> None:
    """Replace what says which statuses there are, and which of them is there only once."""
    for table, (index, columns_of_it) in ONE_ACTIVE.items():
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_index(index)
            batch_op.drop_constraint(batch_op.f(f"ck_{table}_status"), type_="check")
            batch_op.create_check_constraint(batch_op.f(f"ck_{table}_status"), statuses)
            batch_op.create_index(
                index,
                columns_of_it,
                unique=True,
                sqlite_where=sa.text(active),
                postgresql_where=sa.text(active),
            )


def forget_what_was_held() -> None:
    """Leave only places that somebody has or had: the release before knows no others."""
    bookings = sa.table(
        "bookings", sa.column("account_id"), sa.column("session_id"), sa.column("status")
    )
    sessions = sa.table(
        "sessions",
        sa.column("account_id"),
        sa.column("id"),
        sa.column("capacity", sa.Integer),
        sa.column("over_capacity", sa.Integer),
        sa.column("seats_taken", sa.Integer),
    )
    held = (
        sa.select(sa.func.count())
        .where(
            bookings.c.account_id == sessions.c.account_id,
            bookings.c.session_id == sessions.c.id,
            bookings.c.status == "HELD",
        )
        .scalar_subquery()
    )
    left, capacity = sessions.c.seats_taken - held, sessions.c.capacity
    op.execute(
        sa.update(sessions)
        .where(held > 0)
        .values(
            seats_taken=left,
            over_capacity=sa.case((left > capacity, left - capacity), else_=0),
        )
    )
    for each in (bookings, sa.table("course_bookings", sa.column("status"))):
        op.execute(sa.delete(each).where(each.c.status.in_(["HELD", "EXPIRED"])))


def upgrade() -> None:
    let_statuses_be(STATUSES_WITH_HELD, TAKES_SEATS)
    op.create_table(
        "schedules",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("next_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_schedules_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_schedules")),
    )
    with op.batch_alter_table("schedules") as batch_op:
        batch_op.create_index("ix_schedules_next", ["next_at"], unique=False)

    op.create_table(
        "stripe_events",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("received_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_stripe_events_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "event_id", name=op.f("pk_stripe_events")),
    )
    with op.batch_alter_table("stripe_events") as batch_op:
        batch_op.create_index("ix_stripe_events_old", ["received_at"], unique=False)

    op.create_table(
        "stripe_links",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("stripe_account", sa.String(length=64), nullable=True),
        sa.Column("publishable_key", sa.String(length=255), nullable=True),
        sa.Column("sealed_key", sa.Text(), nullable=True),
        sa.Column("sealed_webhook_secret", sa.Text(), nullable=True),
        sa.Column("hold_minutes", sa.Integer(), server_default="15", nullable=False),
        sa.Column("linked_at", columns.Instant(), nullable=False),
        sa.Column("unlinked_at", columns.Instant(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'CONNECTED') = (stripe_account IS NOT NULL)",
            name=op.f("ck_stripe_links_connected"),
        ),
        sa.CheckConstraint(
            "(kind = 'KEY') = (publishable_key IS NOT NULL) AND (kind = 'KEY') = (sealed_key IS NOT NULL)",
            name=op.f("ck_stripe_links_has_key"),
        ),
        sa.CheckConstraint(
            "kind IN ('OWN', 'CONNECTED', 'KEY')", name=op.f("ck_stripe_links_kind")
        ),
        sa.CheckConstraint(
            "hold_minutes BETWEEN 5 AND 120", name=op.f("ck_stripe_links_hold_minutes")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_stripe_links_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_stripe_links")),
    )
    with op.batch_alter_table("stripe_links") as batch_op:
        batch_op.create_index(
            "uq_stripe_links_one_in_force",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("unlinked_at IS NULL"),
            postgresql_where=sa.text("unlinked_at IS NULL"),
        )

    op.create_table(
        "card_payments",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("payment_id", columns.Key(), nullable=False),
        sa.Column("link_id", columns.Key(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("hold_until", columns.Instant(), nullable=False),
        sa.Column("ended_because", sa.String(length=20), nullable=True),
        sa.Column("intent_id", sa.String(length=255), nullable=True),
        sa.Column("captured_minor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refunded_minor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refunded_elsewhere_minor", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(state IN ('EXPIRED', 'RETURNED')) = (ended_because IS NOT NULL)",
            name=op.f("ck_card_payments_ended"),
        ),
        sa.CheckConstraint(
            "(state IN ('PAID', 'RETURNED')) = (captured_minor > 0)",
            name=op.f("ck_card_payments_captured"),
        ),
        sa.CheckConstraint(
            "state IN ('PENDING', 'PAID', 'EXPIRED', 'RETURNED')",
            name=op.f("ck_card_payments_state"),
        ),
        sa.CheckConstraint(
            "refunded_elsewhere_minor >= 0", name=op.f("ck_card_payments_refunded_elsewhere")
        ),
        sa.CheckConstraint(
            "refunded_minor BETWEEN 0 AND captured_minor",
            name=op.f("ck_card_payments_refunded"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "link_id"],
            ["stripe_links.account_id", "stripe_links.id"],
            name=op.f("fk_card_payments_account_id_link_id_stripe_links"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "payment_id"],
            ["payments.account_id", "payments.id"],
            name=op.f("fk_card_payments_account_id_payment_id_payments"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_card_payments_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "payment_id", name=op.f("pk_card_payments")),
    )
    with op.batch_alter_table("card_payments") as batch_op:
        batch_op.create_index("ix_card_payments_intent_of_all", ["intent_id"], unique=False)
        batch_op.create_index(
            "ix_card_payments_pending",
            ["account_id", "hold_until"],
            unique=False,
            sqlite_where=sa.text("state = 'PENDING'"),
            postgresql_where=sa.text("state = 'PENDING'"),
        )
        batch_op.create_index(
            "uq_card_payments_intent", ["account_id", "intent_id"], unique=True
        )

    op.create_table(
        "refunds",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("payment_id", columns.Key(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("stripe_refund_id", sa.String(length=255), nullable=True),
        sa.Column("failure", sa.String(length=60), nullable=True),
        sa.Column("requested_at", columns.Instant(), nullable=False),
        sa.Column("settled_at", columns.Instant(), nullable=True),
        sa.CheckConstraint(
            "(state = 'FAILED') = (failure IS NOT NULL)", name=op.f("ck_refunds_failure")
        ),
        sa.CheckConstraint(
            "(state IN ('SUCCEEDED', 'FAILED')) = (settled_at IS NOT NULL)",
            name=op.f("ck_refunds_settled"),
        ),
        sa.CheckConstraint("cause IN ('LATE', 'ELSEWHERE')", name=op.f("ck_refunds_cause")),
        sa.CheckConstraint(
            "state IN ('REQUESTED', 'FAILED') OR stripe_refund_id IS NOT NULL",
            name=op.f("ck_refunds_submitted"),
        ),
        sa.CheckConstraint(
            "state IN ('REQUESTED', 'SUBMITTED', 'SUCCEEDED', 'FAILED')",
            name=op.f("ck_refunds_state"),
        ),
        sa.CheckConstraint("amount_minor >= 1", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(
            ["account_id", "payment_id"],
            ["card_payments.account_id", "card_payments.payment_id"],
            name=op.f("fk_refunds_account_id_payment_id_card_payments"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_refunds_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_refunds")),
    )
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_refunds_account_id_payment_id"),
            ["account_id", "payment_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_refunds_account_id_stripe_refund_id"),
            ["account_id", "stripe_refund_id"],
            unique=True,
        )

    with op.batch_alter_table("bookings") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bookings_account_id_payment_id"),
            ["account_id", "payment_id"],
            unique=False,
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_bookings_held"), "status <> 'HELD' OR payment_id IS NOT NULL"
        )

    with op.batch_alter_table("course_bookings") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_course_bookings_account_id_payment_id"),
            ["account_id", "payment_id"],
            unique=False,
        )


def downgrade() -> None:
    forget_what_was_held()
    let_statuses_be(STATUSES, BOOKED)
    with op.batch_alter_table("course_bookings") as batch_op:
        batch_op.drop_index(batch_op.f("ix_course_bookings_account_id_payment_id"))

    with op.batch_alter_table("bookings") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_bookings_held"), type_="check")
        batch_op.drop_index(batch_op.f("ix_bookings_account_id_payment_id"))

    with op.batch_alter_table("refunds") as batch_op:
        batch_op.drop_index(batch_op.f("ix_refunds_account_id_stripe_refund_id"))
        batch_op.drop_index(batch_op.f("ix_refunds_account_id_payment_id"))

    op.drop_table("refunds")
    with op.batch_alter_table("card_payments") as batch_op:
        batch_op.drop_index("uq_card_payments_intent")
        batch_op.drop_index(
            "ix_card_payments_pending",
            sqlite_where=sa.text("state = 'PENDING'"),
            postgresql_where=sa.text("state = 'PENDING'"),
        )
        batch_op.drop_index("ix_card_payments_intent_of_all")

    op.drop_table("card_payments")
    with op.batch_alter_table("stripe_links") as batch_op:
        batch_op.drop_index(
            "uq_stripe_links_one_in_force",
            sqlite_where=sa.text("unlinked_at IS NULL"),
            postgresql_where=sa.text("unlinked_at IS NULL"),
        )

    op.drop_table("stripe_links")
    with op.batch_alter_table("stripe_events") as batch_op:
        batch_op.drop_index("ix_stripe_events_old")

    op.drop_table("stripe_events")
    with op.batch_alter_table("schedules") as batch_op:
        batch_op.drop_index("ix_schedules_next")

    op.drop_table("schedules")
