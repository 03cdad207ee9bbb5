"""What a receiver may decide about goods, by what came with them.

The three outcomes of the Chinese rules (疫苗储存和运输管理规范; 疫苗管理法 art. 39): papers complete and temperature
right, receive; papers incomplete and temperature right, hold until they are complete; no record of the temperature, or
out of range, must not be received.
"""

from collections.abc import Collection
from dataclasses import dataclass

from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.temperature import celsius
from inventory.domain.words import Outcome, Paper


@dataclass(frozen=True)
class Goods:
    """What is known of goods at the door.

    Attributes:
        temperature: of the vaccine on arrival, in hundredths of a degree; None where nobody measured it.
        low, high: the band of its storage profile, both ends included.
        watched: whether sensors of ours saw the way, which then is on record without a measurement at the door.
        papers: what came with goods from a supplier; None for a shipment of ours, which needs none.
        missing: the papers that should have come and did not.
    """

    temperature: int | None
    low: int
    high: int
    watched: bool = False
    papers: tuple[Paper, ...] | None = None
    missing: tuple[Paper, ...] = ()


def required_papers(imported: bool) -> tuple[Paper, ...]:
    """The papers that goods from a supplier need, beside the record of the temperature."""
    return (Paper.LOT_RELEASE, Paper.DELIVERY_NOTE, *((Paper.IMPORT_CLEARANCE,) if imported else ()))


def missing_papers(imported: bool, papers: Collection[Paper]) -> tuple[Paper, ...]:
    """The papers that goods from a supplier need and did not bring."""
    return tuple(paper for paper in required_papers(imported) if paper not in papers)


def check(outcome: Outcome, goods: Goods, reason: str | None) -> None:
    """Refuse an outcome that what is known of the goods does not allow.

    Raises:
        Invalid: `malformed` for a refusal without a reason.
        Conflict: `no_temperature_record`, `temperature_out_of_range` or `papers_incomplete`.
    """
    if outcome is Outcome.REFUSE:
        reason_given(reason)
        return
    _temperature(goods)
    if outcome is Outcome.ACCEPT and goods.missing:
        missing = ", ".join(goods.missing)
        expected = N_("the outcome hold until these papers have come: %(missing)s")
        raise Conflict(Code.PAPERS_INCOMPLETE, "outcome", outcome, expected, missing=missing)


def reason_given(reason: str | None) -> None:
    """Refuse to note without a reason that goods were not in order.

    Raises:
        Invalid: `malformed`.
    """
    if reason is None:
        raise Invalid(Code.MALFORMED, "reason", None, N_("the reason why goods are refused, damaged or too many"))


def _temperature(goods: Goods) -> None:
    if goods.papers is not None and Paper.TEMPERATURE_RECORD not in goods.papers:
        expected = N_("temperature-record among the papers; without it the outcome is refuse")
        raise Conflict(Code.NO_TEMPERATURE_RECORD, "papers", ", ".join(goods.papers) or None, expected)
    if goods.temperature is None and not goods.watched:
        expected = N_("the temperature of the vaccine at the door; without it the outcome is refuse")
        raise Conflict(Code.NO_TEMPERATURE_RECORD, "transport.arrival_celsius", None, expected)
    if goods.temperature is not None and not goods.low <= goods.temperature <= goods.high:
        expected = N_("the outcome refuse, for it is not between %(low)s and %(high)s degrees")
        raise Conflict(
            Code.TEMPERATURE_OUT_OF_RANGE,
            "transport.arrival_celsius",
            celsius(goods.temperature),
            expected,
            low=celsius(goods.low),
            high=celsius(goods.high),
        )
