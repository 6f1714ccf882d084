"""Bots to look at: made-up views with everything a screen may have to show."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from gridtide.domain.fill import Fee, Fill
from gridtide.domain.ledger import Statement
from gridtide.domain.market import Asset, Market, MarketRules, Symbol, Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import Side
from gridtide.runners.view import BotView, LevelView, NoticeView, ParkedView

NOW = 1_767_225_600_000
MARKET = Market(
    Symbol("BTC/USDT"),
    Asset("BTC"),
    Asset("USDT"),
    MarketRules(tick_size=Decimal("0.01"), lot_size=Decimal("0.00001"), min_notional=Decimal(5)),
)


def statement(**changes: Decimal) -> Statement:
    values = {
        "equity": Decimal("15012.311302"),
        "contributions": Decimal(15000),
        "grid_profit": Decimal("12.103402"),
        "floating_profit": Decimal("0.2079"),
        "dust": Decimal(0),
        "revaluation": Decimal(0),
        "fees": Decimal("3.45210001"),
    }
    return Statement(**{name: Money(value) for name, value in (values | changes).items()})


def level(index: int, price: Decimal, market_price: Decimal) -> LevelView:
    amount = Decimal("0.00512")
    if price > market_price:
        return LevelView(index, price, sell="OPEN", sell_amount=amount)
    return LevelView(index, price, buy="OPEN", buy_amount=amount)


def fill(number: int, side: Side = Side.BUY) -> Fill:
    price = Decimal(50000) + number * 250
    return Fill(
        symbol=MARKET.symbol,
        trade_id=number,
        order_id=str(number),
        side=side,
        price=Price(price),
        amount=Amount(Decimal("0.00512")),
        quote_amount=Money(price * Decimal("0.00512")),
        fee=Fee(Amount(Decimal("0.00000512")), Asset("BTC")),
        is_maker=True,
        timestamp=Timestamp(NOW + number * 1000),
    )


def bot_view(levels: int = 41, **changes: Any) -> BotView:
    price = Decimal("50123.45")
    prices = [Decimal(45000) + index * Decimal(250) for index in range(levels)]
    grid = [level(index, found, price) for index, found in enumerate(prices)]
    if levels > 21:
        grid[21] = LevelView(21, prices[21], is_vacant=True)
        grid[20] = LevelView(20, prices[20], buy="parked: would_take", buy_amount=Decimal("0.00512"))
        grid[22] = LevelView(22, prices[22], sell="PART", sell_amount=Decimal("0.00111"))
        grid[19] = LevelView(19, prices[19], buy="SENDING", buy_amount=Decimal("0.00512"))
    view = BotView(
        name="default-grid",
        mode="sandbox",
        exchange="binance",
        run_id="20260101-0001",
        market=MARKET,
        state="RUNNING",
        state_detail="",
        now=NOW + 72_000,
        market_time=1_609_646_400_000,
        price=price,
        bid=Decimal("50123.44"),
        ask=Decimal("50123.46"),
        levels=tuple(grid),
        parked=(ParkedView("020B", prices[20], "would_take", "the best ask is at 50000.00"),)
        if levels > 21
        else (),
        open_orders=levels - 2,
        in_flight=1,
        fills=123,
        round_trips=57,
        recent_fills=tuple(fill(number, Side.SELL if number % 3 else Side.BUY) for number in range(20)),
        base_held=Decimal("0.12345678"),
        quote_held=Decimal("8824.23441102"),
        statement=statement(),
        fees_by_asset={Asset("BTC"): Decimal("0.00004"), Asset("USDT"): Decimal("1.5")},
        notices=(
            NoticeView(NOW, "info", "grid.planned", "buy 0.1 BTC first, then 20 buys and 20 sells"),
            NoticeView(NOW + 5_000, "warning", "stream.interrupted", "the user stream was cut and is back"),
        ),
        connected=True,
        started_at=NOW,
    )
    return replace(view, **changes)
