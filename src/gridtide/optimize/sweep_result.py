"""What a sweep gives back: a row a set, kept as columns, with where every number comes from.

A set that was refused has NaN for figures and a reason; nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from gridtide.domain.errors import Defect, InvalidInput, StorageFailed
from gridtide.optimize.confirm import require_equal
from gridtide.optimize.engine_sets import FIGURES
from gridtide.optimize.sweep_board import UNPLACED
from gridtide.reports.table import data_frame

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from gridtide.optimize.engine_sets import EngineFill, EngineRun
    from gridtide.optimize.parameter_sets import ParameterSets

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SMALLER_IS_BETTER: Final = frozenset({"max_drawdown", "fees"})
PLAYED: Final = "played"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class Origin:
    """What was played: enough to do it again."""

    config_hash: str
    """Of the config that the sets vary."""
    data_checksum: str
    version: str
    settings: Mapping[str, Any]
    """The config, without secrets."""


class World(Protocol):
    """What was played, to ask about a single set again."""

    def run(self, sets: ParameterSets, row: int) -> EngineRun: ...

    def fills(self, sets: ParameterSets, row: int, walk: int) -> Sequence[EngineFill] | None: ...

    def explain(self, sets: ParameterSets, row: int) -> str: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SweepResult:
    """A table with a row for each set, in the order in which they were given."""

    sets: ParameterSets
    figures: Mapping[str, NDArray[Any]]
    """`FIGURES`, an array each: float64, and int64 for `fills`."""
    reason_codes: Integers
    """A place in `reasons` for each set."""
    reasons: tuple[str, ...]
    """Why sets were refused, or stopped before the end; the first is empty."""
    is_refused: Flags
    engine: Flags
    """Which sets the engine played, because the kernel cannot."""
    notes: tuple[str, ...]
    """What the reader has to know, a sentence each."""
    origin: Origin
    seconds: float
    daily: Floats | None = None
    """Sets x (1 + days): equity at the beginning, right before each UTC midnight, and at the end; NaN for what was
    refused. None where it was not asked for."""
    world: World | None = None

    def __len__(self) -> int:
        return len(self.sets)

    def __repr__(self) -> str:
        return (
            f"<sweep of {len(self):,} sets over {', '.join(self.sets.given)}: {int(self.is_refused.sum()):,} refused, "
            f"{int(self.engine.sum()):,} by the engine; best() has the winner>"
        )

    @property
    def data_checksum(self) -> str:
        return self.origin.data_checksum

    @property
    def config_hash(self) -> str:
        return self.origin.config_hash

    @property
    def columns(self) -> tuple[str, ...]:
        """Parameters that vary, figures, ``status``, ``reason``, ``engine``."""
        return (*self.sets.given, *FIGURES, "status", "reason", "engine")

    def __getitem__(self, column: str) -> NDArray[Any]:
        """One column; money and decimals as floats."""
        if column in self.figures:
            return self.figures[column]
        if column in self.sets.given:
            return self.sets.columns[column].shown()
        match column:
            case "status":
                return np.array([PLAYED, REFUSED], object)[self.is_refused.astype(np.int64)]
            case "reason":
                return np.array(self.reasons, object)[self.reason_codes]
            case "engine":
                return self.engine
            case _:
                raise KeyError(column)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self.row, range(len(self)))

    def row(self, number: int) -> dict[str, Any]:
        """One set with its figures; its parameters as exact as they were played."""
        if not -len(self) <= number < len(self):
            raise IndexError(f"there are {len(self)} sets, and no number {number}")
        number %= len(self)
        return {
            **self.sets.set_of(number),
            **{name: values[number].item() for name, values in self.figures.items()},
            "status": REFUSED if self.is_refused[number] else PLAYED,
            "reason": self._reason(number),
            "engine": bool(self.engine[number]),
            "set": number,
        }

    def best(self, objective: str = "final_equity", *, largest: bool | None = None) -> dict[str, Any]:
        """The row with the best `objective`: one of `FIGURES`, the largest unless it is a drawdown or fees.

        The first of equals. Raises `InvalidInput` where no set has that figure.
        """
        return self.row(int(self.order(objective, largest=largest)[0]))

    def order(self, objective: str = "final_equity", *, largest: bool | None = None) -> Integers:
        """Numbers of the sets that have the figure, best first."""
        if objective not in FIGURES:
            raise InvalidInput(f"{objective} is no figure of a sweep: choose one of {', '.join(FIGURES)}")
        values = self.figures[objective].astype(np.float64)
        rows = np.flatnonzero(~np.isnan(values) & ~self.is_refused)
        if not len(rows):
            raise InvalidInput(
                f"no set has a {objective}: all {len(self)} were refused, or it is not defined"
            )
        wants_large = objective not in SMALLER_IS_BETTER if largest is None else largest
        keys = -values[rows] if wants_large else values[rows]
        return rows[np.argsort(keys, kind="stable")]

    def confirm(
        self, row: int | Mapping[str, Any] | None = None, objective: str = "final_equity"
    ) -> EngineRun:
        """Play one set (a number, a row of this result, or the best one) in the engine, and hold the row against it.

        Raises `Defect` where a fill differs, or money or drawdown by more than 1e-9 of itself, and `InvalidInput` for a
        set that both refuse.
        """
        if self.world is None:
            raise InvalidInput("this result has no engine at hand to confirm it: make it with gridtide.sweep")
        chosen = self.best(objective) if row is None else row
        number = int(chosen["set"] if isinstance(chosen, Mapping) else chosen)
        run = self._run(self.world, number)
        swept = None if self.engine[number] else self.world.fills(self.sets, number, run.walk)
        require_equal(self.row(number), run, swept)
        return run

    def _run(self, world: World, number: int) -> EngineRun:
        try:
            run = world.run(self.sets, number)
        except InvalidInput as error:
            if self.is_refused[number]:
                raise
            raise Defect(f"set {number} was swept, and the engine refuses it: {error}") from error
        if self.is_refused[number]:
            raise Defect(f"set {number} was refused, and the engine plays it: {self.row(number)['reason']}")
        return run

    def _reason(self, number: int) -> str:
        """A single row has the engine's own words, which nobody needs for each of a million."""
        reason = self.reasons[self.reason_codes[number]]
        return (
            self.world.explain(self.sets, number) if reason == UNPLACED and self.world is not None else reason
        )

    # --- elsewhere ---------------------------------------------------------------------------------

    def to_numpy(self) -> dict[str, NDArray[Any]]:
        """An array each column."""
        return {name: self[name] for name in self.columns}

    def to_pandas(self) -> Any:
        """A pandas frame. Raises `InvalidInput` where pandas is not installed."""
        return data_frame("pandas", self.to_numpy())

    def to_polars(self) -> Any:
        """A Polars frame. Raises `InvalidInput` where Polars is not installed."""
        return data_frame("polars", self.to_numpy())

    def relation(self) -> duckdb.DuckDBPyRelation:
        """A DuckDB relation: ``result.relation().filter("fills > 100").order("sharpe desc")``."""
        import duckdb

        connection = duckdb.connect()
        connection.execute("SET enable_progress_bar = false")
        connection.register("rows", self.to_numpy())
        return connection.sql("SELECT * FROM rows")

    def to_parquet(self, path: str | Path) -> Path:
        """Write the table; a file of that name is replaced once the new one is whole. Raises `StorageFailed`."""
        import duckdb

        target = Path(path)
        unfinished = target.with_name(f".{target.name}.unfinished")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.relation().write_parquet(str(unfinished), compression="zstd")
            unfinished.replace(target)
        except (OSError, duckdb.Error) as error:
            unfinished.unlink(missing_ok=True)
            said = str(error).splitlines()[0]
            raise StorageFailed(
                f"{target} could not be written ({said}): what was there is untouched"
            ) from None
        return target
