"""Which SQLite is used: the newer one from the `pysqlite3` package where it is installed, else Python's own.

Python's own is often years old, and before 3.51.3 its WAL cannot be trusted (order-safety, storage). The rest of
the package imports `sqlite3` from here, so that one process never opens a file with two libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["sqlite3"]
