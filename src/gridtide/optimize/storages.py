"""Where a learning search keeps its trials: a journal file that one driver owns, or a database that several share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gridtide.domain.errors import Defect, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from optuna.storages import BaseStorage, RDBStorage

_ADDRESS = "://"
_POSTGRES = ("postgresql", "postgres")
_RACES = ("IntegrityError", "ProgrammingError")
"""What SQLAlchemy says where another driver makes Optuna's tables at the same moment: a little later they are there."""
_ATTEMPTS = 10
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class TrialStore:
    """An open storage of Optuna's."""

    storage: BaseStorage
    is_shared: bool
    flush: Callable[[], None]


def is_address(place: str) -> bool:
    """Whether it is a database rather than a file."""
    return _ADDRESS in place


@contextmanager
def trial_store(place: str) -> Iterator[TrialStore]:
    """A file's name, or the address of a PostgreSQL database such as ``postgresql://user@host/name``.

    Raises `InvalidInput` for one that cannot be opened, or a file that another search owns. No error shows an address:
    it may hold a password.
    """
    if is_address(place):
        shared = _database(place)
        try:
            yield TrialStore(shared, True, lambda: None)
        finally:
            shared.remove_session()
            shared.engine.dispose()
        return
    from optuna.storages import JournalStorage

    from gridtide.optimize.journal_file import JournalFile

    file = JournalFile(Path(place))
    try:
        yield TrialStore(JournalStorage(file), False, file.flush)
    finally:
        file.close()


def _database(address: str) -> RDBStorage:
    from optuna.storages import RDBStorage

    kind, _, rest = address.partition(_ADDRESS)
    if kind.partition("+")[0] not in _POSTGRES:
        raise InvalidInput(
            "--storage takes a file, or a PostgreSQL address such as postgresql://user@host/database"
        )
    for attempt in range(_ATTEMPTS):
        try:
            return RDBStorage(f"postgresql+psycopg{_ADDRESS}{rest}", engine_kwargs={"pool_pre_ping": True})
        except ImportError:
            raise InvalidInput(
                "a PostgreSQL storage needs the extra: pip install 'gridtide[postgres]'; nothing was started"
            ) from None
        except Exception as error:
            if type(error).__name__ in _RACES and attempt < _ATTEMPTS - 1:
                time.sleep(_PAUSE_SECONDS)
                continue
            raise InvalidInput(
                f"the database of --storage cannot be opened ({type(error).__name__}): check its address, and that it "
                "runs; nothing was started"
            ) from None
    raise Defect("unreachable: the last attempt returns or raises")
