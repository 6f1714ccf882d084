"""A market's desk as JSON-compatible values and back: prices, counters, both books, public trades."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.candle import MarketTrade
from gridtide.domain.market import Asset, Market, MarketRules, MarketStatus, PriceBand, Symbol, Timestamp
from gridtide.domain.money import Amount, Price, plain
from gridtide.domain.order import Side
from gridtide.venue.average_price import Bucket
from gridtide.venue.messages import TradePrinted
from gridtide.venue.recorded_book import RecordedBook
from gridtide.venue.state_of_account import Json, load_amounts, load_optional, save_amounts, save_optional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridtide.venue.account import Account
    from gridtide.venue.desk import Desk

_COUNTERS = ("last_order_id", "last_trade_id", "last_execution_id", "last_prevented_id")
_RULE_DECIMALS = (
    "tick_size",
    "lot_size",
    "min_notional",
    "max_notional",
    "min_price",
    "max_price",
    "min_amount",
    "max_amount",
    "market_min_amount",
    "market_max_amount",
)
_RULE_NUMBERS = ("max_open_orders", "base_precision", "quote_precision")
_BAND = ("bid_down", "bid_up", "ask_down", "ask_up")


def save_desk(desk: Desk) -> Json:
    return {
        "market": save_market(desk.market),
        "price": save_optional(desk.price),
        "last_price": save_optional(desk.last_price),
        "last_update_id": desk.public.last_update_id,
        **{name: getattr(desk, name) for name in _COUNTERS},
        "outside": save_amounts(desk.outside),
        "average": [[b.minute, plain(b.quote), plain(b.base)] for b in desk.average.buckets],
        "trades": [_save_trade(printed) for printed in desk.trades],
        "queues": {side.value: _save_queue(desk, side) for side in Side},
        "ambient": _save_ambient(desk),
        "recorded": None if desk.recorded is None else _save_recorded(desk, desk.recorded),
    }


def load_desk(desk: Desk, saved: Json, accounts: Mapping[str, Account]) -> None:
    """Put everything into a new desk of the same market."""
    desk.ambient.seed = saved["ambient"]["seed"]
    desk.price = load_optional(saved["price"])
    desk.last_price = load_optional(saved["last_price"])
    for name in _COUNTERS:
        setattr(desk, name, saved[name])
    desk.outside = load_amounts(saved["outside"])
    desk.average.restore(
        Bucket(minute, Decimal(quote), Decimal(base)) for minute, quote, base in saved["average"]
    )
    desk.trades.extend(_load_trade(desk.market.symbol, row) for row in saved["trades"])
    for side in Side:
        for account_id, order_id in saved["queues"][side.value]:
            desk.book.side(side).add(accounts[account_id].records[desk.market.symbol].orders[order_id])
    _load_ambient(desk, saved["ambient"])
    if (recorded := saved.get("recorded")) is not None:
        _load_recorded(desk, recorded)
    desk.public.last_update_id = saved["last_update_id"]
    if desk.settings.publishes:
        desk.public.adopt(desk)


def save_market(market: Market) -> Json:
    rules = market.rules
    band = rules.price_band
    return {
        "symbol": market.symbol,
        "base": market.base,
        "quote": market.quote,
        "status": market.status.value,
        "rules": {
            **{name: plain(getattr(rules, name)) for name in _RULE_DECIMALS},
            **{name: getattr(rules, name) for name in _RULE_NUMBERS},
            "price_band": None if band is None else [plain(getattr(band, name)) for name in _BAND],
        },
    }


def load_market(saved: Json) -> Market:
    rules = saved["rules"]
    band = rules["price_band"]
    values: Json = {name: Decimal(rules[name]) for name in _RULE_DECIMALS}
    values |= {name: rules[name] for name in _RULE_NUMBERS}
    values["price_band"] = None if band is None else PriceBand(*(Decimal(text) for text in band))
    return Market(
        Symbol(saved["symbol"]),
        Asset(saved["base"]),
        Asset(saved["quote"]),
        MarketRules(**values),
        MarketStatus(saved["status"]),
    )


def _save_queue(desk: Desk, side: Side) -> list[list[Any]]:
    """Account and order id of each resting order, in the order they would be met."""
    return [
        [order.account.account_id, order.order_id]
        for level in desk.book.side(side)
        for order in level.orders.values()
    ]


def _save_ambient(desk: Desk) -> Json:
    """Levels only where somebody consumed them: else they follow from the bounds."""
    ambient = desk.ambient
    return {
        "seed": ambient.seed,
        "bid_from": save_optional(ambient.bid_from),
        "ask_from": save_optional(ambient.ask_from),
        "levels": {
            side.value: [[plain(price), plain(amount)] for price, amount in ambient.side(side).items()]
            for side in Side
            if ambient.is_consumed(side)
        },
    }


def _load_ambient(desk: Desk, saved: Json) -> None:
    bid_from, ask_from = load_optional(saved["bid_from"]), load_optional(saved["ask_from"])
    if bid_from is not None and ask_from is not None:
        desk.ambient.form(bid_from, ask_from)
    for side, levels in saved["levels"].items():
        desk.ambient.restore(Side(side), {Decimal(price): Decimal(amount) for price, amount in levels})


def _save_recorded(desk: Desk, recorded: RecordedBook) -> Json:
    """The recorded levels, and for levels with accounts' orders how much stands ahead of each."""
    return {
        "last_update_id": recorded.last_update_id,
        "levels": {
            side.value: [[plain(price), plain(amount)] for price, amount in recorded.levels(side)]
            for side in Side
        },
        "ahead": {
            side.value: [
                [plain(level.price), plain(level.traded), *map(_save_place, level.ahead.items())]
                for level in desk.book.side(side)
                if level.ahead is not None
            ]
            for side in Side
        },
    }


def _save_place(place: tuple[int, Decimal]) -> list[Any]:
    order_id, ahead = place
    return [order_id, plain(ahead)]


def _load_recorded(desk: Desk, saved: Json) -> None:
    recorded = desk.recorded = RecordedBook()
    recorded.last_update_id = saved["last_update_id"]
    for side in Side:
        for price, amount in saved["levels"][side.value]:
            recorded.side(side).put(Decimal(price), Decimal(amount))
        for price, traded, *places in saved["ahead"][side.value]:
            level = desk.book.side(side).levels[Decimal(price)]
            level.traded = Decimal(traded)
            level.ahead = {order_id: Decimal(ahead) for order_id, ahead in places}


def _save_trade(printed: TradePrinted) -> list[Any]:
    trade = printed.trade
    row = [trade.trade_id, trade.timestamp, plain(trade.price), plain(trade.amount), trade.side.value]
    return [*row, printed.buyer_order_id, printed.seller_order_id]


def _load_trade(symbol: Symbol, row: list[Any]) -> TradePrinted:
    trade_id, timestamp, price, amount, side, buyer_order_id, seller_order_id = row
    trade = MarketTrade(
        symbol, Timestamp(timestamp), Price(Decimal(price)), Amount(Decimal(amount)), Side(side), trade_id
    )
    return TradePrinted(trade, trade.side is Side.SELL, buyer_order_id, seller_order_id)
