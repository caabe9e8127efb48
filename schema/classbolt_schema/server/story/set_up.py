"""What the studio's owner sets up, once, before any customer can move a session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from classbolt_schema.server.context import utc_now
from classbolt_schema.server.demo import (
    CREATE_BUNDLE,
    CREATE_COURSE,
    CREATE_TAG,
    ENABLE_BOLT_ON,
    Studio,
)
from classbolt_schema.server.story.teller import SOMETHING, Teller

SOON: Final = timedelta(hours=5)
DAY: Final = timedelta(days=1)
NOTICE: Final = {"value": 24, "unit": "HOURS"}
OPENS: Final = {"value": 4, "unit": "WEEKS"}
SEATS: Final = 8
ONE: Final = "Beginners, group one"
TWO: Final = "Beginners, group two"
ADVANCED: Final = "Advanced"


def set_up(tell: Teller) -> Studio:
    """Set up bolt-ons, tags, the refund bundle and three courses."""
    studio = Studio()
    tell.chapter("What the owner sets up, once")
    for code in ("auto_refund", "drop_in"):
        tell.do(
            f"The bolt-on {code} is on.",
            ENABLE_BOLT_ON,
            {"boltOn": code},
            {"boltOn": {"enabled": True}},
            as_="owner",
        )
    for level in ("Beginners", "Advanced"):
        made = tell.do(
            f"There is a tag for the level {level}.",
            CREATE_TAG,
            {"name": level},
            {"tag": {"id": SOMETHING}},
            as_="owner",
        )
        studio.tags[level] = tell.name(made["tag"]["id"], f"tag {level}")
    made = tell.do(
        "The refund bundle has one credit, and the tag of the beginners' sessions.",
        CREATE_BUNDLE,
        {
            "name": "Swap, beginners",
            "credits": 1,
            "validity": {"value": 60, "unit": "DAYS"},
            "tags": [studio.tags["Beginners"]],
        },
        {"bundle": {"id": SOMETHING}},
        as_="owner",
    )
    studio.bundles["swap"] = tell.name(made["bundle"]["id"], "bundle Swap, beginners")
    _add_course(
        tell,
        studio,
        "Who buys the first course and cancels a session a day ahead gets that bundle.",
        {
            "title": ONE,
            "priceMinor": 6000,
            "tag": studio.tags["Beginners"],
            "autoRefund": {
                "notice": NOTICE,
                "refunds": [
                    {
                        "option": "COURSE",
                        "method": "NEW_BUNDLE",
                        "bundle": studio.bundles["swap"],
                    }
                ],
            },
            "sessions": _sessions(SOON, 8 * DAY, 15 * DAY, 22 * DAY),
        },
    )
    _add_course(
        tell,
        studio,
        "The second course takes transfers only: it shows a price, but accepts only credits.",
        {
            "title": TWO,
            "priceMinor": 6000,
            "tag": studio.tags["Beginners"],
            "sessions": _sessions(3 * DAY, 10 * DAY, pay_with=["credit"]),
        },
    )
    _add_course(
        tell,
        studio,
        "The advanced course takes drop-ins who pay with credits or money.",
        {
            "title": ADVANCED,
            "priceMinor": 7200,
            "tag": studio.tags["Advanced"],
            "sessions": _sessions(4 * DAY, pay_with=["credit", "offline"]),
        },
    )
    return studio


def _add_course(tell: Teller, studio: Studio, claim: str, wanted: dict[str, Any]) -> None:
    title = wanted["title"]
    made = tell.do(claim, CREATE_COURSE, wanted, {"course": {"id": SOMETHING}}, as_="owner")
    studio.courses[title] = tell.name(made["course"]["id"], title)
    studio.sessions[title] = [
        tell.name(edge["node"]["id"], f"{title}, session {number}")
        for number, edge in enumerate(made["course"]["sessions"]["edges"], 1)
    ]


def _sessions(*ahead: timedelta, pay_with: list[str] | None = None) -> list[dict[str, Any]]:
    """Make sessions that start so long from now, with an offer to drop-ins if one can pay."""
    now = utc_now().replace(second=0, microsecond=0)
    offer = {"priceMinor": 1200, "opensBefore": OPENS, "paymentMethods": pay_with}
    return [
        {
            "startsAt": (now + each).isoformat(),
            "capacity": SEATS,
            **({"dropIn": offer} if pay_with else {}),
        }
        for each in ahead
    ]
