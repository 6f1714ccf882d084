"""Choosing a strategy's parameters: sweeps, search, walk-forward and the verdict on what they found."""
