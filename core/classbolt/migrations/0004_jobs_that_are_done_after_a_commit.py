"""Jobs that are done after a commit."""

import sqlalchemy as sa
from alembic import op

from classbolt import columns

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("id", columns.Key(), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("bolt_on", sa.String(length=40), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("enqueued_at", columns.Instant(), nullable=False),
        sa.Column("run_at", columns.Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lost", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease", columns.Key(), nullable=True),
        sa.Column("last_failure", sa.String(length=100), nullable=True),
        sa.Column("died_at", columns.Instant(), nullable=True),
        sa.CheckConstraint("lost BETWEEN 0 AND attempts", name=op.f("ck_jobs_attempts")),
        sa.CheckConstraint("died_at IS NULL OR lease IS NULL", name=op.f("ck_jobs_dead")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_jobs_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs") as batch_op:
        batch_op.create_index(
            "ix_jobs_dead",
            ["account_id", "died_at", "id"],
            unique=False,
            sqlite_where=sa.text("died_at IS NOT NULL"),
            postgresql_where=sa.text("died_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_jobs_due",
            ["run_at"],
            unique=False,
            sqlite_where=sa.text("died_at IS NULL"),
            postgresql_where=sa.text("died_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("jobs") as batch_op:
        batch_op.drop_index(
            "ix_jobs_due",
            sqlite_where=sa.text("died_at IS NULL"),
            postgresql_where=sa.text("died_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_jobs_dead",
            sqlite_where=sa.text("died_at IS NOT NULL"),
            postgresql_where=sa.text("died_at IS NOT NULL"),
        )

    op.drop_table("jobs")
