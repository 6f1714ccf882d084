"""Candles and market trades: read from files, fetched from exchanges, replayed and followed live."""
