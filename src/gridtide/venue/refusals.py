"""Every refusal of the venue with the exchange's own code and text (protocol document, sections 7 and 12)."""

from __future__ import annotations

from gridtide.venue.messages import VenueRefusal

CLIENT_ORDER_ID_PATTERN = "^[a-zA-Z0-9-_]{1,36}$"


def invalid_symbol() -> VenueRefusal:
    return VenueRefusal(-1121, "Invalid symbol.")


def missing(parameter: str) -> VenueRefusal:
    return VenueRefusal(
        -1102, f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed."
    )


def missing_both(first: str, second: str) -> VenueRefusal:
    return VenueRefusal(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def not_required(parameter: str) -> VenueRefusal:
    return VenueRefusal(-1106, f"Parameter '{parameter}' sent when not required.")


def illegal_characters(parameter: str, pattern: str) -> VenueRefusal:
    return VenueRefusal(
        -1100, f"Illegal characters found in parameter '{parameter}'; legal range is '{pattern}'."
    )


def bad_combination() -> VenueRefusal:
    return VenueRefusal(-1128, "Combination of optional parameters invalid.")


def invalid_type() -> VenueRefusal:
    return VenueRefusal(-1116, "Invalid orderType.")


def too_precise(parameter: str) -> VenueRefusal:
    return VenueRefusal(-1111, f"Parameter '{parameter}' has too much precision.")


def invalid_quantity() -> VenueRefusal:
    return VenueRefusal(-1013, "Invalid quantity.")


def invalid_price() -> VenueRefusal:
    return VenueRefusal(-1013, "Invalid price.")


def filter_failure(name: str) -> VenueRefusal:
    return VenueRefusal(-1013, f"Filter failure: {name}")


def prevention_not_allowed() -> VenueRefusal:
    return VenueRefusal(-1013, "This symbol does not allow the specified self-trade prevention mode.")


def market_closed() -> VenueRefusal:
    return VenueRefusal(-2010, "Market is closed.")


def too_many_orders() -> VenueRefusal:
    return VenueRefusal(-2010, "Filter failure: MAX_NUM_ORDERS")


def duplicate_order() -> VenueRefusal:
    return VenueRefusal(-2010, "Duplicate order sent.")


def insufficient_balance() -> VenueRefusal:
    return VenueRefusal(-2010, "Account has insufficient balance for requested action.")


def would_take() -> VenueRefusal:
    return VenueRefusal(-2010, "Order would immediately match and take.")


def unknown_order() -> VenueRefusal:
    return VenueRefusal(-2011, "Unknown order sent.")


def no_such_order() -> VenueRefusal:
    return VenueRefusal(-2013, "Order does not exist.")


def ids_differ() -> VenueRefusal:
    return VenueRefusal(-2039, "Client order ID is not correct for this order ID.")
