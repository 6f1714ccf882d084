"""The books: published examples to the last digit, fees in any asset, lots, and what must be refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest

from gridtide.domain.errors import Defect
from gridtide.domain.ledger import DUST, KEPT, Account, Ledger, LedgerChange, LedgerState
from gridtide.domain.market import Timestamp
from tests.domain.books import BASE, QUOTE, THIRD, D, buy, check_books, ledger, sell

NOW = Timestamp(1)


def costs(books: Ledger, owner: str) -> list[Decimal]:
    return [lot.cost for lot in books.lots() if lot.owner == owner]


def closed(change: LedgerChange) -> list[tuple[Decimal, Decimal]]:
    """Amount and cost of each closing."""
    return [(closing.amount, closing.cost) for closing in change.closings]


# --- published examples ------------------------------------------------------------------------------


def test_at_23_bybit_round_trip_with_fee_in_base() -> None:
    """AT-23: cash and grid profit differ by the cost that the dust keeps."""
    books = ledger()
    books.book(buy("0.08795882", "53000", "0.00008795882"), "000B")
    books.assign("000B", "001S", D("0.08787086"), "pair", NOW)
    books.assign("000B", DUST, D("0.00000000118"), "dust", NOW)
    change = books.book(sell("0.08787086", "57000", "5.00863902"), "001S")
    assert books.holding(QUOTE) - 100000 == D("341.81292098")
    assert books.owned(DUST) == D("0.00000000118")
    dust_cost = D("4661.81746") * D("0.00000000118") / D("0.08787086118")
    assert abs(costs(books, DUST)[0] - dust_cost) < D("1e-11")
    assert str(change.profit).startswith("341.812983582")
    assert change.profit == books.totals.grid_profit
    assert change.profit == D("341.81292098") + costs(books, DUST)[0]
    check_books(books, "57000")


def test_at_24_okx_eleven_decimals() -> None:
    """AT-24: a fee of 11 decimals is kept in full, and so is the dust."""
    books = ledger()
    books.book(buy("0.00005222", "100000", "0.00000005222"), "000B")
    books.assign("000B", "001S", D("0.00005216"), "pair", NOW)
    books.assign("000B", DUST, D("0.00000000778"), "dust", NOW)
    books.book(sell("0.00005216", "101000", "0.00526816"), "001S")
    assert books.holding(QUOTE) - 100000 == D("0.04089184")
    assert books.owned(DUST) == books.holding(BASE) == D("0.00000000778")
    assert str(costs(books, DUST)[0]).startswith("0.000778778")
    assert str(books.totals.grid_profit).startswith("0.041670618")
    check_books(books, "101000")


def test_at_25_pionex_before_fees() -> None:
    """AT-25: 0.0002 BTC from 31140 to 31744 bring 0.1208."""
    books = ledger()
    books.book(buy("0.0002", "31140"), "000B")
    books.assign("000B", "001S", D("0.0002"), "pair", NOW)
    assert books.book(sell("0.0002", "31744"), "001S").profit == D("0.1208")


def test_at_26_bbgo_one_step() -> None:
    """AT-26: 1.0 from 12000 to 13000 brings 1000."""
    books = ledger()
    books.book(buy("1", "12000"), "000B")
    books.assign("000B", "001S", D(1), "pair", NOW)
    assert books.book(sell("1", "13000"), "001S").profit == 1000
    check_books(books, "13000")


# --- lots --------------------------------------------------------------------------------------------


def test_initial_purchase_is_shared_by_amount_whatever_its_fills_cost() -> None:
    """Grid-semantics 6: one lot a sell slot, cost shared by amount, the remainder to the lowest, which comes last."""
    books = ledger()
    for amount, price in (("0.1", "10000"), ("0.15", "10010"), ("0.05", "10020.01")):
        books.book(buy(amount, price, D(amount) / 1000), "INIB")
    total = 1000 + D("1501.5") + D("501.0005")
    held = D("0.2997")
    books.assign("INIB", DUST, D("0.0003"), "dust", NOW)
    for slot in ("003S", "002S", "001S"):
        books.assign("INIB", slot, D("0.0998"), slot, NOW)
    for slot in ("003S", "002S", "001S"):
        (cost,) = costs(books, slot)
        assert abs(cost - total * D("0.0998") / held) < D("1e-11")
    lowest, middle, highest = (costs(books, slot)[0] for slot in ("001S", "002S", "003S"))
    assert lowest >= middle >= highest
    assert lowest + middle + highest + costs(books, DUST)[0] == total
    assert books.owned("INIB") == 0
    check_books(books, "10000")


def test_assigned_lots_keep_the_day_of_their_oldest_purchase() -> None:
    books = ledger()
    first, second = buy("1", "10"), buy("1", "11")
    books.book(first, "000B")
    books.book(second, "000B")
    books.assign("000B", "001S", D("1.5"), "pair", NOW)
    (moved,) = [lot for lot in books.lots() if lot.owner == "001S"]
    assert (moved.opened_at, moved.amount, moved.cost) == (first.timestamp, D("1.5"), D("15.75"))


def test_a_sell_closes_its_own_slot_then_dust_oldest_first_then_the_oldest() -> None:
    """Grid-semantics 6: each lot belongs to the sell it was made for; dust joins; other slots come last."""
    books = ledger()
    books.book(buy("1", "10"), "005S")
    for price in ("20", "30"):
        books.book(buy("1", price), DUST)
    books.book(buy("1", "40"), "001S")
    change = books.book(sell("1.5", "50"), "001S")
    assert closed(change) == [(D(1), D(40)), (D("0.5"), D(10))]
    change = books.book(sell("2", "50"), "001S")
    assert closed(change) == [(D("0.5"), D(10)), (D(1), D(30)), (D("0.5"), D(5))]
    assert costs(books, "005S") == [5]
    check_books(books, "50")


def test_dust_leaves_oldest_first() -> None:
    books = ledger()
    for price in ("10", "20", "30"):
        books.book(buy("1", price), DUST)
    books.assign(DUST, "001S", D("1.5"), "join", NOW)
    assert costs(books, "001S") == [10, 10]
    assert costs(books, DUST) == [10, 30]


def test_part_of_a_lot_takes_its_share_rounded_down_to_twelve_decimals() -> None:
    """Grid-semantics 6: cost·part/amount cut to 12 decimals; what is cut stays with the lot, to the last part."""
    books = ledger()
    books.book(buy("0.0999", "11011.011"), "001S")
    (total,) = costs(books, "001S")
    closed = [books.book(sell("0.0333", "12000"), "001S").closings[0].cost for _ in range(3)]
    for index, cost in enumerate(closed[:-1]):
        exact = Fraction(total - sum(closed[:index], D(0))) / (3 - index)
        assert 0 <= exact - Fraction(cost) < Fraction(1, 10**12)
    assert sum(closed) == total
    assert books.lots() == []
    check_books(books, "12000")


def test_a_fill_closing_several_lots_shares_its_proceeds_without_a_rest() -> None:
    books = ledger()
    for price in ("10", "11", "12"):
        books.book(buy("0.1", price), DUST)
    change = books.book(sell("0.3", "13.37", "0.00401"), "001S")
    assert sum(closing.proceeds for closing in change.closings) == D("0.3") * D("13.37") - D("0.00401")
    check_books(books, "13.37")


def test_base_kept_by_the_profit_mode_stays_in_floating_profit() -> None:
    """Grid-semantics 6: F holds it, D holds dust only."""
    books = ledger()
    books.book(buy("1", "10"), "000B")
    books.assign("000B", KEPT, D("0.4"), "kept", NOW)
    books.assign("000B", DUST, D("0.1"), "dust", NOW)
    statement = books.statement(D("20"))
    assert statement.floating_profit == 9
    assert statement.dust == 1


# --- fees --------------------------------------------------------------------------------------------


def test_each_fee_is_posted_in_its_own_asset() -> None:
    """F40, I5: base, quote and third asset side by side, summed by asset and valued when paid."""
    books = ledger()
    books.contribute(THIRD, D("0.01"), D("4"), NOW, "bnb")
    books.book(buy("1", "100", "0.001", BASE), "000B")
    books.book(buy("1", "100", "0.1", QUOTE), "000B")
    books.book(buy("1", "100", "0.0002", THIRD), "000B", fee_price=D(400))
    assert books.fees_paid() == {THIRD: D("0.0002"), BASE: D("0.001"), QUOTE: D("0.1")}
    assert books.totals.fees_value == D("0.1") + D("0.1") + D("0.08")
    assert costs(books, "000B") == [100, D("100.1"), D("100.08")]
    check_books(books, "100", "410")
    assert books.statement(D(100), {THIRD: D(410)}).revaluation == D("0.0098") * 410 - (4 - D("0.08"))


def test_the_fee_asset_running_out_is_contributed_by_the_account() -> None:
    """F40: BNB runs out between two partial fills; what is missing comes in at its value, and nothing is negative."""
    books = ledger()
    books.contribute(THIRD, D("0.0003"), D("0.12"), NOW, "bnb")
    for _ in range(2):
        books.book(buy("1", "100", "0.0002", THIRD), "000B", fee_price=D(400))
        check_books(books, "100", "405")
    books.book(buy("1", "100", "0.001", BASE), "000B")
    assert books.holding(THIRD) == 0
    assert books.totals.contributed_value == D("100000.12") + D("0.0001") * 400
    check_books(books, "100", "405")


def test_a_third_fee_without_a_price_counts_as_nothing_on_both_sides() -> None:
    books = ledger()
    books.book(buy("1", "100", "0.0002", THIRD), "000B")
    assert books.totals.fees_value == 0
    check_books(books, "90")


@pytest.mark.parametrize("asset, price", [(BASE, None), (QUOTE, None), (THIRD, D(400))])
def test_a_rebate_lowers_the_cost_and_is_no_profit_of_its_own(asset: str, price: Decimal | None) -> None:
    """F43: a negative fee on either side balances in every asset."""
    books = ledger()
    for booked in (buy("1", "100", "-0.0001", asset), sell("0.5", "110", "-0.0001", asset)):  # type: ignore[arg-type]
        books.book(booked, "001S", price)
        check_books(books, "120", "430")
    assert books.totals.fees_value < 0


def test_a_sell_that_pays_its_fee_in_base_closes_lots_for_the_fee_too() -> None:
    books = ledger()
    books.book(buy("1", "100"), "001S")
    change = books.book(sell("0.9", "110", "0.1", BASE), "001S")
    assert change.profit == D(99) - 100
    assert books.lots() == []
    check_books(books, "110")


def test_a_fee_that_takes_all_that_was_bought_is_a_loss_of_its_cost() -> None:
    """Tiny fills: the smallest fee can be the whole fill; its cost must not vanish with the lot."""
    books = ledger()
    change = books.book(buy("0.00000001", "50000", "0.00000001"), "000B")
    assert books.totals.grid_profit == D("-0.0005")
    assert change.lots == ()
    check_books(books, "50000")


# --- contributions -----------------------------------------------------------------------------------


def test_contributions_are_never_profit() -> None:
    books = ledger("1000")
    books.contribute(BASE, D(2), D(150), NOW, "coins", owner="INIB")
    books.contribute(QUOTE, D(-300), D(-300), NOW, "withdrawal")
    statement = books.statement(D(100))
    assert statement.contributions == 850
    assert statement.equity == 900
    assert statement.floating_profit == 50
    assert books.owned("INIB") == 2
    check_books(books, "100")


def test_a_withdrawal_beyond_the_holding_is_a_defect() -> None:
    books = ledger("1000")
    with pytest.raises(Defect, match="an event is missing"):
        books.contribute(QUOTE, D(-1001), D(-1001), NOW, "withdrawal")
    check_books(books, "1")


def test_base_cannot_be_withdrawn_as_a_lot_below_zero() -> None:
    """I9: a negative contribution of base would open a negative lot."""
    books = ledger()
    books.book(buy("1", "100"), "000B")
    before = books.state()
    with pytest.raises(Defect, match="lot"):
        books.contribute(BASE, D("-0.5"), D(-50), NOW, "withdrawal")
    assert books.state() == before


def test_quote_is_worth_itself() -> None:
    books = ledger()
    with pytest.raises(Defect, match="values 5 USDT at 6"):
        books.contribute(QUOTE, D(5), D(6), NOW, "start")


# --- refusals leave everything as it was ---------------------------------------------------------------


@pytest.mark.parametrize(
    "booked, owner",
    [
        (buy("1", "100000.01"), "000B"),
        (buy("1", "100000", "0.01", QUOTE), "000B"),
        (sell("1.00000001", "10"), "001S"),
        (sell("1", "10", "0.00000001", BASE), "001S"),
        (buy("1", "10", "1.1", BASE), "000B"),
    ],
)
def test_a_booking_below_zero_is_refused_and_changes_nothing(booked: object, owner: str) -> None:
    """F44, I9: nothing is clamped; the books stay as they were, to the byte."""
    books = ledger("100000")
    books.book(buy("1", "0.00000001"), "001S")
    books.contribute(QUOTE, D("0.00000001"), D("0.00000001"), NOW, "back")
    before = books.state()
    with pytest.raises(Defect):
        books.book(booked, owner)  # type: ignore[arg-type]  # parametrize loses the type
    assert books.state() == before
    check_books(books, "10")


@pytest.mark.parametrize("amount", ["1.00000001", "-0.5"])
def test_moving_more_than_is_owned_or_less_than_nothing_changes_nothing(amount: str) -> None:
    books = ledger()
    books.book(buy("1", "10"), "000B")
    before = books.state()
    with pytest.raises(Defect):
        books.assign("000B", "001S", D(amount), "pair", NOW)
    assert books.state() == before


# --- storage -----------------------------------------------------------------------------------------


def test_a_ledger_goes_on_from_its_state() -> None:
    """The state holds everything: the same bookings after a restart give the same books."""
    first = ledger()
    first.book(buy("1", "100", "0.001"), "000B")
    first.assign("000B", DUST, D("0.3"), "dust", NOW)
    second = Ledger(BASE, QUOTE, first.state())
    booked = sell("0.5", "111.11", "0.05")
    assert first.book(booked, "000B") == second.book(booked, "000B")
    assert first.state() == second.state()


def test_the_changes_alone_rebuild_the_books() -> None:
    """I14: applying every change's rows, last one wins, gives the state."""
    books = ledger("0")
    changes = [
        books.contribute(QUOTE, D(1000), D(1000), NOW, "start"),
        books.book(buy("1", "100", "0.001"), "000B"),
        books.assign("000B", "001S", D("0.9"), "pair", NOW),
        books.assign("000B", DUST, D("0.099"), "dust", NOW),
        books.book(sell("0.95", "120", "0.1"), "001S"),
    ]
    balances = {(row.account, row.asset): row for change in changes for row in change.balances}
    lots = {lot.lot_id: lot for change in changes for lot in change.lots}
    state = LedgerState(
        tuple(balances[key] for key in sorted(balances)),
        tuple(lot for lot in lots.values() if lot.amount),
        changes[-1].totals,
    )
    assert Ledger(BASE, QUOTE, state).state() == books.state()


def test_every_entry_adds_up_for_each_asset() -> None:
    """I5: the postings of a fill are its execution and its fee in its own asset, and their sum is zero."""
    books = ledger()
    change = books.book(buy("1", "100", "0.0002", THIRD), "000B", D(400))
    held = {
        asset: sum(p.amount for p in change.postings if p.asset == asset and p.account is Account.HOLDINGS)
        for asset in (BASE, QUOTE, THIRD)
    }
    assert held == {BASE: 1, QUOTE: -100, THIRD: 0}
    for asset in (BASE, QUOTE, THIRD):
        assert sum(p.amount for p in change.postings if p.asset == asset) == 0


def test_ids_of_lots_and_closings_never_repeat() -> None:
    books = ledger()
    changes = [books.book(buy("1", "100"), "001S") for _ in range(3)]
    changes += [books.book(sell("0.5", "110"), "001S") for _ in range(6)]
    closings = [closing.closing_id for change in changes for closing in change.closings]
    assert all(later == earlier + 1 for earlier, later in pairwise(closings))
    assert books.totals.next_lot_id == 4


@pytest.mark.parametrize("what", ["quote", "base", "cost"])
def test_books_that_are_one_unit_off_balance_at_no_price(what: str) -> None:
    """`is_balanced` asks for no price: a unit too much of anything shows all the same."""
    books = ledger()
    books.book(buy("0.08795882", "53000", "0.00008795882"), "000B")
    assert books.is_balanced
    if what == "cost":
        books._open.cost += D("1e-12")  # noqa: SLF001  the damage that is to be found
    else:
        books._balances[Account.HOLDINGS, QUOTE if what == "quote" else BASE] += D("1e-8")  # noqa: SLF001
    assert not books.is_balanced
