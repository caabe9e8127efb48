"""`classbolt doctor`: print what an examination says, for people or for machines."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Annotated, Any

import typer

from classbolt.bolt_ons import BoltOns
from classbolt.config import Settings, load_settings
from classbolt.doctor import Example, Keys, Report, Result, examine
from classbolt_schema.server import demo_stripe
from classbolt_schema.server.context import utc_now


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Examine the whole database and the installation; exit with 1 if there is a problem."""
    settings = load_settings()
    report = asyncio.run(
        examine(settings.database_url, BoltOns.discover(), clock=utc_now, keys=_keys(settings))
    )
    typer.echo(json.dumps(_as_object(report), indent=2) if as_json else _as_table(report))
    raise typer.Exit(0 if report.is_healthy else 1)


def _keys(settings: Settings) -> Keys:
    """Say what there is to use links with; a demo finds the key of its double by itself."""
    keys = Keys.of(settings)
    return replace(keys, has_stripe_key=True) if demo_stripe.lends_key(settings) else keys


def _as_object(report: Report) -> dict[str, Any]:
    return {
        "healthy": report.is_healthy,
        "examinedAt": report.examined_at.isoformat(),
        "checks": [
            {
                "code": result.check.code,
                "rule": result.check.rule,
                "severity": result.check.severity,
                "status": _status(result),
                "message": result.finding and result.finding.message,
                "count": result.finding.count if result.finding else 0,
                "examples": [
                    {"table": each.table, "account": each.account, "id": each.id}
                    for each in (result.finding.examples if result.finding else ())
                ],
            }
            for result in report.results
        ],
    }


def _as_table(report: Report) -> str:
    lines = [line for result in report.results for line in _lines(result)]
    counted = Counter(_status(result) for result in report.results)
    verdict = "Healthy" if report.is_healthy else "Not healthy"
    counts = ", ".join(f"{number} {status}" for status, number in sorted(counted.items()))
    return "\n".join([*lines, "", f"{verdict}: {counts}."])


def _lines(result: Result) -> list[str]:
    """Say in a line how a check went; if it found something, in further lines where."""
    check, finding = result.check, result.finding
    says = check.rule if finding is None else f"{check.code}: {finding.message}"
    examples = finding.examples if finding else ()
    return [f"{_status(result):9} {says}", *(f"{'':9} - {_place(each)}" for each in examples)]


def _status(result: Result) -> str:
    if result.finding is not None:
        return result.check.severity
    return "OK" if result.is_done else "LEFT_OUT"


def _place(example: Example) -> str:
    of = f"{example.table} of account {example.account}"
    return of if example.id is None else f"{of}: {example.id}"
