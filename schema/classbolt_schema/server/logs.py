"""Log lines: for people on a terminal, JSON elsewhere, ours and the libraries' alike.

Tracebacks go without local variables, which both renderers would otherwise print: they are full
of tokens, names and what customers typed.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

from classbolt.config import Settings


def set_up(settings: Settings | None = None) -> None:
    """Send every log line, also the standard library's, to standard error in one form.

    Args:
        settings: Say in which. Commands that do not serve need none, and tell only of what is
            wrong.
    """
    chosen = settings and settings.log
    for_people = sys.stderr.isatty() if chosen is None else chosen == "console"
    every_line: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if for_people
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*every_line, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=every_line,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    level = logging.INFO if settings else logging.WARNING
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every connection
    for each in ("stripe", "httpx"):  # they tell of every call, and of what Stripe refused
        logging.getLogger(each).setLevel(logging.ERROR)


def silence_strawberry() -> None:
    """Stop Strawberry from logging errors: it prints the client's document beside each."""
    logging.getLogger("strawberry.execution").disabled = True
