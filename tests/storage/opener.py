"""A process that opens a database and takes a bot's lease. Run as ``python -m tests.storage.opener URL [hold]``.

It waits for a line on its standard input before it opens, says how that went, and with ``hold`` keeps the lease.
"""

from __future__ import annotations

import sys

from gridtide.domain.errors import GridtideError
from gridtide.storage.database import open_database
from gridtide.storage.sql_journal import open_bot
from tests.storage.builders import BOT, NOW
from tests.storage.processes import say


def main(url: str, *, hold: bool) -> None:
    say("ready")
    sys.stdin.readline()
    try:
        database = open_database(url)
        if hold:
            open_bot(database, BOT, NOW, resume=True)
        say("opened")
    except GridtideError as error:
        say(f"{type(error).__name__}: {error}")
    sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1], hold="hold" in sys.argv)
