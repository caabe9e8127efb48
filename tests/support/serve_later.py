"""Serve as `classbolt serve` does, with its worker, on a clock that a test moves on.

python serve_later.py PORT FILE              the file says how many seconds the clock is ahead
python serve_later.py PORT FILE piecemeal    every statement commits by itself
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn

from careless import DATABASES
from classbolt.bolt_ons import BoltOns
from classbolt.config import load_settings
from classbolt.db import Database
from classbolt_schema.server import logs
from classbolt_schema.server.app import create_app
from classbolt_schema.server.context import utc_now


def main(port: str, ahead: str, how: str | None = None) -> None:
    """Serve on the port, which is the same after each start: Stripe knows no other."""
    file = Path(ahead)

    def clock() -> datetime:
        return utc_now() + timedelta(seconds=int(file.read_text("utf-8")))

    settings = load_settings()
    logs.set_up(settings)
    bolt_ons = BoltOns.discover()
    open_database = DATABASES[how] if how else Database
    database = open_database(settings.database_url, bolt_ons)
    app = create_app(settings, bolt_ons=bolt_ons, database=database, clock=clock, works=True)
    uvicorn.run(
        app,
        port=int(port),
        log_config=None,
        access_log=False,
        http="classbolt_schema.server.protocol:DeadlineH11",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
