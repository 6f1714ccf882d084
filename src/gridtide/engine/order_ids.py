"""Client order ids: a pure function of bot, slot, cycle and attempt, readable without the database.

``gt1-7K2P4Q-041B-0009Z-2-KD``: never random, never reused; two rogue copies of a bot compute the same one (R2).
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import NamedTuple

from gridtide.domain.errors import Defect, InvalidValue
from gridtide.domain.order import Slot

PREFIX = "gt1"
LAST_ATTEMPT = 36**3 - 1
"""Three digits; a wish that needed more goes on in a new cycle."""
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PATTERN = re.compile(
    rf"{PREFIX}-(?P<bot>[0-9A-Z]{{6}})-(?P<slot>[0-9A-Z]{{3}}[BS])"
    r"-(?P<cycle>[0-9A-Z]{5})-(?P<attempt>[0-9A-Z]{1,3})-(?P<check>[0-9A-Z]{2})"
)


class DecodedId(NamedTuple):
    """What a client order id says."""

    bot_code: str
    slot: Slot
    cycle: int
    attempt: int


def bot_code(account_id: str, symbol: str, name: str, generation: int) -> str:
    """Six characters that stand for one generation of one bot on one account and market."""
    return _hash_code(f"{account_id}|{symbol}|{name}|{generation}", 6)


def client_order_id(code: str, slot: Slot, cycle: int, attempt: int) -> str:
    """The id of one attempt; raises `Defect` where a counter has run out of digits."""
    body = f"{PREFIX}-{code}-{slot.key}-{_base36(cycle, 5)}-{_base36(attempt, 1)}"
    if len(body) > 33:
        raise Defect(f"attempt {attempt} of cycle {cycle} does not fit a client order id")
    return f"{body}-{_hash_code(body, 2)}"


def slot_in(own_id: str) -> str:
    """The slot's key in an id that is known to be ours; what comes from outside has to be decoded."""
    return own_id.split("-", 3)[2]


@lru_cache(maxsize=4096)
def decode(text: str) -> DecodedId | None:
    """The parts of an id of ours, or None for anybody else's (wrong shape or checksum)."""
    match = _PATTERN.fullmatch(text)
    if match is None or match["check"] != _hash_code(text.rpartition("-")[0], 2):
        return None
    try:
        slot = Slot.parse(match["slot"])
    except InvalidValue:
        return None
    return DecodedId(match["bot"], slot, int(match["cycle"], 36), int(match["attempt"], 36))


@lru_cache(maxsize=4096)
def _base36(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _ALPHABET[digit] + digits
    if len(digits) > max(width, 3):
        raise Defect("a counter of client order ids has run out of digits")
    return digits.rjust(width, "0")


def _hash_code(text: str, length: int) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    code = ""
    for _ in range(length):
        number, digit = divmod(number, 36)
        code += _ALPHABET[digit]
    return code
