"""A Binance-compatible exchange on your own machine: REST and WebSocket over the venue.

It shares no wire code with the exchange adapters, so that a test of one against the other proves something.
"""
