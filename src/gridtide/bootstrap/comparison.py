"""Compares a bot's books with the exchange to the last unit, without disturbing a bot that runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gridtide.bootstrap.bots import allocation_of
from gridtide.config.bot import BotSettings
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Timestamp
from gridtide.domain.money import tidy
from gridtide.engine import invariants, resolving
from gridtide.engine.engine import Engine
from gridtide.engine.replay import REPLAY_GATE
from gridtide.engine.settings import BotIdentity, EngineSettings, ProtocolTimes
from gridtide.storage.findings import Finding, finding, unchecked
from gridtide.storage.reader import open_reader
from gridtide.strategies.caretaker import Caretaker

if TYPE_CHECKING:
    from gridtide.domain.events import SnapshotTaken
    from gridtide.domain.fill import Fill
    from gridtide.domain.journal import BotSnapshot
    from gridtide.engine.state import EngineState
    from gridtide.ports.exchange import RecordedExchange
    from gridtide.storage.reader import Reader, StoredBot

ROUNDS = 10
"""How often a bot that trades is looked at until nothing moved meanwhile."""
LOOKS = 4
"""So many times in a row the same difference: then it is one, and no answer that lags."""
_PAUSE_SECONDS = 0.7
_NEWEST_FILLS = 2_000
"""Fills compared with the exchange's records one by one; older ones were compared when they were new."""
AT_REST = ("I6", "I7", "I8")
"""What can only be compared while nothing is under way."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Books and exchange at one moment."""

    state: EngineState
    taken: SnapshotTaken
    news: int
    """Fills that the books did not have yet."""


class Comparison:
    """One bot's books against the exchange. `is_older`: the exchange has proved the books older than its orders."""

    def __init__(
        self, exchange: RecordedExchange, url: str, stored: StoredBot, *, is_running: bool, is_older: bool
    ) -> None:
        self._exchange = exchange
        self._url = url
        self._stored = stored
        self._is_running = is_running
        self._is_older = is_older

    async def findings(self, booked: str) -> list[Finding]:
        """I6 to I8, and what is wrong with I3 and I4; `booked` is what is known of I4 so far.

        Between two steps of the bot: what is in flight is no difference, and what stays one is.
        """
        last: tuple[str, ...] = ()
        same = 0
        why = "the bot trades too fast to be compared at rest; pause it for an answer"
        with open_reader(self._url) as reader:
            fills = await self._compare_fills(reader, booked)
            for _ in range(ROUNDS):
                look = await self._look_at_rest(reader)
                if isinstance(look, _Look):
                    found = tuple(invariants.exchange_differences(look.state, look.taken))
                    same = same + 1 if found == last else 1
                    last = found
                    if not found or same >= LOOKS:
                        return [*fills, *self._judged(look, found)]
                elif look:
                    why = look
                    if not self._is_running:
                        break
                await asyncio.sleep(_PAUSE_SECONDS)
        return [*fills, *(unchecked(name, why) for name in AT_REST)]

    async def _look_at_rest(self, reader: Reader) -> _Look | str:
        """The books, and the exchange at a moment when the books said the same before and after; else why not.

        A bot that does not run finds news when it starts: they are taken in here as it would, and are no difference.
        """
        seq, snapshot = await asyncio.to_thread(reader.snapshot, self._stored)
        engine = await self._engine(snapshot)
        booked = engine.state.fill_count
        taken = await self._exchange.snapshot(resolving.full_snapshot(engine.state))
        if not self._is_running and not self._is_older:
            engine.handle(taken, Timestamp(self._exchange.now()))
        if await asyncio.to_thread(reader.last_seq, self._stored.bot_id) != seq or not taken.stable:
            return ""
        if not invariants.is_quiet(engine.state) and not self._is_older:
            return _why_not_quiet(engine.state)
        return _Look(engine.state, taken, engine.state.fill_count - booked)

    async def _engine(self, snapshot: BotSnapshot) -> Engine:
        """The same engine that would trade, so that it is the same comparison; nothing of it is carried out."""
        settings = BotSettings.model_validate(self._stored.config["bot"])
        identity = BotIdentity(
            self._stored.name, self._stored.account_id, self._stored.symbol, self._stored.generation
        )
        return Engine(
            EngineSettings(identity, allocation_of(settings), ProtocolTimes()),
            self._exchange.market(self._stored.symbol),
            await self._exchange.fees(self._stored.symbol),
            Caretaker("examined"),
            REPLAY_GATE,
            snapshot,
        )

    def _judged(self, look: _Look, found: tuple[str, ...]) -> list[Finding]:
        state, balances = look.state, look.taken.balances or {}
        totals = ", ".join(
            f"{tidy(balances[asset].total)} {asset}"
            for asset in (state.market.base, state.market.quote)
            if asset in balances
        )
        open_orders = sum(order.state.rests_at_exchange for order in state.orders)
        news = f", {look.news} of the newest fills to be booked by the next run" if look.news else ""
        held = {"I3": "", "I4": "", "I6": totals, "I7": f"for {open_orders} open orders"}
        held["I8"] = f"{open_orders} open orders{news}"
        findings = []
        for name, numbers in held.items():
            problems = [text.partition(": ")[2] for text in found if text.startswith(f"{name}:")]
            if problems or name in AT_REST:
                item = finding(name, problems, numbers)
                if problems and self._is_older:
                    item = replace(item, advice="as for F46: the books are older than the orders")
                findings.append(item)
        return findings

    async def _compare_fills(self, reader: Reader, booked: str) -> list[Finding]:
        """I4 in full for the newest fills: there and here, with the same numbers."""
        newest = await asyncio.to_thread(reader.newest_fills, self._stored.bot_id, _NEWEST_FILLS)
        if not newest:
            return []
        records = await self._exchange.fills(self._stored.symbol, newest[0].trade_id)
        theirs = {fill.key: fill for fill in records}
        recent = self._exchange.now() - ProtocolTimes().read_lag
        problems = []
        for fill in newest:
            record = theirs.get(fill.key)
            if record is None and fill.timestamp > recent:
                continue  # the records lag behind the stream
            if record is None:
                problems.append(f"fill {fill.trade_id} is not in the exchange's records")
            elif _numbers(record) != _numbers(fill):
                problems.append(f"fill {fill.trade_id} has other numbers in the exchange's records")
        return [finding("I4", problems, f"{booked}; the newest {len(newest)} equal the exchange's records")]


def _numbers(fill: Fill) -> tuple[object, ...]:
    return fill.side, fill.price, fill.amount, fill.quote_amount, fill.fee.amount, fill.fee.asset


def _why_not_quiet(state: EngineState) -> str:
    moving = [order for order in state.orders if order.state not in (IntentState.PLANNED, IntentState.OPEN)]
    named = ", ".join(f"{order.client_order_id} is {order.state}" for order in moving[:2])
    return f"orders are under way ({named}); the next run settles them"
