"""A Dask cluster that workers play on: its address, how many there are, and files that each of them gets once.

A file goes to a worker when it joins, also to one that takes a dead one's place; a worker that sees the very file on a
shared disk takes that.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridtide.domain.errors import InvalidInput, Transient

_WAIT_SECONDS = 30
_FOLDER = "gridtide-data"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection to a scheduler."""

    client: Any
    """A `distributed.Client`; the library ships no types that hold here."""

    def workers(self) -> int:
        """Threads of all workers, at least one."""
        cores: dict[str, int] = self.client.ncores()
        return max(1, sum(cores.values()))

    def send(self, key: str, folder: Path) -> None:
        """Give every worker, now and later, the files of `folder`; see `folder_here`."""
        files = {path.name: zlib.compress(path.read_bytes(), 1) for path in sorted(folder.iterdir())}
        self.client.register_plugin(_files_plugin(key, files), name=f"{_FOLDER}-{key}")


@contextmanager
def cluster_at(address: str) -> Iterator[Cluster]:
    """Raises `InvalidInput` without the extra, `Transient` where nobody answers or no worker is there."""
    try:
        from distributed import Client
    except ImportError:
        raise InvalidInput(
            "--cluster needs the extra: pip install 'gridtide[distributed]'; nothing was started"
        ) from None
    try:
        make: Any = Client  # untyped
        client = make(address, timeout=_WAIT_SECONDS, set_as_default=False)
        client.wait_for_workers(1, timeout=_WAIT_SECONDS)
    except (OSError, TimeoutError, ValueError):
        raise Transient(
            f"no Dask scheduler with workers answers at {address}: start both (dask scheduler, dask worker {address}), "
            "then run the same command again; what was done before is kept"
        ) from None
    try:
        yield Cluster(client)
    finally:
        client.close()


def folder_here(folder: str, key: str) -> Path:
    """Where a process finds the files of `Cluster.send`: in `folder` itself where it sees them (this machine, a shared
    disk), else where its worker put them."""
    place = Path(folder)
    if (place / key).exists() or not _is_worker():
        return place
    from distributed import get_worker

    return Path(get_worker().local_directory) / _FOLDER / key


def mark(folder: Path, key: str) -> None:
    """Say that a folder holds the files of `key`, whole: a path alone may be another folder on another machine."""
    (folder / key).touch()


def key_of(*parts: str) -> str:
    """A short name for what is built from `parts`."""
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def _is_worker() -> bool:
    import sys

    worker = sys.modules.get("distributed.worker")
    if worker is None:
        return False
    try:
        worker.get_worker()
    except ValueError:
        return False
    return True


def _files_plugin(key: str, files: Mapping[str, bytes]) -> Any:
    from gridtide.optimize.cluster_files import FilesPlugin

    return FilesPlugin(_FOLDER, key, dict(files))
