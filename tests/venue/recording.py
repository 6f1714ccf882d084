"""A hand-made recording for tests of the venue: a small book around 100 and ways to go on with it."""

from decimal import Decimal

from gridtide.domain.candle import MarketTrade
from gridtide.domain.depth import DepthUpdate
from gridtide.domain.market import Timestamp
from gridtide.domain.money import Amount, Price
from gridtide.domain.order import Side
from gridtide.venue.messages import VenueEvent
from gridtide.venue.venue import Venue
from tests.venue.world import NOW, SYMBOL

Rows = dict[str, str]
BIDS: Rows = {"100": "5", "99": "8", "98": "20"}
ASKS: Rows = {"101": "4", "102": "6", "103": "30"}


class Recording:
    """Hands a venue one update or trade after the other, with ids that follow each other."""

    def __init__(self, venue: Venue, first_id: int = 1000) -> None:
        self.venue = venue
        self.last_id = first_id
        self.begin()

    def begin(self, bids: Rows = BIDS, asks: Rows = ASKS) -> tuple[VenueEvent, ...]:
        """A snapshot."""
        return self._tell(DepthUpdate(self.last_id, self.last_id, _rows(bids), _rows(asks), NOW, True))

    def tell(
        self, bids: Rows | None = None, asks: Rows | None = None, ids: int = 1
    ) -> tuple[VenueEvent, ...]:
        """A difference that takes `ids` update ids."""
        first, self.last_id = self.last_id + 1, self.last_id + ids
        return self._tell(DepthUpdate(first, self.last_id, _rows(bids or {}), _rows(asks or {}), NOW))

    def trade(self, price: str, amount: str, taker: Side, trade_id: int = 0) -> tuple[VenueEvent, ...]:
        paid, traded = Price(Decimal(price)), Amount(Decimal(amount))
        return self._tell(MarketTrade(SYMBOL, NOW, paid, traded, taker, trade_id))

    def _tell(self, move: DepthUpdate | MarketTrade) -> tuple[VenueEvent, ...]:
        return self.venue.move_market(SYMBOL, move, Timestamp(NOW))


def _rows(levels: Rows) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), Decimal(amount)) for price, amount in levels.items())
