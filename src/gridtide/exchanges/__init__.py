"""Adapters to real exchanges over CCXT.

Errors are sorted by what the caller does next, requests kept within the rate budget.
"""
