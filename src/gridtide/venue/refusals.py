"""Every refusal of the venue with the exchange's own code and text (protocol document, sections 7 and 12)."""

from __future__ import annotations

from gridtide.domain.order import Side
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


def invalid_stop_price() -> VenueRefusal:
    return VenueRefusal(-1013, "Invalid stopPrice.")


def unsupported_combination() -> VenueRefusal:
    return VenueRefusal(-1014, "Unsupported order combination.")


def iceberg_not_gtc(iceberg: str, time_in_force: str) -> VenueRefusal:
    return VenueRefusal(-1160, f"Parameter '{iceberg}' is not supported if `{time_in_force}` is not GTC.")


def filter_failure(name: str) -> VenueRefusal:
    return VenueRefusal(-1013, f"Filter failure: {name}")


def prevention_not_allowed() -> VenueRefusal:
    return VenueRefusal(-1013, "This symbol does not allow the specified self-trade prevention mode.")


def not_supported(what: str) -> VenueRefusal:
    """`what` with its verb: ``Iceberg orders are``."""
    return VenueRefusal(-2010, f"{what} not supported for this symbol.")


def type_not_supported(order_type: str) -> VenueRefusal:
    return not_supported(f"{order_type.replace('_', ' ').capitalize()} orders are")


def quote_amount_not_supported() -> VenueRefusal:
    return VenueRefusal(-2010, "Quote order qty market orders are not support for this symbol.")


def iceberg_exceeds_amount() -> VenueRefusal:
    return VenueRefusal(-2010, "IcebergQty exceeds QTY.")


def oco_not_supported() -> VenueRefusal:
    return VenueRefusal(-2010, "OCO orders are not supported for this symbol")


def not_permitted() -> VenueRefusal:
    return VenueRefusal(-2010, "This symbol is not permitted for this account.")


def market_closed() -> VenueRefusal:
    return VenueRefusal(-2010, "Market is closed.")


def market_closed_to_requests() -> VenueRefusal:
    return VenueRefusal(-1013, "Market is closed.")


def market_closed_to_amends() -> VenueRefusal:
    return VenueRefusal(-2038, "Market is closed.")


def amend_not_supported() -> VenueRefusal:
    return VenueRefusal(-2038, "Order amend is not supported for this symbol.")


def too_many_amends() -> VenueRefusal:
    return VenueRefusal(-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")


def too_many(filter_name: str) -> VenueRefusal:
    """A filter over what the account has open or holds, which the engine and not the API checks (section 7)."""
    return VenueRefusal(-2010, f"Filter failure: {filter_name}")


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


def would_trigger() -> VenueRefusal:
    return VenueRefusal(-2010, "Order would trigger immediately.")


def no_depth() -> VenueRefusal:
    return VenueRefusal(-1112, "No orders on book for symbol.")


def no_icebergs() -> VenueRefusal:
    return VenueRefusal(-1013, "Iceberg orders are not supported by this sandbox.")


def amend_rejected(message: str) -> VenueRefusal:
    return VenueRefusal(-2038, message)


def prices_misrelated() -> VenueRefusal:
    return VenueRefusal(-2010, "The relationship of the prices for the orders is not correct.")


def oco_type_not_supported() -> VenueRefusal:
    return VenueRefusal(-1158, "Order type not supported in OCO.")


def working_type_not_supported() -> VenueRefusal:
    """The code is from reports of others; its text is not documented."""
    return VenueRefusal(-1159, "Order type not supported for the working order.")


def oco_limit_misplaced(side: Side) -> VenueRefusal:
    if side is Side.BUY:
        return VenueRefusal(-1165, "A limit order in a buy OCO must be below.")
    return VenueRefusal(-1166, "A limit order in a sell OCO must be above.")


def oco_without_contingent() -> VenueRefusal:
    return VenueRefusal(-1168, "At least one OCO order must be contingent.")


def oco_stop_loss_misplaced(side: Side) -> VenueRefusal:
    if side is Side.BUY:
        return VenueRefusal(-1196, "A stop loss order in a buy OCO must be above.")
    return VenueRefusal(-1197, "A stop loss order in a sell OCO must be below.")


def oco_take_profit_misplaced(side: Side) -> VenueRefusal:
    if side is Side.BUY:
        return VenueRefusal(-1198, "A take profit order in a buy OCO must be below.")
    return VenueRefusal(-1199, "A take profit order in a sell OCO must be above.")


def opo_must_buy() -> VenueRefusal:
    return VenueRefusal(-1222, "Working order in an OPO list must be a bid.")


def opo_must_sell() -> VenueRefusal:
    return VenueRefusal(-1223, "Pending orders in an OPO list must be asks.")


def no_such_list() -> VenueRefusal:
    return VenueRefusal(-2013, "Order list does not exist.")
