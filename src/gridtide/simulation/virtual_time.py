"""An event loop whose clock jumps: waiting costs nothing, and what happens depends on nothing but the program."""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
_Ts = TypeVarTuple("_Ts")


class Stalled(RuntimeError):
    """The world would stand still for ever: everything waits and nothing is due, or time never passes."""


RESOLUTION = 1e-6
"""Seconds: a wait that rounding leaves a hair short is over."""
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
    """Time starts at zero and moves only when everybody waits.

    It turns as asyncio's own loop does, in the same order, without what only sockets, threads and debugging need: a
    simulated quarter of an hour is two thousand turns.
    """

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        selector = _NoSelector()
        super().__init__(selector)
        selector.loop = self
        self._passed = 0.0
        self._turns = 0

    def time(self) -> float:
        return self._passed

    def pass_time(self, seconds: float) -> None:
        self._passed += seconds
        self._turns = 0 if seconds else self._turns + 1
        if self._turns > SPINS:
            raise Stalled(f"the program spins at {self._passed:.3f} s: something asks again without a pause")

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._passed + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        return timer

    def _run_once(self) -> None:
        """One turn: let time pass if nobody is ready, then whatever is ready, once."""
        ready, scheduled = self._ready, self._scheduled
        while scheduled and scheduled[0].cancelled():
            heapq.heappop(scheduled)
        if ready:
            self.pass_time(0.0)
        elif scheduled:
            self.pass_time(max(scheduled[0].when() - self._passed, 0.0))
        else:
            raise Stalled("everything waits and nothing is due")
        end = self._passed + RESOLUTION
        while scheduled and scheduled[0].when() < end:
            ready.append(heapq.heappop(scheduled))
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001  as the loop it stands in for does

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        """Left where it is: its time comes soon."""

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
