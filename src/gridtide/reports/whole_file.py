"""Files that are whole or not there: written beside their place, then renamed."""

from __future__ import annotations

import os
from pathlib import Path

from gridtide.domain.errors import StorageFailed


def write_whole(path: Path | str, content: bytes) -> None:
    """Put `content` in place of `path`, with the folders above it. Raises `StorageFailed`; `path` then is as it was."""
    target = Path(path)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(content)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"{target} could not be written ({error.strerror or error}): what was there is untouched; free some space "
            "or give another place"
        ) from None
