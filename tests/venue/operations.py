"""Random operations on a venue, seeded, with every kind of order and request, and a ledger that checks what it tells.

Equal seeds give equal lives. Lives are short, because a venue remembers every order.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gridtide.domain.market import MarketStatus, Symbol, Timestamp
from gridtide.domain.money import FeeRate
from gridtide.domain.order import Side, TimeInForce
from gridtide.venue.market_filters import MarketFilters
from gridtide.venue.messages import NewOrder, NewOrderList, PriceMoved, VenueEvent, VenueRefusal
from gridtide.venue.settings import AccountFees, FillModel, SelfTradePrevention, VenueSettings
from gridtide.venue.venue import Venue
from tests.venue.ledger import Ledger
from tests.venue.world import BNB, BNB_MARKET, BTC, MARKET, NOW, SYMBOL, USDT, D

BNB_USDT = BNB_MARKET.symbol
ACCOUNTS = ("a", "b", "c")
FEES = (
    AccountFees(FeeRate(D("0.001")), FeeRate(D("0.001"))),
    AccountFees(FeeRate(D("0.00075")), FeeRate(D("0.001")), asset=BNB, discount=D("0.75")),
    AccountFees(FeeRate(D("-0.0001")), FeeRate(D("0.0005")), asset=USDT),
)
MODES = tuple(mode.value for mode in SelfTradePrevention)
WORLDS: tuple[dict[str, Any], ...] = (
    {"publishes": False, "depth_levels": 2, "depth_quote": D(300)},
    {
        "publishes": False,
        "fill_model": FillModel.TRADE_THROUGH,
        "slippage": D("0.0005"),
        "depth_quote": D(300),
    },
    {"publishes": False, "volume_cap": D("0.05"), "depth_levels": 5, "depth_quote": D(1000)},
    {"depth_levels": 3, "depth_quote": D(2000), "volume_cap": D("0.5")},
)
_FILTERS = MarketFilters(max_algo_orders=40, max_order_lists=20, prevention_modes=MODES)
_WORKING = ("LIMIT", "LIMIT", "LIMIT_MAKER")
_LOSS = ("STOP_LOSS", "STOP_LOSS_LIMIT")
_PROFIT = ("LIMIT_MAKER", "LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class Life:
    """One venue, two markets, three accounts. Every `audit_every` operations the venue audits itself."""

    def __init__(self, seed: int, world: dict[str, Any], *, audit_every: int = 0) -> None:
        self.dice = random.Random(seed)
        settings = VenueSettings(filters={SYMBOL: _FILTERS, BNB_USDT: _FILTERS}, **world)
        self.venue = Venue([MARKET, BNB_MARKET], settings, random.Random(seed))
        self.ledger = Ledger([MARKET, BNB_MARKET], slippage=settings.slippage)
        self.counts: Counter[str] = Counter()
        self._audit_every = audit_every
        self._prices = {SYMBOL: D(40_000), BNB_USDT: D(300)}
        self._ticks = {market.symbol: market.rules.tick_size for market in (MARKET, BNB_MARKET)}
        for account in ACCOUNTS:
            self.venue.add_account(account, {}, self.dice.choice(FEES))
            self._pay_in(account, USDT, D(400_000))
            self._pay_in(account, BTC, D(8))
            self._pay_in(account, BNB, D(self.dice.choice(["0.01", "200"])))
        for symbol in self._prices:
            self._move_to(symbol, self._prices[symbol])
        deeds: list[tuple[int, Callable[[], object]]] = [
            (380, self.place),
            (60, self.meet),
            (110, self.place_conditional),
            (70, self.place_list),
            (230, self.move),
            (110, self.cancel),
            (60, self.amend),
            (12, self.cancel_list),
            (4, self.cancel_all),
            (8, self.deposit),
            (12, self.change_status),
            (3, self.change_fees),
        ]
        self.deeds = [deed for _, deed in deeds]
        self.weights = [weight for weight, _ in deeds]

    def live(self, operations: int) -> None:
        """Do so many operations."""
        for number, deed in enumerate(self.dice.choices(self.deeds, self.weights, k=operations), 1):
            self.act(deed)
            if self._audit_every and number % self._audit_every == 0:
                self.venue.check()
        self.venue.check()

    def answers(self, operations: int) -> list[str]:
        """Do so many operations and return what came out of each."""
        return [repr(self.act(deed)) for deed in self.dice.choices(self.deeds, self.weights, k=operations)]

    def act(self, deed: Callable[[], object]) -> object:
        """Do one thing; a refusal is an answer too."""
        name = getattr(deed, "__name__", "")
        try:
            answer = deed()
        except VenueRefusal as refused:
            self.counts[f"{name} refused"] += 1
            self.counts[f"refused {refused}"] += 1
            return refused
        self.counts[name] += 1
        return answer

    def restart(self) -> None:
        """Save the venue as JSON and go on with the one that is loaded from it."""
        text = json.dumps(self.venue.state())
        self.venue = Venue.from_state(json.loads(text), random.Random(0))

    # --- requests ------------------------------------------------------------------------------------------

    def place(self) -> object:
        account, symbol = self._account(), self._symbol()
        kind = self.dice.choice(("LIMIT", "LIMIT", "LIMIT", "LIMIT_MAKER", "MARKET"))
        order = self._order(account, symbol, kind, self.dice.choice(list(Side)))
        if kind == "MARKET" and self.dice.random() < 0.3:
            order = order._replace(amount=None, quote_amount=D(self.dice.randint(1, 2_000_000)) / 100)
        placed = self.venue.place_order(order, self._now())
        self.ledger.read(placed.events)
        return placed

    def meet(self) -> object:
        """An order at the price of one that rests, from any account: trades between accounts, and with oneself."""
        key = self._open_order(self._account())
        if key is None:
            return None
        met = next(orders[key] for orders in self.ledger.open.values() if key in orders)
        if not met.price:
            return None
        account = met.account_id if self.dice.random() < 0.4 else self._account()
        order = self._order(account, met.symbol, "LIMIT", met.side.opposite)._replace(price=met.price)
        placed = self.venue.place_order(order, self._now())
        self.ledger.read(placed.events)
        return placed

    def place_conditional(self) -> object:
        account, symbol = self._account(), self._symbol()
        order = self._order(
            account,
            symbol,
            self.dice.choice(("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")),
            self.dice.choice(list(Side)),
        )
        placed = self.venue.place_order(order, self._now())
        self.ledger.read(placed.events)
        return placed

    def place_list(self) -> object:
        dice, account, symbol = self.dice, self._account(), self._symbol()
        kind = dice.choice(("OCO", "OCO", "OTO", "OTOCO", "OPO", "OPOCO"))
        side, pays = dice.choice(list(Side)), kind.startswith("OP")
        working = None
        if kind != "OCO":
            working_side = Side.BUY if pays else dice.choice(list(Side))
            working = self._order(account, symbol, dice.choice(_WORKING), working_side)._replace(
                amount=self._amount(symbol)
            )
        side = Side.SELL if pays else side
        if kind.endswith("OCO"):
            legs = self._pair(account, symbol, side)
        else:
            leg_kind = dice.choice(("LIMIT", "LIMIT_MAKER", "MARKET", *_LOSS, *_PROFIT))
            legs = (self._order(account, symbol, leg_kind, side),)
        if pays:
            legs = tuple(leg._replace(amount=None) for leg in legs)
        placed = self.venue.place_order_list(
            NewOrderList(account, symbol, legs, working, pays, dice.choice(("", "", "l1"))), self._now()
        )
        self.ledger.read(placed.events)
        return placed

    def _pair(self, account: str, symbol: Symbol, side: Side) -> tuple[NewOrder, ...]:
        """Legs of an OCO, above first, mostly on their sides of the market."""
        amount = self._amount(symbol)
        loss = self._order(account, symbol, self.dice.choice(_LOSS), side)
        profit = self._order(account, symbol, self.dice.choice(_PROFIT), side)
        up = self._near(symbol, 1, 150)
        down = self._near(symbol, -150, -1)
        above, below = (profit, loss) if side is Side.SELL else (loss, profit)
        above, below = self._at(above, up), self._at(below, down)
        return above._replace(amount=amount), below._replace(amount=amount)

    def _at(self, order: NewOrder, price: Decimal) -> NewOrder:
        """The order with its price and stop price, as far as it has them, at `price`."""
        return order._replace(
            price=None if order.price is None else price,
            stop_price=None if order.stop_price is None else price,
        )

    def _order(self, account: str, symbol: Symbol, kind: str, side: Side) -> NewOrder:
        dice = self.dice
        has_price = "LIMIT" in kind
        is_algo = kind.startswith(("STOP", "TAKE"))
        goes_up = (side is Side.BUY) == kind.startswith("STOP")
        trails = is_algo and dice.random() < 0.3
        stop = None
        if is_algo and (not trails or dice.random() < 0.5):
            stop = self._near(symbol, 1, 120) if goes_up else self._near(symbol, -120, -1)
        return NewOrder(
            account,
            symbol,
            side,
            kind,
            self._amount(symbol),
            None,
            self._near(symbol, *dice.choice(((-100, 100), (-10, 10)))) if has_price else None,
            dice.choice(list(TimeInForce)) if has_price and kind != "LIMIT_MAKER" else None,
            dice.choice(("", "", "", "", "", "", "x", "y")),
            dice.choice(("", "", *MODES)),
            stop,
            dice.randint(10, 120) if trails else None,
        )

    def cancel(self) -> object:
        account = self._account()
        order = self._open_order(account)
        if order is None:
            return None
        done = self.venue.cancel_order(account, order[0], order_id=order[1], now=self._now())
        self.ledger.read(done.events)
        return done

    def amend(self) -> object:
        account = self._account()
        key = self._open_order(account)
        if key is None:
            return None
        order = self.ledger.open[account][key]
        lot = D("0.00001") if order.symbol == SYMBOL else D("0.001")
        amount = (order.amount * self.dice.randint(1, 110) / 100) // lot * lot
        done = self.venue.amend_order(
            account,
            order.symbol,
            order_id=order.order_id,
            new_client_order_id=self.dice.choice(("", "x", "z", order.client_order_id)),
            new_amount=amount,
            now=self._now(),
        )
        self.ledger.read(done.events)
        return done

    def cancel_list(self) -> object:
        account = self._account()
        lists = list(self.ledger.lists[account].items())
        if not lists:
            return None
        list_id, symbol = self.dice.choice(lists)
        done = self.venue.cancel_order_list(account, symbol, order_list_id=list_id, now=self._now())
        self.ledger.read(done.events)
        return done

    def cancel_all(self) -> object:
        done = self.venue.cancel_all(self._account(), self._symbol(), self._now())
        for each in done:
            self.ledger.read(each.events)
        return done

    # --- the world -----------------------------------------------------------------------------------------

    def move(self) -> object:
        symbol = self._symbol()
        share = self.dice.choice((0, 1, self.dice.randint(-60, 60), self.dice.randint(-60, 60)))
        return self._move_to(symbol, self._prices[symbol] * (10_000 + share) / 10_000)

    def _move_to(self, symbol: Symbol, price: Decimal) -> tuple[VenueEvent, ...]:
        tick = self._ticks[symbol]
        self._prices[symbol] = max(price // tick * tick, tick * 100)
        volume = D(self.dice.choice((0, self.dice.randint(1, 5_000_000)))) / 1_000_000
        now = self._now()
        events = self.venue.move_market(symbol, PriceMoved(self._prices[symbol], volume, now), now)
        self.ledger.read(events)
        return events

    def deposit(self) -> object:
        account, asset = self._account(), self.dice.choice((USDT, BTC, BNB))
        return self._pay_in(account, asset, D(self.dice.randint(-10_000_000, 12_000_000)) / 10_000)

    def _pay_in(self, account: str, asset: Any, amount: Decimal) -> object:
        events = self.venue.deposit(account, asset, amount, self._now())
        self.ledger.deposit(account, asset, amount)
        self.ledger.read(events)
        return events

    def change_status(self) -> object:
        symbol = self._symbol()
        status = MarketStatus.HALT if self.dice.random() < 0.1 else MarketStatus.TRADING
        self.venue.set_status(symbol, status)
        return status

    def change_fees(self) -> object:
        self.venue.set_fees(self._account(), self.dice.choice(FEES))
        return None

    # --- draws -----------------------------------------------------------------------------------------------

    def _account(self) -> str:
        return self.dice.choice(ACCOUNTS)

    def _symbol(self) -> Symbol:
        return self.dice.choice((SYMBOL, SYMBOL, SYMBOL, BNB_USDT))

    def _now(self) -> Timestamp:
        return Timestamp(NOW + self.dice.randint(0, 10**9))

    def _amount(self, symbol: Symbol) -> Decimal:
        lot = D("0.00001") if symbol == SYMBOL else D("0.001")
        return lot * self.dice.choice(
            (self.dice.randint(1, 50), self.dice.randint(100, 5_000), self.dice.randint(100, 30_000))
        )

    def _near(self, symbol: Symbol, low: int, high: int) -> Decimal:
        """A price on the tick, between so many basis points from where the market stands."""
        tick = self._ticks[symbol]
        return self._prices[symbol] * (10_000 + self.dice.randint(low, high)) / 10_000 // tick * tick

    def _open_order(self, account: str) -> tuple[Symbol, int] | None:
        keys = list(self.ledger.open[account])
        return self.dice.choice(keys) if keys else None


def run(operations: int, seed: int, *, per_life: int = 10_000, audit_every: int = 500) -> dict[str, Any]:
    """So many operations over lives in every world in turn; what was done, and what broke a rule."""
    counts: Counter[str] = Counter()
    violations: Counter[str] = Counter()
    first: list[str] = []
    for number in range(0, operations, per_life):
        world = WORLDS[number // per_life % len(WORLDS)]
        life = Life(seed * 1_000_003 + number, world, audit_every=audit_every)
        half = min(per_life, operations - number) // 2
        life.live(half)
        life.restart()
        life.live(min(per_life, operations - number) - half)
        counts += life.counts
        counts.update({f"event {name}": count for name, count in life.ledger.counts.items()})
        violations += life.ledger.violations
        first += life.ledger.first
    return {
        "operations": operations,
        "seed": seed,
        "violations": dict(violations),
        "first": first[:5],
        "counts": dict(sorted(counts.items())),
    }
