"""What staff look up about refunds: given, denied for which reason, and due by hand."""

from __future__ import annotations

from typing import Any, cast

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from classbolt.bolt_ons import BoltOns
from classbolt.reports import DUE, KEYS
from classbolt.testing.databases import Kind
from fixture_f import FixtureF
from studio import Studio

REFUNDS = """query ($first: Int, $after: String, $from: DateTime, $until: DateTime,
    $outcome: String, $reason: String) {
  refunds(first: $first, after: $after, from: $from, until: $until, outcome: $outcome,
      reason: $reason) {
    edges { node { cancelledAt refund { outcome reason { code } }
      booking { customer { name } session { startsAt } } } }
    pageInfo { hasNextPage endCursor } } }"""
SUMMARY = """query ($from: DateTime, $until: DateTime) {
  refundSummary(from: $from, until: $until) { outcome reason count } }"""
DUE_BY_HAND = """query ($first: Int, $after: String) {
  manualRefundsDue(first: $first, after: $after) {
    edges { node { refundDue refundedAt booking { id customer { name } } } }
    pageInfo { hasNextPage endCursor } } }"""
OF_BOOKING = """query ($id: ID!) { node(id: $id) { ... on Booking { cancellation {
  choice refundDue refundedAt refundNote refundedBy { name } } } } }"""
DONE = "cancellation { refundDue refundedAt refundNote refundedBy { name } }"


async def refunds(studio: Studio, **narrowed: Any) -> list[tuple[str, str, str]]:
    """List refunds: whose, what, and why not."""
    found = await studio.query(REFUNDS, as_="staff", **narrowed)
    return [
        (
            edge["node"]["booking"]["customer"]["name"],
            edge["node"]["refund"]["outcome"],
            (edge["node"]["refund"]["reason"] or {"code": ""})["code"],
        )
        for edge in found["refunds"]["edges"]
    ]


async def due(studio: Studio) -> list[str]:
    """Say to whom refunds are due by hand."""
    found = await studio.query(DUE_BY_HAND, as_="staff", first=100)
    nodes = [edge["node"] for edge in found["manualRefundsDue"]["edges"]]
    assert all(each["refundDue"] and not each["refundedAt"] for each in nodes)
    return [each["booking"]["customer"]["name"] for each in nodes]


async def mark(studio: Studio, booking: str, note: str | None = None) -> dict[str, Any]:
    asked = {"booking": booking, "note": note}
    done = await studio.do("markRefunded", asked, DONE, as_="staff")
    return dict(done["cancellation"])


class FiveCancelled(FixtureF):
    """Fixture F after five cancellations: two gave a bundle, one a credit, two nothing."""

    NAME = "fixture F, five cancelled"

    async def furnish(self, kind: Kind, studio: Studio) -> None:
        """Set it up, and cancel."""
        await super().furnish(kind, studio)
        studio.clock.set("2027-01-20T10:00")
        await studio.cancel("Ana", "MON", 3)
        studio.clock.set("2027-01-22T09:00")
        await studio.book("Ana", "THU", 3)
        await studio.cancel("Hal", "SAT", 3)
        studio.clock.set("2027-01-23T09:00")
        await studio.cancel("Ana", "THU", 3)
        await studio.cancel("Ben", "THU", 3, by="staff", refund="NONE")
        studio.clock.set("2027-02-01T12:00")
        await studio.cancel("Ana", "MON", 4)


@pytest.fixture(scope="session")  # as long as what is copied
def five_cancelled(
    tmp_path_factory: pytest.TempPathFactory, bolt_ons: BoltOns
) -> FiveCancelled:
    return FiveCancelled(bolt_ons, tmp_path_factory.mktemp("five_cancelled"))


@pytest.fixture
def furnished(request: pytest.FixtureRequest, furnished: FixtureF | None) -> FixtureF | None:
    """Five cancellations if the test asks for the busy studio."""
    if "busy" in request.fixturenames:
        return cast("FiveCancelled", request.getfixturevalue("five_cancelled"))
    return furnished


@pytest.fixture
def busy(northside: Studio) -> Studio:
    """Fixture F after five cancellations."""
    return northside


ALL = [
    ("Ana", "NONE", "NOTICE_TOO_SHORT"),
    ("Ben", "NONE", "REFUND_DECLINED"),
    ("Ana", "CREDIT_BACK", ""),
    ("Hal", "NEW_BUNDLE", ""),
    ("Ana", "NEW_BUNDLE", ""),
]


async def test_refunds_given_and_denied_are_listed_the_latest_first(busy: Studio) -> None:
    """B8: each with the booking that it is about."""
    found = await busy.query(REFUNDS, as_="staff", first=1)

    assert await refunds(busy) == ALL
    assert found["refunds"]["edges"] == [
        {
            "node": {
                "cancelledAt": "2027-02-01T12:00:00Z",
                "refund": {"outcome": "NONE", "reason": {"code": "NOTICE_TOO_SHORT"}},
                "booking": {
                    "customer": {"name": "Ana"},
                    "session": {"startsAt": "2027-02-01T18:30:00Z"},
                },
            }
        }
    ]


async def test_refunds_are_narrowed_down(busy: Studio) -> None:
    """From is included, until is not."""
    assert await refunds(busy, outcome="NEW_BUNDLE") == [ALL[3], ALL[4]]
    assert await refunds(busy, reason="REFUND_DECLINED") == [ALL[1]]
    assert await refunds(busy, outcome="NEW_BUNDLE", reason="REFUND_DECLINED") == []
    assert await refunds(busy, reason="NO_SUCH_REASON") == []
    assert await refunds(busy, **{"from": "2027-01-23T09:00:00Z"}) == ALL[:3]
    assert await refunds(busy, until="2027-01-23T09:00:00Z") == ALL[3:]
    spring = {"from": "2027-01-22T00:00:00Z", "until": "2027-01-23T09:00:00.000001Z"}
    assert await refunds(busy, **spring) == ALL[1:4]
    assert await refunds(busy, **spring, outcome="CREDIT_BACK") == [ALL[2]]


async def test_refunds_are_cut_into_pages_however_many_happened_at_once(busy: Studio) -> None:
    """A page goes on where the last one ended, whatever was cancelled since."""
    pages: list[list[str]] = []
    after = None

    while True:
        found = await busy.query(REFUNDS, as_="staff", first=2, after=after)
        part = found["refunds"]
        pages.append([edge["node"]["booking"]["customer"]["name"] for edge in part["edges"]])
        after = part["pageInfo"]["endCursor"]
        await busy.cancel("Ana", "MON", len(pages) + 4) if len(pages) < 3 else None
        if not part["pageInfo"]["hasNextPage"]:
            break

    assert pages == [["Ana", "Ben"], ["Ana", "Hal"], ["Ana"]]
    assert len(await refunds(busy)) == 7


@pytest.mark.parametrize(
    "narrowed", [{"outcome": "REFUNDED"}, {"outcome": ""}, {"reason": "\0"}, {"reason": ""}]
)
async def test_what_no_refund_can_be_is_refused(busy: Studio, narrowed: dict[str, str]) -> None:
    answer = await busy.ask(REFUNDS, narrowed, as_="staff")

    assert answer.error_codes == ["INVALID_INPUT"]


async def test_refunds_are_counted_by_what_was_given_or_why_nothing(busy: Studio) -> None:
    """B8."""
    everything = (await busy.query(SUMMARY, as_="staff"))["refundSummary"]
    month = {"from": "2027-01-22T00:00:00Z", "until": "2027-02-01T12:00:00Z"}
    january = (await busy.query(SUMMARY, as_="staff", **month))["refundSummary"]

    def rows(found: list[dict[str, Any]]) -> list[tuple[str, str | None, int]]:
        return [(each["outcome"], each["reason"], each["count"]) for each in found]

    assert rows(everything) == [
        ("NEW_BUNDLE", None, 2),
        ("CREDIT_BACK", None, 1),
        ("NONE", "NOTICE_TOO_SHORT", 1),
        ("NONE", "REFUND_DECLINED", 1),
    ]
    assert rows(january) == [
        ("CREDIT_BACK", None, 1),
        ("NEW_BUNDLE", None, 1),
        ("NONE", "REFUND_DECLINED", 1),
    ]


async def test_reports_are_about_one_account(busy: Studio, southside: Studio) -> None:
    """J6."""
    assert await refunds(southside) == []
    assert await due(southside) == []
    assert (await southside.query(SUMMARY, as_="staff")) == {"refundSummary": []}
    asked = {"booking": await busy.booking("Ana", "MON", 3)}
    assert await southside.codes("markRefunded", asked, as_="owner") == ["NOT_FOUND"]


# By hand


async def test_what_the_business_cancelled_for_nothing_is_due_until_it_is_refunded(
    northside: Studio,
) -> None:
    """S18, X13: the oldest first; free places and what gave something are not due."""
    await northside.add_customer("Lou")
    free = {"customer": northside.ids.customers["Lou"], "payWith": {"free": True}}
    asked = {**free, "course": northside.ids.courses["SAT"]}
    await northside.do("bookCourse", asked, as_="staff")
    northside.clock.set("2027-01-20T10:00")
    await northside.call_off("THU", 3, refund="NONE")
    northside.clock.set("2027-01-20T11:00")
    await northside.call_off("SAT", 3, refund="NONE")
    await northside.call_off("MON", 3)
    bens = await northside.booking("Ben", "THU", 3)
    before = await due(northside)
    northside.clock.set("2027-01-21T12:00")

    done = await mark(northside, bens, "Bank transfer")

    assert before == ["Ben", "Hal"]
    assert done == {
        "refundDue": True,
        "refundedAt": "2027-01-21T12:00:00Z",
        "refundNote": "Bank transfer",
        "refundedBy": {"name": "staff"},
    }
    assert await due(northside) == ["Hal"]


async def test_marking_again_changes_nothing(busy: Studio) -> None:
    """B8: who came first stays."""
    booking = await busy.booking("Ben", "THU", 3)
    first = await mark(busy, booking)
    busy.clock.set("2027-02-02T12:00")

    again = await busy.do(
        "markRefunded", {"booking": booking, "note": "Now"}, DONE, as_="owner"
    )

    assert again["cancellation"] == first
    assert first["refundNote"] is None


async def test_anything_that_was_cancelled_can_be_refunded_in_another_way(busy: Studio) -> None:
    """B8, H2: also what nothing was due for; what is booked cannot."""
    late = await mark(busy, await busy.booking("Ana", "MON", 4), "Out of goodwill")
    booked = {"booking": await busy.booking("Ana", "MON", 5)}

    assert (late["refundDue"], late["refundNote"]) == (False, "Out of goodwill")
    assert await busy.codes("markRefunded", booked, as_="staff") == ["NOT_FOUND"]
    assert await due(busy) == []


async def test_a_customer_sees_that_it_was_refunded_and_not_who_of_the_staff_did(
    busy: Studio,
) -> None:
    booking = await busy.booking("Ben", "THU", 3)
    await mark(busy, booking, "He kept shouting")

    seen = (await busy.query(OF_BOOKING, as_="Ben", id=booking))["node"]["cancellation"]

    assert seen == {
        "choice": "NONE",
        "refundDue": False,
        "refundedAt": "2027-02-01T12:00:00Z",
        "refundNote": None,
        "refundedBy": None,
    }


async def test_what_is_due_is_cut_into_pages(northside: Studio) -> None:
    for name in ("Ida", "Joe", "Kim"):
        await northside.add_buyer(name, "THU")
    northside.clock.set("2027-01-20T10:00")
    await northside.call_off("THU", 3, refund="NONE")  # all four at one moment
    whole = await due(northside)
    names: list[str] = []
    after = None
    found: dict[str, Any] = {}

    for _ in whole:
        found = await northside.query(DUE_BY_HAND, as_="staff", first=1, after=after)
        (edge,) = found["manualRefundsDue"]["edges"]
        names.append(edge["node"]["booking"]["customer"]["name"])
        after = found["manualRefundsDue"]["pageInfo"]["endCursor"]

    assert sorted(whole) == ["Ben", "Ida", "Joe", "Kim"]
    assert names == whole
    assert not found["manualRefundsDue"]["pageInfo"]["hasNextPage"]


async def test_what_is_due_is_read_off_an_index_of_its_own(
    northside: Studio, kind: Kind
) -> None:
    """However many cancellations there are, few are due."""
    statement = DUE.order_by(*KEYS).limit(26)

    async def explain(connection: AsyncConnection) -> str:
        sql = statement.params(account=1).compile(
            connection.engine, compile_kwargs={"literal_binds": True}
        )
        if kind == "postgresql":
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        prefix = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
        return str((await connection.exec_driver_sql(prefix + str(sql))).all())

    plan = await northside.database.run(explain)

    assert "ix_cancellations_refund_due" in plan
