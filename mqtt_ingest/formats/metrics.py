"""What an edge node of Sparkplug B says: metrics, by name or only by the alias that its birth gave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mqtt_ingest.topics import Kind

Scalar = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a message, as it was sent; `at` is UTC.

    A message has a name, an alias, or in births both. Integers are as they stand on the wire, where a negative one
    is the two's complement of its `datatype`, which may have been said only in the birth (0 here).
    """

    name: str | None
    alias: int | None
    at: datetime | None
    datatype: int
    value: Scalar | None
    properties: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EdgeMessage:
    """A message of an edge node; `seq` counts its messages from 0 to 255, `birth` (bdSeq) its connections.

    `at` is when it was sent, by the edge node's own clock (UTC), if it said so. Which sensors its metrics are,
    `edge_nodes.EdgeNodes` knows, which heard the births.
    """

    kind: Kind
    seq: int | None
    birth: int | None
    metrics: tuple[Metric, ...]
    at: datetime | None = None
