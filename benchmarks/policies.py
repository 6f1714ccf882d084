"""Other policies in the place of the protocol, on the real program: `python -m benchmarks.policies --seeds N`.

Each policy replaces one decision of the bot, in this process only; then the same seeds of the simulation are run and
the bad ones counted, next to the figures published for a model of the protocol. Writes its table into docs/proof.md.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from gridtide.domain.journal import BotStatePut, PauseReason
from gridtide.domain.lifecycle import IntentEvent, IntentState
from gridtide.domain.order import OrderStatus
from gridtide.engine import outcomes, placing, resolving
from gridtide.engine.settings import ProtocolTimes
from gridtide.exchanges.venue_exchange import VenueExchange
from gridtide.simulation import world
from gridtide.simulation.oracle import Oracle
from gridtide.simulation.troubles import Troubles
from gridtide.simulation.virtual_time import run_virtually
from tests.mutation import breaking_books, breaking_sending
from tests.mutation.patching import replace, wrap
from tests.mutation.run import write_part

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import JournalEntry
    from gridtide.engine.state import EngineState
    from gridtide.engine.tracked_order import TrackedOrder
    from gridtide.runners.live import LiveRun
    from gridtide.simulation.host import Host

Verb = Callable[["EngineState", "TrackedOrder"], None]

QUEUE_MS = 25_000
"""The model's margin, and the longest that the simulation's exchange lets an order wait inside."""
SLOW_SHARE, SLOWEST_SECONDS = 0.005, 170.0
SEED_CPU_SECONDS = 5.0
"""A seed takes a tenth of a second. One that takes this long spins: the bot is stuck in a loop."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One row of the table."""

    name: str
    published: str
    apply: Callable[[pytest.MonkeyPatch], None]
    queue_ms: int = QUEUE_MS
    is_slow: bool = False
    """Some orders wait in the exchange's engine for longer than QUEUE = 25 s."""


@dataclass(slots=True)
class Outcome:
    """What one policy came to over all seeds."""

    runs: int = 0
    bad: list[int] = field(default_factory=list)
    twice: list[int] = field(default_factory=list)
    """Runs with two orders for one wish."""
    detected: list[int] = field(default_factory=list)
    """Those of them in which the bot stopped itself for a person."""
    wrong_books: list[int] = field(default_factory=list)
    """Those of all runs that ended with anything else than two orders for one wish."""
    first: str = ""


# --- policies ------------------------------------------------------------------------------------------


def keep_the_protocol(_patch: pytest.MonkeyPatch) -> None:
    """Nothing is replaced."""


def take_silence_for_failure(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[..., None]) -> Callable[..., None]:
        def unconfirmed(state: EngineState, order: TrackedOrder, message: str) -> None:
            original(state, order, message)
            if order.state is IntentState.UNKNOWN:
                placing.absent(state, order)

        return unconfirmed

    wrap(patch, resolving, "unconfirmed", around)


def give_up_after_one_query(patch: pytest.MonkeyPatch) -> None:
    def not_found(state: EngineState, order: TrackedOrder) -> None:
        if order.state is IntentState.UNKNOWN:
            placing.absent(state, order)

    replace(patch, resolving, "not_found", not_found)


def give_up_after_a_cancel_probe(patch: pytest.MonkeyPatch) -> None:
    def around(original: Verb) -> Verb:
        def cancel_found_nothing(state: EngineState, order: TrackedOrder) -> None:
            if order.state is IntentState.UNKNOWN:
                placing.absent(state, order)
            else:
                original(state, order)

        return cancel_found_nothing

    replace(patch, resolving, "_resolve_unknown", placing.send_cancel)
    wrap(patch, resolving, "cancel_found_nothing", around)


def give_up_after_four_looks(patch: pytest.MonkeyPatch) -> None:
    def look_failed(state: EngineState, order: TrackedOrder) -> None:
        order.proof.see_not_found(state.now)
        if order.state is IntentState.UNKNOWN and order.proof.not_found_count >= 4:
            placing.absent(state, order)

    replace(patch, resolving, "not_found", look_failed)
    replace(patch, resolving, "read_failed", look_failed)


def book_unknown_as_cancelled(patch: pytest.MonkeyPatch) -> None:
    def around(original: Verb) -> Verb:
        def cancel_found_nothing(state: EngineState, order: TrackedOrder) -> None:
            if order.state is not IntentState.CANCELLING:
                original(state, order)
                return
            order.status = OrderStatus.CANCELED
            order.executed_amount, order.executed_quote = order.filled_amount, order.filled_quote
            state.orders.move(order, IntentEvent.SEEN_FINAL, state.now)
            outcomes.settle(state, order)

        return cancel_found_nothing

    wrap(patch, resolving, "cancel_found_nothing", around)


def take_sending_for_never_sent(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[[EngineState], None]) -> Callable[[EngineState], None]:
        def ask_about_all(state: EngineState) -> None:
            for order in state.orders:
                placing.not_sent(state, order, "the process ended before it was sent")
            original(state)

        return ask_about_all

    wrap(patch, resolving, "ask_about_all", around)


POLICIES = [
    Policy("the protocol", "0", keep_the_protocol),
    Policy("time-out means failed, new id", "66.9 %", take_silence_for_failure),
    Policy("no write-ahead row (R1)", "42.1 %", breaking_sending.keep_no_row_of_what_is_sent),
    Policy("query once, not found means not placed", "36.3 %", give_up_after_one_query),
    Policy("cancel probe, then a new order without quarantine", "27.7 %", give_up_after_a_cancel_probe),
    Policy("four failed or empty look-ups mean lost", "8.4 %", give_up_after_four_looks),
    Policy("cancel answered -2011, booked as cancelled (T17)", "3.4 %", book_unknown_as_cancelled),
    Policy("restart treats SENDING as never sent (T8)", "1.7 %", take_sending_for_never_sent),
    Policy("fill cursor without overlap", "0.6 %", breaking_books.read_without_overlap),
    Policy("signed with the send time (R11)", "0.4 %", breaking_sending.sign_when_sending_in_process),
    Policy("fills without a unique key (I4)", "100 %", breaking_books.forget_the_fill_key),
    Policy("engine slower than QUEUE = 25 s in 0.5 % of sends", "4.8 %", keep_the_protocol, is_slow=True),
    Policy("the same with QUEUE = 180 s", "0", keep_the_protocol, queue_ms=180_000, is_slow=True),
]


# --- the world -----------------------------------------------------------------------------------------


class StrictOracle(Oracle):
    """Does not mind orders without a row where the policy under test writes none."""

    needs_rows = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if not self.needs_rows:
            self.sent = _Everything()


class _Everything(set[str]):
    """What the policy without write-ahead rows has on record, for an oracle that is not to mind that as such."""

    def __contains__(self, name: object) -> bool:
        return True


class WatchedWorld(world.World):
    """Remembers whether the bot ever stopped itself for a person."""

    paused_itself = False

    def _build(self, host: Host) -> LiveRun:
        run = super()._build(host)
        run.on_entry = self._look
        return run

    def _look(self, entry: JournalEntry) -> None:
        if isinstance(entry, BotStatePut) and entry.reason is PauseReason.INTEGRITY:
            self.paused_itself = True


def show_records_late(patch: pytest.MonkeyPatch) -> None:
    """One trade record in ten comes up to two minutes later than those after it."""

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        async def fills(self: VenueExchange, *given: Any) -> tuple[Fill, ...]:
            found = await original(self, *given)
            return tuple(fill for fill in found if self.now() >= fill.timestamp + _lateness_ms(fill))

        return fills

    wrap(patch, VenueExchange, "fills", around)


def _lateness_ms(fill: Fill) -> int:
    dice = random.Random(fill.trade_id * 1_000_003 + fill.timestamp)  # noqa: S311  the same at each look
    return dice.randrange(120_000) if dice.random() < 0.1 else 0


def slow_the_engine(patch: pytest.MonkeyPatch) -> None:
    def around(original: Callable[[Troubles, str], float]) -> Callable[[Troubles, str], float]:
        def queue(self: Any, what: str) -> float:
            if what == "submit" and self.rates.kill + self.rates.delayed and self._rng.random() < SLOW_SHARE:
                return float(self._rng.uniform(QUEUE_MS / 1000, SLOWEST_SECONDS))
            return original(self, what)

        return queue

    wrap(patch, Troubles, "queue", around)


# --- running -------------------------------------------------------------------------------------------


class Spins(KeyboardInterrupt):
    """The event loop swallows whatever is less."""


def _give_up(_number: int, _frame: object) -> None:
    raise Spins


def measure(policy: Policy, seeds: Iterable[int]) -> Outcome:
    """Run the seeds under `policy`."""
    outcome = Outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "Oracle", StrictOracle)
        patch.setattr(
            StrictOracle, "needs_rows", policy.apply is not breaking_sending.keep_no_row_of_what_is_sent
        )
        show_records_late(patch)
        if policy.is_slow:
            slow_the_engine(patch)
        policy.apply(patch)
        for seed in seeds:
            _count(outcome, seed, *_run(policy, seed))
    return outcome


def _run(policy: Policy, seed: int) -> tuple[list[str], bool]:
    """Violations of one run, and whether the bot stopped itself."""
    place: list[WatchedWorld] = []

    async def run() -> list[str]:
        place.append(WatchedWorld(seed, None, ProtocolTimes(queue=policy.queue_ms)))
        return (await place[0].run()).violations

    signal.setitimer(signal.ITIMER_VIRTUAL, SEED_CPU_SECONDS)
    try:
        found = run_virtually(run())
    except Spins:
        found = [*place[0].oracle.violations, "stuck: it spins"]
    except Exception as error:  # whatever a broken bot does is counted, not a reason to stop counting
        found = [f"{type(error).__name__}: {error}"]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return found, place[0].paused_itself


def _count(outcome: Outcome, seed: int, found: list[str], paused: bool) -> None:
    outcome.runs += 1
    if not found:
        return
    outcome.bad.append(seed)
    outcome.first = outcome.first or f"seed {seed}: {found[0]}"
    doubled = [text for text in found if "two orders" in text or "sent twice" in text]
    if doubled:
        outcome.twice.append(seed)
        if paused:
            outcome.detected.append(seed)
    if len(doubled) < len(found):
        outcome.wrong_books.append(seed)


def _lines(outcomes_by_name: dict[str, Outcome]) -> list[str]:
    lines = [
        "QUEUE = 25 s as in the model unless the row says otherwise; one trade record in ten is up to 2 minutes late.",
        "",
        "| Policy | Bad runs, published | Bad runs, measured | of them two orders for one wish | noticed by the bot"
        " | other damage at the end |",
        "|---|---|---|---|---|---|",
    ]
    for policy in POLICIES:
        outcome = outcomes_by_name[policy.name]
        share = f"{100 * len(outcome.bad) / outcome.runs:.1f} %" if outcome.bad else "0"
        lines.append(
            f"| {policy.name} | {policy.published} | **{share}** of {outcome.runs:,} | {len(outcome.twice)}"
            f" | {len(outcome.detected)} | {len(outcome.wrong_books)} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--only", help="policies whose name contains this; writes no table")
    given = parser.parse_args()
    signal.signal(signal.SIGVTALRM, _give_up)
    found: dict[str, Outcome] = {}
    for policy in POLICIES:
        if given.only and given.only not in policy.name:
            continue
        started = time.monotonic()
        outcome = found[policy.name] = measure(policy, range(given.seeds))
        shown = {
            "policy": policy.name,
            "published": policy.published,
            "bad": len(outcome.bad),
            "of": outcome.runs,
            "twice": len(outcome.twice),
            "noticed": len(outcome.detected),
            "other": len(outcome.wrong_books),
            "seconds": round(time.monotonic() - started),
            "first": outcome.first,
        }
        print(json.dumps(shown), flush=True)
    if not given.only:
        write_part("policies", _lines(found))


if __name__ == "__main__":
    main()
