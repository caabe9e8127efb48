"""The story that must work, and its plain variations (S1, S2, S3)."""

from __future__ import annotations

from studio import Studio


async def test_a_cancelled_session_becomes_a_place_in_another_course(northside: Studio) -> None:
    """S1: cancel in time, receive a credit, book a session of the same level with it."""
    northside.clock.set("2027-01-20T10:00")

    cancelled = await northside.cancel("Ana", "MON", 3)

    refund = cancelled["cancellation"]["refund"]
    assert cancelled["booking"]["status"] == "CANCELLED"
    assert refund["outcome"] == "NEW_BUNDLE"
    assert refund["customerBundle"]["balance"] == 1
    assert refund["customerBundle"]["expiresAt"] == "2027-02-19T10:00:00Z"
    assert await northside.seats_left("MON", 3) == 10

    northside.clock.set("2027-01-22T09:00")
    booked = await northside.book("Ana", "THU", 3, {"credit": {"customerBundle": refund["customerBundle"]["id"]}})

    assert booked["userErrors"] == []
    assert booked["booking"]["way"] == "drop_in"
    assert booked["booking"]["payment"] is None
    assert booked["booking"]["customerBundle"]["balance"] == 0
    assert await northside.seats_left("THU", 3) == 8
