"""What bolt-ons are told after the commit: each of them of each event, until they heard it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from at_work import LONG_ENOUGH, pass_time, waiting, work
from classbolt.bolt_ons import BoltOns
from classbolt.jobs import DELAYS, SPREAD
from classbolt.tables import jobs
from classbolt.worker import Worker
from classbolt_auto_refund import AutoRefund
from classbolt_drop_in import DropIn
from classbolt_schema.ids import encode
from messenger import Messenger, Post
from studio import Studio, codes_of, open_studio

DEAD = """{ deadJobs { edges { node {
  id kind boltOn attempts failure enqueuedAt diedAt } } } }"""


# Who is told what, and when


async def test_each_place_is_told_of_after_its_commit_and_once(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    mailing.clock.set("2027-01-05T10:00")
    await mailing.book_course("Ben", "WED")
    booked = [each["id"] for each in await mailing.bookings("Ben", "WED")]
    assert post.messenger.tried == 0

    assert await work(worker) == len(booked) > 1
    assert await work(worker) == 0

    told = Counter(encode("Booking", each.booking) for each in post.messenger.sent)
    assert told == Counter(booked)
    assert {each.what for each in post.messenger.sent} == {"placed"}
    assert {each.at for each in post.messenger.sent} == {mailing.clock.now}
    assert await waiting(mailing) == 0


async def test_each_place_that_is_given_up_is_told_of_and_by_whom(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    own = await mailing.booking("Ana", "MON", 3)
    ended = await mailing.booking("Ana", "MON", 4)

    await mailing.cancel("Ana", "MON", 3)
    await mailing.call_off("MON", 4)
    await work(worker)

    told = {
        encode("Booking", each.booking): (each.what, each.by_business)
        for each in post.messenger.sent
    }
    assert told[own] == ("cancelled", False)
    assert told[ended] == ("cancelled", True)


async def test_a_swap_tells_of_both_its_halves(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    mailing.clock.set("2027-01-22T09:00")
    asked = {
        "booking": await mailing.booking("Ana", "MON", 3),
        "toSession": mailing.session("THU", 3),
    }
    await mailing.do("swapBooking", asked, as_="Ana")
    await work(worker)

    assert Counter(each.what for each in post.messenger.sent) == {"placed": 1, "cancelled": 1}


async def test_what_was_refused_is_not_told_of(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    assert codes_of(await mailing.book("Ben", "MON", 3)) != []

    assert await waiting(mailing) == 0
    assert await work(worker) == 0
    assert post.messenger.tried == 0


async def test_a_bolt_on_that_is_off_when_it_happens_is_never_told(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    """I3: off is off, and nothing is retroactive."""
    await mailing.switch("messenger", on=False)
    await mailing.cancel("Ana", "MON", 3)
    assert await waiting(mailing) == 0

    await mailing.switch("messenger", on=True)
    await work(worker)

    assert post.messenger.tried == 0


async def test_a_bolt_on_that_is_switched_off_meanwhile_is_told_when_it_is_on_again(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    """I3, I6: it is parked, not dropped."""
    await mailing.cancel("Ana", "MON", 3)
    await mailing.switch("messenger", on=False)
    pass_time(mailing, timedelta(days=3))
    assert await work(worker) == 0

    await mailing.switch("messenger", on=True)

    assert await work(worker) == 1
    assert [each.attempt for each in post.messenger.sent] == [1]


async def test_a_worker_leaves_alone_what_it_does_not_know(mailing: Studio, post: Post) -> None:
    """One of an older release may run beside a newer one."""
    await mailing.cancel("Ana", "MON", 3)
    without = BoltOns([AutoRefund(), DropIn()])
    older = Worker(mailing.database, without, lambda: mailing.clock.now)

    assert await work(older) == 0
    assert await waiting(mailing) == 1
    assert post.messenger.tried == 0


# What fails


async def test_one_that_fails_neither_holds_up_nor_repeats_another(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    await mailing.switch("herald", on=True)
    post.messenger.is_down = True
    await mailing.cancel("Ana", "MON", 3)

    await work(worker)
    assert (post.messenger.tried, len(post.herald.sent)) == (1, 1)
    post.messenger.is_down = False
    pass_time(mailing, DELAYS[0] * (1 + SPREAD))
    await work(worker)

    assert (len(post.messenger.sent), post.herald.tried) == (1, 1)
    (told,) = post.messenger.sent
    assert told.attempt == 2
    assert told.key != post.herald.sent[0].key


async def test_it_is_told_again_later_and_later_under_the_same_key(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    post.messenger.is_down = True
    await mailing.cancel("Ana", "MON", 3)
    await work(worker)

    for number, delay in enumerate(DELAYS, start=1):
        pass_time(mailing, delay - timedelta(milliseconds=1))
        await work(worker)
        assert post.messenger.tried == number
        pass_time(mailing, delay * SPREAD + timedelta(milliseconds=1))
        post.messenger.is_down = number < len(DELAYS)
        await work(worker)
        assert post.messenger.tried == number + 1

    assert [each.attempt for each in post.messenger.sent] == [len(DELAYS) + 1]
    assert sum(DELAYS, timedelta()) > timedelta(hours=24)
    assert await waiting(mailing) == 0


async def fail_for_good(studio: Studio, worker: Worker, messenger: Messenger) -> Any:
    """Let a message never be sent, and give what the owner then sees."""
    messenger.is_down = True
    await studio.cancel("Ana", "MON", 3)
    for _ in range(len(DELAYS) + 1):
        await work(worker)
        pass_time(studio, LONG_ENOUGH)
    messenger.is_down = False
    (edge,) = (await studio.query(DEAD, as_="owner"))["deadJobs"]["edges"]
    return edge["node"]


async def test_what_never_succeeds_is_dead_and_an_owner_sees_it(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    found = await fail_for_good(mailing, worker, post.messenger)

    assert await work(worker) == 0
    assert post.messenger.tried == len(DELAYS) + 1
    assert found == {
        "id": found["id"],
        "kind": "messenger.booking_cancelled",
        "boltOn": "messenger",
        "attempts": len(DELAYS) + 1,
        "failure": "PostIsDown",
        "enqueuedAt": "2027-01-20T10:00:00Z",
        "diedAt": found["diedAt"],
    }
    manager = await mailing.ask(DEAD, as_="Ana")
    assert manager.error_codes == ["FORBIDDEN"]


async def test_an_owner_lets_a_dead_job_be_tried_again(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    found = await fail_for_good(mailing, worker, post.messenger)
    asked = {"job": found["id"]}

    done = await mailing.do("retryJob", asked, "retried", as_="owner")

    assert done["retried"] is True
    assert await mailing.codes("retryJob", asked, as_="owner") == ["NOT_FOUND"]
    await work(worker)
    assert [each.attempt for each in post.messenger.sent] == [1]
    assert await waiting(mailing) == 0


async def test_an_owner_gives_a_dead_job_up(
    mailing: Studio, worker: Worker, post: Post
) -> None:
    southside = await open_studio(
        "southside", mailing.client, mailing.settings, mailing.database, mailing.clock
    )
    found = await fail_for_good(mailing, worker, post.messenger)
    asked = {"job": found["id"]}

    assert await southside.codes("discardJob", asked, as_="owner") == ["NOT_FOUND"]
    assert (await mailing.do("discardJob", asked, "discarded", as_="owner"))["discarded"]

    assert await waiting(mailing) == 0
    assert await mailing.codes("discardJob", asked, as_="owner") == ["NOT_FOUND"]


async def test_a_job_that_is_not_dead_is_nobodys_to_touch(mailing: Studio) -> None:
    await mailing.cancel("Ana", "MON", 3)
    async with mailing.database.look() as connection:
        (key,) = (await connection.execute(select(jobs.c.id))).scalars()
    asked = {"job": encode("Job", key)}

    for mutation in ("retryJob", "discardJob"):
        assert await mailing.codes(mutation, asked, as_="owner") == ["NOT_FOUND"]
    assert await mailing.query(
        "query ($id: ID!) { node(id: $id) { id } }", as_="owner", id=asked["job"]
    ) == {"node": None}


async def test_an_account_without_such_a_bolt_on_promises_nothing(
    mailing: Studio,
) -> None:
    await mailing.switch("messenger", on=False)
    await mailing.cancel("Ana", "MON", 3)
    await mailing.book_course("Ben", "WED")

    assert await waiting(mailing) == 0
