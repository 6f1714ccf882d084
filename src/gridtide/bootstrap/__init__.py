"""The composition roots: the only package that joins adapters and configuration with the engine."""

from gridtide.bootstrap.bots import default_bot, grid_config, protocol_times
from gridtide.bootstrap.connection import connection_for
from gridtide.bootstrap.live import LiveOptions, build_live, build_order, has_grid
from gridtide.bootstrap.preview import Preview, preview

__all__ = [
    "LiveOptions",
    "Preview",
    "build_live",
    "build_order",
    "connection_for",
    "default_bot",
    "grid_config",
    "has_grid",
    "preview",
    "protocol_times",
]
