"""How price walks inside a candle, and where it next touches a level."""
