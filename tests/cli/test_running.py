"""The end of a run, where the exchange does not play along."""

from types import SimpleNamespace

import pytest

from gridtide.cli import running
from gridtide.domain.errors import Transient


async def test_an_exchange_that_is_gone_at_the_end_is_said_so() -> None:
    """The sentence of the failed read would say that reads are repeated; the bot has ended, and its orders rest."""

    async def verify() -> None:
        raise Transient("binance did not give fills; reads are repeated, nothing was placed")

    bot = SimpleNamespace(run=SimpleNamespace(verify=verify), world=SimpleNamespace(embedded=None))
    with pytest.raises(Transient, match="its orders stay as they are"):
        await running.end(bot, started=0.0)  # type: ignore[arg-type]  # all that the end needs
