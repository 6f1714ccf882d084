"""The sandbox in a thread: what it leaves behind."""

import asyncio

from gridtide.testing.sandbox_exchange import running_sandbox


def test_nothing_is_left_running() -> None:
    """A task still waiting at the end is cancelled, so that nothing complains of it later."""
    with running_sandbox() as sandbox:
        forgotten = sandbox.call(lambda _: asyncio.ensure_future(asyncio.sleep(3600)))
    assert forgotten.cancelled()
