"""Trading strategies: each decides what orders it wants, by slot, and leaves the rest to the engine."""
