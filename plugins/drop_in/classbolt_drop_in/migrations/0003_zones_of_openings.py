"""The time zone in which an opening was worked out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("drop_in_offers", sa.Column("for_zone", sa.String(64), nullable=True))
    # No account could change its zone before, so each offer was worked out in the one it has.
    op.execute(
        "UPDATE drop_in_offers SET for_zone ="
        " (SELECT time_zone FROM accounts WHERE accounts.id = drop_in_offers.account_id)"
    )
    with op.batch_alter_table("drop_in_offers") as batch_op:
        batch_op.alter_column("for_zone", existing_type=sa.String(64), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("drop_in_offers") as batch_op:
        batch_op.drop_column("for_zone")
