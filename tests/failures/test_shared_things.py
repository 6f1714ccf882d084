"""What a bot shares with nobody: its subscription; and what it lets in: the packages that are listed, no others."""

from __future__ import annotations

import ast
import re
import sys
from decimal import Decimal

from gridtide.domain.events import BookUpdated, OrderUpdated, StreamInterrupted, StreamRestored
from gridtide.exchanges.binance import BinanceExchange
from gridtide.exchanges.venue_exchange import VenueExchange
from gridtide.exchanges.venue_side import StraightLine, VenueSide
from tests.engine.test_order_life import world
from tests.engine.world import ACCOUNT, SYMBOL
from tests.exchanges.fake_binance import fake_binance
from tests.exchanges.listening import listening
from tests.exchanges.orders import report
from tests.house.files import PACKAGE, ROOT

IMPORT_NAMES = {"pyyaml": "yaml", "python-dotenv": "dotenv"}


async def test_another_client_of_the_account_cannot_end_our_stream() -> None:
    """F31: each bot subscribes by signature on a socket of its own; one that leaves takes nothing of ours along."""
    async with fake_binance() as fake:
        ours, other = BinanceExchange(fake.connection()), BinanceExchange(fake.connection())
        await ours.connect()
        await other.connect()
        try:
            async with listening(other):
                pass
            async with listening(ours) as listener:
                async with listening(other):
                    assert len(fake.subscriptions) >= 4
                await other.close()
                listener.forget()
                socket = fake.user_sockets[1]
                assert not socket.closed
                await socket.send_json({"subscriptionId": 0, "event": report()})
                await listener.take(OrderUpdated)
                assert listener.connections == []
        finally:
            await ours.close()
        assert not any(
            "listenKey" in request.path or "userDataStream" in request.path for request in fake.seen
        )


def test_only_listed_packages_are_imported() -> None:
    """F75: an import that no requirement names fails here, before anybody installs something to make it work."""
    locked = "".join(path.read_text() for path in (ROOT / "requirements").glob("*.txt"))
    listed = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==", locked, flags=re.MULTILINE)
    allowed = {IMPORT_NAMES.get(name.lower(), name.lower().replace("-", "_")) for name in listed}
    found = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        for name in _imported(ast.parse(path.read_text()))
        if name not in allowed | set(sys.stdlib_module_names) | {"gridtide"}
    }
    assert not found


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names


async def test_the_venue_in_this_process_can_be_listened_to_anew() -> None:
    """F24: paper trading and simulations have the same hook; the gap is told, and what follows is heard."""
    place = world()
    side = VenueSide(place.venue, ACCOUNT, SYMBOL, StraightLine(), lambda: place.now)
    exchange = VenueExchange(side, lambda: place.now)
    stream = exchange.stream(SYMBOL)
    assert [type(await anext(stream)) for _ in range(2)] == [StreamRestored, BookUpdated]
    exchange.rebuild_stream("deaf")
    side.move(Decimal(101), Decimal(1))
    told = [type(await anext(stream)) for _ in range(3)]
    assert told == [StreamInterrupted, StreamRestored, BookUpdated]
    await exchange.close()
