"""What the real exchange has and this sandbox does not: each operation refuses in a sentence, none is missing.

Upstream switched the listenKey streams off on 2026-02-20 and answers 410; so does the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from gridtide.sandbox import parameters
from gridtide.sandbox.authentication import Right
from gridtide.sandbox.endpoint import Endpoint
from gridtide.sandbox.endpoints.order_parameters import NEW_ORDER, NEW_ORDER_OPTIONS
from gridtide.sandbox.errors import ApiError, not_supported

if TYPE_CHECKING:
    from gridtide.sandbox.endpoint import Call
    from gridtide.sandbox.exchange import SandboxExchange

_GONE = 410

_COMMISSION_RATES = parameters.boolean("computeCommissionRates")
_PAGE = tuple(map(parameters.text, ("symbol", "fromId", "limit")))
_LISTEN_KEY = (parameters.text("listenKey"),)
_LISTEN_TOKEN = (parameters.text("listenToken"),)


def _refusing(what: str) -> Callable[[SandboxExchange, Call], NoReturn]:
    def refuse(_exchange: SandboxExchange, _call: Call) -> NoReturn:
        raise not_supported(what)

    return refuse


def gone(_exchange: SandboxExchange, _call: Call) -> NoReturn:
    raise ApiError(
        -1016, "This service is no longer available: use userDataStream.subscribe.signature.", status=_GONE
    )


def _routed(path: str, ws_name: str, *, tests: bool) -> Endpoint:
    return Endpoint(
        _refusing("smart order routing"),
        "POST",
        path,
        ws_name,
        right=Right.TRADE,
        required=NEW_ORDER,
        optional=(*NEW_ORDER_OPTIONS, _COMMISSION_RATES) if tests else NEW_ORDER_OPTIONS,
    )


ENDPOINTS = (
    _routed("/api/v3/sor/order", "sor.order.place", tests=False),
    _routed("/api/v3/sor/order/test", "sor.order.test", tests=True),
    Endpoint(
        _refusing("block trades"),
        "GET",
        "/api/v3/historicalBlockTrades",
        "blockTrades.historical",
        weight=25,
        optional=_PAGE,
    ),
    Endpoint(gone, "POST", "/api/v3/userDataStream", "userDataStream.start", optional=_LISTEN_KEY),
    Endpoint(gone, "PUT", "/api/v3/userDataStream", "userDataStream.ping", optional=_LISTEN_KEY),
    Endpoint(gone, "DELETE", "/api/v3/userDataStream", "userDataStream.stop", optional=_LISTEN_KEY),
    Endpoint(
        _refusing("margin accounts"), ws_name="userDataStream.subscribe.listenToken", optional=_LISTEN_TOKEN
    ),
)

NOT_SUPPORTED = (
    ("pegged orders", "`pegPriceType`, `pegOffsetType` and `pegOffsetValue`, also prefixed: -1020"),
    ("iceberg orders", "`icebergQty` passes the filters and is then refused: -1013"),
    ("smart order routing", "no market offers it; `myAllocations` is always empty"),
    ("trade groups", "`tradeGroupId` is always -1, so the mode TRANSFER acts as DECREMENT"),
    (
        "listenKey streams",
        "410, as upstream since 2026-02-20 (there as HTML); use `userDataStream.subscribe.signature`",
    ),
    ("SBE and FIX", "JSON only"),
    ("`externalLockUpdate`", "nothing else locks an account's balance"),
    ("archived orders", "no order is ever forgotten, so -2026 does not occur"),
)
"""Features, and what comes instead."""
