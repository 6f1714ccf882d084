"""What the preflight asks of the account: rights that a stolen key must not have, and what is there already."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.account_checks import check_account, check_instance, check_keys
from gridtide.cli.check_outcome import Outcome
from gridtide.domain.errors import NotPermitted
from gridtide.domain.market import Timestamp
from gridtide.domain.order import Side, Slot, TimeInForce
from gridtide.engine.order_ids import bot_code, client_order_id
from gridtide.exchanges.venue_exchange import VenueExchange
from gridtide.exchanges.venue_side import StraightLine, VenueSide
from gridtide.ports.exchange import ExchangeAccount
from gridtide.runners.control_socket import ControlSocket
from gridtide.venue.messages import NewOrder
from tests.engine.test_order_life import world
from tests.engine.world import ACCOUNT, SYMBOL

OURS = client_order_id(bot_code(ACCOUNT, SYMBOL, "grid", 1), Slot.level(1, Side.BUY), 1, 1)


class Key:
    """An exchange as far as the checks of a key see it."""

    def __init__(self, account: ExchangeAccount | Exception) -> None:
        self._account = account

    async def account(self) -> ExchangeAccount:
        if isinstance(self._account, Exception):
            raise self._account
        return self._account


async def of_key(
    account: ExchangeAccount | Exception, *, real: bool = True, allow: bool = False
) -> dict[Outcome, str]:
    """Outcomes and texts of the checks of a key."""
    found = check_keys(Key(account), needs_keys=real, allow_any_address=allow)  # type: ignore[arg-type]  # all it needs
    return {check.outcome: check.text async for check in found}


def key(**rights: bool | None) -> ExchangeAccount:
    """A key as it should be, but for `rights`."""
    good: dict[str, bool | None] = {
        "can_trade": True,
        "can_withdraw": False,
        "can_transfer": False,
        "ip_restricted": True,
    }
    return ExchangeAccount("1", **(good | rights))


async def test_a_good_key_passes() -> None:
    assert set(await of_key(key())) == {Outcome.PASSED}


@pytest.mark.parametrize("right", ["withdraw", "transfer"])
async def test_f77_each_forbidden_right_fails(right: str) -> None:
    """And is named with what to do."""
    found = await of_key(key(**{f"can_{right}": True}))
    assert f"the key may {right}: take that right away" in found[Outcome.FAILED]


async def test_a_key_that_may_not_trade_fails() -> None:
    assert "may not trade" in (await of_key(key(can_trade=False)))[Outcome.FAILED]


async def test_f77_a_key_for_any_address_fails_unless_its_owner_accepts_that_by_name() -> None:
    """The opt-out stays loud: a warning in capitals, at every start."""
    assert "exchange.allow_any_address" in (await of_key(key(ip_restricted=False)))[Outcome.FAILED]
    opted_out = await of_key(key(ip_restricted=False), allow=True)
    assert "FROM ANY ADDRESS" in opted_out[Outcome.WARNING]
    assert Outcome.FAILED not in opted_out


async def test_what_an_exchange_does_not_tell_is_a_warning() -> None:
    """Silence is no proof: its owner has to look."""
    found = await of_key(ExchangeAccount(""))
    assert "may withdraw or transfer" in found[Outcome.WARNING]
    assert Outcome.FAILED not in found


async def test_play_money_may_be_moved() -> None:
    loose = key(can_withdraw=True, can_transfer=True, ip_restricted=False)
    assert set(await of_key(loose, real=False)) == {Outcome.PASSED}


async def test_a_key_that_is_refused_fails_with_its_sentence() -> None:
    assert (await of_key(NotPermitted("the key is not known")))[Outcome.FAILED] == "the key is not known"


@pytest.mark.parametrize(
    "order_id, has_run, outcome",
    [
        ("", False, Outcome.PASSED),
        ("web_12345", False, Outcome.WARNING),
        ("web_12345", True, Outcome.WARNING),
        (OURS, False, Outcome.WARNING),
        (OURS, True, Outcome.PASSED),
    ],
)
async def test_orders_that_rest_already_are_told(order_id: str, has_run: bool, outcome: Outcome) -> None:
    """Somebody else's orders lock money; a bot's own without its books mean that the books are elsewhere."""
    place = world()
    if order_id:
        request = NewOrder(
            ACCOUNT,
            SYMBOL,
            Side.BUY,
            "LIMIT",
            Decimal(1),
            price=Decimal(50),
            time_in_force=TimeInForce.GTC,
            client_order_id=order_id,
        )
        place.venue.place_order(request, Timestamp(place.now))
    exchange = VenueExchange(
        VenueSide(place.venue, ACCOUNT, SYMBOL, StraightLine(), lambda: place.now), lambda: place.now
    )
    found = [check async for check in check_account(exchange, exchange.market(SYMBOL), has_run=has_run)]
    assert [check.outcome for check in found if check.name == "orders"] == [outcome]
    await exchange.close()


async def test_another_bot_in_the_folder_is_told(tmp_path: Path) -> None:
    """A second start is refused; whoever checks learns it before."""
    assert check_instance(tmp_path).outcome is Outcome.PASSED

    async def status(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {}

    control = ControlSocket(tmp_path, status)
    await control.start()
    found = await asyncio.to_thread(check_instance, tmp_path)
    await control.close()
    assert found.outcome is Outcome.WARNING
    assert "a second start there is refused" in found.text
