"""Questions to the person at the terminal. Where nobody can answer, nothing is assumed."""

from __future__ import annotations

import sys

from gridtide.domain.errors import InvalidInput


def can_ask() -> bool:
    """Whether somebody sits at the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, default: str = "") -> str:
    """The answer, or the default for none. Raises `InvalidInput` where nobody can answer."""
    if not can_ask():
        raise InvalidInput("nobody can answer here: give --yes and the values as options")
    suffix = f" [{default}]" if default else ""
    print(f"{question}{suffix}: ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        raise KeyboardInterrupt
    return answer.strip() or default


def confirm(what: str, word: str, *, yes: bool) -> None:
    """Go on only if the person types `word` (or gave --yes). Raises `InvalidInput` otherwise."""
    if yes:
        return
    if not can_ask():
        raise InvalidInput(f"{what} Nobody can confirm this here: nothing was done; add --yes if it is meant")
    if ask(f"{what} Type {word} to go on") != word:
        raise InvalidInput("not confirmed: nothing was done")
