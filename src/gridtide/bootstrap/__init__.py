"""The composition roots: the only package that joins adapters and configuration with the engine."""

from gridtide.bootstrap.bots import default_bot, grid_config, protocol_times
from gridtide.bootstrap.connection import connection_for
from gridtide.bootstrap.doctor import Examination, examine
from gridtide.bootstrap.live import LiveOptions, build_live, build_order, has_grid
from gridtide.bootstrap.preview import Preview, check_strategy, preview
from gridtide.bootstrap.rebuild import Rebuilt, rebuild_books

__all__ = [
    "Examination",
    "LiveOptions",
    "Preview",
    "Rebuilt",
    "build_live",
    "build_order",
    "check_strategy",
    "connection_for",
    "default_bot",
    "examine",
    "grid_config",
    "has_grid",
    "preview",
    "protocol_times",
    "rebuild_books",
]
