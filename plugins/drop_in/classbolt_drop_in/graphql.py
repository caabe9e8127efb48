"""What drop-in adds to the schema: offers, the credit to pay with, a list of what is open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from classbolt import Given, TagId, check_methods, check_number, check_period, check_price
from classbolt import Money as Price
from classbolt_drop_in import matching, offer
from classbolt_drop_in.offers import find_offers, list_open
from classbolt_schema.api import (
    UNSET,
    After,
    Connection,
    First,
    Info,
    Money,
    NewSessionInput,
    PaySource,
    PayWithInput,
    Period,
    PeriodInput,
    SchemaExtension,
    Session,
    UnsetType,
    UpdateSessionInput,
    UpdateSessionsInput,
    decode,
    page,
)

MOST_DROP_INS = 10_000

schema = SchemaExtension(offer.DROP_IN)

for refusal in (
    offer.DropInsNotAllowed,
    offer.DropInNotOpen,
    offer.DropInCapReached,
    matching.TagMismatch,
    matching.NoMatchingCredit,
):
    schema.refusal(refusal)


@strawberry.type(description="A session's offer to people who did not buy its course.")
class DropInOffer:
    """An offer as clients see it."""

    price: Money = strawberry.field(
        description="What a place costs, shown also where only credits are accepted."
    )
    opens_before: Period = strawberry.field(description="How long before the start it opens.")
    opens_at: datetime = strawberry.field(description="From when on drop-ins can book.")
    is_open: bool = strawberry.field(
        description="Whether that moment has come and the session has not started."
    )
    payment_methods: list[str] = strawberry.field(
        description="What is accepted, as the members of `payWith` are named."
    )
    cap: int | None = strawberry.field(
        description="How many drop-ins the session takes; null for as many as there are seats."
    )
    places_left: int = strawberry.field(
        description="How many more drop-ins can come: the free seats, as far as the cap allows."
    )


@strawberry.input(description="A session's offer to people who did not buy its course.")
class DropInInput:
    """An offer as clients give it."""

    price_minor: int = strawberry.field(
        description="What a place costs, in minor units. It is shown even if only credits are"
        " accepted, to say what a place is worth."
    )
    opens_before: PeriodInput = strawberry.field(
        description="How long before the start it opens."
    )
    payment_methods: list[str] = strawberry.field(
        default_factory=lambda: ["credit"],
        description="What is accepted: credit, card, offline. Only credit means transfers"
        " only.",
    )
    cap: int | None = strawberry.field(
        default=None,
        description="How many drop-ins the session takes at most, so that they do not fill it;"
        " null for as many as there are seats.",
    )


@strawberry.input(description="Pay with a credit.")
class CreditInput(PaySource):
    """A credit to pay with."""

    customer_bundle: strawberry.ID | None = strawberry.field(
        default=None,
        description="The bundle whose credit is to pay; null for the one that fits best:"
        " the first to expire, then the one with the fewest tags.",
    )

    def source(self) -> UUID | None:
        """Give the bundle that was named."""
        if self.customer_bundle is None:
            return None
        return decode("CustomerBundle", self.customer_bundle)


WHAT = "The offer to drop-ins; null takes it away, and leaving it out keeps it as it is."
OFFERS_GIVEN = tuple(
    schema.input_field(on, "drop_in", DropInInput, description=WHAT)
    for on in (NewSessionInput, UpdateSessionInput, UpdateSessionsInput)
)
schema.choice(PayWithInput, "credit", CreditInput, description="Pay with a credit.")


def offer_given(given: Given, currency: str) -> offer.DropInOffer | UnsetType | None:
    """Read the offer that was given with a session, if one was.

    Raises:
        InvalidInput: It cannot be used.
    """
    found: DropInInput | UnsetType | None = UNSET
    for key in OFFERS_GIVEN:
        if isinstance(found, UnsetType):
            found = key.of(given)
    if found is None or isinstance(found, UnsetType):
        return found
    place = (*given.place, "dropIn")
    if found.cap is not None:
        check_number(found.cap, *place, "cap", least=1, most=MOST_DROP_INS)
    methods = check_methods(found.payment_methods, offer.METHODS, *place, "paymentMethods")
    return offer.DropInOffer(
        price=Price(check_price(found.price_minor, *place, "priceMinor"), currency),
        opens_before=check_period(found.opens_before.to_period(), *place, "opensBefore"),
        methods=frozenset(methods),
        cap=found.cap,
    )


@schema.field(Session, description="The offer to drop-ins; null if the session takes none.")
async def drop_in(sessions: Sequence[Session], info: Info) -> Sequence[DropInOffer | None]:
    """Show the offers of sessions."""
    tx = await info.context.reading()
    found = await find_offers(tx, [session.facts.id for session in sessions])
    zone, now = tx.account.time_zone, info.context.now
    return [
        _shown(
            found[session.facts.id],
            session,
            found[session.facts.id].opens_at(session.facts, zone),
            now,
        )
        if session.facts.id in found
        else None
        for session in sessions
    ]


def _shown(
    found: offer.DropInOffer, session: Session, opens_at: datetime, now: datetime
) -> DropInOffer:
    return DropInOffer(
        price=Money.of(found.price),
        opens_before=Period.of(found.opens_before),
        opens_at=opens_at,
        is_open=opens_at <= now < session.starts_at,
        payment_methods=sorted(found.methods),
        cap=found.cap,
        places_left=found.places_left(session.facts),
    )


@schema.query(
    description="Sessions that drop-ins can book at this moment, with a place left for them, in"
    " the order they start. A page may be shorter than was asked for."
)
async def open_drop_ins(
    info: Info,
    first: First = 25,
    after: After = None,
    since: Annotated[
        datetime | None,
        strawberry.argument(
            name="from", description="Only sessions that start at this or later."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        strawberry.argument(description="Only sessions that start before this."),
    ] = None,
    tag: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only sessions with this tag.")
    ] = None,
) -> Connection[Session] | None:
    """List what is open to drop-ins."""
    found = await list_open(
        await info.context.reading(),
        page(first, after),
        since=since,
        until=until,
        tag_id=None if tag is None else TagId(decode("Tag", tag)),
        now=info.context.now,
    )
    return Connection[Session].of(found, Session.of)
