"""The transport record as it is stored: what was stated of it, and nothing else."""

from cattrs.preconf.json import make_converter

from inventory.domain.transport import TransportRecord
from inventory.persistence.columns import Json

_converter = make_converter(detailed_validation=False)  # what a record refuses is told as it is


def stored(record: TransportRecord | None) -> Json | None:
    """The stated fields of a record; None where nothing was stated."""
    fields = _converter.unstructure(record) if record else {}
    return {name: value for name, value in fields.items() if value is not None} or None


def loaded(departure: Json | None, arrival: Json | None = None) -> TransportRecord:
    """The record that the halves of both sides make together; what the sender stated of the departure stays.

    Raises:
        Invalid: `malformed` where one half arrives before the other departs.
    """
    sent = departure or {}
    stays = {name: value for name, value in sent.items() if name.startswith("depart")}
    return _converter.structure(sent | (arrival or {}) | stays, TransportRecord)
