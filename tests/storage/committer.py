"""A process that commits as fast as it can and says the number of the newest entry after each commit.

Run as ``python -m tests.storage.committer URL``; the crash tests kill it.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from gridtide.domain.journal import OrderPut
from gridtide.domain.ledger import Ledger
from gridtide.domain.lifecycle import IntentState
from gridtide.storage.database import open_database
from gridtide.storage.sql_journal import open_bot
from tests.storage.builders import BOT, BTC, NOW, USDT, fill_commit, funded_ledger, order
from tests.storage.processes import say


def main(url: str) -> None:
    journal = open_bot(open_database(url), BOT, NOW, resume=True)
    snapshot = journal.load()
    if snapshot.is_resume:
        ledger = Ledger(BTC, USDT, snapshot.ledger)
        # The order that was planned when the process died is settled by the next fill, as a real one would be.
        number = snapshot.fill_count
    else:
        ledger, opened = funded_ledger()
        journal.commit([opened, OrderPut(replace(order("gt1-0"), state=IntentState.OPEN))], NOW)
        number = 0
    while True:
        say(str(journal.last_seq))
        journal.commit(fill_commit(ledger, number), NOW)
        number += 1


if __name__ == "__main__":
    main(sys.argv[1])
