"""Commission rates as the exchange shows them: of an account on a market, and of one order (section 6.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.sandbox.wire import JsonObject, number

if TYPE_CHECKING:
    from gridtide.domain.market import Symbol
    from gridtide.domain.order import Side
    from gridtide.sandbox.exchange import SandboxExchange
    from gridtide.venue.messages import NewOrder
    from gridtide.venue.settings import AccountFees, CommissionRates


def standard_rates(exchange: SandboxExchange, account_id: str, symbol: Symbol | None) -> CommissionRates:
    """The account's standard commission as of now; without a symbol the one of most markets."""
    return exchange.venue.standard_commission(account_id, symbol, exchange.now())


def rates_on_market(exchange: SandboxExchange, account_id: str, symbol: Symbol) -> JsonObject:
    """``GET account/commission``."""
    fees = exchange.venue.fees(account_id)
    return {
        "symbol": exchange.exchange_id(symbol),
        "standardCommission": shape_rates(standard_rates(exchange, account_id, symbol)),
        "specialCommission": shape_rates(fees.special),
        "taxCommission": shape_rates(fees.tax),
        "discount": _discount(fees),
    }


def rates_of_order(exchange: SandboxExchange, request: NewOrder) -> JsonObject:
    """What an order test answers with ``computeCommissionRates``: buyer's and seller's rates are part of the two."""
    fees = exchange.venue.fees(request.account_id)
    standard = standard_rates(exchange, request.account_id, request.symbol)
    return {
        "standardCommissionForOrder": _for_side(standard, request.side),
        "specialCommissionForOrder": _for_side(fees.special, request.side),
        "taxCommissionForOrder": _for_side(fees.tax, request.side),
        "discount": _discount(fees),
    }


def shape_rates(rates: CommissionRates) -> JsonObject:
    """The four rates of one kind."""
    return {name: number(getattr(rates, name)) for name in ("maker", "taker", "buyer", "seller")}


def _for_side(rates: CommissionRates, side: Side) -> JsonObject:
    return {
        "maker": number(rates.total(side, is_maker=True)),
        "taker": number(rates.total(side, is_maker=False)),
    }


def _discount(fees: AccountFees) -> JsonObject:
    return {
        "enabledForAccount": fees.asset is not None,
        "enabledForSymbol": fees.asset is not None,
        "discountAsset": fees.asset or "BNB",
        "discount": number(fees.discount),
    }
