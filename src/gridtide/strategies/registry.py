"""Strategies by name: our own, and those that installed packages offer under ``gridtide.strategies``.

Entry points are looked up above the ports and handed in as loaders, so nothing foreign is imported before its
name was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, cast

from gridtide.domain.errors import GridtideError, InvalidConfig
from gridtide.strategies.grid.strategy import GridTradingStrategy
from gridtide.strategies.protocol import Strategy
from gridtide.strategies.single_order import SingleOrderStrategy

if TYPE_CHECKING:
    from gridtide.strategies.protocol import StrategyState

ENTRY_POINT_GROUP: Final = "gridtide.strategies"


class ConfigurableStrategy(Strategy, Protocol):
    """A strategy that a configuration file can name."""

    @classmethod
    def from_settings(cls, symbol: str, settings: Mapping[str, Any]) -> Self:
        """A fresh strategy for the market `symbol`; raises `InvalidConfig` naming the key."""


Loaders = Mapping[str, Callable[[], Any]]
"""Name → what imports the class, such as ``EntryPoint.load``."""

_OWN: Final[Mapping[str, type[ConfigurableStrategy]]] = {
    GridTradingStrategy.name: GridTradingStrategy,
    SingleOrderStrategy.name: SingleOrderStrategy,
}
_NEEDED: Final = ("from_settings", "from_state", "get_state", "on_start", "on_fill")


def strategy_names(plugins: Loaders | None = None) -> tuple[str, ...]:
    """Every name that `find_strategy` knows."""
    return tuple(sorted({*_OWN, *(plugins or {})}))


def find_strategy(name: str, plugins: Loaders | None = None) -> type[ConfigurableStrategy]:
    """The class of a strategy; our own names cannot be taken by a plugin.

    Raises `InvalidConfig` for an unknown name, and for a plugin that does not load or is no strategy.
    """
    if name in _OWN:
        return _OWN[name]
    if name not in (plugins or {}):
        raise InvalidConfig(f"strategy: {name!r} is unknown; there are {', '.join(strategy_names(plugins))}")
    return _load(name, (plugins or {})[name])


def create_strategy(
    name: str, symbol: str, settings: Mapping[str, Any], plugins: Loaders | None = None
) -> ConfigurableStrategy:
    """A fresh strategy from its settings, in which its ``name`` may stand; raises `InvalidConfig`."""
    own = {key: value for key, value in settings.items() if key != "name"}
    found = find_strategy(name, plugins)
    try:
        return found.from_settings(symbol, own)
    except GridtideError:
        raise
    except Exception as error:  # other people's code can raise anything
        raise InvalidConfig(
            f"strategy: {name!r} does not take these settings ({type(error).__name__}: {error})"
        ) from error


def restore_strategy(name: str, state: StrategyState, plugins: Loaders | None = None) -> Strategy:
    """The strategy that `state` was taken from."""
    return find_strategy(name, plugins).from_state(state)


def _load(name: str, load: Callable[[], Any]) -> type[ConfigurableStrategy]:
    try:
        found = load()
    except Exception as error:  # importing other people's code can raise anything
        raise InvalidConfig(f"strategy: {name!r} cannot be imported: {error}") from error
    missing = [attribute for attribute in _NEEDED if not callable(getattr(found, attribute, None))]
    if not isinstance(found, type) or missing:
        raise InvalidConfig(
            f"strategy: {name!r} is no strategy class; it lacks {', '.join(missing) or 'a class'}"
        )
    return cast("type[ConfigurableStrategy]", found)
