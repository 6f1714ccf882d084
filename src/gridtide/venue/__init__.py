"""The simulated exchange as a step function: accounts, order book, matching, fees, latency and faults.

It shares nothing with the engine but the domain, and draws randomness only from a seeded generator handed in.
"""
