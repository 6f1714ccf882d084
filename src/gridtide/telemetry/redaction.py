"""Removes secrets from everything that is written, by their values and by the names that stand beside them (F71).

It runs last, over the finished line too: whatever route a secret took, the file and the terminal never show it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "***"
MIN_SECRET_LENGTH = 4
"""Shorter values are no secrets; hiding them would blank out half of every line."""
MAX_TEXT = 8_000
"""Characters kept of one text: an error page of an exchange may have millions."""
MAX_DEPTH = 8

_WORDS = (
    r"x-mbx-apikey|api[-_ ]?key|api[-_ ]?secret|secret[-_ ]?key|client[-_ ]?secret|private[-_ ]?key|secret"
    r"|signature|passphrase|password|passwd|authorization|listen[-_ ]?key|access[-_ ]?token|bot[-_ ]?token|token"
)
_IS_SENSITIVE = re.compile(rf"(?i)(?:{_WORDS})$")
_MENTIONS_SENSITIVE = re.compile(rf"(?i){_WORDS}")
_NAMED_VALUE = re.compile(
    rf"""(?ix)
    ( (?:{_WORDS}) ["'\\]* \s* (?:=|:|=>|%3d) \s* (?:(?:bearer|basic)\s+)? )  # the name, quoted or not
    ( \\*"(?:[^"\\]|\\[^"])*\\*" | \\*'[^']*'  | [^\s,;&"'\\)\]}}>]+ )  # its value
    """
)
_QUOTE = re.compile(r"""\\*["']""")
_LONG_TOKEN = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?=[A-Za-z0-9+/_-]*[0-9])(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}={0,2}"
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+@")


class Redactor:
    """Knows the secrets of this process. `register` each as soon as it is read."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.register(*secrets)

    def register(self, *secrets: str) -> None:
        """Hide these values from now on, in any spelling: quoted for a URL, for JSON, in base64."""
        for secret in secrets:
            if len(secret) >= MIN_SECRET_LENGTH:
                self._spellings.update(_spellings(secret))
        if self._spellings:
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def known(self, text: str) -> str:
        """`text` without registered secrets; nothing else of it changes, so JSON stays JSON."""
        return self._pattern.sub(HIDDEN, text) if self._pattern is not None else text

    def text(self, text: str) -> str:
        """`text` without secrets, registered or known by the names beside them."""
        text = self.known(text)
        text = _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)
        if _MENTIONS_SENSITIVE.search(text):
            text = _NAMED_VALUE.sub(_hide_value, text)
            text = _LONG_TOKEN.sub(HIDDEN, text)
        return text

    def value(self, value: Any, depth: int = 0) -> Any:
        """`value` as plain data (texts, numbers, lists, dicts) without secrets. Never raises."""
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return _shortened(self.text(value))
            case bytes() | bytearray() | memoryview():
                return _shortened(self.text(bytes(value).decode("utf-8", errors="replace")))
            case _ if depth >= MAX_DEPTH:
                return "…"
            case Mapping():
                return {self._key(key): self._item(key, item, depth) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(item, depth + 1) for item in value]
            case _:
                return _shortened(self.text(_described(value)))

    def _key(self, key: Any) -> str:
        return self.text(key) if isinstance(key, str) else self.text(_described(key))

    def _item(self, key: Any, item: Any, depth: int) -> Any:
        name = key.decode("utf-8", errors="replace") if isinstance(key, bytes) else str(key)
        if item is not None and _IS_SENSITIVE.search(name):
            return HIDDEN
        return self.value(item, depth + 1)


SECRETS = Redactor()
"""The secrets of this process: what is registered here is hidden wherever gridtide writes."""


def _hide_value(match: re.Match[str]) -> str:
    """The name and, in the quotes it had, nothing of the value."""
    name, value = match.groups()
    quoted = _QUOTE.match(value)
    mark = quoted[0] if quoted else ""
    return f"{name}{mark}{HIDDEN}{mark}"


def _spellings(secret: str) -> set[str]:
    encoded = secret.encode()
    spelled = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        base64.b64encode(encoded).decode().rstrip("="),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
        encoded.hex(),
    }
    return {spelling for spelling in spelled if spelling}


def _described(value: Any) -> str:
    """What an object says of itself; what fails to say anything is named by its type."""
    try:
        return f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)
    except Exception:  # a broken __repr__ must not stop a log line
        return f"<{type(value).__name__}>"


def _shortened(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    half = MAX_TEXT // 2
    return f"{text[:half]} … {len(text) - MAX_TEXT} characters left out … {text[-half:]}"
