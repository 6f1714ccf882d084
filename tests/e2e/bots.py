"""Runs the real program as a user does, in processes of its own, and compares its books with the exchange's truth."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from gridtide.domain.ledger import Account
from gridtide.domain.market import Asset
from gridtide.sandbox.process import SandboxHandle, attach, read_launch, start_process
from gridtide.storage.reader import StoredBot, open_reader


@dataclass(slots=True)
class Bot:
    """`gridtide run` in a state folder of its own."""

    folder: Path
    options: tuple[str, ...] = ()
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    """Settings beside the command line."""

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Start it; its output is kept for `finish`."""
        command = [sys.executable, "-m", "gridtide", "run", "--json"]
        command += ["--state-folder", str(self.folder), *self.options, *more]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE__")}
        environment |= self.environment
        process = subprocess.Popen(
            command,
            cwd=self.folder.parent,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def finish(self, process: subprocess.Popen[str], timeout_seconds: float) -> dict[str, Any]:
        """Wait for its end; the JSON object it printed."""
        output, errors = process.communicate(timeout=timeout_seconds)
        assert process.returncode == 0, f"exit {process.returncode}\n{output}\n{errors}"
        return dict(json.loads(output))

    def kill(self, process: subprocess.Popen[str]) -> None:
        """kill -9; nothing of it can run any more."""
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)

    @property
    def sandbox_folder(self) -> Path:
        (contact,) = self.folder.glob("sandbox/*/sandbox.json")
        return contact.parent

    @property
    def database_url(self) -> str:
        return str(json.loads((self.sandbox_folder / "books.json").read_text())["url"])

    async def sandbox(self) -> SandboxHandle:
        """Its exchange, alive or woken from its state, with the market held."""
        handle = await attach(self.sandbox_folder)
        if handle is None:
            handle = await start_process(self.sandbox_folder, read_launch(self.sandbox_folder))
        await handle.hold()
        return handle

    @contextlib.contextmanager
    def living_sandbox(self) -> Iterator[None]:
        """Its exchange lives through the block, with the market held: what only looks need not start it each time.

        A run takes it up and ends it, as always.
        """
        asyncio.run(self.sandbox())
        try:
            yield
        finally:
            asyncio.run(self._end_sandboxes())

    def truth(self) -> dict[str, Any]:
        """Orders, fills and balances as the exchange has them; ends the sandbox."""

        async def ask() -> dict[str, Any]:
            handle = await self.sandbox()
            try:
                return await handle.truth()
            finally:
                await handle.shutdown()

        return asyncio.run(ask())

    def end(self) -> None:
        """Leave no process behind."""
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)
        asyncio.run(self._end_sandboxes())

    async def _end_sandboxes(self) -> None:
        for contact in self.folder.glob("sandbox/*/sandbox.json"):
            handle = await attach(contact.parent)
            if handle is not None:
                await handle.shutdown()


def differences(bot: Bot, truth: dict[str, Any]) -> list[str]:
    """Where the bot's database and the exchange's own records are not equal to the last unit."""
    with open_reader(bot.database_url) as reader:
        stored = reader.bots()[-1]
        fills = _all_fills(reader, stored)
        ours_open = {order.client_order_id for order in reader.live_orders(stored.bot_id) if order.order_id}
        ledger = reader.ledger(stored.bot_id)
        baseline = reader.baseline(stored.bot_id)
    found = []
    theirs = {(int(row["trade_id"]), str(row["order_id"])): row for row in truth["fills"]}
    if fills.keys() != theirs.keys():
        found.append(
            f"fills: only here {fills.keys() - theirs.keys()}, only there {theirs.keys() - fills.keys()}"
        )
    for key in fills.keys() & theirs.keys():
        ours, row = fills[key], theirs[key]
        mine = (ours.price, ours.amount, ours.quote_amount, ours.fee.amount, ours.fee.asset)
        its = tuple(Decimal(row[name]) for name in ("price", "amount", "quote_amount", "fee"))
        if mine != (*its, row["fee_asset"]):
            found.append(f"fill {key}: {mine} here, {row} there")
    theirs_open = {
        row["client_order_id"] for row in truth["orders"] if row["status"] in ("NEW", "PARTIALLY_FILLED")
    }
    if ours_open != theirs_open:
        found.append(
            f"open orders: only here {ours_open - theirs_open}, only there {theirs_open - ours_open}"
        )
    holdings = {item.asset: item.balance for item in ledger.balances if item.account is Account.HOLDINGS}
    for asset, balance in truth["balances"].items():
        total = Decimal(balance["free"]) + Decimal(balance["locked"])
        expected = baseline.get(Asset(asset), Decimal(0)) + holdings.get(Asset(asset), Decimal(0))
        if total != expected:
            found.append(f"{asset}: {total} there, {expected} by our books")
    ids = [row["client_order_id"] for row in truth["orders"]]
    if len(ids) != len(set(ids)):
        found.append("a client order id was used twice")
    return found


def _all_fills(reader: Any, stored: StoredBot) -> dict[tuple[int, str], Any]:
    found: dict[tuple[int, str], Any] = {}
    after = None
    while page := reader.fills(stored.bot_id, after):
        for item in page:
            found[item.fill.trade_id, item.fill.order_id] = item.fill
        after = page[-1].fill.key
    return found
