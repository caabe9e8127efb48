"""The command line: serve, migrate, examine, open accounts, hand out development tokens."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from socket import gaierror
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

import structlog
import typer
import uvicorn
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from classbolt import customers, opening, switches
from classbolt.bolt_ons import BadBoltOn, BoltOns
from classbolt.config import Settings, SettingsError, load_settings
from classbolt.db import Caller, Database, Tx
from classbolt.doctor.links import Keys, warn_of_unusable_links
from classbolt.duties import duties
from classbolt.errors import Refusal
from classbolt.migrate import MigrationError, components, pending, upgrade
from classbolt.paying import Till
from classbolt.sealed import Seal
from classbolt.stripe_gateway import StripeGateway
from classbolt.values import SYSTEM, CustomerId, Role, StaffId
from classbolt.worker import Worker
from classbolt_schema.compose.schema import build_schema, export_sdl
from classbolt_schema.ids import decode, encode
from classbolt_schema.server import demo as demo_account
from classbolt_schema.server import demo_stripe, logs
from classbolt_schema.server import story as swap_story
from classbolt_schema.server.context import utc_now
from classbolt_schema.server.doctor import doctor
from classbolt_schema.server.keys import DEVELOPMENT_ISSUER, development_key, issue_token
from classbolt_schema.server.stripe_cli import stripe_app

T = TypeVar("T")

TOKEN_LIFETIME = timedelta(hours=12)
WORKER_START_SECONDS = 60

log = structlog.get_logger(__name__)

app = typer.Typer(
    help="The open booking backend for classes and courses.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
account_app = typer.Typer(help="Accounts: one business each.", no_args_is_help=True)
staff_app = typer.Typer(help="The people who run an account.", no_args_is_help=True)
schema_app = typer.Typer(help="The GraphQL schema.", no_args_is_help=True)
bolt_ons_app = typer.Typer(
    help="Features that accounts switch on and off.", no_args_is_help=True
)
app.add_typer(account_app, name="account")
app.add_typer(staff_app, name="staff")
app.add_typer(schema_app, name="schema")
app.add_typer(bolt_ons_app, name="bolt-ons")
app.add_typer(stripe_app, name="stripe")

OfAccount = Annotated[str, typer.Option("--account", help="The account's slug.")]


def main() -> None:
    """Run a command; a "no" is one line on the error stream and exit code 1."""
    logs.set_up()  # what is logged on loading bolt-ons is no part of what a command prints
    try:
        app()
    except (BadBoltOn, MigrationError, Refusal, SettingsError) as no:
        _say_no(str(no))
    except (DataError, IntegrityError):
        raise  # a bug of ours, to be seen whole
    except (DBAPIError, ConnectionError, TimeoutError, gaierror) as lost:
        reason = lost.orig if isinstance(lost, DBAPIError) else lost  # without the statement
        _say_no(f"the database does not answer, or lacks migrations (see migrate): {reason}")


def _say_no(why: str) -> NoReturn:
    typer.echo(f"classbolt: {' '.join(why.split())}", err=True)
    sys.exit(1)


@app.command()
def serve(
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Migrate, and open a demo account called northside.")
    ] = False,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(help="How many processes serve.")] = 1,
) -> None:
    """Serve GraphQL at /graphql/{account}."""
    settings = load_settings()
    if demo and settings.stripe_api_key is None and not settings.is_production:
        stripe = demo_stripe.start(settings.data)
        stripe.tell(port)
        os.environ.update(stripe.settings)  # also for the processes that serve
        settings = load_settings()
    logs.set_up(settings)
    bolt_ons = BoltOns.discover()
    asyncio.run(_prepare(settings, bolt_ons, demo=demo, port=port))
    # Once it has shut down, uvicorn raises again the signal that told it to. Whoever asks us to
    # stop should not read of a failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        "classbolt_schema.server.app:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        # A worker answers its parent once it has imported everything. On a busy machine the
        # five seconds that uvicorn waits are not enough: it would kill and start it for ever.
        timeout_worker_healthcheck=WORKER_START_SECONDS,
        http="classbolt_schema.server.protocol:DeadlineH11",
        log_config=None,
        access_log=False,
        server_header=False,
    )


async def _prepare(settings: Settings, bolt_ons: BoltOns, *, demo: bool, port: int) -> None:
    """See that the database is ready to be served from, and warn of links that are not."""
    if demo:
        development_key(settings)  # it does not exist in production: refuse before writing
        await upgrade(settings.database_url, components(bolt_ons.installed.values()))
    else:
        await _check_migrations(settings, bolt_ons)
    database = Database(settings.database_url, bolt_ons)
    try:
        if demo:
            found = await demo_account.open_demo(settings, database, bolt_ons, now=utc_now())
            typer.echo(demo_account.greeting(found, port, settings.stripe_url))
        await warn_of_unusable_links(database, Keys.of(settings))
    finally:
        await database.close()


async def _check_migrations(settings: Settings, bolt_ons: BoltOns) -> None:
    parts = components(bolt_ons.installed.values())
    if missing := await pending(settings.database_url, parts):
        raise SettingsError(f"migrations are pending ({', '.join(missing)}): classbolt migrate")


@app.command()
def migrate() -> None:
    """Bring the database to this release, core and every installed bolt-on."""
    parts = components(BoltOns.discover().installed.values())
    applied = asyncio.run(upgrade(load_settings().database_url, parts))
    typer.echo("\n".join(applied) or "Nothing to do.")


@app.command()
def worker() -> None:
    """Do what was promised after commits, beside any others, until told to stop."""
    settings = load_settings()
    logs.set_up(settings)
    asyncio.run(_work(settings, BoltOns.discover()))


async def _work(settings: Settings, bolt_ons: BoltOns) -> None:
    await _check_migrations(settings, bolt_ons)
    database = Database(settings.database_url, bolt_ons)
    gateway = StripeGateway.of(settings, Seal.of(settings))
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    try:
        await warn_of_unusable_links(database, Keys.of(settings))
        own = duties(Till(database, gateway))
        async with Worker(database, bolt_ons, utc_now, own).running():
            log.info("worker_started", process=os.getpid())
            await stop.wait()
    finally:
        await gateway.close()
        await database.close()


app.command()(doctor)


@account_app.command("create")
def create_account(
    slug: Annotated[str, typer.Argument(help="Its name in addresses; it never changes.")],
    name: Annotated[str, typer.Option(help="What the business calls itself.")],
    time_zone: Annotated[str, typer.Option(help="Its IANA time zone.")] = "Europe/London",
    currency: Annotated[str, typer.Option(help="Its ISO 4217 currency.")] = "GBP",
) -> None:
    """Open an account."""

    async def work(database: Database) -> None:
        await database.run(
            lambda connection: opening.create_account(
                connection, slug, name, time_zone=time_zone, currency=currency, now=utc_now()
            )
        )

    _with_database(work)
    typer.echo(f"Opened {slug}.")


@staff_app.command("add")
def add_staff(
    account: OfAccount,
    name: Annotated[str, typer.Option(help="What the person is called.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.STAFF,
) -> None:
    """Add a person who runs an account, and print their id."""
    found = _in_account(account, lambda tx: customers.add_staff(tx, name, role, now=utc_now()))
    typer.echo(encode("Staff", found))


@app.command()
def token(
    account: OfAccount,
    customer: Annotated[str | None, typer.Option(help="A customer's id.")] = None,
    staff: Annotated[str | None, typer.Option(help="The id of a member of staff.")] = None,
) -> None:
    """Print an access token for development; in production the real issuer makes them."""
    person = _person(customer, staff)
    settings = load_settings()
    issued = issue_token(settings, account, str(person), utc_now(), TOKEN_LIFETIME)
    is_staff = staff is not None
    _in_account(
        account,
        lambda tx: admit(tx, DEVELOPMENT_ISSUER, str(person), person, is_staff=is_staff),
    )
    typer.echo(issued)


def _person(customer: str | None, staff: str | None) -> UUID:
    """Read the one id that was given."""
    if (customer is None) == (staff is None):
        raise typer.BadParameter("Name a customer or a member of staff.")
    return decode("Staff", staff) if staff else decode("Customer", str(customer))


async def admit(tx: Tx, issuer: str, subject: str, person: UUID, *, is_staff: bool) -> None:
    """Let an issuer's subject act as a person."""
    await customers.admit(
        tx,
        issuer,
        subject,
        StaffId(person) if is_staff else CustomerId(person),
        is_staff=is_staff,
        now=utc_now(),
    )


@app.command("admit")
def admit_subject(
    subject: Annotated[
        str, typer.Argument(help="The person as the issuer's tokens name them.")
    ],
    account: OfAccount,
    customer: Annotated[str | None, typer.Option(help="A customer's id.")] = None,
    staff: Annotated[str | None, typer.Option(help="The id of a member of staff.")] = None,
) -> None:
    """Let a subject of the token issuer act as a person of the account."""
    person = _person(customer, staff)
    issuer = load_settings().issuer or DEVELOPMENT_ISSUER
    is_staff = staff is not None
    _in_account(account, lambda tx: admit(tx, issuer, subject, person, is_staff=is_staff))
    typer.echo(f"{subject} of {issuer} is admitted.")


@app.command()
def story() -> None:
    """Play the story that must work, against a server and a database of its own."""
    sys.exit(swap_story.play(load_settings()))


@schema_app.command("export")
def export_schema() -> None:
    """Print the schema as SDL, with all installed bolt-ons."""
    typer.echo(export_sdl(build_schema(BoltOns.discover().installed.values())), nl=False)


@bolt_ons_app.command("list")
def list_bolt_ons(account: OfAccount) -> None:
    """List the installed bolt-ons and whether the account has them on."""
    installed = BoltOns.discover()

    async def work(tx: Tx) -> list[switches.Switch]:
        return switches.list_switches(tx, installed)

    for switch in _in_account(account, work):
        state = "on " if switch.enabled else "off"
        typer.echo(f"{state} {switch.info.code} {switch.info.version}  {switch.info.summary}")


@bolt_ons_app.command("enable")
def enable_bolt_on(
    code: Annotated[str, typer.Argument(help="The bolt-on.")], account: OfAccount
) -> None:
    """Switch a bolt-on on."""
    installed = BoltOns.discover()
    _in_account(account, lambda tx: switches.enable(tx, SYSTEM, code, installed, now=utc_now()))
    typer.echo(f"{code} is on.")


@bolt_ons_app.command("disable")
def disable_bolt_on(
    code: Annotated[str, typer.Argument(help="The bolt-on.")], account: OfAccount
) -> None:
    """Switch a bolt-on off; its data stays."""
    installed = BoltOns.discover()
    _in_account(
        account, lambda tx: switches.disable(tx, SYSTEM, code, installed, now=utc_now())
    )
    typer.echo(f"{code} is off.")


def _in_account(slug: str, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Do work in one write transaction of an account."""
    return _with_database(lambda database: database.write(Caller(slug), work))


def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        database = Database(load_settings().database_url, BoltOns.discover())
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
