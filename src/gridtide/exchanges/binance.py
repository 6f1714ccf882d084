"""Binance spot: exact parameters out, verdicts from status, code and message, raw user events in.

Works against production, the testnet and our sandbox. Nothing here trusts CCXT's reading of an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridtide.domain.events import OrderRefused, RefusalReason
from gridtide.domain.market import Asset, FeeSchedule
from gridtide.domain.money import FeeRate, parse_decimal
from gridtide.exchanges import order_verdict
from gridtide.exchanges.binance_events import price_or_none, top_of_book
from gridtide.exchanges.binance_markets import USUAL_LIMITS, read_markets, read_rate_limits
from gridtide.exchanges.binance_stream import BinanceFeed
from gridtide.exchanges.binance_wire import (
    balance_rows,
    order_params,
    order_reference,
    resting_update,
    trade_record,
)
from gridtide.exchanges.ccxt_exchange import PAGE, CcxtExchange
from gridtide.exchanges.http_outcome import HttpAnswer
from gridtide.exchanges.read_errors import EndpointMissing, NoSuchOrder, binance_read_error
from gridtide.exchanges.rows import Row
from gridtide.ports.exchange import ExchangeAccount

if TYPE_CHECKING:
    from gridtide.domain.balance import Balance
    from gridtide.domain.commands import CancelOrder, QueryOrder, SubmitOrder
    from gridtide.domain.errors import GridtideError
    from gridtide.domain.events import CancelReply, SubmitReply
    from gridtide.domain.fill import Fill, FillKey
    from gridtide.domain.market import Market, Symbol, TopOfBook
    from gridtide.domain.order import OrderUpdate
    from gridtide.exchanges.candle_line import CandleLine
    from gridtide.exchanges.connection import ExchangeConnection
    from gridtide.exchanges.stream_loop import Feed, Link
    from gridtide.exchanges.transmission import Transmission

_ARRIVALS_KEPT = 2_000

_WEIGHT_TIME = 1
_WEIGHT_MARKETS = 20
_WEIGHT_TICKER = 2
_WEIGHT_ACCOUNT = 20
_WEIGHT_ORDER = 4
_WEIGHT_OPEN_ORDERS = 6
_WEIGHT_ALL_ORDERS = 20
_WEIGHT_FILLS = 20


class BinanceExchange(CcxtExchange):
    """One Binance spot account."""

    def __init__(self, settings: ExchangeConnection) -> None:
        super().__init__(settings)
        self._budget.replace_limits(USUAL_LIMITS)

    # --- reads ---------------------------------------------------------------------------------------

    async def refresh_market(self, symbol: Symbol) -> Market:
        """The market's rules and status, read anew."""
        params = {"symbol": self.market(symbol).exchange_id}
        self._markets |= await self._read(
            "the market",
            _WEIGHT_MARKETS,
            lambda: self._client.publicGetExchangeInfo(dict(params)),
            read_markets,
        )
        return self.market(symbol)

    async def account(self) -> ExchangeAccount:
        """The account's uid, and what the key may do where the exchange tells (the testnet does not)."""
        account = await self._account_row()
        rights = await self._key_rights()
        trading = rights.get("enableSpotAndMarginTrading", True)
        return ExchangeAccount(
            account_id=str(account.get("uid") or self._key_digest()),
            can_trade=bool(account.get("canTrade", True)) and bool(trading),
            can_withdraw=rights.get("enableWithdrawals"),
            can_transfer=_may_transfer(rights),
            ip_restricted=rights.get("ipRestrict"),
        )

    async def balances(self) -> Mapping[Asset, Balance]:
        """Free and locked of every asset; one that is missing is zero."""
        return await self._read("balances", _WEIGHT_ACCOUNT, self._get_account, _balances)

    async def fees(self, symbol: Symbol) -> FeeSchedule:
        """What the account pays on this market, with a discount asset if it is switched on and held."""
        params = {"symbol": self.market(symbol).exchange_id}
        try:
            rates = await self._read(
                "fees",
                _WEIGHT_ACCOUNT,
                lambda: self._client.privateGetAccountCommission(dict(params)),
                _Commission,
            )
        except EndpointMissing:
            row = (await self._account_row())["commissionRates"]
            return FeeSchedule(FeeRate(parse_decimal(row["maker"])), FeeRate(parse_decimal(row["taker"])))
        if rates.discount_asset is None:
            return rates.schedule(None)
        held = (await self.balances()).get(rates.discount_asset)
        return rates.schedule(rates.discount_asset if held is not None and held.free > 0 else None)

    async def top_of_book(self, symbol: Symbol) -> TopOfBook:
        """Best bid and ask and the last price."""
        params = {"symbol": self.market(symbol).exchange_id}
        book, last = await asyncio.gather(
            self._read(
                "the book",
                _WEIGHT_TICKER,
                lambda: self._client.publicGetTickerBookTicker(dict(params)),
                lambda row: top_of_book(row["bidPrice"], row["bidQty"], row["askPrice"], row["askQty"], None),
            ),
            self._read(
                "the last price",
                _WEIGHT_TICKER,
                lambda: self._client.publicGetTickerPrice(dict(params)),
                lambda row: price_or_none(row["price"]),
            ),
        )
        return book._replace(last=last)

    async def find(self, command: QueryOrder) -> OrderUpdate | None:
        """One order, None where the exchange answers that it knows none.

        Asked by our id, the answer must be about our id; anything else would be somebody else's order.
        """
        market = self.market(command.symbol)

        def read(row: Row) -> OrderUpdate:
            update = resting_update(row, market)
            if not command.order_id and update.client_order_id != command.client_order_id:
                raise ValueError("an answer about another order")
            return update

        try:
            return await self._read(
                "the order",
                _WEIGHT_ORDER,
                lambda: self._client.privateGetOrder(order_reference(command, market)),
                read,
            )
        except NoSuchOrder:
            return None

    async def open_orders(self, symbol: Symbol) -> tuple[OrderUpdate, ...]:
        """All open orders of the account on this market."""
        market = self.market(symbol)
        return await self._read(
            "open orders",
            _WEIGHT_OPEN_ORDERS,
            lambda: self._client.privateGetOpenOrders({"symbol": market.exchange_id}),
            lambda rows: tuple(resting_update(row, market) for row in rows),
        )

    async def orders(self, symbol: Symbol, from_order_id: int | None) -> tuple[OrderUpdate, ...]:
        """Open and ended orders, oldest first; those cancelled without a fill are archived after 90 days (F48)."""
        found: dict[str, OrderUpdate] = {}
        start: dict[str, int] = {} if from_order_id is None else {"orderId": from_order_id}
        while True:
            page = await self._order_records(symbol, {**start, "limit": PAGE})
            found |= {update.order_id: update for update in page}
            if len(page) < PAGE or from_order_id is None:
                return tuple(sorted(found.values(), key=lambda update: int(update.order_id)))
            start = {"orderId": max(int(update.order_id) for update in page) + 1}

    async def _order_records(self, symbol: Symbol, params: Mapping[str, int]) -> list[OrderUpdate]:
        market = self.market(symbol)
        return await self._read(
            "orders",
            _WEIGHT_ALL_ORDERS,
            lambda: self._client.privateGetAllOrders({"symbol": market.exchange_id, **params}),
            lambda rows: [resting_update(row, market) for row in rows],
        )

    async def fills(self, symbol: Symbol, from_trade_id: int) -> tuple[Fill, ...]:
        """Our trade records with id >= `from_trade_id`, ascending, all pages.

        A page starts at the last id of the one before: a self-trade shows one id twice (F38), and the pair may
        stand across the page's end.
        """
        found: dict[FillKey, Fill] = {}
        start = from_trade_id
        while True:
            page = await self._trade_records(symbol, {"fromId": start, "limit": PAGE})
            found |= {fill.key: fill for fill in page}
            if len(page) < PAGE:
                return tuple(sorted(found.values(), key=lambda fill: (fill.trade_id, fill.order_id)))
            start = max(start + 1, *(fill.trade_id for fill in page))

    async def newest_trade_id(self, symbol: Symbol) -> int:
        """Id of the account's newest execution on the market, 0 if there is none."""
        newest = await self._trade_records(symbol, {"limit": 1})
        return max((fill.trade_id for fill in newest), default=0)

    async def _trade_records(self, symbol: Symbol, params: Mapping[str, int]) -> list[Fill]:
        market = self.market(symbol)
        return await self._read(
            "fills",
            _WEIGHT_FILLS,
            lambda: self._client.privateGetMyTrades({"symbol": market.exchange_id, **params}),
            lambda rows: [trade_record(row, market) for row in rows],
        )

    async def _load_markets(self, *, reload: bool = False) -> None:
        info = await self._read("markets", _WEIGHT_MARKETS, self._client.publicGetExchangeInfo, _checked_info)
        self._markets = read_markets(info)
        self._budget.replace_limits(read_rate_limits(info) or USUAL_LIMITS)

    async def _ask_time(self) -> int:
        answer = await self._caller.read_once("its time", _WEIGHT_TIME, self._client.publicGetTime)
        return self._turned("its time", answer, lambda row: int(row["serverTime"]))

    async def _get_account(self) -> Any:
        return await self._client.privateGetAccount({"omitZeroBalances": "true"})

    async def _account_row(self) -> Row:
        return await self._read("the account", _WEIGHT_ACCOUNT, self._get_account, lambda row: {**row})

    async def _key_rights(self) -> Row:
        if "sapi" not in self._client.urls["api"]:
            return {}
        try:
            return await self._read(
                "the key's rights", 1, self._client.sapiGetAccountApiRestrictions, lambda row: {**row}
            )
        except EndpointMissing:
            return {}

    # --- orders --------------------------------------------------------------------------------------

    async def submit(self, command: SubmitOrder) -> SubmitReply:
        """As any exchange; a refused timestamp also has the clock measured anew (F53)."""
        reply = await super().submit(command)
        if isinstance(reply, OrderRefused) and reply.reason is RefusalReason.CLOCK:
            self._measure_clock_soon()
        return reply

    async def _post_order(self, command: SubmitOrder, market: Market) -> Any:
        return await self._client.privatePostOrder(
            order_params(command, market, self._settings.recv_window_ms)
        )

    async def _delete_order(self, command: CancelOrder, market: Market) -> Any:
        return await self._client.privateDeleteOrder(order_reference(command, market))

    def _judge_submit(self, command: SubmitOrder, market: Market, sent: Transmission) -> SubmitReply:
        return order_verdict.submit_verdict(command, market, sent.outcome)

    def _judge_cancel(self, command: CancelOrder, market: Market, sent: Transmission) -> CancelReply:
        return order_verdict.cancel_verdict(command, market, sent.outcome)

    def _judge_read(self, what: str, sent: Transmission) -> GridtideError | None:
        outcome = sent.outcome
        if isinstance(outcome, HttpAnswer) and outcome.status == 200 and isinstance(sent.result, dict | list):
            return None
        return binance_read_error(self.name, what, outcome, self.now())

    # --- stream --------------------------------------------------------------------------------------

    def _make_feed(self, link: Link, market: Market, candles: CandleLine | None) -> Feed:
        return BinanceFeed(
            link,
            market,
            lambda listener: self._new_client(listener, parse_messages=False),
            lambda: self.top_of_book(market.symbol),
            with_account=self._settings.has_key,
            on_fill=self._note_arrival,
            candles=candles,
            read_candles=lambda line: self._tell_candles(line, link.buffer.put),
        )

    def _note_arrival(self, fill: Fill, moment: float) -> None:
        self.received_at[fill.key] = moment
        if len(self.received_at) > _ARRIVALS_KEPT:
            del self.received_at[next(iter(self.received_at))]


class _Commission:
    """An answer of GET account/commission: standard, special and tax rates are added; only the first is discounted."""

    def __init__(self, row: Row) -> None:
        discount = row.get("discount") or {}
        is_on = bool(discount.get("enabledForAccount")) and bool(discount.get("enabledForSymbol"))
        self.discount_asset = Asset(discount["discountAsset"]) if is_on else None
        self._discount = parse_decimal(discount["discount"]) if is_on else Decimal(1)
        self._standard: Row = row["standardCommission"]
        self._others: list[Row] = [row[key] for key in ("taxCommission", "specialCommission") if key in row]
        self.schedule(None)  # an answer that lacks a rate is unreadable now, not later

    def schedule(self, discount_asset: Asset | None) -> FeeSchedule:
        """Maker and taker rates, discounted if fees are paid in `discount_asset`."""
        factor = self._discount if discount_asset is not None else Decimal(1)
        maker, taker = (
            _rate(self._standard, role) * factor + sum((_rate(row, role) for row in self._others), Decimal(0))
            for role in ("maker", "taker")
        )
        return FeeSchedule(FeeRate(maker), FeeRate(taker), discount_asset)


def _rate(row: Row, role: str) -> Decimal:
    """Maker or taker rate plus the dearer of what buyers and sellers pay on top."""
    return parse_decimal(row[role]) + max(parse_decimal(row["buyer"]), parse_decimal(row["seller"]))


def _may_transfer(rights: Row) -> bool | None:
    """Whether the key may move money to other wallets or accounts; None where the exchange does not tell."""
    told = [rights[name] for name in ("enableInternalTransfer", "permitsUniversalTransfer") if name in rights]
    return any(told) if told else None


def _balances(row: Row) -> dict[Asset, Balance]:
    return balance_rows(row["balances"], asset="asset", free="free", locked="locked")


def _checked_info(info: Row) -> Row:
    """exchangeInfo, if it has what we read from it."""
    read_markets(info)
    read_rate_limits(info)
    return info
