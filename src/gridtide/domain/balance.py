"""What an exchange account holds of one asset."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Balance(NamedTuple):
    """Free and locked amount of one asset on an exchange account. A named tuple because each fill makes some."""

    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        return self.free + self.locked
