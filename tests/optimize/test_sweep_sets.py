"""Sets over a config: however they are written they mean the same, and they are judged as the config would be."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridtide.bootstrap.backtest_checks import check_settings
from gridtide.bootstrap.engine_backtest import with_overrides
from gridtide.bootstrap.notebook import settings_of
from gridtide.bootstrap.sweep_parameters import parameters_of
from gridtide.domain.errors import InvalidConfig, InvalidInput
from gridtide.optimize.parameter_sets import ParameterSets, sets_of
from gridtide.optimize.parameters import Parameters
from gridtide.optimize.set_rules import Account, refusals
from tests.backtest.worlds import config, grid_settings

pandas = pytest.importorskip("pandas")

SETTINGS = settings_of(config(backtest={"balance": {"USDT": "1500", "ABC": "3"}}))
ACCOUNT = Account("ABC", "USDT", {"USDT": Decimal(1500), "ABC": Decimal(3)})


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return parameters_of(SETTINGS)


def rows_of(sets: ParameterSets) -> list[dict[str, Any]]:
    return [sets.set_of(row) for row in range(len(sets))]


# --- how sets are written ----------------------------------------------------------------------------


def test_a_dict_of_lists_is_every_combination_the_last_parameter_fastest(parameters: Parameters) -> None:
    sets = sets_of(parameters, {"lower_price": ["80", 90], "num_grids": [5, 9], "spacing": "arithmetic"})
    assert rows_of(sets) == [
        {"lower_price": Decimal(low), "num_grids": count, "spacing": "arithmetic"}
        for low in (80, 90)
        for count in (5, 9)
    ]


TABLE = {
    "lower_price": [80.5, 90.0, 95.25],
    "num_grids": [5, 9, 7],
    "spacing": ["geometric", "arithmetic", "geometric"],
    "fees.maker": [0.0, 0.00075, 0.001],
}
"""Three sets, columns of every kind."""


def as_dicts(folder: Path) -> Any:
    return [dict(zip(TABLE, row, strict=True)) for row in zip(*TABLE.values(), strict=True)]


def as_frame(folder: Path) -> Any:
    return pandas.DataFrame(TABLE)


def as_records(folder: Path) -> Any:
    kinds = [("lower_price", "f8"), ("num_grids", "i4"), ("spacing", "U10"), ("fees.maker", "f8")]
    return np.array(list(zip(*TABLE.values(), strict=True)), dtype=kinds)


def as_csv(folder: Path) -> Any:
    as_frame(folder).to_csv(folder / "sets.csv", index=False)
    return folder / "sets.csv"


def as_parquet(folder: Path) -> Any:
    import duckdb

    duckdb.connect().from_df(as_frame(folder)).write_parquet(str(folder / "sets.parquet"))
    return str(folder / "sets.parquet")


@pytest.mark.parametrize("make", [as_dicts, as_frame, as_records, as_csv, as_parquet])
def test_every_kind_of_table_means_the_same_sets(parameters: Parameters, tmp_path: Path, make: Any) -> None:
    expected = [
        {"lower_price": Decimal("80.5"), "num_grids": 5, "spacing": "geometric", "fees.maker": Decimal(0)},
        {
            "lower_price": Decimal(90),
            "num_grids": 9,
            "spacing": "arithmetic",
            "fees.maker": Decimal("0.00075"),
        },
        {
            "lower_price": Decimal("95.25"),
            "num_grids": 7,
            "spacing": "geometric",
            "fees.maker": Decimal("0.001"),
        },
    ]
    assert rows_of(sets_of(parameters, make(tmp_path))) == expected


def test_an_empty_cell_is_the_configs_own_value_and_none_leaves_a_setting_out(parameters: Parameters) -> None:
    frame = pandas.DataFrame({"num_grids": [5, None], "spacing": [None, "arithmetic"]})
    assert rows_of(sets_of(parameters, frame)) == [
        {"num_grids": 5, "spacing": "geometric"},
        {"num_grids": 11, "spacing": "arithmetic"},
    ]
    dicts: list[dict[str, Any]] = [{"reserve": "0.01"}, {"reserve": None}, {"num_grids": 7}]
    assert [row["reserve"] for row in rows_of(sets_of(parameters, dicts))] == [Decimal("0.01"), None, None]


def test_intervals_take_the_place_of_the_configs_num_grids(parameters: Parameters) -> None:
    sets = sets_of(parameters, [{"intervals": 4}, {"num_grids": 6}, {"lower_price": 85}])
    counts = [with_overrides(SETTINGS, sets.overrides(row)).bots[0].grid.levels for row in range(3)]
    assert counts == [5, 6, 11]


def test_a_float_is_its_shortest_decimal_to_eight_places_and_text_is_exact(parameters: Parameters) -> None:
    values = [0.1, 41666.666666666664, "0.1234567891", 1e-7, 123456789012.5, np.float64(2.5)]
    found = [row["lower_price"] for row in rows_of(sets_of(parameters, {"lower_price": values}))]
    exact = ("0.1", "41666.66666667", "0.1234567891", "0.0000001", "123456789012.5", "2.5")
    assert found == [Decimal(text) for text in exact]
    floats = np.array([0.1, 41666.666666666664, 1e-7, 123456789012.5])
    assert [row["lower_price"] for row in rows_of(sets_of(parameters, {"lower_price": floats}))] == [
        Decimal(exact[place]) for place in (0, 1, 3, 4)
    ]


@pytest.mark.parametrize("name", ["fees.maker", "backtest.fees.maker", "maker"])
def test_a_key_is_found_by_the_end_of_its_place(parameters: Parameters, name: str) -> None:
    assert parameters.named(name).path == ("backtest", "fees", "maker")


@pytest.mark.parametrize(
    "sets, said",
    [
        (
            {"num_grid": [3]},
            "num_grid: the config has no such setting that sets could vary; did you mean num_grids",
        ),
        ({"num_grids": [5, 1]}, 'set 1, num_grids: "1" is not allowed; it must be at least 2'),
        ({"num_grids": [5.5]}, "set 0, num_grids: must be a whole number"),
        ({"spacing": ["wide"]}, 'spacing: "wide" is not allowed; allowed: arithmetic, geometric'),
        (
            {"lower_price": np.array([90.0, -1.0])},
            'set 1, lower_price: "-1.0" is not allowed; it must be above 0',
        ),
        ({"lower_price": [float("inf")]}, "set 0, lower_price: inf is no number"),
        ({"maker": ["0.1"], "fees.maker": ["0.2"]}, "fees.maker is named twice"),
        ({"balance": [1]}, "balance: the config has no such setting"),
        ({"num_grids": []}, "num_grids has no values"),
        ({}, "there are no parameters"),
        ([], "there are no sets"),
        (7, "a int is no set of parameters"),
        ("no-such-file.csv", "no-such-file.csv is not there"),
        ({"num_grids": range(2, 1000), "mirror_after_seconds": range(1, 100_000)}, "sets are more than"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(parameters: Parameters, sets: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said.replace("(", r"\(")) as caught:
        sets_of(parameters, sets)
    assert "\n" not in str(caught.value)


# --- what sets are worth -----------------------------------------------------------------------------


def drawn_set(rng: random.Random) -> dict[str, Any]:
    """Values that one by one are allowed, or nearly; together often not."""
    found: dict[str, Any] = {
        "lower_price": rng.choice(["80", "100", "110", "120"]),
        "upper_price": rng.choice(["80", "110", "120"]),
        "total_investment": rng.choice(["0", "900", "1500", "1500.01"]),
        "base_amount": rng.choice(["0", "0", "2", "3.5"]),
        "base_cost": rng.choice([None, None, "0", "100"]),
        "sizing": rng.choice(["equal_base", "quote_only", "base_and_quote"]),
        "fees.asset": rng.choice(["received", "quote", "BNB", "ABC", "usdt"]),
        "fees.asset_price": rng.choice([None, None, "300"]),
        **rng.choice(
            [{"num_grids": 7}, {"intervals": 6}, {"num_grids": 7, "intervals": 6}, {"num_grids": None}]
        ),
    }
    keys = rng.sample(list(found), rng.randint(1, len(found)))
    return {key: found[key] for key in found if key in keys}


def verdict_of_the_config(overrides: Mapping[tuple[str, ...], Any]) -> str:
    """What config and backtest say of a set; empty where they take it."""
    try:
        check_settings(with_overrides(SETTINGS, overrides))
    except InvalidInput as error:
        return str(error)
    return ""


def test_columns_give_the_configs_own_verdicts(parameters: Parameters) -> None:
    """The same sets are refused; the reason is one of those that the config gives."""
    rng = random.Random(5)
    drawn = [drawn_set(rng) for _ in range(400)]
    sets = sets_of(parameters, drawn)
    found = refusals(sets, ACCOUNT, is_grid=True)
    refused = 0
    for row in range(len(drawn)):
        own, reason = verdict_of_the_config(sets.overrides(row)), found.reasons[found.codes[row]]
        assert bool(own) == bool(reason), f"{drawn[row]}: {own!r} and {reason!r}"
        own_words = ("backtest.balance has", "asset_price is missing")
        assert not reason or reason in own or any(words in own and words in reason for words in own_words)
        refused += bool(reason)
    assert 100 < refused < 350


def test_one_value_is_judged_as_the_config_judges_it(parameters: Parameters) -> None:
    """For every key of a grid, its limits and its fees: values of all kinds, allowed or not."""
    values: list[Any] = [
        "0",
        "1",
        "-1",
        0,
        1,
        2,
        1000,
        1001,
        "0.1",
        "0.11",
        True,
        "yes",
        "geometric",
        "x",
        None,
    ]
    for parameter in parameters:
        for value in values:
            try:
                expected = with_overrides(SETTINGS, {parameter.path: value})
            except InvalidConfig as error:
                if f"{parameter.path[-1]}:" in str(error):  # else it is the combination that is wrong
                    with pytest.raises(InvalidInput):
                        sets_of(parameters, {parameter.key: [value]})
                continue
            sets = sets_of(parameters, {parameter.key: [value]})
            again = with_overrides(SETTINGS, {parameter.path: sets.set_of(0)[parameter.key]})
            assert again == expected, f"{parameter.key}: {value!r}"


def test_a_million_sets_take_no_objects(parameters: Parameters) -> None:
    """A million sets of four parameters are read and judged in seconds, in 8 bytes a value."""
    rng = np.random.default_rng(1)
    count = 1_000_000
    table = pandas.DataFrame(
        {
            "lower_price": rng.uniform(50, 100, count),
            "upper_price": rng.uniform(90, 150, count),
            "num_grids": rng.integers(2, 300, count),
            "post_only": rng.integers(0, 2, count).astype(bool),
        }
    )
    sets = sets_of(parameters, table)
    found = refusals(sets, ACCOUNT, is_grid=True)
    wrong = np.round(table["upper_price"], 8) <= np.round(table["lower_price"], 8)
    assert (found.codes > 0).sum() == wrong.sum()
    assert sum(column.values.nbytes for column in sets.columns.values()) == 5 * 8 * count
    assert not any(column.long for column in sets.columns.values())


def test_grid_settings_of_the_tests_are_a_config() -> None:
    """The base of all of the above is valid by itself."""
    assert settings_of(config(grid_settings())).bots[0].grid.levels == 11
