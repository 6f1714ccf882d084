"""An event loop whose clock jumps: waiting costs nothing, and what happens depends on nothing but the program."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

T = TypeVar("T")


class Stalled(RuntimeError):
    """The world would stand still for ever: everything waits and nothing is due, or time never passes."""


SPINS = 200_000
"""Turns of the loop in one moment of virtual time after which a program is taken to spin."""


class _NoSelector(selectors.SelectSelector):
    """Watches no file: it passes the time that the loop would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: VirtualLoop | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert self.loop is not None
        if timeout is None:
            raise Stalled("everything waits and nothing is due")
        self.loop.pass_time(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time starts at zero and moves only when everybody waits."""

    def __init__(self) -> None:
        selector = _NoSelector()
        super().__init__(selector)
        selector.loop = self
        self._passed = 0.0
        self._turns = 0
        self._clock_resolution = 1e-6  # a wait that rounding leaves a hair short is over

    def time(self) -> float:
        return self._passed

    def pass_time(self, seconds: float) -> None:
        self._passed += seconds
        self._turns = 0 if seconds else self._turns + 1
        if self._turns > SPINS:
            raise Stalled(f"the program spins at {self._passed:.3f} s: something asks again without a pause")

    def _write_to_self(self) -> None:
        """Nobody sleeps in a system call, so nobody has to be woken."""


class InlineExecutor(Executor):
    """Does the work at once, in the caller's thread."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # it is the caller's: the future hands it on
            future.set_exception(error)
        return future


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` in a loop of its own, in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()
