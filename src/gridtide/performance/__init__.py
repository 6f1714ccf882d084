"""How a run did: equity, drawdown, the ratios of the field, and what simpler ways would have made of the same cash."""
