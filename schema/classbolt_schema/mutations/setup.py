"""What the business sets up: tags and bundles."""

import strawberry

from classbolt import bundles, tags
from classbolt.bundles import BundleChanges
from classbolt.values import BundleId, TagId
from classbolt_schema.compose.mutation import Ask, Payload, mutation
from classbolt_schema.ids import decode
from classbolt_schema.mutations.inputs import is_given, required
from classbolt_schema.relations import EXTENSION
from classbolt_schema.types.bundle import Bundle
from classbolt_schema.types.course import Tag
from classbolt_schema.types.time import PeriodInput


@strawberry.input(description="A tag to add.")
class CreateTagInput:
    """A tag to add."""

    name: str = strawberry.field(description="The word, up to 100 characters.")


@strawberry.type(description="What became of a request to add a tag.")
class CreateTagPayload(Payload):
    """The tag."""

    tag: Tag | None = strawberry.field(default=None, description="The tag.")


@EXTENSION.mutation
@mutation(description="Add a tag. For managers and owners.")
async def create_tag(ask: Ask, asked: CreateTagInput) -> CreateTagPayload:
    """Add a tag."""
    tag = await tags.create_tag(ask.tx, ask.actor, asked.name, now=ask.now)
    return CreateTagPayload(tag=Tag.of(tag))


@strawberry.input(description="A bundle to add.")
class CreateBundleInput:
    """A bundle to add."""

    name: str = strawberry.field(description="What it is called, up to 200 characters.")
    credits: int = strawberry.field(
        description="How many credits a copy holds, from 1 to 1000."
    )
    validity: PeriodInput = strawberry.field(
        description="How long a copy is valid from its issue on."
    )
    price_minor: int | None = strawberry.field(
        default=None, description="What it costs, in minor units; null for no price."
    )
    on_sale: bool = strawberry.field(
        default=False, description="Whether customers can buy it; a draft can still be given."
    )
    payment_methods: list[str] = strawberry.field(
        default_factory=lambda: ["offline"],
        description="What is accepted from who buys it, as the members of `payWith` are named:"
        " card, offline.",
    )
    tags: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="The tags of sessions its credits pay for."
    )


@strawberry.type(description="What became of a request to add a bundle.")
class CreateBundlePayload(Payload):
    """The bundle."""

    bundle: Bundle | None = strawberry.field(default=None, description="The bundle.")


@EXTENSION.mutation
@mutation(description="Add a bundle. For managers and owners.")
async def create_bundle(ask: Ask, asked: CreateBundleInput) -> CreateBundlePayload:
    """Add a bundle."""
    bundle = await bundles.create_bundle(
        ask.tx,
        ask.actor,
        name=asked.name,
        credits=asked.credits,
        validity=asked.validity.to_period(),
        price_minor=asked.price_minor,
        on_sale=asked.on_sale,
        payment_methods=asked.payment_methods,
        tag_ids=[TagId(decode("Tag", each)) for each in asked.tags],
        now=ask.now,
    )
    return CreateBundlePayload(bundle=Bundle.of(bundle))


@strawberry.input(
    description="Changes to a bundle; what is left out stays as it is. How many credits it"
    " holds cannot change."
)
class UpdateBundleInput:
    """Changes to a bundle."""

    bundle: strawberry.ID = strawberry.field(description="Which bundle.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it is called, up to 200 characters."
    )
    validity: PeriodInput | None = strawberry.field(
        default=strawberry.UNSET, description="How long copies issued from now on are valid."
    )
    price_minor: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="What it costs, in minor units; null for no price.",
    )
    on_sale: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether customers can buy it."
    )
    payment_methods: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="What is accepted from who buys it: card, offline.",
    )
    tags: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The tags of sessions its credits pay for, also those already issued.",
    )


@strawberry.type(description="What became of a request to change a bundle.")
class UpdateBundlePayload(Payload):
    """The bundle."""

    bundle: Bundle | None = strawberry.field(default=None, description="The changed bundle.")


@EXTENSION.mutation
@mutation(description="Change a bundle. For managers and owners.")
async def update_bundle(ask: Ask, asked: UpdateBundleInput) -> UpdateBundlePayload:
    """Change a bundle."""
    changes: BundleChanges = {}
    if is_given(asked.name):
        changes["name"] = required(asked.name, "name")
    if is_given(asked.validity):
        changes["validity"] = required(asked.validity, "validity").to_period()
    if is_given(asked.price_minor):
        changes["price_minor"] = asked.price_minor
    if is_given(asked.on_sale):
        changes["on_sale"] = required(asked.on_sale, "onSale")
    if is_given(asked.payment_methods):
        changes["payment_methods"] = required(asked.payment_methods, "paymentMethods")
    if is_given(asked.tags):
        wanted = [decode("Tag", each) for each in required(asked.tags, "tags")]
        changes["tag_ids"] = [TagId(each) for each in wanted]
    bundle_id = BundleId(decode("Bundle", asked.bundle))
    bundle = await bundles.update_bundle(ask.tx, ask.actor, bundle_id, changes)
    return UpdateBundlePayload(bundle=Bundle.of(bundle))


@strawberry.input(description="A bundle to take out of use.")
class ArchiveBundleInput:
    """A bundle to archive."""

    bundle: strawberry.ID = strawberry.field(description="Which bundle.")


@strawberry.type(description="What became of a request to archive a bundle.")
class ArchiveBundlePayload(Payload):
    """The bundle."""

    bundle: Bundle | None = strawberry.field(default=None, description="The archived bundle.")


@EXTENSION.mutation
@mutation(
    description="Take a bundle out of use: it is neither sold nor given any more. Copies"
    " keep their credits, and refund policies that name it go on issuing it. For managers"
    " and owners."
)
async def archive_bundle(ask: Ask, asked: ArchiveBundleInput) -> ArchiveBundlePayload:
    """Archive a bundle."""
    bundle_id = BundleId(decode("Bundle", asked.bundle))
    bundle = await bundles.archive_bundle(ask.tx, ask.actor, bundle_id, now=ask.now)
    return ArchiveBundlePayload(bundle=Bundle.of(bundle))
