"""The operations of the exchange, one file a subject."""
