"""The books of one bot: double-entry postings, lots with total costs, and the profit that follows from them.

Rules of grid-semantics 6. Nothing here rounds except the one named place: the cost of a part of a lot.
After every fill: equity - contributions = grid profit + floating profit + dust + revaluation, to the last unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

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

    __hash__ = str.__hash__  # an enum's own is a call of Python for each look into a table

    HOLDINGS = "holdings"
    MARKET = "market"
    FEES = "fees"
    CONTRIBUTIONS = "contributions"


class Posting(NamedTuple):
    """One line of a double entry; the lines of one `entry_id` add up to zero for each asset."""

    entry_id: str
    account: Account
    asset: Asset
    amount: Decimal
    timestamp: Timestamp


class AccountBalance(NamedTuple):
    """The balance of one account in one asset after an entry."""

    account: Account
    asset: Asset
    balance: Decimal


class Lot(NamedTuple):
    """Base held for a purpose. It stores its total cost in quote, never a unit cost: 1100/0.0999 has no end."""

    lot_id: int
    owner: str
    """A slot key, `DUST` or `KEPT`."""
    amount: Amount
    cost: Money
    opened_at: Timestamp
    """When the base was acquired; kept through splits and moves."""


class LotClosing(NamedTuple):
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


class LedgerTotals(NamedTuple):
    """Running sums that are not balances."""

    grid_profit: Money = Money(ZERO)
    contributed_value: Money = Money(ZERO)
    fees_value: Money = Money(ZERO)
    third_book_value: Money = Money(ZERO)
    """What the third assets held were worth when they came in, less the fees paid from them."""
    next_lot_id: int = 1
    next_closing_id: int = 1


class LedgerChange(NamedTuple):
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
        profit = ZERO
        for closing in self.closings:
            profit = EXACT.add(profit, EXACT.subtract(closing.proceeds, closing.cost))
        return Money(profit)


class Statement(NamedTuple):
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

    def __init__(
        self, base: Asset, quote: Asset, state: LedgerState | None = None, *, is_stored: bool = True
    ) -> None:
        """`is_stored`: False where nobody keeps the changes: they come without postings and balances, and everything
        is checked all the same."""
        self.is_stored = is_stored
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
        self._open = _Held(ZERO, ZERO)
        self._owned: dict[str, _Held] = {}
        """What the lots of each owner add up to: asked for at each fill, while hundreds of lots may be open."""
        self._sum_up()

    # --- reading -------------------------------------------------------------------------------------

    def holding(self, asset: Asset) -> Decimal:
        """What the bot holds of `asset`, reserved or not."""
        return self._balances.get((Account.HOLDINGS, asset), ZERO)

    def owned(self, owner: str) -> Amount:
        """Base held in the lots of `owner`."""
        held = self._owned.get(owner)
        return Amount(ZERO) if held is None else Amount(held.amount)

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
        with localcontext(EXACT):
            third = self._third_value(third_prices) if third_prices else ZERO
            totals, dust = self._totals, self._owned.get(DUST)
            dust_amount, dust_cost = (ZERO, ZERO) if dust is None else (dust.amount, dust.cost)
            open_amount, open_cost = self._open.amount - dust_amount, self._open.cost - dust_cost
            balances = self._balances
            quote = balances.get((Account.HOLDINGS, self.quote), ZERO)
            return Statement(
                equity=Money(quote + balances.get((Account.HOLDINGS, self.base), ZERO) * price + third),
                contributions=totals.contributed_value,
                grid_profit=totals.grid_profit,
                floating_profit=Money(open_amount * price - open_cost),
                dust=Money(dust_amount * price - dust_cost),
                revaluation=Money(third - totals.third_book_value),
                fees=totals.fees_value,
            )

    def _third_value(self, prices: Mapping[Asset, Decimal]) -> Decimal:
        third = ZERO
        for (account, asset), balance in self._balances.items():
            if account is Account.HOLDINGS and asset not in (self.base, self.quote):
                third += balance * prices.get(asset, ZERO)
        return third

    @property
    def is_balanced(self) -> bool:
        """Whether the `statement` at every price is balanced, which is cheaper to ask than at one.

        Both sides of E - C = G + F + D + V are linear in the price: equal everywhere if all base held is in lots, and
        quote less contributions is grid profit less the lots' cost and the third assets' book value.
        """
        balances, totals = self._balances, self._totals
        if balances.get((_HOLDINGS, self.base), ZERO) != self._open.amount:
            return False
        gained = EXACT.subtract(balances.get((_HOLDINGS, self.quote), ZERO), totals.contributed_value)
        carried = EXACT.add(self._open.cost, totals.third_book_value)
        return EXACT.add(gained, carried) == totals.grid_profit

    def lot_breaches(self) -> list[str]:
        """Where the running sums, from which every statement is made, are not those of the lots themselves."""
        found = [
            f"the lots of {owner} are not what the books sum up for them"
            for owner in sorted({*self._lots, *self._owned})
            if _summed(self._lots.get(owner, ())) != self._owned.get(owner, _Held(ZERO, ZERO))
        ]
        if _summed(self.lots()) != self._open:
            found.append("all lots together are not what the books sum up")
        return found

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
            booking.take_in(asset, amount, Account.CONTRIBUTIONS)
            booking.contributed += value
            if asset == self.base:
                booking.open_lot(owner, amount, value, timestamp)
            elif asset != self.quote:
                booking.third_value += value
            return booking.commit()

    def book(self, fill: Fill, owner: str, fee_price: Decimal | None = None) -> LedgerChange:
        """Book an execution. A buy opens a lot for `owner`; a sell closes `owner`'s lots, then dust, oldest
        first, then whatever is oldest.

        `fee_price` is the quote price of the fee asset where that is neither base nor quote; without one the
        fee is valued at nothing, in the books and in equity alike. A third asset that the bot does not hold
        enough of to pay the fee is contributed by the account first, at the same value.
        """
        with localcontext(EXACT):
            booking = _Booking(self, f"fill:{fill.symbol}:{fill.trade_id}:{fill.order_id}", fill.timestamp)
            is_buy = fill.side is Side.BUY
            base, quote = (fill.amount, -fill.quote_amount) if is_buy else (-fill.amount, fill.quote_amount)
            booking.take_in(self.base, base, Account.MARKET)
            booking.take_in(self.quote, quote, Account.MARKET)

            fee, fee_asset = fill.fee.amount, fill.fee.asset
            base_fee = fee if fee_asset == self.base else ZERO
            quote_fee = fee if fee_asset == self.quote else ZERO
            third_fee_value = ZERO
            if fee and not (base_fee or quote_fee):
                third_fee_value = self._third_fee(booking, fee_asset, fee, fee_price or ZERO)
            if fee:
                booking.take_in(fee_asset, -fee, Account.FEES)

            if is_buy:
                cost = fill.quote_amount + quote_fee + third_fee_value
                booking.open_lot(owner, fill.amount - base_fee, cost, fill.timestamp)
            else:
                proceeds = fill.quote_amount - quote_fee - third_fee_value
                booking.close_lots(owner, fill.amount + base_fee, proceeds)
            booking.fees += quote_fee + third_fee_value + base_fee * fill.price
            return booking.commit()

    def correct(
        self, booked: Fill, fill: Fill, owner: str, timestamp: Timestamp, fee_price: Decimal | None = None
    ) -> LedgerChange:
        """Book what `fill`, as the records have it, differs by from the same execution as it was `booked`.

        Base that is too little goes to `owner` at the cost it lacked, or at the proceeds it was not sold for; base too
        much leaves `owner`'s lots, then dust, then the oldest. What no lot can carry is profit or loss at once. The
        lines join the fill's own entry, so that the entry is the execution as it was. `fee_price` as in `book`.
        """
        with localcontext(EXACT):
            booking = _Booking(self, "fill:" + ":".join(map(str, fill.key)), timestamp)
            sign = 1 if fill.side is Side.BUY else -1
            amount, quote = fill.amount - booked.amount, fill.quote_amount - booked.quote_amount
            for asset, moved in ((self.base, sign * amount), (self.quote, -sign * quote)):
                booking.take_in(asset, moved, Account.MARKET)
            base_fee, quote_fee, third_value = self._corrected_fees(booking, booked, fill, fee_price or ZERO)
            if fill.side is Side.BUY:
                booking.correct_lots(owner, amount - base_fee, quote + quote_fee + third_value)
            else:
                booking.correct_lots(owner, -(amount + base_fee), -(quote - quote_fee - third_value))
            booking.fees += quote_fee + third_value
            booking.fees += _base_fee_value(fill, self.base) - _base_fee_value(booked, self.base)
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

    def _corrected_fees(
        self, booking: _Booking, booked: Fill, fill: Fill, fee_price: Decimal
    ) -> tuple[Decimal, Decimal, Decimal]:
        """Post what the fees differ by: more base, more quote, and more value of third assets."""
        more: dict[Asset, Decimal] = {booked.fee.asset: -booked.fee.amount}
        more[fill.fee.asset] = more.get(fill.fee.asset, ZERO) + fill.fee.amount
        third_value = ZERO
        for asset, amount in more.items():
            if amount and asset not in (self.base, self.quote):
                third_value += self._third_fee(booking, asset, amount, fee_price)
            if amount:
                booking.take_in(asset, -amount, Account.FEES)
        return more.get(self.base, ZERO), more.get(self.quote, ZERO), third_value

    def _third_fee(self, booking: _Booking, asset: Asset, amount: Decimal, fee_price: Decimal) -> Decimal:
        value = amount * fee_price
        missing = amount - self.holding(asset)
        if missing > 0:
            booking.take_in(asset, missing, Account.CONTRIBUTIONS)
            booking.contributed += missing * fee_price
            booking.third_value += missing * fee_price
        booking.third_value -= value
        return value

    def _apply(
        self,
        balances: Mapping[tuple[Account, Asset], Decimal],
        lots: tuple[Lot, ...],
        totals: LedgerTotals,
    ) -> None:
        self._balances.update(balances)
        for lot in lots:
            self._replace_lot(lot)
        self._totals = totals

    def _replace_lot(self, lot: Lot) -> None:
        owner, amount, cost = lot.owner, lot.amount, lot.cost
        lots = self._lots.get(owner)
        if lots is None:
            if amount:
                self._lots[owner] = [lot]
                self._count(owner, amount, cost)
            return
        for index, existing in enumerate(lots):
            if existing.lot_id == lot.lot_id:
                if amount:
                    lots[index] = lot
                else:
                    del lots[index]
                self._count(owner, amount - existing.amount, cost - existing.cost)
                break
        else:
            if amount:
                lots.append(lot)
                lots.sort(key=_age)
                self._count(owner, amount, cost)
        if not lots:
            del self._lots[owner], self._owned[owner]

    def _count(self, owner: str, amount: Decimal, cost: Decimal) -> None:
        held, every = self._owned.get(owner), self._open
        if held is None:
            self._owned[owner] = _Held(amount, cost)
        else:
            held.amount += amount
            held.cost += cost
        every.amount += amount
        every.cost += cost

    def _sum_up(self) -> None:
        with localcontext(EXACT):
            for lot in self.lots():
                self._count(lot.owner, lot.amount, lot.cost)


_HOLDINGS = Account.HOLDINGS
_NO_LOTS: tuple[Lot, ...] = ()


@dataclass(slots=True)
class _Held:
    """What lots add up to."""

    amount: Decimal
    cost: Decimal


def _summed(lots: Iterable[Lot]) -> _Held:
    found = _Held(ZERO, ZERO)
    with localcontext(EXACT):
        for lot in lots:
            found.amount += lot.amount
            found.cost += lot.cost
    return found


def _age(lot: Lot) -> tuple[Timestamp, int]:
    return lot.opened_at, lot.lot_id


class _Booking:
    """One double entry in the making: nothing touches the ledger before `commit` has checked it."""

    __slots__ = (
        "_changed",
        "_closings",
        "_entry_id",
        "_ledger",
        "_lots",
        "_next_closing_id",
        "_next_lot_id",
        "_postings",
        "_profit",
        "_timestamp",
        "contributed",
        "fees",
        "third_value",
    )

    def __init__(self, ledger: Ledger, entry_id: str, timestamp: Timestamp) -> None:
        self._ledger = ledger
        self._entry_id = entry_id
        self._timestamp = timestamp
        self._postings: list[Posting] = []
        self._changed: dict[tuple[Account, Asset], Decimal] = {}
        self._lots: dict[int, Lot] = {}
        self._closings: list[LotClosing] = []
        self._profit: Decimal
        self.contributed: Decimal
        self.fees: Decimal
        self.third_value: Decimal
        (
            self._profit,
            self.contributed,
            self.fees,
            self.third_value,
            self._next_lot_id,
            self._next_closing_id,
        ) = ledger.totals

    def take_in(self, asset: Asset, amount: Decimal, source: Account) -> None:
        """`amount` comes to the holdings out of `source`; negative: the other way."""
        ledger, changed = self._ledger, self._changed
        if ledger.is_stored:
            self._postings += [
                Posting(self._entry_id, _HOLDINGS, asset, amount, self._timestamp),
                Posting(self._entry_id, source, asset, -amount, self._timestamp),
            ]
        for key, part in (((_HOLDINGS, asset), amount), ((source, asset), -amount)):
            before = changed.get(key)
            changed[key] = (ledger._balances.get(key, ZERO) if before is None else before) + part  # noqa: SLF001

    def open_lot(self, owner: str, amount: Decimal, cost: Decimal, opened_at: Timestamp) -> None:
        lot_id = self._next_lot_id
        if amount < 0:
            raise Defect(f"entry {self._entry_id} would open a lot of {plain(amount)} {self._ledger.base}")
        self._next_lot_id = lot_id + 1
        if amount:
            self._lots[lot_id] = Lot(lot_id, owner, Amount(amount), Money(cost), opened_at)
        elif cost:
            # A fee took all that was bought: no lot can carry the cost, so it is a loss at once.
            self._close(lot_id, ZERO, cost, ZERO, opened_at)

    def correct_lots(self, owner: str, amount: Decimal, cost: Decimal) -> None:
        """Take in `amount` of base for `cost`; negative: give it up, for its share of cost. What `cost` differs by
        from what the lots carry is profit or loss."""
        carried = ZERO
        if amount > 0:
            carried = max(cost, ZERO)
            self.open_lot(owner, amount, carried, self._timestamp)
        for lot, part, share in self._from_lots(owner, max(-amount, ZERO)):
            self._leave(lot, lot.amount - part, lot.cost - share)
            carried -= share
        if loss := cost - carried:
            lot_id, self._next_lot_id = self._next_lot_id, self._next_lot_id + 1
            self._close(lot_id, ZERO, max(loss, ZERO), max(-loss, ZERO), self._timestamp)

    def take_oldest(self, owner: str, amount: Decimal) -> list[tuple[Decimal, Decimal, Timestamp]]:
        """Take `amount` out of the lots of `owner`, oldest first: part, cost and age, lot by lot."""
        self._check_owned(owner, amount)
        taken, _ = _parts(self._ledger._lots.get(owner, _NO_LOTS), amount)  # noqa: SLF001
        for lot, part, cost in taken:
            self._leave(lot, lot.amount - part, lot.cost - cost)
        return [(part, cost, lot.opened_at) for lot, part, cost in taken]

    def take_share(self, owner: str, amount: Decimal) -> list[tuple[Decimal, Decimal, Timestamp]]:
        """Take `amount` out of all lots of `owner` as if they were one; the oldest carries what stays."""
        held = self._check_owned(owner, amount)
        if not amount:
            return []
        oldest, *others = self._ledger._lots[owner]  # noqa: SLF001
        total: Decimal = oldest.cost
        for lot in others:
            total += lot.cost
            self._leave(lot, ZERO, ZERO)
        cost = total if amount == held else divide_down(total * amount, held)
        self._leave(oldest, held - amount, total - cost)
        return [(amount, cost, oldest.opened_at)]

    def _check_owned(self, owner: str, amount: Decimal) -> Decimal:
        """What `owner` holds, of which `amount` is to be a part."""
        held = self._ledger.owned(owner)
        if not 0 <= amount <= held:
            raise Defect(
                f"the lots of {owner} hold {plain(held)} {self._ledger.base}, {plain(amount)} cannot be moved"
            )
        return held

    def _leave(self, lot: Lot, amount: Decimal, cost: Decimal) -> None:
        self._lots[lot.lot_id] = Lot(lot.lot_id, lot.owner, Amount(amount), Money(cost), lot.opened_at)

    def close_lots(self, owner: str, amount: Decimal, proceeds: Decimal) -> None:
        """Close lots worth `amount`: `owner`'s, then dust, then the oldest of the rest (grid-semantics 6)."""
        closed, left = self._from_lots(owner, amount), proceeds
        for lot, part, cost in closed:
            share = left if lot is closed[-1][0] else divide_down(proceeds * part, amount)
            left -= share
            self._close(lot.lot_id, part, cost, share, lot.opened_at)
            self._leave(lot, lot.amount - part, lot.cost - cost)

    def _lots_of_others(self, owner: str) -> Iterator[Lot]:
        """Dust, then the oldest of all that neither is nor belongs to `owner`."""
        ledger = self._ledger
        if owner != DUST:
            yield from ledger._lots.get(DUST, _NO_LOTS)  # noqa: SLF001
        yield from sorted((lot for lot in ledger.lots() if lot.owner not in (owner, DUST)), key=_age)

    def _from_lots(self, owner: str, amount: Decimal) -> list[tuple[Lot, Decimal, Decimal]]:
        ledger = self._ledger
        found, missing = _parts(ledger._lots.get(owner, _NO_LOTS), amount)  # noqa: SLF001
        if missing:
            others, missing = _parts(self._lots_of_others(owner), missing)
            found += others
        if missing:
            raise Defect(f"a sell of {plain(amount)} {ledger.base} closes more than all lots hold")
        return found

    def _close(
        self, lot_id: int, amount: Decimal, cost: Decimal, proceeds: Decimal, opened_at: Timestamp
    ) -> None:
        self._closings.append(
            LotClosing(
                self._next_closing_id,
                lot_id,
                self._entry_id,
                Amount(amount),
                Money(cost),
                Money(proceeds),
                opened_at,
                self._timestamp,
            )
        )
        self._next_closing_id += 1
        self._profit += proceeds - cost

    def commit(self) -> LedgerChange:
        """Check the entry (I9; what `take_in` posts adds up, I5), apply it and return what changed."""
        ledger, changed = self._ledger, self._changed
        for (account, asset), balance in changed.items():
            if account is _HOLDINGS and balance < 0:
                raise Defect(
                    f"entry {self._entry_id} would leave {plain(balance)} {asset}: an event is missing"
                )
        totals = LedgerTotals(
            Money(self._profit),
            Money(self.contributed),
            Money(self.fees),
            Money(self.third_value),
            self._next_lot_id,
            self._next_closing_id,
        )
        lots = tuple(self._lots.values())
        ledger._apply(changed, lots, totals)  # noqa: SLF001
        balances = (
            [AccountBalance(*key, balance) for key, balance in changed.items()] if ledger.is_stored else ()
        )
        return LedgerChange(tuple(self._postings), tuple(balances), lots, tuple(self._closings), totals)


def _parts(lots: Iterable[Lot], amount: Decimal) -> tuple[list[tuple[Lot, Decimal, Decimal]], Decimal]:
    """Of each lot in turn the part that goes into `amount`, with its share of cost; and what no lot had."""
    found: list[tuple[Lot, Decimal, Decimal]] = []
    for lot in lots:
        if amount <= 0:
            break
        part, cost = min(lot.amount, amount), lot.cost
        found.append((lot, part, cost if part == lot.amount else divide_down(cost * part, lot.amount)))
        amount -= part
    return found, amount


def _base_fee_value(fill: Fill, base: Asset) -> Decimal:
    return fill.fee.amount * fill.price if fill.fee.asset == base else ZERO
