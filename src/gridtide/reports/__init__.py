"""Results of backtests: as values, as tables, saved, compared, and drawn."""
