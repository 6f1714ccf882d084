"""The first tables: bots and their runs, orders, fills, the books, and the journal they follow from."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_LIVE = "state IN ('CANCELLING', 'CLOSING', 'OPEN', 'PART', 'PLANNED', 'SENDING', 'UNKNOWN')"


def upgrade() -> None:
    """Make them."""
    _who_runs()
    _orders()
    _fills("fills")
    op.create_index("ix_fills_order", "fills", ["bot_id", "symbol", "order_id"])
    _fills("foreign_fills")
    _books()
    _bot()


def _who_runs() -> None:
    identity = ["name", "account_id", "symbol", "exchange", "mode", "generation"]
    op.create_table(
        "bots",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *(_text(name) for name in identity[:-1]),
        _small("generation"),
        _text("config"),
        _big("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_bots"),
        sa.UniqueConstraint(*identity, name=f"uq_bots_{'_'.join(identity)}"),
    )
    _table(
        "runs",
        ("run_id",),
        _text("run_id"),
        _big("started_at"),
        _big("ended_at", nullable=True),
        _text("mode"),
        _text("version"),
        _text("config_hash"),
    )
    _table(
        "leases",
        ("bot_key",),
        _text("bot_key"),
        _big("epoch"),
        _text("owner"),
        _big("expires_at", nullable=True),
        of_bot=False,
    )
    _table(
        "journal",
        ("seq",),
        _big("seq"),
        _text("run_id"),
        _big("at"),
        _text("kind"),
        _text("payload"),
    )


def _orders() -> None:
    _table(
        "orders",
        ("client_order_id",),
        _text("client_order_id"),
        _big("opened_seq"),
        _text("slot"),
        _small("cycle"),
        _small("attempt"),
        _text("symbol"),
        _text("side"),
        _text("type"),
        _text("time_in_force"),
        _exact("price", nullable=True),
        _exact("amount"),
        _text("state"),
        _text("reserved_asset"),
        _exact("reserved_amount"),
        _big("created_at"),
        _big("updated_at"),
        _small("tx_count"),
        _big("signed_at", nullable=True),
        _big("cancel_at", nullable=True),
        _text("order_id"),
        _text("status"),
        _exact("executed_amount"),
        _exact("executed_quote"),
        _exact("filled_amount"),
        _exact("filled_quote"),
        _exact("received"),
        _flag("cancel_requested"),
        _text("reason"),
        _flag("emergency"),
        sa.CheckConstraint("tx_count IN (0, 1)", name=op.f("ck_orders_sent_at_most_once")),
    )
    _index_where("uq_orders_live_slot", ["bot_id", "slot"], _LIVE, unique=True)
    _index_where("uq_orders_order_id", ["bot_id", "symbol", "order_id"], "order_id <> ''", unique=True)
    _index_where("ix_orders_zombie", ["bot_id"], "state = 'ZOMBIE'", unique=False)
    _table(
        "slots",
        ("slot",),
        _text("slot"),
        _small("cycle"),
        _small("attempt"),
        _text("parked_reason"),
        _text("parked_detail"),
        _big("retry_at", nullable=True),
        _exact("wish_price", nullable=True),
        _exact("wish_amount", nullable=True),
        _text("wish_type"),
        _text("wish_time_in_force"),
        _flag("held"),
    )


def _fills(name: str) -> None:
    _table(
        name,
        ("symbol", "trade_id", "order_id"),
        _text("symbol"),
        _big("trade_id"),
        _text("order_id"),
        _big("seq"),
        _text("side"),
        _exact("price"),
        _exact("amount"),
        _exact("quote_amount"),
        _exact("fee_amount"),
        _text("fee_asset"),
        _flag("is_maker"),
        _big("timestamp"),
        _text("client_order_id"),
        _text("source"),
    )


def _books() -> None:
    _table(
        "postings",
        ("seq", "line"),
        _big("seq"),
        _big("line"),
        _text("entry_id"),
        _text("account"),
        _text("asset"),
        _exact("amount"),
        _big("timestamp"),
    )
    _table(
        "ledger_balances",
        ("account", "asset"),
        _text("account"),
        _text("asset"),
        _exact("balance"),
    )
    _table(
        "ledger_totals",
        (),
        _exact("grid_profit"),
        _exact("contributed_value"),
        _exact("fees_value"),
        _exact("third_book_value"),
        _big("next_lot_id"),
        _big("next_closing_id"),
    )
    _table(
        "lots",
        ("lot_id",),
        _big("lot_id"),
        _text("owner"),
        _exact("amount"),
        _exact("cost"),
        _big("opened_at"),
    )
    _table(
        "lot_closings",
        ("closing_id",),
        _big("closing_id"),
        _big("lot_id"),
        _text("fill_key"),
        _exact("amount"),
        _exact("cost"),
        _exact("proceeds"),
        _big("opened_at"),
        _big("closed_at"),
    )


def _bot() -> None:
    _table(
        "strategy_states",
        ("part",),
        _text("part"),
        _big("at"),
        _text("payload"),
    )
    _table(
        "bot_states",
        (),
        _big("at"),
        _text("state"),
        _text("reason"),
        _text("detail"),
    )
    _table(
        "cursors",
        (),
        _big("applied"),
        _big("safe"),
    )
    _table(
        "baselines",
        ("asset",),
        _text("asset"),
        _exact("amount"),
    )
    _table(
        "balance_snapshots",
        ("seq", "asset"),
        _big("seq"),
        _text("asset"),
        _big("at"),
        _exact("free"),
        _exact("locked"),
    )
    _table(
        "notices",
        ("seq",),
        _big("seq"),
        _big("at"),
        _text("level"),
        _text("kind"),
        _text("text"),
    )


def _table(name: str, key: tuple[str, ...], *items: Any, of_bot: bool = True) -> None:
    if of_bot:
        bot_id = sa.Column("bot_id", sa.Integer(), nullable=False)
        owner = sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=f"fk_{name}_bot_id_bots")
        items = (bot_id, *items, owner)
        key = ("bot_id", *key)
    op.create_table(name, *items, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"), sqlite_with_rowid=False)


def _index_where(name: str, columns: list[str], condition: str, *, unique: bool) -> None:
    where = sa.text(condition)
    op.create_index(name, "orders", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=nullable)


def _exact(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text().with_variant(sa.Numeric(), "postgresql"), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)
