"""Late joiners, moved sessions, goodwill and refunds by hand."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns
from classbolt.customers import search_text

revision = "0003"
down_revision = "0002"

KINDS = (
    "(kind = 'ISSUE' AND amount >= 1)"
    " OR (kind = 'SPEND' AND amount = -1 AND booking_id IS NOT NULL)"
    " OR (kind = 'CREDIT_BACK' AND amount = 1 AND booking_id IS NOT NULL)"
)
KINDS_WITH_REVOKE = KINDS + " OR (kind = 'REVOKE' AND amount <= -1 AND booking_id IS NULL)"

# What the new columns say of rows that are there already.
FILL = (
    "UPDATE bookings SET origin_id = course_booking_id",
    """
    UPDATE customer_bundles SET origin_id = (
        SELECT b.course_booking_id FROM credit_entries e
        JOIN bookings b ON b.account_id = e.account_id AND b.id = e.booking_id
        WHERE e.account_id = customer_bundles.account_id
        AND e.customer_bundle_id = customer_bundles.id AND e.kind = 'ISSUE')
    """,
    """
    UPDATE bookings SET origin_id = (
        SELECT h.origin_id FROM customer_bundles h
        WHERE h.account_id = bookings.account_id AND h.id = bookings.customer_bundle_id)
    WHERE customer_bundle_id IS NOT NULL
    """,
)
CUSTOMERS = sa.table(
    "customers",
    sa.column("account_id"),
    sa.column("id", columns.Key()),
    sa.column("name"),
    sa.column("email"),
    sa.column("search_text"),
)


def upgrade() -> None:
    with op.batch_alter_table("bookings") as batch_op:
        batch_op.add_column(sa.Column("origin_id", columns.Key(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_bookings_account_id_origin_id"),
            ["account_id", "origin_id"],
            unique=False,
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_bookings_account_id_origin_id_course_bookings"),
            "course_bookings",
            ["account_id", "origin_id"],
            ["account_id", "id"],
        )

    with op.batch_alter_table("cancellations") as batch_op:
        batch_op.add_column(
            sa.Column("choice", sa.String(length=10), server_default="POLICY", nullable=False)
        )
        batch_op.add_column(sa.Column("note", sa.String(length=500), nullable=True))
        batch_op.add_column(
            sa.Column("refund_due", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("refunded_at", columns.Instant(), nullable=True))
        batch_op.add_column(sa.Column("refunded_by_id", columns.Key(), nullable=True))
        batch_op.add_column(sa.Column("refund_note", sa.String(length=500), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_cancellations_account_id_cancelled_at_id"),
            ["account_id", "cancelled_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_cancellations_refund_due",
            ["account_id", "cancelled_at", "id"],
            unique=False,
            sqlite_where=sa.text("refund_due"),
            postgresql_where=sa.text("refund_due"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_cancellations_account_id_refunded_by_id_staff"),
            "staff",
            ["account_id", "refunded_by_id"],
            ["account_id", "id"],
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_cancellations_choice"),
            "choice IN ('POLICY', 'NONE', 'GOODWILL', 'CREDITS')",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_cancellations_goodwill"), "choice <> 'GOODWILL' OR note IS NOT NULL"
        )

    with op.batch_alter_table("course_bookings") as batch_op:
        batch_op.add_column(
            sa.Column("status", sa.String(length=10), server_default="BOOKED", nullable=False)
        )
        batch_op.create_index(
            batch_op.f("ix_course_bookings_account_id_customer_id"),
            ["account_id", "customer_id"],
            unique=False,
        )
        batch_op.drop_index("uq_course_bookings_one_per_customer")
        batch_op.create_index(
            "uq_course_bookings_one_per_customer",
            ["account_id", "course_id", "customer_id"],
            unique=True,
            sqlite_where=sa.text("status = 'BOOKED'"),
            postgresql_where=sa.text("status = 'BOOKED'"),
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_course_bookings_status"), "status IN ('BOOKED', 'CANCELLED')"
        )

    with op.batch_alter_table("courses") as batch_op:
        batch_op.add_column(
            sa.Column("late_joining", sa.String(length=10), server_default="NO", nullable=False)
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_courses_late_joining"),
            "late_joining IN ('NO', 'FULL_PRICE', 'PRO_RATA')",
        )

    with op.batch_alter_table("credit_entries") as batch_op:
        batch_op.add_column(sa.Column("note", sa.String(length=500), nullable=True))
        batch_op.drop_constraint("ck_credit_entries_kind", type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_credit_entries_kind"), KINDS_WITH_REVOKE
        )

    with op.batch_alter_table("customer_bundles") as batch_op:
        batch_op.add_column(sa.Column("revoked_at", columns.Instant(), nullable=True))
        batch_op.add_column(sa.Column("origin_id", columns.Key(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_customer_bundles_account_id_origin_id_course_bookings"),
            "course_bookings",
            ["account_id", "origin_id"],
            ["account_id", "id"],
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_customer_bundles_revoked"), "revoked_at IS NULL OR balance = 0"
        )
        batch_op.create_index(
            batch_op.f("ix_customer_bundles_account_id_bundle_id_expires_at_id"),
            ["account_id", "bundle_id", "expires_at", "id"],
            unique=False,
        )

    with op.batch_alter_table("customers") as batch_op:
        batch_op.add_column(
            sa.Column(
                "search_text",
                sa.String(length=600),
                server_default=sa.text("''"),
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("erased_at", columns.Instant(), nullable=True))
        batch_op.add_column(sa.Column("merged_into_id", columns.Key(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_customers_account_id_merged_into_id_customers"),
            "customers",
            ["account_id", "merged_into_id"],
            ["account_id", "id"],
        )

    with op.batch_alter_table("sessions") as batch_op:
        batch_op.add_column(sa.Column("moved_at", columns.Instant(), nullable=True))

    for statement in FILL:
        op.execute(statement)
    # No database folds letters as searches do.
    connection = op.get_bind()
    for row in connection.execute(sa.select(CUSTOMERS)).all():
        connection.execute(
            CUSTOMERS.update()
            .where(CUSTOMERS.c.account_id == row.account_id, CUSTOMERS.c.id == row.id)
            .values(search_text=search_text(row.name, row.email))
        )


def downgrade() -> None:
    with op.batch_alter_table("sessions") as batch_op:
        batch_op.drop_column("moved_at")

    with op.batch_alter_table("customers") as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_customers_account_id_merged_into_id_customers"), type_="foreignkey"
        )
        batch_op.drop_column("merged_into_id")
        batch_op.drop_column("erased_at")
        batch_op.drop_column("search_text")

    with op.batch_alter_table("customer_bundles") as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_customer_bundles_account_id_bundle_id_expires_at_id")
        )
        batch_op.drop_constraint(batch_op.f("ck_customer_bundles_revoked"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("fk_customer_bundles_account_id_origin_id_course_bookings"),
            type_="foreignkey",
        )
        batch_op.drop_column("origin_id")
        batch_op.drop_column("revoked_at")

    with op.batch_alter_table("credit_entries") as batch_op:
        batch_op.drop_constraint("ck_credit_entries_kind", type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_credit_entries_kind"), KINDS)
        batch_op.drop_column("note")

    with op.batch_alter_table("courses") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_courses_late_joining"), type_="check")
        batch_op.drop_column("late_joining")

    with op.batch_alter_table("course_bookings") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_course_bookings_status"), type_="check")
        batch_op.drop_index(
            "uq_course_bookings_one_per_customer",
            sqlite_where=sa.text("status = 'BOOKED'"),
            postgresql_where=sa.text("status = 'BOOKED'"),
        )
        batch_op.create_index(
            "uq_course_bookings_one_per_customer",
            ["account_id", "course_id", "customer_id"],
            unique=True,
        )
        batch_op.drop_index(batch_op.f("ix_course_bookings_account_id_customer_id"))
        batch_op.drop_column("status")

    with op.batch_alter_table("cancellations") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_cancellations_goodwill"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_cancellations_choice"), type_="check")
        batch_op.drop_constraint(
            batch_op.f("fk_cancellations_account_id_refunded_by_id_staff"), type_="foreignkey"
        )
        batch_op.drop_index(
            "ix_cancellations_refund_due",
            sqlite_where=sa.text("refund_due"),
            postgresql_where=sa.text("refund_due"),
        )
        batch_op.drop_index(batch_op.f("ix_cancellations_account_id_cancelled_at_id"))
        batch_op.drop_column("refund_note")
        batch_op.drop_column("refunded_by_id")
        batch_op.drop_column("refunded_at")
        batch_op.drop_column("refund_due")
        batch_op.drop_column("note")
        batch_op.drop_column("choice")

    with op.batch_alter_table("bookings") as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_bookings_account_id_origin_id_course_bookings"), type_="foreignkey"
        )
        batch_op.drop_index(batch_op.f("ix_bookings_account_id_origin_id"))
        batch_op.drop_column("origin_id")
