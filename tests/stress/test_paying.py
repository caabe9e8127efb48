"""Whatever happens between us and Stripe: each charge is for a place, or goes back once.

Histories are drawn from seeds and lived by two processes at once, on both databases.
`SCHEDULES` says how many, over both of them; each prints a line of what was seen.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from random import Random

import stripe
from structlog.testing import capture_logs

from classbolt.bolt_ons import BoltOns
from classbolt.testing.databases import Kind, Templates
from invariants import broken
from paying_histories import open_business, two_processes

SCHEDULES = max(int(os.environ.get("SCHEDULES", "50")) // 2, 1)


async def test_play(kind: Kind, templates: Templates, bolt_ons: BoltOns, monkeypatch) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    outcomes: Counter[str] = Counter()
    fates = Counter()
    bad = 0
    t = [0, 0, 0]
    first = int(os.environ.get("FIRST", "0"))
    async with templates.database(kind) as url, two_processes(url, bolt_ons) as databases:
        for seed in range(first, first + SCHEDULES):
            draw = Random(seed)
            a = time.perf_counter()
            async with open_business(databases, bolt_ons, f"s{seed}x", draw) as business:
                b = time.perf_counter()
                with capture_logs() as logs:
                    wrong = await business.live(draw)
                c = time.perf_counter()
                found = await broken(url)
                d = time.perf_counter()
                t[0] += b - a
                t[1] += c - b
                t[2] += d - c
                fates.update(l["fate"] for l in logs if l["event"] == "payment_settled")
                fates.update(
                    l["failure"] for l in logs if l["event"] in ("job_failed", "job_died")
                )
                fates.update(l["event"] for l in logs)
                outcomes.update(business.outcomes)
                if wrong or found:
                    bad += 1
                    print(seed, wrong, found)
                    if bad <= 3:
                        print("\n".join(business.tale))
    print(outcomes, fates, bad, t)
