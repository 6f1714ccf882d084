"""Corrections: books that were told wrong and then told right equal books that were told right at once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import Defect
from gridtide.domain.fill import Fee, Fill
from gridtide.domain.ledger import DUST, Account, Ledger
from gridtide.domain.market import Asset, Timestamp
from gridtide.domain.money import Amount, Money, multiply_exact
from gridtide.domain.order import Side
from tests.domain.books import BASE, QUOTE, THIRD, D, buy, check_books, fill, ledger, sell

LATER = Timestamp(9_999)


def told(fill: Fill, amount: Decimal, fee: Decimal, asset: Asset) -> Fill:
    """The same execution as somebody else tells it."""
    quote = Money(multiply_exact(amount, fill.price))
    return replace(fill, amount=Amount(amount), quote_amount=quote, fee=Fee(Amount(fee), asset))


def accounts(books: Ledger) -> dict[tuple[Account, Asset], Decimal]:
    return {(item.account, item.asset): item.balance for item in books.state().balances if item.balance}


amounts = st.decimals("0.00001", "2", places=5)
fees = st.tuples(st.decimals("-0.00001", "0.00001", places=8), st.sampled_from([BASE, QUOTE, THIRD]))


@given(st.sampled_from(Side), amounts, fees, amounts, fees, st.sampled_from(["001B", DUST]))
def test_what_was_told_wrong_ends_as_if_it_had_been_told_right(
    side: Side,
    wrong: Decimal,
    wrong_fee: tuple[Decimal, Asset],
    right: Decimal,
    right_fee: tuple[Decimal, Asset],
    owner: str,
) -> None:
    """F43, I5, I9, I10: holdings, market and fees are those of the right execution, the identity holds at any price,
    the entry's lines add up to the execution, and correcting it once more changes nothing."""
    execution = fill(side, wrong, "100")
    first, second = told(execution, wrong, *wrong_fee), told(execution, right, *right_fee)
    books, expected = ledger(), ledger()
    for ledgers in (books, expected):
        ledgers.contribute(BASE, D(5), D(450), Timestamp(1), "base", "001B")
        ledgers.contribute(THIRD, D(5), D(35), Timestamp(1), "third")
    changes = [books.book(first, "001B", D(7)), books.correct(first, second, owner, LATER, D(7))]
    expected.book(second, "001B", D(7))
    assert accounts(books) == accounts(expected)
    assert books.totals.fees_value == expected.totals.fees_value
    for price in ("1", "333.33"):
        check_books(books, price, "7")
        assert (
            books.statement(D(price), {THIRD: D(7)}).equity
            == expected.statement(D(price), {THIRD: D(7)}).equity
        )
    lines = [line for change in changes for line in change.postings]
    assert {line.entry_id for line in lines} == {changes[0].postings[0].entry_id}
    assert sum(
        line.amount for line in lines if (line.account, line.asset) == (Account.FEES, second.fee.asset)
    ) == (second.fee.amount)
    before = books.state()
    assert books.correct(second, second, owner, LATER, D(7)).closings == ()
    assert books.state() == before


def test_base_that_was_too_little_comes_with_the_cost_it_lacked() -> None:
    books = ledger()
    small, whole = buy("0.4", "100"), D("0.5")
    books.book(small, "000B")
    books.correct(small, told(small, whole, D(0), QUOTE), "000B", LATER)
    assert [(lot.amount, lot.cost) for lot in books.lots()] == [(D("0.4"), D(40)), (D("0.1"), D(10))]
    assert books.totals.grid_profit == 0


def test_base_that_is_sold_already_makes_its_correction_a_loss_or_a_profit() -> None:
    """The cost of what was sold long ago cannot change any more: the difference is realised at once."""
    books = ledger()
    bought = buy("1", "100")
    books.book(bought, "000B")
    books.book(sell("1", "110"), "000B")
    change = books.correct(bought, told(bought, D(1), D(2), QUOTE), DUST, LATER)
    assert change.profit == D(-2)
    assert books.totals.grid_profit == D(8)
    check_books(books, "100")


def test_a_correction_that_the_books_cannot_take_changes_nothing() -> None:
    """F44: base that was never bought, but is sold already, is an event that is missing."""
    books = ledger()
    bought = buy("1", "100")
    books.book(bought, "000B")
    books.book(sell("1", "110"), "000B")
    before = books.state()
    with pytest.raises(Defect):
        books.correct(bought, told(bought, D("0.9"), D(0), QUOTE), DUST, LATER)
    assert books.state() == before
