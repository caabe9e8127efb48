"""The time zone in which an opening was worked out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("drop_in_offers", sa.Column("for_zone", sa.String(64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("drop_in_offers") as batch_op:
        batch_op.drop_column("for_zone")
