"""The books of one bot: double-entry postings, lots with total costs, and the profit that follows from them.

Rules of grid-semantics 6. Nothing here rounds except the one named place: the cost of a part of a lot.
After every fill: equity - contributions = grid profit + floating profit + dust + revaluation, to the last unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect
from gridtide.domain.money import EXACT, ZERO, Amount, Money, divide_down, plain
from gridtide.domain.order import Side

if TYPE_CHECKING:
    from gridtide.domain.fill import Fill
    from gridtide.domain.market import Asset, Timestamp

DUST = "DUST"
"""Owner of remainders too small to sell on their own (F41)."""

KEPT = "KEPT"
"""Owner of base that the profit mode keeps on purpose."""


class Account(StrEnum):
    """Where an amount of an asset is. For each asset the balances of all accounts add up to zero."""

    HOLDINGS = "holdings"
    MARKET = "market"
    FEES = "fees"
    CONTRIBUTIONS = "contributions"


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of a double entry; the lines of one `entry_id` add up to zero for each asset."""

    entry_id: str
    account: Account
    asset: Asset
    amount: Decimal
    timestamp: Timestamp


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """The balance of one account in one asset after an entry."""

    account: Account
    asset: Asset
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Lot:
    """Base held for a purpose. It stores its total cost in quote, never a unit cost: 1100/0.0999 has no end."""

    lot_id: int
    owner: str
    """A slot key, `DUST` or `KEPT`."""
    amount: Amount
    cost: Money
    opened_at: Timestamp
    """When the base was acquired; kept through splits and moves."""


@dataclass(frozen=True, slots=True)
class LotClosing:
    """The part of a lot that a sell closed, and what it brought."""

    closing_id: int
    lot_id: int
    fill_key: str
    amount: Amount
    cost: Money
    proceeds: Money
    """Net of fees. The grid profit of the closing is proceeds minus cost."""
    opened_at: Timestamp
    closed_at: Timestamp


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """Running sums that are not balances."""

    grid_profit: Money = Money(ZERO)
    contributed_value: Money = Money(ZERO)
    fees_value: Money = Money(ZERO)
    third_book_value: Money = Money(ZERO)
    """What the third assets held were worth when they came in, less the fees paid from them."""
    next_lot_id: int = 1
    next_closing_id: int = 1


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """What one booking changed: to be stored in the same transaction as its cause."""

    postings: tuple[Posting, ...]
    balances: tuple[AccountBalance, ...]
    lots: tuple[Lot, ...]
    """Lots as they are now; an amount of zero means the lot is gone."""
    closings: tuple[LotClosing, ...]
    totals: LedgerTotals

    @property
    def profit(self) -> Money:
        """Grid profit of this booking."""
        with localcontext(EXACT):
            return Money(sum((closing.proceeds - closing.cost for closing in self.closings), ZERO))


@dataclass(frozen=True, slots=True)
class Statement:
    """The books at one price: E, C, G, F, D and V of grid-semantics 6."""

    equity: Money
    contributions: Money
    grid_profit: Money
    floating_profit: Money
    dust: Money
    revaluation: Money
    fees: Money

    @property
    def is_balanced(self) -> bool:
        """E - C = G + F + D + V, tolerance zero."""
        with localcontext(EXACT):
            return self.equity - self.contributions == (
                self.grid_profit + self.floating_profit + self.dust + self.revaluation
            )


@dataclass(frozen=True, slots=True)
class LedgerState:
    """Everything needed to go on after a restart."""

    balances: tuple[AccountBalance, ...] = ()
    lots: tuple[Lot, ...] = ()
    totals: LedgerTotals = field(default_factory=LedgerTotals)


class Ledger:
    """The books of one bot on one market.

    Each method books at once and returns the `LedgerChange` to store. A booking that would make a holding
    negative raises `Defect` and leaves the ledger as it was: a missing event is never clamped away (F44).
    """

    def __init__(self, base: Asset, quote: Asset, state: LedgerState | None = None) -> None:
        self.base = base
        self.quote = quote
        state = state or LedgerState()
        self._balances: dict[tuple[Account, Asset], Decimal] = {
            (item.account, item.asset): item.balance for item in state.balances
        }
        self._lots: dict[str, list[Lot]] = {}
        for lot in sorted(state.lots, key=lambda item: (item.opened_at, item.lot_id)):
            self._lots.setdefault(lot.owner, []).append(lot)
        self._totals = state.totals

    # --- reading -------------------------------------------------------------------------------------

    def holding(self, asset: Asset) -> Decimal:
        """What the bot holds of `asset`, reserved or not."""
        return self._balances.get((Account.HOLDINGS, asset), ZERO)

    def owned(self, owner: str) -> Amount:
        """Base held in the lots of `owner`."""
        with localcontext(EXACT):
            return Amount(sum((lot.amount for lot in self._lots.get(owner, ())), ZERO))

    def lots(self) -> list[Lot]:
        """All open lots, oldest first within each owner."""
        return [lot for lots in self._lots.values() for lot in lots]

    @property
    def totals(self) -> LedgerTotals:
        return self._totals

    def fees_paid(self) -> dict[Asset, Decimal]:
        """Fees paid so far, by the asset they were taken in."""
        return {
            asset: balance
            for (account, asset), balance in sorted(self._balances.items())
            if account is Account.FEES and balance
        }

    def state(self) -> LedgerState:
        """A copy to restart from."""
        return LedgerState(
            tuple(AccountBalance(*key, balance) for key, balance in sorted(self._balances.items())),
            tuple(self.lots()),
            self._totals,
        )

    def statement(self, price: Decimal, third_prices: Mapping[Asset, Decimal] | None = None) -> Statement:
        """The books at the market `price` (one price for E, F and D) and the prices of third assets.

        A third asset without a price counts as worth nothing in E and V alike, so the identity holds.
        """
        prices = third_prices or {}
        with localcontext(EXACT):
            third = ZERO
            for (account, asset), balance in self._balances.items():
                if account is Account.HOLDINGS and asset not in (self.base, self.quote):
                    third += balance * prices.get(asset, ZERO)
            equity = self.holding(self.quote) + self.holding(self.base) * price + third
            floating = dust = ZERO
            for owner, lots in self._lots.items():
                for lot in lots:
                    value = lot.amount * price - lot.cost
                    if owner == DUST:
                        dust += value
                    else:
                        floating += value
            totals = self._totals
            return Statement(
                equity=Money(equity),
                contributions=totals.contributed_value,
                grid_profit=totals.grid_profit,
                floating_profit=Money(floating),
                dust=Money(dust),
                revaluation=Money(third - totals.third_book_value),
                fees=totals.fees_value,
            )

    # --- booking -------------------------------------------------------------------------------------

    def contribute(
        self,
        asset: Asset,
        amount: Decimal,
        value: Decimal,
        timestamp: Timestamp,
        entry_id: str,
        owner: str = KEPT,
    ) -> LedgerChange:
        """Bring `amount` of `asset` in (negative: take out of quote or a third asset), worth `value` in quote.

        Base opens a lot for `owner` with `value` as its cost.
        """
        if asset == self.quote and value != amount:
            raise Defect(f"entry {entry_id} values {plain(amount)} {asset} at {plain(value)}")
        with localcontext(EXACT):
            booking = _Booking(self, entry_id, timestamp)
            booking.post(Account.HOLDINGS, asset, amount)
            booking.post(Account.CONTRIBUTIONS, asset, -amount)
            totals = booking.totals
            third = ZERO
            if asset == self.base:
                booking.open_lot(owner, amount, value, timestamp)
            elif asset != self.quote:
                third = value
            booking.totals = replace(
                booking.totals,
                contributed_value=Money(totals.contributed_value + value),
                third_book_value=Money(totals.third_book_value + third),
            )
            return booking.commit()

    def book(self, fill: Fill, owner: str, fee_price: Decimal | None = None) -> LedgerChange:
        """Book an execution. A buy opens a lot for `owner`; a sell closes `owner`'s lots, then dust, oldest
        first, then whatever is oldest.

        `fee_price` is the quote price of the fee asset where that is neither base nor quote; without one the
        fee is valued at nothing, in the books and in equity alike. A third asset that the bot does not hold
        enough of to pay the fee is contributed by the account first, at the same value.
        """
        with localcontext(EXACT):
            entry_id = "fill:" + ":".join(map(str, fill.key))
            booking = _Booking(self, entry_id, fill.timestamp)
            sign = 1 if fill.side is Side.BUY else -1
            booking.post(Account.HOLDINGS, self.base, sign * fill.amount)
            booking.post(Account.MARKET, self.base, -sign * fill.amount)
            booking.post(Account.HOLDINGS, self.quote, -sign * fill.quote_amount)
            booking.post(Account.MARKET, self.quote, sign * fill.quote_amount)

            base_fee = fill.fee.amount if fill.fee.asset == self.base else ZERO
            quote_fee = fill.fee.amount if fill.fee.asset == self.quote else ZERO
            third_fee_value = ZERO
            if fill.fee.amount and not (base_fee or quote_fee):
                third_fee_value = self._third_fee(booking, fill, fee_price or ZERO)
            if fill.fee.amount:
                booking.post(Account.HOLDINGS, fill.fee.asset, -fill.fee.amount)
                booking.post(Account.FEES, fill.fee.asset, fill.fee.amount)

            if fill.side is Side.BUY:
                cost = fill.quote_amount + quote_fee + third_fee_value
                booking.open_lot(owner, fill.amount - base_fee, cost, fill.timestamp)
            else:
                proceeds = fill.quote_amount - quote_fee - third_fee_value
                booking.close_lots(owner, fill.amount + base_fee, proceeds)
            value = quote_fee + third_fee_value + base_fee * fill.price
            booking.totals = replace(booking.totals, fees_value=Money(booking.totals.fees_value + value))
            return booking.commit()

    def assign(
        self, source: str, target: str, amount: Decimal, entry_id: str, timestamp: Timestamp
    ) -> LedgerChange:
        """Move `amount` of base from the lots of `source` to `target`, with its share of cost.

        Dust leaves lot by lot, oldest first. Everything else is one purchase in several executions: its cost
        is shared by amount and arrives as one lot of the oldest one's age.
        """
        with localcontext(EXACT):
            booking = _Booking(self, entry_id, timestamp)
            take = booking.take_oldest if source == DUST else booking.take_share
            for part, cost, opened_at in take(source, amount):
                booking.open_lot(target, part, cost, opened_at)
            return booking.commit()

    def _third_fee(self, booking: _Booking, fill: Fill, fee_price: Decimal) -> Decimal:
        value = fill.fee.amount * fee_price
        totals = booking.totals
        missing = fill.fee.amount - self.holding(fill.fee.asset)
        contributed = ZERO
        if missing > 0:
            booking.post(Account.HOLDINGS, fill.fee.asset, missing)
            booking.post(Account.CONTRIBUTIONS, fill.fee.asset, -missing)
            contributed = missing * fee_price
        booking.totals = replace(
            booking.totals,
            contributed_value=Money(totals.contributed_value + contributed),
            third_book_value=Money(totals.third_book_value + contributed - value),
        )
        return value

    def _apply(self, change: LedgerChange) -> None:
        for item in change.balances:
            self._balances[item.account, item.asset] = item.balance
        for lot in change.lots:
            self._replace_lot(lot)
        self._totals = change.totals

    def _replace_lot(self, lot: Lot) -> None:
        lots = self._lots.setdefault(lot.owner, [])
        for index, existing in enumerate(lots):
            if existing.lot_id == lot.lot_id:
                if lot.amount:
                    lots[index] = lot
                else:
                    del lots[index]
                break
        else:
            if lot.amount:
                lots.append(lot)
                lots.sort(key=lambda item: (item.opened_at, item.lot_id))
        if not lots:
            del self._lots[lot.owner]

    def _lots_of(self, owner: str) -> list[Lot]:
        return self._lots.get(owner, [])

    def _balance(self, account: Account, asset: Asset) -> Decimal:
        return self._balances.get((account, asset), ZERO)


class _Booking:
    """One double entry in the making: nothing touches the ledger before `commit` has checked it."""

    def __init__(self, ledger: Ledger, entry_id: str, timestamp: Timestamp) -> None:
        self._ledger = ledger
        self._entry_id = entry_id
        self._timestamp = timestamp
        self._postings: list[Posting] = []
        self._lots: dict[int, Lot] = {}
        self._closings: list[LotClosing] = []
        self.totals = ledger.totals

    def post(self, account: Account, asset: Asset, amount: Decimal) -> None:
        self._postings.append(Posting(self._entry_id, account, asset, amount, self._timestamp))

    def open_lot(self, owner: str, amount: Decimal, cost: Decimal, opened_at: Timestamp) -> None:
        lot_id = self.totals.next_lot_id
        if amount < 0:
            raise Defect(f"entry {self._entry_id} would open a lot of {plain(amount)} {self._ledger.base}")
        self.totals = replace(self.totals, next_lot_id=lot_id + 1)
        if amount:
            self._lots[lot_id] = Lot(lot_id, owner, Amount(amount), Money(cost), opened_at)
        elif cost:
            # A fee took all that was bought: no lot can carry the cost, so it is a loss at once.
            self._close(lot_id, ZERO, cost, ZERO, opened_at)

    def take_oldest(self, owner: str, amount: Decimal) -> list[tuple[Decimal, Decimal, Timestamp]]:
        """Take `amount` out of the lots of `owner`, oldest first: part, cost and age, lot by lot."""
        self._check_owned(owner, amount)
        taken = list(self._parts(self._ledger._lots_of(owner), amount))  # noqa: SLF001
        for lot, part, cost in taken:
            self._leave(lot, lot.amount - part, lot.cost - cost)
        return [(part, cost, lot.opened_at) for lot, part, cost in taken]

    def take_share(self, owner: str, amount: Decimal) -> list[tuple[Decimal, Decimal, Timestamp]]:
        """Take `amount` out of all lots of `owner` as if they were one; the oldest carries what stays."""
        self._check_owned(owner, amount)
        if not amount:
            return []
        lots = self._ledger._lots_of(owner)  # noqa: SLF001
        held = self._ledger.owned(owner)
        total = sum((lot.cost for lot in lots), ZERO)
        cost = total if amount == held else divide_down(total * amount, held)
        self._leave(lots[0], held - amount, total - cost)
        for lot in lots[1:]:
            self._leave(lot, ZERO, ZERO)
        return [(amount, cost, lots[0].opened_at)]

    def _check_owned(self, owner: str, amount: Decimal) -> None:
        held = self._ledger.owned(owner)
        if not 0 <= amount <= held:
            raise Defect(
                f"the lots of {owner} hold {plain(held)} {self._ledger.base}, {plain(amount)} cannot be moved"
            )

    def _leave(self, lot: Lot, amount: Decimal, cost: Decimal) -> None:
        self._lots[lot.lot_id] = replace(lot, amount=Amount(amount), cost=Money(cost))

    def close_lots(self, owner: str, amount: Decimal, proceeds: Decimal) -> None:
        """Close lots worth `amount`: `owner`'s, then dust, then the oldest of the rest (grid-semantics 6)."""
        ledger = self._ledger
        rest = sorted(
            (lot for lot in ledger.lots() if lot.owner not in (owner, DUST)),
            key=lambda lot: (lot.opened_at, lot.lot_id),
        )
        order = [*ledger._lots_of(owner), *(ledger._lots_of(DUST) if owner != DUST else ()), *rest]  # noqa: SLF001
        closed = list(self._parts(order, amount))
        if sum((part for _, part, _ in closed), ZERO) != amount:
            raise Defect(f"a sell of {plain(amount)} {ledger.base} closes more than all lots hold")
        paid = ZERO
        for index, (lot, part, cost) in enumerate(closed):
            last = index == len(closed) - 1
            share = proceeds - paid if last else divide_down(proceeds * part, amount)
            paid += share
            self._close(lot.lot_id, part, cost, share, lot.opened_at)
            self._leave(lot, lot.amount - part, lot.cost - cost)

    def _close(
        self, lot_id: int, amount: Decimal, cost: Decimal, proceeds: Decimal, opened_at: Timestamp
    ) -> None:
        closing_id = self.totals.next_closing_id
        self._closings.append(
            LotClosing(
                closing_id,
                lot_id,
                self._entry_id,
                Amount(amount),
                Money(cost),
                Money(proceeds),
                opened_at,
                self._timestamp,
            )
        )
        self.totals = replace(
            self.totals,
            next_closing_id=closing_id + 1,
            grid_profit=Money(self.totals.grid_profit + proceeds - cost),
        )

    def _parts(self, lots: Iterable[Lot], amount: Decimal) -> Iterable[tuple[Lot, Decimal, Decimal]]:
        for lot in lots:
            if amount <= 0:
                return
            part = min(lot.amount, amount)
            cost = lot.cost if part == lot.amount else divide_down(lot.cost * part, lot.amount)
            yield lot, part, cost
            amount -= part

    def commit(self) -> LedgerChange:
        """Check the entry (I5, I9), apply it and return what changed."""
        ledger = self._ledger
        sums: dict[Asset, Decimal] = {}
        changed: dict[tuple[Account, Asset], Decimal] = {}
        for posting in self._postings:
            sums[posting.asset] = sums.get(posting.asset, ZERO) + posting.amount
            key = (posting.account, posting.asset)
            before = changed[key] if key in changed else ledger._balance(*key)  # noqa: SLF001
            changed[key] = before + posting.amount
        for asset, total in sums.items():
            if total:
                raise Defect(f"entry {self._entry_id} does not add up: {plain(total)} {asset} too much")
        for (account, asset), balance in changed.items():
            if account is Account.HOLDINGS and balance < 0:
                raise Defect(
                    f"entry {self._entry_id} would leave {plain(balance)} {asset}: an event is missing"
                )
        change = LedgerChange(
            tuple(self._postings),
            tuple(AccountBalance(account, asset, balance) for (account, asset), balance in changed.items()),
            tuple(self._lots.values()),
            tuple(self._closings),
            self.totals,
        )
        ledger._apply(change)  # noqa: SLF001
        return change
