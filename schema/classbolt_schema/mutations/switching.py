"""What owners switch: bolt-ons, on and off."""

import strawberry

from classbolt import switches
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.account import BoltOn


@strawberry.input(description="A bolt-on to switch on.")
class EnableBoltOnInput:
    """A bolt-on to switch on."""

    bolt_on: str = strawberry.field(description="The bolt-on's code.")


@strawberry.type(description="What became of a request to switch a bolt-on on.")
class EnableBoltOnPayload(Payload):
    """The bolt-on."""

    bolt_on: BoltOn | None = strawberry.field(default=None, description="The bolt-on.")


@EXTENSION.mutation
@mutation(
    description="Switch a bolt-on on, for everything that begins after this. What it was set to"
    " before it was switched off is there again. For owners."
)
async def enable_bolt_on(ask: Ask, asked: EnableBoltOnInput) -> EnableBoltOnPayload:
    """Switch a bolt-on on."""
    installed = ask.info.context.app.bolt_ons
    switch = await switches.enable(ask.tx, ask.actor, asked.bolt_on, installed, now=ask.now)
    return EnableBoltOnPayload(bolt_on=BoltOn.of(switch))


@strawberry.input(description="A bolt-on to switch off.")
class DisableBoltOnInput:
    """A bolt-on to switch off."""

    bolt_on: str = strawberry.field(description="The bolt-on's code.")


@strawberry.type(description="What became of a request to switch a bolt-on off.")
class DisableBoltOnPayload(Payload):
    """The bolt-on."""

    bolt_on: BoltOn | None = strawberry.field(default=None, description="The bolt-on.")


@EXTENSION.mutation
@mutation(
    description="Switch a bolt-on off, for everything that begins after this. Nothing is"
    " deleted: bookings stand and credits are kept. For owners."
)
async def disable_bolt_on(ask: Ask, asked: DisableBoltOnInput) -> DisableBoltOnPayload:
    """Switch a bolt-on off."""
    installed = ask.info.context.app.bolt_ons
    switch = await switches.disable(ask.tx, ask.actor, asked.bolt_on, installed, now=ask.now)
    return DisableBoltOnPayload(bolt_on=BoltOn.of(switch))
