"""What happens to the exchange as a whole: maintenance, bans, a reset, a clock that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox.clock import DriftingClock
from gridtide.sandbox.endpoint import Answer
from gridtide.sandbox.errors import ApiError
from gridtide.sandbox.faults.answers import html
from gridtide.sandbox.faults.knob import (
    Kind,
    Knob,
    Layer,
    Option,
    Options,
    Proceed,
    Undo,
    number,
    seconds,
    whole,
    word,
)
from gridtide.sandbox.limits import banned

if TYPE_CHECKING:
    from gridtide.sandbox.faults.plan import Where
    from gridtide.sandbox.faults.subjects import Passing
    from gridtide.sandbox.faults.world import World


async def maintenance(passing: Passing, options: Options, _proceed: Proceed) -> Answer:
    """Nothing is acted on."""
    refused = passing.refusal(maintenance_error(options))
    if options["how"] == "json":
        return refused

    async def answered() -> Answer:
        return refused

    return await html(passing, options, answered)


def maintenance_error(options: Options) -> ApiError:
    return ApiError(options["code"], options["message"], status=options["status"])


async def ban(passing: Passing, options: Options, _proceed: Proceed) -> Answer:
    return passing.refusal(ban_error(passing.world, options))


def ban_error(world: World, options: Options) -> ApiError:
    """Banned until the fault is over, or for `seconds` from now on where it lasts."""
    ends_in = options["armed"].ends_in(world.exchange.clock.monotonic())
    remaining = options["seconds"] if ends_in is None else ends_in
    return banned(world.exchange.now() + round(remaining * 1000))


def expire_all(world: World, where: Where, _options: Options) -> None:
    """Open orders of the account (without one: of all) expire, as they do at a maintenance."""
    symbols = (
        [world.symbol(where)] if where.market else [each.symbol for each in world.exchange.venue.markets()]
    )
    for symbol in symbols:
        world.exchange.expire_orders(symbol, where.account or None)


def reset(world: World, _where: Where, _options: Options) -> None:
    """Orders, executions and balances are gone, as at the monthly reset of the testnet; connections end."""
    world.exchange.reset()
    world.journal.begin(world.exchange.venue)
    for connection in world.connections:
        world.connections.end(connection, 1001)


def drift(world: World, _where: Where, options: Options) -> Undo:
    """The exchange's clock is wrong by an offset and goes too fast or too slow."""
    true = world.exchange.clock
    world.exchange.clock = DriftingClock(true, options["offset_seconds"], options["rate"])

    def set_right() -> None:
        world.exchange.clock = true

    return set_right


KNOBS = (
    Knob(
        "exchange.maintenance",
        "Nothing works while it lasts: every request and every handshake is refused, nothing acts.",
        (
            word("how", "html", "the page of a gateway, or JSON with a code", "html", "json"),
            whole("status", 503, "HTTP status"),
            whole("code", -1016, "the code"),
            Option("message", Kind.TEXT, "This service is no longer available.", "the text"),
        ),
        on_request=maintenance,
        layer=Layer.NETWORK,
    ),
    Knob(
        "exchange.ban",
        "The address is banned (418) while it lasts.",
        (seconds(120.0, "what Retry-After says where the fault has no end"),),
        on_request=ban,
        layer=Layer.NETWORK,
    ),
    Knob("exchange.expire", "Every open order expires.", action=expire_all),
    Knob("exchange.reset", "All data is wiped; keys and prices stay.", action=reset),
    Knob(
        "exchange.drift",
        "The exchange's clock is wrong while it lasts.",
        (
            number("offset_seconds", 3.0, "how far ahead; negative: behind"),
            number("rate", 0.0, "seconds it gains in a second"),
        ),
        action=drift,
    ),
)
