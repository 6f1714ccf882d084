"""Verifies a bot's database against itself and against the exchange, invariant by invariant. It changes nothing.

A bot that runs is not disturbed: its books are read from a copy, and compared with the exchange between two of its own
steps; one that does not run cannot start meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridtide.bootstrap.comparison import AT_REST, Comparison
from gridtide.bootstrap.grid_checks import intervals_have_orders, nothing_is_stuck
from gridtide.bootstrap.own_orders import look_for_unknown, stored_generations
from gridtide.domain.errors import Fenced, GridtideError, InvalidInput, StorageFailed
from gridtide.domain.market import Symbol
from gridtide.storage import sql_journal
from gridtide.storage.examination import examine_rows, read_rows
from gridtide.storage.examined_file import ReadableCopy, copy_to_read, examine_file, file_of, replayed_equally
from gridtide.storage.findings import SAYS, Finding, Outcome, finding, unchecked
from gridtide.storage.lease import FileLease
from gridtide.storage.reader import Reader, open_reader

if TYPE_CHECKING:
    from gridtide.bootstrap.live import LiveOptions
    from gridtide.ports.exchange import RecordedExchange
    from gridtide.storage.reader import StoredBot

_DEFAULT_NAME = "grid"
_EXCHANGE = (*AT_REST, "F46")
_ORDER = (
    "file", "schema", "library", "rights", "space", "lease", "events", "exchange", "F46",
    *(f"I{number}" for number in range(1, 17)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Examination:
    """What a doctor found, in the order a person reads it."""

    bot: str
    place: str
    is_running: bool
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[Finding, ...]:
        return tuple(found for found in self.findings if found.outcome is Outcome.BROKEN)

    @property
    def could_ask(self) -> bool:
        """Whether the exchange was there to compare with."""
        return not any(found.id == "exchange" and found.outcome is Outcome.BROKEN for found in self.findings)


async def examine(exchange: RecordedExchange, options: LiveOptions, place: str) -> Examination:
    """Look at everything; `exchange` is not connected yet. Raises `InvalidInput` where there is nothing to look at."""
    doctor = _Doctor(exchange, options)
    try:
        await doctor.look()
    finally:
        doctor.release()
    return Examination(doctor.name, place, doctor.is_running, doctor.result())


class _Doctor:
    def __init__(self, exchange: RecordedExchange, options: LiveOptions) -> None:
        self.exchange = exchange
        self.options = options
        self.url = options.database_url
        self.symbol = Symbol(options.bot.market) if options.bot is not None else options.symbol
        self.name = options.bot.name if options.bot is not None else _DEFAULT_NAME
        self.is_running = False
        self._found: dict[str, Finding] = {}
        self._lease: FileLease | None = None
        self._identity: sql_journal.BotIdentity | None = None

    def note(self, *found: Finding) -> None:
        """Keep a finding; of two about the same thing the worse one stands."""
        for item in found:
            known = self._found.get(item.id)
            if known is None or known.outcome is not Outcome.BROKEN:
                self._found[item.id] = item

    def result(self) -> tuple[Finding, ...]:
        for name in SAYS:
            if name not in self._found and name != "exchange":
                self.note(unchecked(name, "the database could not be read"))
        return tuple(self._found[name] for name in _ORDER if name in self._found)

    def release(self) -> None:
        if self._lease is not None:
            self._lease.release()

    # --- the way through -------------------------------------------------------------------------------

    async def look(self) -> None:
        await self._reach_exchange()
        path = file_of(self.url)
        if path is not None and not path.is_file():
            self.note(finding("file", [f"there is no database {path}"], ""))
            await self._look_for_unknown(None, self.url)
            return
        self._take_lease()
        try:
            with copy_to_read(self.url) as copy:
                stored = await asyncio.to_thread(self._examine_copy, copy)
                # Of a bot that runs the copy is soon too old to be compared.
                await self._ask_exchange(stored, self.url if self.is_running else copy.url)
        except StorageFailed as error:
            self.note(finding("file", [str(error)], ""))

    async def _ask_exchange(self, stored: StoredBot | None, url: str) -> None:
        await self._look_for_unknown(stored, url)
        if stored is None or self._identity is None:
            return
        is_older = self._found["F46"].outcome is Outcome.BROKEN
        comparison = Comparison(self.exchange, url, stored, is_running=self.is_running, is_older=is_older)
        try:
            self.note(*await comparison.findings(self._found["I4"].detail))
        except StorageFailed:
            raise
        except GridtideError as error:
            self.note(*(unchecked(name, str(error)) for name in AT_REST))

    async def _reach_exchange(self) -> None:
        """Who we are there; the rest can be looked at without it."""
        try:
            await self.exchange.connect()
            account = await self.exchange.account()
        except InvalidInput:
            raise
        except GridtideError as error:
            told = finding("exchange", [str(error)], "")
            self.note(Finding("exchange", told.outcome, told.detail, "try again when it answers"))
            return
        self.note(finding("exchange", [], f"{self.exchange.name}, account {account.account_id}"))
        self._identity = sql_journal.BotIdentity(
            self.name, account.account_id, self.symbol, self.exchange.name, self.options.mode.value
        )

    def _examine_copy(self, copy: ReadableCopy) -> StoredBot | None:
        """Everything that needs no exchange; None where there are no books of the bot to compare."""
        self.note(*examine_file(file_of(self.url), copy.schema))
        with open_reader(copy.url) as reader:
            stored = self._stored(reader)
            with reader.transaction() as connection:
                self.note(replayed_equally(connection, copy.folder))
                if stored is None:
                    why = f"the database holds no bot named {self.name} on this account and market"
                    self.note(*(unchecked(name, why) for name in SAYS if name not in (*self._found, "F46")))
                    return None
                rows = read_rows(connection, stored)
                self.note(*examine_rows(connection, rows))
            self.note(
                intervals_have_orders(reader, stored),
                nothing_is_stuck(reader, rows, is_running=self.is_running),
            )
        return stored

    def _stored(self, reader: Reader) -> StoredBot | None:
        """The newest generation; without an exchange to say which account, the newest of that name."""
        if self._identity is not None:
            found = stored_generations(reader, self._identity)
        else:
            found = [bot for bot in reader.bots() if (bot.name, bot.symbol) == (self.name, self.symbol)]
        return found[-1] if found else None

    def _take_lease(self) -> None:
        """While no bot runs, none starts until we are done."""
        path = file_of(self.url)
        if path is None or self._identity is None:
            self.note(
                unchecked("lease", "it is the server's" if path is None else "the account is not known")
            )
            return
        try:
            self._lease = FileLease(path, self._identity.key, self.name)
        except Fenced as error:
            self.is_running = True
            self.note(finding("lease", [], f"the bot runs ({str(error).partition(' runs ')[0]})"))
        else:
            self.note(finding("lease", [], "no bot runs, and none can start while this looks"))

    # --- against the exchange --------------------------------------------------------------------------

    async def _look_for_unknown(self, stored: StoredBot | None, url: str) -> None:
        if self._identity is None:
            self.note(*(unchecked(name, "the exchange could not be asked") for name in _EXCHANGE))
            return
        try:
            with contextlib.ExitStack() as stack:
                reader = stack.enter_context(open_reader(url)) if stored is not None else None
                sightings = await look_for_unknown(self.exchange, self._identity, reader)
        except StorageFailed:
            raise
        except GridtideError as error:
            self.note(unchecked("F46", str(error)))
            return
        place = str(file_of(self.url) or "the database")
        if stored is None and not sightings.unknown:
            raise InvalidInput(
                f"there are no books of {self.name} in {place}, and the exchange shows no order of it: nothing to "
                "look at; start it with `gridtide run`"
            )
        unknown = sightings.unknown
        problems = []
        if unknown:
            problems = [
                f"the exchange shows {len(unknown)} orders that no row knows, {len(sightings.open)} of them open; the "
                f"newest is {unknown[-1].update.client_order_id}"
            ]
        self.note(finding("F46", problems, "no order of the bot is unknown to its books"))
