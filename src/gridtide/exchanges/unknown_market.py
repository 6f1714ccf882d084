"""The error for a market that an exchange does not list."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from gridtide.domain.errors import InvalidInput


def unknown_market(symbol: str, known: Iterable[str], exchange: str) -> InvalidInput:
    """Names what was probably meant: near misses, and the same letters written another way."""
    names = list(known)
    wanted = symbol.upper().replace("-", "/").replace("_", "/")
    near = [name for name in names if name.replace("/", "") == wanted.replace("/", "")]
    near += [name for name in difflib.get_close_matches(wanted, names, n=3, cutoff=0.6) if name not in near]
    hint = f" Did you mean {', '.join(near)}?" if near else " Markets are written like BTC/USDT."
    return InvalidInput(f"{exchange} has no market {symbol!r}; nothing was placed.{hint}")
