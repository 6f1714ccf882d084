"""Compiles a loop to machine code with numba; importing it costs half a second, so nothing on the way of `run` may.

The plain Python function stays the reference: it is the compiled one's ``py_func``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
from numba import carray  # type: ignore[attr-defined]  # it is numba's own public name
from numba.core import cgutils, types
from numba.extending import intrinsic

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """`function` as machine code, kept on disk: beside its file, else in the user's cache folder, else not at all.

    The copy on disk is renewed when the function's own file changes, so functions that call each other belong in one
    file. No fast mathematics: results are those of the plain loop, bit for bit.
    """
    try:
        return _compile(function, is_kept=True)
    except RuntimeError:  # numba found no folder it may write to: a read-only install without a home
        return _compile(function, is_kept=False)


def inlined(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """`function` as machine code that becomes a part of each compiled function of the same file that calls it: for
    small ones in the innermost loop, where handing over arrays would cost more than the work itself."""
    machine_code: Callable[_P, _R] = numba.njit(nogil=True, forceinline=True)(function)
    return machine_code


def _compile(function: Callable[_P, _R], *, is_kept: bool) -> Callable[_P, _R]:
    machine_code: Callable[_P, _R] = numba.njit(cache=is_kept, nogil=True)(function)
    return machine_code


@intrinsic
def _pointer(_: Any, __: Any) -> Any:
    """An address as a pointer."""

    def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.uintp), codegen


@numba.njit(nogil=True, forceinline=True)
def bare(array: Any) -> Any:
    """For machine code only: `array` without the count of its users, which costs more than small work on it does.
    Whoever hands it on must hold the array itself for as long, as the caller of compiled code in Python does."""
    address = array.ctypes.data
    return carray(_pointer(address), array.shape, array.dtype)  # type: ignore[call-arg]  # numba hands in the context
