"""The exchange's public bulk archive as a supplier: whole months and days in one file each.

A file counts only if it has the checksum that the archive states for it and unpacks to its end.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import tempfile
import zipfile
import zlib
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import certifi
import stamina

from gridtide.domain.errors import DataUnusable, Transient
from gridtide.market_data.archive_layout import ArchiveFile, daily_files, monthly_files, read_csv
from gridtide.market_data.series import Series, Span, without
from gridtide.market_data.supplier import Delivery

if TYPE_CHECKING:
    from gridtide.market_data.block import Block

ADDRESS = "https://data.binance.vision"
"""Binance's public archive; other exchanges' have other layouts."""
_CHECKSUM = ".CHECKSUM"
_CHUNK = 1 << 16
_SILENCE_SECONDS = 30.0
_ATTEMPTS = 4
_NOT_FOUND = 404


class ArchiveSupplier:
    """Monthly files, then daily ones for what they do not cover. What the archive does not have it leaves out.

    `address` is where ``data/spot/…`` begins. Files whose time is not over yet are not asked for: `now` is that
    moment, ms.
    """

    name = "archive"

    def __init__(
        self,
        address: str = ADDRESS,
        *,
        now: Callable[[], int],
        silence_seconds: float = _SILENCE_SECONDS,
        first_pause_seconds: float = 0.5,
    ) -> None:
        self.notes: list[str] = []
        self._address = address.rstrip("/")
        self._now = now
        self._silence_seconds = silence_seconds
        self._session: aiohttp.ClientSession | None = None
        self._last: tuple[str, Block] | None = None
        self._absent: set[str] = set()
        self._repeating = stamina.AsyncRetryingCaller(
            attempts=_ATTEMPTS, timeout=600.0, wait_initial=first_pause_seconds, wait_max=10.0
        ).on(Transient)

    async def deliver(self, series: Series, span: Span) -> AsyncGenerator[Delivery]:
        rest: tuple[Span, ...] = (span,)
        for files in (monthly_files, daily_files):
            covered: list[Span] = []
            for piece in rest:
                async for delivery in self._deliver(series, piece, files(series, piece)):
                    covered.append(delivery.span)
                    yield delivery
            rest = without(span, covered) if files is monthly_files else ()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _deliver(
        self, series: Series, span: Span, files: Iterable[ArchiveFile]
    ) -> AsyncGenerator[Delivery]:
        for file in files:
            if file.span.end > self._now():
                continue
            block = await self._block_of(file, series)
            if block is not None:
                piece = file.span.clipped(span)
                yield Delivery(piece, block.within(piece), is_whole_file=True)

    async def _block_of(self, file: ArchiveFile, series: Series) -> Block | None:
        """The rows of a file, the one used last from memory: several gaps lie in one; None as `_fetch` gives it."""
        if self._last is not None and self._last[0] == file.path:
            return self._last[1]
        if file.path in self._absent:
            return None
        block: Block | None = await self._repeating(self._fetch, file, series)
        if block is None:
            self._absent.add(file.path)
        else:
            self._last = file.path, block
        return block

    async def _fetch(self, file: ArchiveFile, series: Series) -> Block | None:
        """The rows of a file; None where the archive does not have it, or it is damaged there."""
        with tempfile.TemporaryDirectory(prefix="gridtide-") as folder:
            zipped = Path(folder) / "file.zip"
            digest = await self._download(file, zipped)
            if digest is None:
                return None
            stated = await self._stated_checksum(file)
            if stated != digest:
                what = (
                    "has another checksum than the archive states" if stated else "has no checksum beside it"
                )
                self._note(f"{file.name} {what}: nothing of it was stored")
                return None
            try:
                return await asyncio.to_thread(_unpacked, zipped, series, file.name)
            except DataUnusable as error:
                self._note(str(error))
                return None

    async def _download(self, file: ArchiveFile, target: Path) -> str | None:
        """Write the zip to `target` and give its SHA-256; None where there is none. A broken transfer raises
        `Transient`."""
        digest = hashlib.sha256()
        try:
            async with self._get(file.path) as response:
                if not self._is_there(response, file.name):
                    return None
                with target.open("wb") as writing:
                    async for chunk in response.content.iter_chunked(_CHUNK):
                        digest.update(chunk)
                        writing.write(chunk)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise _interrupted(file.name, error) from None
        return digest.hexdigest()

    async def _stated_checksum(self, file: ArchiveFile) -> str:
        """The first word of the file beside it; nothing where there is none."""
        name = file.name + _CHECKSUM
        try:
            async with self._get(file.path + _CHECKSUM) as response:
                if not self._is_there(response, name):
                    return ""
                words = (await response.text(errors="replace")).split()
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise _interrupted(name, error) from None
        return words[0].lower() if words else ""

    def _get(self, path: str) -> aiohttp.client._RequestContextManager:
        if self._session is None:
            authorities = ssl.create_default_context(cafile=certifi.where())
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=authorities),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._silence_seconds, sock_read=self._silence_seconds
                ),
            )
        return self._session.get(f"{self._address}/{path}")

    def _is_there(self, response: aiohttp.ClientResponse, name: str) -> bool:
        if response.status == _NOT_FOUND:
            return False
        if not response.ok:
            raise Transient(
                f"the archive answered HTTP {response.status} for {name}: what came before is stored; run the same "
                "command again to go on"
            )
        return True

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _interrupted(name: str, error: Exception) -> Transient:
    return Transient(
        f"the archive did not give {name} to its end ({type(error).__name__}): what came before is stored; run the "
        "same command again to go on"
    )


def _unpacked(zipped: Path, series: Series, name: str) -> Block:
    """The one CSV file inside, read."""
    csv = zipped.with_suffix(".csv")
    try:
        with zipfile.ZipFile(zipped) as archive, csv.open("wb") as writing:
            (inside,) = archive.infolist()
            with archive.open(inside) as reading:
                while chunk := reading.read(_CHUNK):
                    writing.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DataUnusable(
            f"{name} cannot be unpacked ({type(error).__name__}): nothing of it was stored"
        ) from None
    return read_csv(csv, series.kind, name)
