"""Random lives of a venue: its books always balance, it can be frozen and thawed anywhere, and it is fast."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import Defect
from gridtide.domain.market import MarketStatus, Timestamp
from gridtide.domain.money import FeeRate
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.messages import NewOrder, PriceMoved, VenueRefusal
from gridtide.venue.settings import AccountFees, FillModel
from gridtide.venue.venue import Venue
from tests.venue.world import BNB, BTC, NOW, SYMBOL, USDT, D, buy, venue_at

BNB_USDT = venue_at().markets()[1].symbol
FEES = (
    AccountFees(FeeRate(D("0.001")), FeeRate(D("0.001"))),
    AccountFees(FeeRate(D("0.00075")), FeeRate(D("0.001")), asset=BNB, discount=D("0.75")),
    AccountFees(FeeRate(D("-0.0001")), FeeRate(D("0.0005")), asset=USDT),
)


class Life:
    """Seeded operations on a venue, chosen so that orders often meet; every answer is remembered as text."""

    def __init__(self, seed: int, **settings: Any) -> None:
        self.dice = random.Random(seed)
        self.venue = venue_at(seed=seed, **settings)
        for number, fees in enumerate(FEES):
            funds = {USDT: D(200_000), BTC: D(4), BNB: D(self.dice.choice(["0.01", "20"]))}
            self.venue.add_account(f"c{number}", funds, fees)
        self.prices = {SYMBOL: D(40_000), BNB_USDT: D(300)}
        self.move()

    def go_on(self, steps: int, check_every: int = 0) -> list[str]:
        """Run some steps and return what came out of each."""
        deeds: list[Callable[[], object]] = [self.place, self.place, self.place, self.move, self.cancel]
        rare: list[Callable[[], object]] = [
            self.deposit,
            self.change_status,
            self.cancel_all,
            self.change_fees,
        ]
        answers = []
        for step in range(steps):
            deed = self.dice.choice(rare) if self.dice.random() < 0.02 else self.dice.choice(deeds)
            try:
                answers.append(repr(deed()))
            except VenueRefusal as refused:
                answers.append(str(refused))
            if check_every and step % check_every == 0:
                self.venue.check()
        return answers

    def place(self) -> object:
        dice = self.dice
        symbol, kind = self.symbol(), dice.choice(["LIMIT", "LIMIT", "LIMIT_MAKER", "MARKET"])
        tick, lot = (D("0.01"), D("0.00001")) if symbol == SYMBOL else (D("0.1"), D("0.001"))
        price = self.prices[symbol] * D(dice.randint(9900, 10100)) / 10_000 // tick * tick
        amount = lot * dice.choice([dice.randint(1, 50), dice.randint(100, 50_000)])
        in_quote = kind == "MARKET" and dice.random() < 0.3
        return self.venue.place_order(
            NewOrder(
                self.account(),
                symbol,
                dice.choice(list(Side)),
                kind,
                None if in_quote else amount,
                D(dice.randint(1, 2_000_000)) / 100 if in_quote else None,
                None if kind == "MARKET" else price,
                dice.choice(list(TimeInForce)) if kind == "LIMIT" else None,
                dice.choice(["", "", "x", "y"]),
                dice.choice(["", "", "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]),
            ),
            self.now(),
        )

    def move(self) -> object:
        symbol = self.symbol()
        tick = D("0.01") if symbol == SYMBOL else D("0.1")
        share = D(self.dice.choice([0, 1, self.dice.randint(-200, 200)])) / 10_000
        self.prices[symbol] = (self.prices[symbol] * (1 + share)) // tick * tick
        volume = D(self.dice.choice([0, self.dice.randint(1, 5_000_000)])) / 1_000_000
        return self.venue.move_market(symbol, PriceMoved(self.prices[symbol], volume, self.now()), self.now())

    def cancel(self) -> object:
        account = self.account()
        orders = self.venue.open_orders(account)
        if not orders:
            return None
        order = self.dice.choice(orders)
        return self.venue.cancel_order(account, order.symbol, order_id=order.order_id, now=self.now())

    def cancel_all(self) -> object:
        return self.venue.cancel_all(self.account(), self.symbol(), self.now())

    def deposit(self) -> object:
        asset = self.dice.choice([USDT, BTC, BNB])
        amount = D(self.dice.randint(-10_000_000, 10_000_000)) / 10_000
        return self.venue.deposit(self.account(), asset, amount, self.now())

    def change_status(self) -> object:
        status = self.dice.choice([MarketStatus.TRADING, MarketStatus.TRADING, MarketStatus.HALT])
        self.venue.set_status(self.symbol(), status)
        return status

    def change_fees(self) -> object:
        fees = self.dice.choice(FEES)
        self.venue.set_fees(self.account(), fees)
        return fees

    def account(self) -> str:
        return self.dice.choice(self.venue.accounts())

    def symbol(self) -> Any:
        return self.dice.choice([SYMBOL, SYMBOL, SYMBOL, BNB_USDT])

    def now(self) -> Timestamp:
        return Timestamp(NOW + self.dice.randint(0, 10**9))


WORLDS: list[dict[str, Any]] = [
    {},
    {"fill_model": FillModel.TRADE_THROUGH, "slippage": D("0.0005")},
    {"volume_cap": D("0.05")},
    {"publishes": False, "volume_cap": D("0.5"), "depth_levels": 3},
]


@pytest.mark.parametrize("settings", WORLDS)
def test_books_balance_over_thousands_of_random_operations(settings: dict[str, Any]) -> None:
    """20,000 operations of five accounts on two markets: funds conserved, locks exact, nothing negative or crossed."""
    life = Life(seed=11, **settings)
    answers = life.go_on(5_000, check_every=10)
    refused = sum(answer.startswith("-") for answer in answers)
    filled = sum(
        len(life.venue.fills(account, SYMBOL, from_id=0, limit=10**6)) for account in life.venue.accounts()
    )
    assert 0 < refused < 3_500
    assert filled > 500, "the operations must really meet each other"


@given(
    seed=st.integers(0, 2**32),
    before=st.integers(0, 60),
    after=st.integers(1, 40),
    world=st.sampled_from(WORLDS),
)
def test_frozen_and_thawed_it_goes_on_the_same(
    seed: int, before: int, after: int, world: dict[str, Any]
) -> None:
    """Saved as JSON at any moment and restored, the venue gives equal answers to equal requests."""
    life, twin = Life(seed, **world), Life(seed, **world)
    assert life.go_on(before) == twin.go_on(before)
    text = json.dumps(twin.venue.state())
    twin.venue = Venue.from_state(json.loads(text), random.Random(0))
    assert twin.venue.state() == life.venue.state()
    twin.venue.check()
    assert life.go_on(after) == twin.go_on(after)
    assert twin.venue.state() == life.venue.state()


def test_the_generator_is_restored() -> None:
    """Its state travels with the venue's, so that later draws are the same."""
    dice = random.Random(5)
    state = json.loads(json.dumps(Life(1).venue.state()))
    Venue.from_state(state, dice)
    again = random.Random(6)
    Venue.from_state(state, again)
    assert dice.random() == again.random()


def test_a_state_of_another_format_is_refused() -> None:
    """One sentence instead of a wrong venue."""
    state = venue_at().state() | {"version": 99}
    with pytest.raises(Exception, match="has the format 99"):
        Venue.from_state(state, random.Random(1))


@pytest.mark.parametrize(
    "spoil, complaint",
    [
        (lambda account: account["free"].update(USDT="1"), "its deposits and fills make"),
        (lambda account: account["free"].update(USDT="-1"), "free and"),
        (lambda account: account["locked"].update(USDT="1", free="x"), "USDT"),
        (lambda account: account["records"][SYMBOL]["orders"][0].update(locked="1"), "locks 1"),
        (lambda account: account["records"][SYMBOL]["fills"].pop(), "its deposits and fills make"),
        (lambda account: account["records"][SYMBOL]["orders"][0].update(status="CANCELED"), "locked"),
    ],
)
def test_the_audit_finds_what_is_wrong(spoil: Callable[[Any], object], complaint: str) -> None:
    """Each rule of `check` is broken once, in a saved state, and reported."""
    venue = venue_at()
    buy(venue, "0.5", "39000")
    buy(venue, "0.5")
    state = venue.state()
    Venue.from_state(state, random.Random(1)).check()
    account = state["accounts"][0]
    spoil(account)
    account["locked"].pop("free", None)
    with pytest.raises(Defect, match=complaint):
        Venue.from_state(state, random.Random(1)).check()


def test_the_audit_finds_a_crossed_book_and_a_lost_order() -> None:
    """Book rules, broken in a saved state: asks below the bids, an open order that stands nowhere."""
    venue = venue_at()
    buy(venue, "0.5", "39000")
    crossed = venue.state()
    crossed["markets"][0]["ambient"]["ask_from"] = "38000"
    with pytest.raises(Defect, match="crossed"):
        Venue.from_state(crossed, random.Random(1)).check()
    lost = venue.state()
    lost["markets"][0]["queues"]["BUY"] = []
    with pytest.raises(Defect, match="the book and the open orders differ"):
        Venue.from_state(lost, random.Random(1)).check()
    strange = venue.state()
    strange["markets"][0]["outside"]["BTC"] = "1"
    with pytest.raises(Defect, match="outside differ"):
        Venue.from_state(strange, random.Random(1)).check()


@given(amounts=st.lists(st.integers(1, 10**12), min_size=1, max_size=8), price=st.integers(1, 10**14))
def test_a_lock_covers_every_way_of_filling(amounts: list[int], price: int) -> None:
    """Filled in any parts, a buy never pays more than it locked, and keeps exactly what its rest needs."""
    unit = D("0.00000001")
    rules = venue_at().market(SYMBOL).rules
    zero = Decimal(0)
    loose = replace(
        rules,
        tick_size=unit,
        lot_size=unit,
        min_notional=zero,
        max_notional=zero,
        max_price=zero,
        min_price=unit,
        min_amount=zero,
        max_amount=zero,
        max_open_orders=0,
        price_band=None,
    )
    venue = venue_at(None, rules=loose, funds={USDT: D(10) ** 13, BTC: D(10) ** 6})
    total = sum(amounts)
    text = format(unit * price, "f")
    buy(venue, format(unit * total, "f"), text)
    for amount in amounts:
        venue.place_order(
            NewOrder("b", SYMBOL, Side.SELL, "LIMIT", unit * amount, None, unit * price, TimeInForce.IOC),
            NOW,
        )
        venue.check()
    assert venue.open_orders("a") == ()
