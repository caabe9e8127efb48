"""Where drop-in offers are kept: one per session that takes drop-ins."""

from sqlalchemy import JSON, CheckConstraint, Column, Index, Integer, MetaData, String, Table

from classbolt.columns import Instant, Key
from classbolt.tables import NAMING, account_column, refers_to, sessions

metadata = MetaData(naming_convention=NAMING)

offers = Table(
    "drop_in_offers",
    metadata,
    account_column(),
    Column("session_id", Key, primary_key=True),
    Column("price_minor", Integer, nullable=False),
    Column("opens_before_value", Integer, nullable=False),
    Column("opens_before_unit", String(10), nullable=False),
    Column("payment_methods", JSON, nullable=False),
    # When it opens, so that lists can use it: worked out for one start of the session, read in
    # one time zone. Neither need be theirs any more.
    Column("opens_at", Instant, nullable=False),
    Column("for_start", Instant, nullable=False),
    Column("for_zone", String(64), nullable=False),
    Column("cap", Integer),
    refers_to(sessions, "session_id"),
    CheckConstraint("price_minor >= 0", name="price"),
    CheckConstraint("opens_before_value >= 0", name="opens_before"),
    CheckConstraint("cap >= 1", name="cap"),
)
Index(None, offers.c.account_id, offers.c.opens_at)
