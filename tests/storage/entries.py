"""Random journal entries of every kind, and random commits that use few keys, so that they collide."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gridtide.domain.balance import Balance
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.journal import (
    BalancesSeen,
    BaselinePut,
    BotState,
    BotStatePut,
    CursorPut,
    FillAdded,
    FillCorrected,
    ForeignFillSeen,
    JournalEntry,
    LedgerBooked,
    NoticeAdded,
    OrderPut,
    OrderRow,
    PauseReason,
    SlotPut,
    SlotRow,
    StrategyStatePut,
)
from gridtide.domain.ledger import (
    Account,
    AccountBalance,
    LedgerChange,
    LedgerTotals,
    Lot,
    LotClosing,
    Posting,
)
from gridtide.domain.lifecycle import IntentState
from gridtide.domain.market import Asset, Timestamp
from gridtide.domain.money import Amount, Money, Price
from gridtide.domain.order import OrderType, Side, TimeInForce
from tests.storage.builders import NOW, SYMBOL

exact_decimals = st.builds(
    lambda sign, digits, exponent: Decimal((sign, digits, exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=40).map(tuple),
    st.integers(-30, 12),
)
"""Up to 40 digits, with and without trailing zeros and exponents, minus zero included."""

amounts = exact_decimals.map(Amount)
money = exact_decimals.map(Money)
times = st.integers(0, 5).map(lambda step: Timestamp(NOW + step))
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
assets = st.sampled_from(["BTC", "USDT", "BNB", "ß€"]).map(Asset)
slot_keys = st.sampled_from(["001B", "001S", "002B"])
order_ids = st.sampled_from(["", "11", "12"])

order_rows = st.builds(
    OrderRow,
    client_order_id=st.sampled_from(["gt1-A", "gt1-B", "gt1-C", "gt1-D"]),
    slot=slot_keys,
    cycle=st.integers(0, 99_999),
    attempt=st.integers(0, 99),
    symbol=st.just(SYMBOL),
    side=st.sampled_from(Side),
    type=st.sampled_from(OrderType),
    time_in_force=st.sampled_from(TimeInForce),
    price=st.none() | exact_decimals,
    amount=exact_decimals,
    state=st.sampled_from(IntentState),
    reserved_asset=assets,
    reserved_amount=exact_decimals,
    created_at=times,
    updated_at=times,
    tx_count=st.sampled_from([0, 1, 1, 1, 2]),
    signed_at=st.none() | times,
    cancel_at=st.none() | times,
    order_id=order_ids,
    status=texts,
    executed_amount=exact_decimals,
    executed_quote=exact_decimals,
    filled_amount=exact_decimals,
    filled_quote=exact_decimals,
    received=exact_decimals,
    cancel_requested=st.booleans(),
    reason=texts,
    emergency=st.booleans(),
)

slot_rows = st.builds(
    SlotRow,
    slot=slot_keys,
    cycle=st.integers(0, 99),
    attempt=st.integers(0, 99),
    parked_reason=texts,
    parked_detail=texts,
    retry_at=st.none() | times,
    wish_price=st.none() | exact_decimals,
    wish_amount=st.none() | exact_decimals,
    wish_type=st.sampled_from(["", "LIMIT", "LIMIT_MAKER"]),
    wish_time_in_force=st.sampled_from(["", "GTC", "IOC"]),
    held=st.booleans(),
)

fills = st.builds(
    Fill,
    symbol=st.just(SYMBOL),
    trade_id=st.integers(1, 6) | st.just(2**62),
    order_id=order_ids.filter(bool),
    side=st.sampled_from(Side),
    price=exact_decimals.map(Price),
    amount=amounts,
    quote_amount=money,
    fee=st.builds(Fee, amounts, assets),
    is_maker=st.booleans(),
    timestamp=times,
    client_order_id=texts,
)

_accounts = st.sampled_from(Account)
_small_ids = st.integers(1, 4)

ledger_changes = st.builds(
    LedgerChange,
    postings=st.lists(st.builds(Posting, texts, _accounts, assets, exact_decimals, times), max_size=4).map(
        tuple
    ),
    balances=st.lists(st.builds(AccountBalance, _accounts, assets, exact_decimals), max_size=4).map(tuple),
    lots=st.lists(st.builds(Lot, _small_ids, slot_keys, amounts, money, times), max_size=3).map(tuple),
    closings=st.lists(
        st.builds(LotClosing, st.integers(1, 60), _small_ids, texts, amounts, money, money, times, times),
        max_size=1,
    ).map(tuple),
    totals=st.builds(LedgerTotals, money, money, money, money, st.integers(1, 99), st.integers(1, 99)),
)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

entries: st.SearchStrategy[JournalEntry] = st.one_of(
    *[st.builds(OrderPut, order_rows)] * 4,
    *[st.builds(FillAdded, fills, st.sampled_from(["stream", "reply", "records"]))] * 4,
    st.builds(SlotPut, slot_rows),
    st.builds(FillCorrected, fills),
    st.builds(ForeignFillSeen, fills),
    st.builds(LedgerBooked, ledger_changes),
    st.builds(StrategyStatePut, st.dictionaries(texts, json_values, max_size=3)),
    st.builds(BotStatePut, st.sampled_from(BotState), st.sampled_from(PauseReason), texts),
    st.builds(CursorPut, st.integers(0, 8), st.integers(0, 4)),
    st.builds(BaselinePut, st.dictionaries(assets, exact_decimals, max_size=3)),
    st.builds(
        BalancesSeen, st.dictionaries(assets, st.builds(Balance, exact_decimals, exact_decimals), max_size=3)
    ),
    st.builds(NoticeAdded, st.sampled_from(["info", "warning", "alarm"]), texts, texts),
)

commits = st.lists(st.tuples(st.lists(entries, min_size=2, max_size=6), times), min_size=3, max_size=8)
"""Commits with their times; some break a rule and must be refused whole."""
