"""An event loop whose clock jumps: waiting costs nothing, and what happens depends on nothing but the program."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextvars import Context
from heapq import heappop, heappush
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
_Ts = TypeVarTuple("_Ts")


class Stalled(RuntimeError):
    """The world would stand still for ever: everything waits and nothing is due, or time never passes."""


RESOLUTION = 1e-6
"""Seconds: a wait that rounding leaves a hair short is over."""
SPINS = 200_000
"""Turns of the loop in one moment of virtual time after which a program is taken to spin."""


LAST_TURNS = 10
"""What still runs at the end gets these to clean up behind itself."""


class _Turn(asyncio.Handle):
    """A callback of the next turn. It keeps no traceback, and no copy of a context that nobody asked for."""

    __slots__ = ()
    _cancelled = False
    _repr = _source_traceback = None
    _callback: Callable[..., object] | None
    _args: tuple[Any, ...]
    _context: Context | None

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self._callback = callback
        self._args = args
        self._context = context

    def cancel(self) -> None:
        self._callback = None

    def cancelled(self) -> bool:
        return self._callback is None


class _Alarm(asyncio.TimerHandle):
    """A callback of a later moment; one that is cancelled stays where it is: its time comes soon."""

    __slots__ = ()
    _cancelled = False
    _repr = _source_traceback = None
    _callback: Callable[..., object] | None
    _args: tuple[Any, ...]
    _context: Context | None
    _when: float

    def __init__(
        self, when: float, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._context = context

    def cancel(self) -> None:
        self._callback = None

    def cancelled(self) -> bool:
        return self._callback is None


class InlineExecutor(Executor):
    """Does the work in the caller's thread, at once; `wait` may put it off."""

    def wait(self) -> float:
        """For how many seconds from now nothing is done."""
        return 0.0

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # it is the caller's: the future hands it on
            future.set_exception(error)
        return future


class VirtualLoop(asyncio.BaseEventLoop):
    """Time starts at zero and moves only when everybody waits.

    It turns as asyncio's own loop does, in the same order, without what only sockets, threads and debugging need: a
    simulated quarter of an hour is two thousand turns.
    """

    _ready: deque[_Turn | _Alarm]

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0
        """Seconds since the start."""
        self._alarms: list[tuple[float, int, _Alarm]] = []
        """By moment, then in the order they were set."""
        self._set = 0
        self._turns = 0

    def time(self) -> float:
        return self.passed

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = _Turn(callback, args, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.passed + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        alarm = _Alarm(when, callback, args, context)
        self._set += 1
        heappush(self._alarms, (when, self._set, alarm))
        return alarm

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], T], *args: *_Ts
    ) -> asyncio.Future[T]:
        """Done in this thread, in a later turn: whatever is ready meanwhile comes first, as with a thread."""
        if not isinstance(executor, InlineExecutor):
            raise TypeError("in virtual time there are no threads: hand in an InlineExecutor")
        future: asyncio.Future[T] = self.create_future()
        if (wait := executor.wait()) > 0:
            self.call_later(wait, _work, future, func, args)
        else:
            self.call_soon(_work, future, func, args)
        return future

    def _run_once(self) -> None:
        """One turn: let time pass if nobody is ready, then whatever is ready, once."""
        ready, alarms = self._ready, self._alarms
        if not ready:
            self._pass_time()
        self._turns += 1
        if self._turns > SPINS:
            raise Stalled(f"the program spins at {self.passed:.3f} s: something asks again without a pause")
        end = self.passed + RESOLUTION
        while alarms and alarms[0][0] < end:
            ready.append(heappop(alarms)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            callback = handle._callback  # noqa: SLF001  as the loop it stands in for does
            if callback is None:
                continue
            context = handle._context  # noqa: SLF001
            try:
                if context is None:
                    callback(*handle._args)  # noqa: SLF001
                else:
                    context.run(callback, *handle._args)  # noqa: SLF001
            except Exception as error:  # nobody's task: said as asyncio says it
                self.call_exception_handler({"message": f"Exception in {callback!r}", "exception": error})

    def _pass_time(self) -> None:
        """To the next moment somebody waits for."""
        alarms = self._alarms
        while alarms and alarms[0][2]._callback is None:  # noqa: SLF001
            heappop(alarms)
        if not alarms:
            raise Stalled("everything waits and nothing is due")
        if alarms[0][0] > self.passed:
            self.passed = alarms[0][0]
            self._turns = 0


def _work(future: asyncio.Future[T], func: Callable[[*_Ts], T], args: tuple[*_Ts]) -> None:
    if future.cancelled():
        return
    try:
        future.set_result(func(*args))
    except Exception as error:  # it is the caller's: the future hands it on
        future.set_exception(error)


def running_loop() -> VirtualLoop:
    """The loop of a program in virtual time."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` in a loop of its own, in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        for _ in range(LAST_TURNS):
            loop.call_soon(loop.stop)
            loop.run_forever()
        loop.close()
