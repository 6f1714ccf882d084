"""A process that commits as fast as it can and says the number of the newest entry after each commit.

Run as ``python -m tests.storage.committer URL [tidy]``; the crash tests kill it. With ``tidy`` it drops old entries of
the journal all the while.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from gridtide.domain.journal import OrderPut
from gridtide.domain.ledger import Ledger
from gridtide.domain.lifecycle import IntentState
from gridtide.storage.database import open_database
from gridtide.storage.retention import Retention
from gridtide.storage.sql_journal import open_bot
from tests.storage.builders import BOT, BTC, NOW, USDT, fill_commit, funded_ledger, order
from tests.storage.processes import say

EAGER = Retention(keep_ms=0, keep_newest=40, checkpoint_ms=0, chunk=15)


def main(url: str, *, tidy: bool) -> None:
    retention = EAGER if tidy else Retention()
    journal = open_bot(open_database(url), BOT, NOW, resume=True, retention=retention)
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
        if tidy:
            journal.renew_lease()


if __name__ == "__main__":
    main(sys.argv[1], tidy="tidy" in sys.argv)
