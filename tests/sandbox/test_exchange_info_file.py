"""Recorded listings of the real exchange become markets of the sandbox, and are shown again as they were recorded."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gridtide.domain.errors import InvalidInput
from gridtide.domain.market import MarketStatus, PriceBand
from gridtide.sandbox.endpoints.market_listing import describe_market
from gridtide.sandbox.exchange_info_file import market_from_exchange_info, markets_from_exchange_info
from gridtide.venue.market_filters import MarketFilters
from gridtide.venue.settings import VenueSettings
from tests.venue.world import D

REST = Path(__file__).parents[2].parent / "shared" / "data" / "responses" / "rest"
RECENT, OLD = REST / "exchangeInfo-2025-08-07-25symbols.json", REST / "exchangeInfo-2021-10-12-full.json.gz"

recorded = pytest.mark.skipif(not REST.exists(), reason="the recorded responses are not on this machine")


def load(path: Path) -> dict[str, Any]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    found: dict[str, Any] = json.loads(content)
    return found


def by_type(entry: Any) -> dict[str, Any]:
    """Filters by their type, with decimals as numbers: assets of two decimals are written with two."""
    return {
        each["filterType"]: {
            name: D(value) if isinstance(value, str) and name != "filterType" else value
            for name, value in each.items()
        }
        for each in entry["filters"]
    }


@recorded
@pytest.mark.parametrize("path, count", [(RECENT, 25), (OLD, 1695)])
def test_every_recorded_market_is_shown_as_it_was_recorded(path: Path, count: int) -> None:
    """Out of the file and back on the wire: every number, flag and filter of every market is the same.

    Not compared: fields that came after the recording, and icebergs, which the sandbox does not have.
    """
    info = load(path)
    markets = markets_from_exchange_info(info)
    assert len(markets) == count
    settings = VenueSettings(filters={market.symbol: filters for market, filters in markets.values()})
    for entry in info["symbols"]:
        shown = describe_market(markets[entry["symbol"]][0], settings)
        ours, theirs = by_type(shown), by_type(entry)
        if "MARKET_LOT_SIZE" not in theirs:
            # Shown by the sandbox for every market; here with the bounds of LOT_SIZE and no step.
            shown_extra = ours.pop("MARKET_LOT_SIZE")
            assert (shown_extra["maxQty"], shown_extra["stepSize"]) == (theirs["LOT_SIZE"]["maxQty"], 0)
        assert ours == theirs
        kept = set(entry) - {"filters", "permissions", "permissionSets", "icebergAllowed"}
        assert {name: shown[name] for name in kept} == {name: entry[name] for name in kept}
        sets = entry.get("permissionSets") or [entry["permissions"]]
        assert shown["permissionSets"] == sets


@recorded
def test_a_market_of_today() -> None:
    """BTC/USDT of 2025 in the terms of the venue."""
    market, filters = markets_from_exchange_info(load(RECENT), ["BTCUSDT"])["BTCUSDT"]
    assert (market.symbol, market.status, market.rules.tick_size) == (
        "BTC/USDT",
        MarketStatus.TRADING,
        D("0.01"),
    )
    assert market.rules.price_band == PriceBand(D("0.2"), D(5), D("0.2"), D(5))
    assert (filters.notional_filter, filters.average_minutes, filters.max_algo_orders) == ("NOTIONAL", 5, 5)
    assert filters.prevention_modes == ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")


@recorded
def test_a_market_of_2021() -> None:
    """Older names of two filters, one pair of multipliers, fewer types, no self-trade prevention."""
    market, filters = markets_from_exchange_info(load(OLD), ["BTCUSDT"])["BTCUSDT"]
    assert (filters.notional_filter, filters.price_band_filter) == ("MIN_NOTIONAL", "PERCENT_PRICE")
    assert (market.rules.min_notional, market.rules.max_notional) == (D(10), D(0))
    assert "STOP_LOSS" not in filters.order_types
    assert (filters.prevention_modes, filters.default_prevention) == (("NONE",), "NONE")
    assert not filters.trailing_allowed
    assert filters.trailing is None


ENTRY: dict[str, Any] = {
    "symbol": "AAABBB",
    "status": "TRADING",
    "baseAsset": "AAA",
    "baseAssetPrecision": 8,
    "quoteAsset": "BBB",
    "quotePrecision": 8,
    "orderTypes": ["LIMIT", "MARKET"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0", "maxPrice": "0", "tickSize": "0.1"},
        {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "5", "stepSize": "1"},
    ],
}


def changed(added: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The smallest entry with other fields, and with another filter."""
    return {**ENTRY, **fields, "filters": [*ENTRY["filters"], *([added] if added else [])]}


def test_the_smallest_entry() -> None:
    """What it does not mention is not allowed or no rule."""
    market, filters = market_from_exchange_info(ENTRY)
    assert market.rules.max_price == market.rules.min_notional == market.rules.max_open_orders == 0
    assert filters == MarketFilters(
        apply_min_to_market=False,
        iceberg_parts=0,
        trailing=None,
        max_algo_orders=0,
        max_order_lists=0,
        max_order_amends=0,
        order_types=("LIMIT", "MARKET"),
        iceberg_allowed=False,
        oco_allowed=False,
        oto_allowed=False,
        opo_allowed=False,
        quote_amount_allowed=False,
        trailing_allowed=False,
        cancel_replace_allowed=False,
        amend_allowed=False,
        prevention_modes=("NONE",),
        default_prevention="NONE",
    )


NOTIONAL = {"filterType": "NOTIONAL", "minNotional": "5", "avgPriceMins": 5}


@pytest.mark.parametrize(
    "entry, reason",
    [
        (changed({"filterType": "T_PLUS_SELL"}), "AAABBB .* does not know the filter T_PLUS_SELL"),
        (changed(symbol="AAA_BBB"), "AAA_BBB .* not made of AAA and BBB"),
        (changed(status="AUCTION_MATCH"), "AUCTION_MATCH"),
        (changed(orderTypes=["LIMIT", "PEGGED"]), "PEGGED"),
        ({**ENTRY, "filters": ENTRY["filters"][1:]}, "AAABBB has no PRICE_FILTER"),
        ({name: ENTRY[name] for name in ENTRY if name != "status"}, "AAABBB has no status"),
        (
            {**changed(NOTIONAL), "filters": [*changed(NOTIONAL)["filters"], {"filterType": "MIN_NOTIONAL"}]},
            "both",
        ),
        (
            {
                **ENTRY,
                "filters": [
                    *changed(NOTIONAL)["filters"],
                    {
                        "filterType": "PERCENT_PRICE",
                        "multiplierUp": "5",
                        "multiplierDown": "0.2",
                        "avgPriceMins": 1,
                    },
                ],
            },
            "different minutes",
        ),
        ({**ENTRY, "filters": [{**ENTRY["filters"][0], "tickSize": 0.1}, ENTRY["filters"][1]]}, "0.1"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(entry: dict[str, Any], reason: str) -> None:
    """One sentence that names the market and what is wrong with it."""
    with pytest.raises(InvalidInput, match=reason):
        market_from_exchange_info(entry)


def test_markets_that_are_not_listed() -> None:
    with pytest.raises(InvalidInput, match="NOSUCH"):
        markets_from_exchange_info({"symbols": [ENTRY]}, ["AAABBB", "NOSUCH"])
    assert list(markets_from_exchange_info({"symbols": [ENTRY]}, ["AAABBB"])) == ["AAABBB"]
