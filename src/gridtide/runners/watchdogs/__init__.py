"""Watchdogs of a live run, one a file: each looks at one thing that silently goes wrong, and says what follows."""
