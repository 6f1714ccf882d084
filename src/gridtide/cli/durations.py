"""Lengths of time as a person types them: 60s, 10m, 1h30m, 2d."""

from __future__ import annotations

import re

from gridtide.domain.errors import InvalidInput

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PATTERN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def parse_duration(text: str) -> float:
    """Seconds of `text`, above zero; a bare number is refused, because nobody knows its unit."""
    match = _PATTERN.fullmatch(text.strip().lower())
    if not text.strip() or match is None:
        raise InvalidInput(f'"{text}" is no length of time: write 60s, 10m, 1h30m or 2d')
    seconds = sum(
        float(part) * _SECONDS[unit] for part, unit in zip(match.groups(), "dhms", strict=True) if part
    )
    if seconds <= 0:
        raise InvalidInput(f'"{text}" is no time at all: write 60s, 10m, 1h30m or 2d')
    return seconds
