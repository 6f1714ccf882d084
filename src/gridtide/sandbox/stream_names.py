"""The market streams that are served, and those that are not: for the docs and the test that holds them to it."""

STREAMS = (
    ("<symbol>@trade", "at once", "each trade"),
    ("<symbol>@aggTrade", "at once", "trades of one taker order at one price, joined"),
    ("<symbol>@bookTicker", "at once", "best bid and ask"),
    ("<symbol>@depth", "1 s", "changes of the book; also `@depth@1000ms`"),
    ("<symbol>@depth@100ms", "100 ms", "changes of the book"),
    ("<symbol>@depth<levels>", "1 s", "the best 5, 10 or 20 levels"),
    ("<symbol>@depth<levels>@100ms", "100 ms", "the best 5, 10 or 20 levels"),
    ("<symbol>@kline_<interval>", "2 s (`1s`: 1 s)", "the open candle; a closed one at once"),
    ("<symbol>@kline_<interval>@+08:00", "2 s (`1s`: 1 s)", "candles of a clock eight hours ahead of UTC"),
    ("<symbol>@miniTicker", "1 s", "the last 24 hours, in short"),
    ("<symbol>@ticker", "1 s", "the last 24 hours"),
    ("<symbol>@ticker_<window>", "1 s", "the last `1h`, `4h` or `1d`"),
    ("<symbol>@avgPrice", "1 s", "the average price"),
    (
        "!miniTicker@arr",
        "1 s",
        "`miniTicker` of all markets that changed; also `@1000ms`, and `@3000ms` every 3 s",
    ),
    ("!ticker_<window>@arr", "1 s", "`ticker_<window>` of all markets that changed"),
)
"""Name, speed and content of each."""

SILENT_STREAMS = (
    ("!ticker@arr", "retired upstream on 2026-03-26; `retired_features` brings it back"),
    ("!bookTicker", "removed upstream"),
    ("<symbol>@referencePrice", "no market of the sandbox has a reference price"),
    ("<symbol>@blockTrade", "there are no block trades"),
)
"""Names that are accepted and send nothing, and why."""
