"""The transport record as it is stored: what was stated of it, and nothing else."""

from cattrs.preconf.json import make_converter

from inventory.domain.transport import TransportRecord
from inventory.persistence.columns import Json

_converter = make_converter()


def stored(record: TransportRecord | None) -> Json | None:
    """The stated fields of a record; None where nothing was stated."""
    fields = _converter.unstructure(record) if record else {}
    return {name: value for name, value in fields.items() if value is not None} or None


def loaded(*halves: Json | None) -> TransportRecord:
    """The record that the halves of both sides make together."""
    whole = {name: value for half in halves if half for name, value in half.items()}
    return _converter.structure(whole, TransportRecord)
