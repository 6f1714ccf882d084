"""The tables. Money is stored digit by digit; a float never reaches a database.

`journal` is the record and every other table a projection of it (I14), except `bots`, `runs`, `leases` and
`checkpoints`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from gridtide.domain.errors import InvalidValue
from gridtide.domain.journal import BotState, PauseReason
from gridtide.domain.ledger import Account
from gridtide.domain.lifecycle import LIVE_STATES, IntentState
from gridtide.domain.order import OrderType, Side, TimeInForce


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with all its digits: text on SQLite, NUMERIC on PostgreSQL.

    SQLAlchemy's own `Numeric` goes through a float on SQLite and loses digits without a word. Only finite
    `Decimal` is taken; anything else raises `InvalidValue`.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise InvalidValue(f"{value!r} is not an exact amount: only finite decimals are stored")
        return value if dialect.name == "postgresql" else format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        return Decimal(value)


class Word(TypeDecorator[StrEnum]):
    """A member of an enumeration, stored as its text; a word that is none of them raises `ValueError`."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

LIVE_CONDITION = "state IN ({})".format(", ".join(f"'{state}'" for state in sorted(LIVE_STATES)))
"""As a literal, because a query uses the partial index only where it repeats the index's own words."""

KNOWN_AT_EXCHANGE = "order_id <> ''"


def _table(name: str, *items: Column[Any] | CheckConstraint | UniqueConstraint) -> Table:
    """A table whose rows SQLite keeps in the order of the primary key: one tree to write to instead of two."""
    return Table(name, METADATA, *items, sqlite_with_rowid=False)


def _bot() -> Column[int]:
    return Column("bot_id", Integer, ForeignKey("bots.id"), primary_key=True)


def _key(name: str, kind: type[TypeEngine[Any]] | TypeEngine[Any] = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True)


def _integer_key(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _time(name: str) -> Column[int]:
    """Milliseconds since 1970-01-01 UTC."""
    return Column(name, BigInteger, nullable=False)


def _time_or_none(name: str) -> Column[int]:
    return Column(name, BigInteger)


def _exact(name: str) -> Column[Decimal]:
    return Column(name, ExactDecimal, nullable=False)


def _exact_or_none(name: str) -> Column[Decimal]:
    return Column(name, ExactDecimal)


def _word(name: str, words: type[StrEnum]) -> Column[StrEnum]:
    return Column(name, Word(words), nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


# --- who runs ----------------------------------------------------------------------------------------

BOTS = Table(
    "bots",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _text("name"),
    _text("account_id"),
    _text("symbol"),
    _text("exchange"),
    _text("mode"),
    _count("generation"),
    _text("config"),
    _time("created_at"),
    UniqueConstraint("name", "account_id", "symbol", "exchange", "mode", "generation"),
)
"""One row for each generation of a bot: each start that is not a resume."""

RUNS = _table(
    "runs",
    _bot(),
    _key("run_id"),
    _time("started_at"),
    _time_or_none("ended_at"),
    _text("mode"),
    _text("version"),
    _text("config_hash"),
)

LEASES = _table(
    "leases",
    _key("bot_key"),
    Column("epoch", BigInteger, nullable=False),
    _text("owner"),
    _time_or_none("expires_at"),
)
"""Keyed by the bot without its generation: a fresh start fences the old generation too."""

JOURNAL = _table(
    "journal", _bot(), _integer_key("seq"), _text("run_id"), _time("at"), _text("kind"), _text("payload")
)

CHECKPOINTS = _table("checkpoints", _bot(), _integer_key("seq"), _time("at"), _text("payload"))
"""What the tables held behind the entry `seq`, as far as later entries change it: the journal may begin there."""

# --- orders ------------------------------------------------------------------------------------------

ORDERS = _table(
    "orders",
    _bot(),
    _key("client_order_id"),
    Column("opened_seq", BigInteger, nullable=False),
    _text("slot"),
    _count("cycle"),
    _count("attempt"),
    _text("symbol"),
    _word("side", Side),
    _word("type", OrderType),
    _word("time_in_force", TimeInForce),
    _exact_or_none("price"),
    _exact("amount"),
    _word("state", IntentState),
    _text("reserved_asset"),
    _exact("reserved_amount"),
    _time("created_at"),
    _time("updated_at"),
    _count("tx_count"),
    _time_or_none("signed_at"),
    _time_or_none("cancel_at"),
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
    CheckConstraint("tx_count IN (0, 1)", name="sent_at_most_once"),  # R3, I2
)


def _unique_where(name: str, condition: str, *columns: Column[Any]) -> Index:
    where = text(condition)
    return Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


ONE_LIVE_ORDER = _unique_where("uq_orders_live_slot", LIVE_CONDITION, ORDERS.c.bot_id, ORDERS.c.slot)
"""R2, I1: at most one live intent a slot, whatever the code above believes."""

ONE_EXCHANGE_ORDER = _unique_where(
    "uq_orders_order_id", KNOWN_AT_EXCHANGE, ORDERS.c.bot_id, ORDERS.c.symbol, ORDERS.c.order_id
)
"""I2: an order of the exchange belongs to one intent."""

ZOMBIE_CONDITION = f"state = '{IntentState.ZOMBIE}'"

Index(
    "ix_orders_zombie",
    ORDERS.c.bot_id,
    sqlite_where=text(ZOMBIE_CONDITION),
    postgresql_where=text(ZOMBIE_CONDITION),
)

SLOTS = _table(
    "slots",
    _bot(),
    _key("slot"),
    _count("cycle"),
    _count("attempt"),
    _text("parked_reason"),
    _text("parked_detail"),
    _time_or_none("retry_at"),
    _exact_or_none("wish_price"),
    _exact_or_none("wish_amount"),
    _text("wish_type"),
    _text("wish_time_in_force"),
    _flag("held"),
)


def _fills(name: str) -> Table:
    return _table(
        name,
        _bot(),
        _key("symbol"),
        _integer_key("trade_id"),
        _key("order_id"),  # a self-trade shows one trade id twice (F38)
        Column("seq", BigInteger, nullable=False),
        _word("side", Side),
        _exact("price"),
        _exact("amount"),
        _exact("quote_amount"),
        _exact("fee_amount"),
        _text("fee_asset"),
        _flag("is_maker"),
        _time("timestamp"),
        _text("client_order_id"),
        _text("source"),
    )


FILLS = _fills("fills")
"""I4: the primary key books each execution once."""

Index("ix_fills_order", FILLS.c.bot_id, FILLS.c.symbol, FILLS.c.order_id)

FOREIGN_FILLS = _fills("foreign_fills")

# --- books -------------------------------------------------------------------------------------------

POSTINGS = _table(
    "postings",
    _bot(),
    _integer_key("seq"),
    _integer_key("line"),
    _text("entry_id"),
    _word("account", Account),
    _text("asset"),
    _exact("amount"),
    _time("timestamp"),
)

LEDGER_BALANCES = _table(
    "ledger_balances", _bot(), _key("account", Word(Account)), _key("asset"), _exact("balance")
)

LEDGER_TOTALS = _table(
    "ledger_totals",
    _bot(),
    _exact("grid_profit"),
    _exact("contributed_value"),
    _exact("fees_value"),
    _exact("third_book_value"),
    Column("next_lot_id", BigInteger, nullable=False),
    Column("next_closing_id", BigInteger, nullable=False),
)

LOTS = _table(
    "lots",
    _bot(),
    _integer_key("lot_id"),
    _text("owner"),
    _exact("amount"),
    _exact("cost"),
    _time("opened_at"),
)
"""Open lots; what was closed stays in `lot_closings`."""

LOT_CLOSINGS = _table(
    "lot_closings",
    _bot(),
    _integer_key("closing_id"),
    Column("lot_id", BigInteger, nullable=False),
    _text("fill_key"),
    _exact("amount"),
    _exact("cost"),
    _exact("proceeds"),
    _time("opened_at"),
    _time("closed_at"),
)

# --- the bot -----------------------------------------------------------------------------------------

STRATEGY_STATES = _table("strategy_states", _bot(), _key("part"), _time("at"), _text("payload"))

BOT_STATES = _table(
    "bot_states",
    _bot(),
    _time("at"),
    _word("state", BotState),
    _word("reason", PauseReason),
    _text("detail"),
)

CURSORS = _table(
    "cursors",
    _bot(),
    Column("applied", BigInteger, nullable=False),
    Column("safe", BigInteger, nullable=False),
)

BASELINES = _table("baselines", _bot(), _key("asset"), _exact("amount"))

BALANCE_SNAPSHOTS = _table(
    "balance_snapshots",
    _bot(),
    _integer_key("seq"),
    _key("asset"),
    _time("at"),
    _exact("free"),
    _exact("locked"),
)

NOTICES = _table(
    "notices", _bot(), _integer_key("seq"), _time("at"), _text("level"), _text("kind"), _text("text")
)
