"""Random histories: after every booking the identity holds to the last digit and nothing is negative."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gridtide.domain.errors import Defect
from gridtide.domain.ledger import DUST, KEPT, Ledger
from gridtide.domain.market import Asset, Timestamp
from gridtide.domain.order import Side
from tests.domain.books import BASE, QUOTE, THIRD, D, check_books, fill, ledger

OWNERS = ["000B", "001B", "001S", "002S", DUST, KEPT]
AMOUNTS = st.one_of(
    st.decimals("0.00000001", "3", places=8), st.decimals("0.00000000001", "0.001", places=11)
)
PRICES = st.decimals("0.01", "99999", places=2)
FEES = st.one_of(st.just(D(0)), st.decimals("0", "0.001", places=11), st.decimals("-0.0005", "0", places=8))

bookings = st.tuples(
    st.just("fill"), st.sampled_from(Side), AMOUNTS, PRICES, FEES, st.sampled_from([BASE, QUOTE, THIRD])
)
moves = st.tuples(st.just("assign"), AMOUNTS)
contributions = st.tuples(st.just("contribute"), st.sampled_from([BASE, QUOTE, THIRD]), AMOUNTS)
Step = tuple[object, ...]


def take_step(
    books: Ledger, step: Step, owner: str, target: str, fee_price: Decimal | None, now: int
) -> None:
    match step:
        case (
            "fill",
            Side() as side,
            Decimal() as amount,
            Decimal() as price,
            Decimal() as rate,
            str() as asset,
        ):
            base_fee = amount * rate
            fee = base_fee if asset == BASE else base_fee * price
            books.book(
                fill(side, amount, price, fee.quantize(D("1e-11")), Asset(asset), now), owner, fee_price
            )
        case ("assign", Decimal() as amount):
            books.assign(owner, target, min(amount, books.owned(owner)), f"assign:{now}", Timestamp(now))
        case ("contribute", str() as asset, Decimal() as amount):
            value = amount if asset == QUOTE else amount * 7
            books.contribute(Asset(asset), amount, value, Timestamp(now), f"contribute:{now}", owner)
        case _:
            raise AssertionError(step)


@given(
    st.lists(
        st.tuples(
            st.one_of(bookings, bookings, moves, contributions),
            st.sampled_from(OWNERS),
            st.sampled_from(OWNERS),
            st.sampled_from([None, D("400.5"), D("0.3333333333")]),
        ),
        max_size=30,
    ),
    PRICES,
    PRICES,
)
def test_every_history_balances_exactly(
    history: list[tuple[Step, str, str, Decimal | None]], price: Decimal, third_price: Decimal
) -> None:
    """I5, I9, I10, F43: buys, sells, moves and contributions with fees and rebates in three assets.

    What is refused changes nothing; what is booked keeps E − C = G + F + D + V with tolerance zero, the sum of
    the lots equal to the base held, and every asset's accounts adding up to zero.
    """
    books = ledger("1000000")
    for now, (step, owner, target, fee_price) in enumerate(history, 1):
        before = books.state()
        try:
            take_step(books, step, owner, target, fee_price, now)
        except Defect:
            assert books.state() == before
        check_books(books, str(price), str(third_price))
        assert books.lot_breaches() == []
    assert Ledger(BASE, QUOTE, books.state()).statement(price) == books.statement(price)


@given(
    st.lists(st.tuples(AMOUNTS, PRICES), min_size=1, max_size=6),
    st.lists(st.fractions(0, 1), min_size=1, max_size=6),
)
def test_cost_is_conserved_however_often_lots_are_split(
    purchases: list[tuple[Decimal, Decimal]], parts: list[object]
) -> None:
    """Splitting and moving never creates or loses cost or amount: the ages and shares change, the sums do not."""
    books = ledger("100000000")
    for amount, price in purchases:
        books.book(fill(Side.BUY, amount, price), "INIB")
    total = sum((lot.cost for lot in books.lots()), D(0))
    for index, part in enumerate(parts):
        held = books.owned("INIB")
        share = (held * part.numerator / part.denominator).quantize(D("1e-11"), "ROUND_DOWN")  # type: ignore[attr-defined]
        books.assign("INIB", f"{index:03d}S", share, f"share:{index}", Timestamp(1))
        books.assign(f"{index:03d}S", DUST, books.owned(f"{index:03d}S") / 2, f"dust:{index}", Timestamp(1))
    assert sum((lot.cost for lot in books.lots()), D(0)) == total
    assert sum((lot.amount for lot in books.lots()), D(0)) == sum(amount for amount, _ in purchases)
