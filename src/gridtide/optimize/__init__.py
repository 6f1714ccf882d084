"""Choosing a strategy's parameters: sweeps, searches, walk-forward, and what can be believed of them."""
