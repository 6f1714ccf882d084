"""binance-sdk-spot pointed at a sandbox (protocol section 2.4), and how to see whether its typed models fitted."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from gridtide.testing.sandbox_exchange import RunningSandbox

NOT_IN_THE_MODELS = {
    "NewOrderResponse.stopPrice",
    "DeleteOrderListResponseOrderReportsInner.selfTradePreventionMode",
}
"""Documented (section 6.2; the recorded answer to a canceled list) and forgotten in the SDK's models."""

TIMEOUT_MILLISECONDS = 5000  # 1000 by default, too little for a busy machine


def spot(sandbox: RunningSandbox, **keys: str) -> Any:
    """All three clients of the SDK in one.

    Imported here: its 400 models take a second and 50 MB, in every test worker that collects this file.
    """
    from binance_common.configuration import (
        ConfigurationRestAPI,
        ConfigurationWebSocketAPI,
        ConfigurationWebSocketStreams,
    )
    from binance_sdk_spot.spot import Spot

    options: dict[str, Any] = {**keys} or {"api_key": sandbox.api_key, "api_secret": sandbox.secret}
    return Spot(
        config_rest_api=ConfigurationRestAPI(base_path=sandbox.url, timeout=TIMEOUT_MILLISECONDS, **options),
        config_ws_api=ConfigurationWebSocketAPI(stream_url=sandbox.ws_api_url, **options),
        config_ws_streams=ConfigurationWebSocketStreams(
            stream_url=sandbox.stream_url.removesuffix("/stream/ws")
        ),
    )


def unknown_fields(value: object) -> list[str]:
    """Fields that the answer has and the SDK's model does not, at any depth."""
    return [name for name in _unknown(value) if name not in NOT_IN_THE_MODELS]


def _unknown(value: object) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for name, each in value:
            if name == "additional_properties" and each:
                yield from (f"{type(value).__name__}.{extra}" for extra in each)
            yield from _unknown(each)
    elif isinstance(value, list):
        for each in value:
            yield from _unknown(each)
