"""Faults of the way there: a request that is lost, late, doubled or cut off."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gridtide.sandbox.authentication import Right, check_timing
from gridtide.sandbox.endpoint import Answer, Ending
from gridtide.sandbox.faults.knob import Knob, Layer, Options, Proceed, seconds, word

if TYPE_CHECKING:
    from gridtide.sandbox.faults.subjects import Passing

ENDINGS = tuple(ending.value for ending in Ending)


async def lost(passing: Passing, options: Options, _proceed: Proceed) -> Answer:
    return passing.no_answer(Ending(options["how"]))


async def delayed(_passing: Passing, options: Options, proceed: Proceed) -> Answer:
    await asyncio.sleep(options["seconds"])
    return await proceed()


async def held(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """Between receipt and engine, where the exchange looks at the receive window once more (-1021)."""
    await asyncio.sleep(options["seconds"])
    if passing.endpoint.right is not Right.NONE:
        check_timing(passing.passage.incoming.raw.values, passing.world.exchange.now())
    return await proceed()


async def twice(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    """The client gets the first answer; what became of the second is in the log."""
    first = await proceed()

    async def again() -> None:
        await asyncio.sleep(options["seconds"])
        await proceed()

    if options["seconds"]:
        passing.world.exchange.seam.spawn(again())
    else:
        await again()
    return first


async def reset(passing: Passing, options: Options, proceed: Proceed) -> Answer:
    if options["moment"] == "after":
        await proceed()
    return passing.no_answer(Ending.RESET)


KNOBS = (
    Knob(
        "request.lost",
        "The request never arrives.",
        (word("how", "drop", "the connection closes, is reset, or stays silent", *ENDINGS),),
        on_request=lost,
        layer=Layer.NETWORK,
    ),
    Knob(
        "request.delayed",
        "The request arrives late; past its receive window it is refused with -1021.",
        (seconds(1.0, "how late, 0 to 20"),),
        on_request=delayed,
        layer=Layer.NETWORK,
    ),
    Knob(
        "request.held",
        "The request arrives in time and waits before the engine, where its receive window is checked again.",
        (seconds(1.0, "how long"),),
        on_request=held,
        layer=Layer.ENGINE,
    ),
    Knob(
        "request.twice",
        "The request arrives twice and both act. Breaks an assumption: never drawn outside its own profile.",
        (seconds(0.0, "between the two"),),
        on_request=twice,
        layer=Layer.NETWORK,
    ),
    Knob(
        "request.reset",
        "The connection is reset before the request acts, or after it acted and before it is answered.",
        (word("moment", "before", "when", "before", "after"),),
        on_request=reset,
        layer=Layer.NETWORK,
    ),
)
