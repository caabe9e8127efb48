"""Caps on drop-ins."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("drop_in_offers") as batch_op:
        batch_op.add_column(sa.Column("cap", sa.Integer(), nullable=True))
        batch_op.create_check_constraint(batch_op.f("ck_drop_in_offers_cap"), "cap >= 1")


def downgrade() -> None:
    with op.batch_alter_table("drop_in_offers") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_drop_in_offers_cap"), type_="check")
        batch_op.drop_column("cap")
