"""What a Dask worker runs when it joins: it puts the files that a study sent into its own folder."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from distributed import WorkerPlugin


class FilesPlugin(WorkerPlugin):
    """`files`: name to compressed content."""

    def __init__(self, folder: str, key: str, files: dict[str, bytes]) -> None:
        self._folder, self._key, self._files = folder, key, files

    def setup(self, worker: Any) -> None:
        """Called once on each worker, before it plays anything."""
        place = Path(worker.local_directory) / self._folder / self._key
        place.mkdir(parents=True, exist_ok=True)
        for name, content in self._files.items():
            (place / Path(name).name).write_bytes(zlib.decompress(content))
