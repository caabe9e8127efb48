"""What the API foretells of a deed, asked by whoever is about to do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deeds import Deed
from studio import Studio

OPTIONS = (
    "userErrors { code } paymentOptions { method customerBundle { id } userErrors { code } }"
)


@dataclass(frozen=True)
class Previews:
    """The answers of a studio to those who ask first."""

    studio: Studio

    async def can_book_session(self, deed: Deed) -> bool:
        """Say whether booking a session, paid as asked, is offered."""
        found = await self._ask(
            "query ($session: ID!, $customer: ID) {"
            f" bookingOptions(session: $session, customer: $customer) {{ {OPTIONS} }} }}",
            deed,
            session=deed.asked["session"],
            customer=deed.asked.get("customer"),
        )
        return _is_offered(found["bookingOptions"], deed.asked["payWith"])

    async def places_of_course(self, deed: Deed) -> int | None:
        """Say how many sessions booking a course would book; None if it is not offered."""
        found = await self._ask(
            "query ($course: ID!, $customer: ID) {"
            " courseBookingOptions(course: $course, customer: $customer)"
            f" {{ sessionsLeft {OPTIONS} }} }}",
            deed,
            course=deed.asked["course"],
            customer=deed.asked.get("customer"),
        )
        options = found["courseBookingOptions"]
        left: int = options["sessionsLeft"]
        return left if _is_offered(options, deed.asked["payWith"]) else None

    async def of_cancelling(self, deed: Deed) -> dict[str, Any]:
        """Say what cancelling a booking would give."""
        found = await self._ask(
            "query ($booking: ID!) { cancellationPreview(booking: $booking) { outcome quote"
            " reason { code message } bundle { id } customerBundle { id }"
            " userErrors { code } } }",
            deed,
            booking=deed.asked["booking"],
        )
        preview: dict[str, Any] = found["cancellationPreview"]
        return preview

    async def swap_targets(self, deed: Deed) -> set[str]:
        """Say for which sessions a booking could be swapped with the credit that it gives."""
        found = await self._ask(
            "query ($booking: ID!) { swapTargets(booking: $booking) { sessions { id } } }",
            deed,
            booking=deed.asked["booking"],
        )
        return {each["id"] for each in found["swapTargets"]["sessions"]}

    async def _ask(self, document: str, deed: Deed, **variables: Any) -> Any:
        return await self.studio.query(document, as_=deed.by, **variables)


def _is_offered(options: dict[str, Any], pay_with: dict[str, Any]) -> bool:
    ((method, chosen),) = pay_with.items()
    # The best credit is listed without a bundle, then each bundle by its id.
    wanted = chosen.get("customerBundle") if method == "credit" else None
    fitting = [
        each
        for each in options["paymentOptions"]
        if each["method"] == method
        and (each["customerBundle"] and each["customerBundle"]["id"]) == wanted
    ]
    return bool(fitting) and not options["userErrors"] and not fitting[0]["userErrors"]
