"""What an ingest worker says to gateways: receipts, and requests to send again or to begin anew."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from inventory.clock import Clock
from inventory.domain.instants import OLDEST
from inventory.services.messages import Message, Receipt
from mqtt_ingest import receipts, topics
from mqtt_ingest.formats import sparkplug

Enrolled = Callable[[], Sequence[tuple[str, str]]]
"""The code and the shard of each gateway that a worker is responsible for."""

_PATIENCE = timedelta(minutes=1)
"""How long an edge node that was asked for its births is given to send them."""

_MOST = 100_000
"""How many edge nodes are remembered to have been asked, or to be strangers: these may use any name."""

_log = logging.getLogger(__name__)


class Outlet(Protocol):
    """What is needed of `client.Subscriber`."""

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand a message to the connection; False where it cannot be sent now."""


def nobody() -> Sequence[tuple[str, str]]:
    """No gateways."""
    return ()


class Answers:
    """Says what is to be said; nothing of it has to arrive, for who does not hear it sends again in time anyway."""

    def __init__(self, outlet: Outlet, clock: Clock, enrolled: Enrolled = nobody, root: str = topics.ROOT) -> None:
        self._outlet = outlet
        self._clock = clock
        self._enrolled = enrolled
        self._root = root
        self._asked: dict[tuple[str, str], datetime] = {}
        self._unsure: set[tuple[str, str]] = set()

    def tell(self, told: Iterable[Receipt]) -> int:
        """Publish receipts, of each stream the furthest; how many went out."""
        sent = 0
        for receipt in receipts.newest(told):
            topic = topics.receipt_topic(receipt.gateway, receipt.shard, self._root)
            sent += self._outlet.publish(topic, receipts.encode(receipt))
        return sent

    def ask_to_resend(self) -> bool:
        """Ask every gateway to send again what has no receipt; False where none could be asked."""
        asked, gateways = 0, self._enrolled()
        for gateway, shard in gateways:
            topic = topics.receipt_topic(gateway, shard, self._root)
            asked += self._outlet.publish(topic, receipts.resend())
        if asked:
            _log.warning("%d gateways were asked to send again what has no receipt", asked)
        return asked > 0 or not gateways

    def ask_for_births(self, messages: Iterable[Message]) -> None:
        """Ask the edge nodes whose messages could not be understood for their births, each once in a while.

        Only those that are enrolled here: Sparkplug's topics have no root, and on the same broker others may have edge
        nodes of their own. Where that cannot be found out now, they are asked with the next call.
        """
        now = self._clock()
        said = {(each.gateway, each.shard) for each in messages if each.edge is not None and each.edge.rebirth}
        self._unsure |= {node for node in said if now - self._asked.get(node, OLDEST) >= _PATIENCE}
        if not self._unsure:
            return
        for gateway, shard in sorted(self._unsure.intersection(self._enrolled())):
            self._outlet.publish(topics.command_topic(gateway, shard), sparkplug.rebirth(now))
        if len(self._asked) >= _MOST:
            self._asked.clear()
        self._asked |= dict.fromkeys(self._unsure, now)
        self._unsure.clear()
