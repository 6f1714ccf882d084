"""Frozen values in the field's own words: assets, markets, orders, fills, the ledger, events and commands.

Nothing here knows a clock, a file, a network or a random number; everything is exact.
"""
