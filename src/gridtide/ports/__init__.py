"""Protocols, one a file. Above this line live async, clocks, sockets, SQL and logging; below it, none of these."""
