"""Gateways as devices: whether they are there, how right their clocks are, and what is missing of their messages."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.presence import clock_state
from inventory.domain.words import ClockState
from inventory.persistence.database import Database
from inventory.persistence.tables import Facility, Gateway, GatewayState, MessageAhead, MessageStream
from inventory.services.paging import Page, page

MOST_RANGES = 100
"""How many holes of one stream are shown; all of them are counted."""


@dataclass(frozen=True)
class GatewayView:
    """A gateway and what is known of it as a device.

    `online` is what it or its last will said last, at `said_at`; None where it never said. `lag` is how far behind
    its newest reading was in its last message, `clock_skew` is how far its clock is ahead by the least lag since
    `lag_since`: see inventory.domain.presence. `streams_with_holes` counts the boots of which messages are missing.
    """

    code: str
    facility: str
    shard: str
    online: bool | None
    said_at: datetime | None
    heard_at: datetime | None
    lag: timedelta | None
    clock: ClockState | None
    clock_skew: timedelta | None
    clock_since: datetime | None
    streams_with_holes: int


@dataclass(frozen=True)
class MissingRange:
    """Numbers, both included, that were not received though a later one was."""

    first: int
    last: int


@dataclass(frozen=True)
class StreamView:
    """The numbered messages of one boot: all up to `committed_seq` are stored, but for those that were `skipped`.

    Skipped are those that the gateway itself gave up. `missing` counts the numbers below the highest that was
    received and not stored yet; `ranges` are the first of them.
    """

    boot: str
    committed_seq: int
    highest_seq: int
    skipped: int
    missing: int
    ranges: tuple[MissingRange, ...]
    heard_at: datetime


def list_gateways(database: Database, after: str | None, limit: int) -> Page[GatewayView]:
    """Gateways by code."""
    holes = (
        select(MessageAhead.gateway_id, func.count(MessageAhead.boot.distinct()).label("streams"))
        .group_by(MessageAhead.gateway_id)
        .subquery("holes")
    )
    query = (
        select(Gateway, Facility.code, GatewayState, func.coalesce(holes.c.streams, 0))
        .join(Facility, Facility.id == Gateway.facility_id)
        .outerjoin(GatewayState, GatewayState.gateway_id == Gateway.id)
        .outerjoin(holes, holes.c.gateway_id == Gateway.id)
    )
    with database.read() as session:
        return page(session, query, [Gateway.code], after, limit).map(
            lambda row: _view(row[0], row[1], row[2] or GatewayState(), row[3])
        )


def enrolled(database: Database, shards: Sequence[str]) -> list[tuple[str, str]]:
    """Code and shard of each gateway of some shards."""
    with database.read() as session:
        found = session.execute(select(Gateway.code, Gateway.shard).order_by(Gateway.code))
        return [(row.code, row.shard) for row in found if row.shard in shards]


def list_streams(database: Database, gateway: str, after: str | None, limit: int) -> Page[StreamView]:
    """The streams of a gateway by their boot.

    Raises:
        NotFound: `not_found` for a gateway that is not enrolled.
    """
    with database.read() as session:
        gateway_id = session.scalar(select(Gateway.id).where(Gateway.code == gateway))
        if gateway_id is None:
            raise NotFound(Code.NOT_FOUND, "gateway", gateway, N_("the code of a gateway"))
        ahead = (
            select(MessageAhead.boot, func.max(MessageAhead.seq).label("highest"), func.count().label("waiting"))
            .where(MessageAhead.gateway_id == gateway_id)
            .group_by(MessageAhead.boot)
            .subquery("ahead")
        )
        query = select(MessageStream, ahead.c.highest, ahead.c.waiting).outerjoin(
            ahead, ahead.c.boot == MessageStream.boot
        )
        query = query.where(MessageStream.gateway_id == gateway_id)
        found = page(session, query, [MessageStream.boot], after, limit)
        ranges = _ranges(session, gateway_id, [row[0].boot for row in found.items if row.highest is not None])
        return found.map(lambda row: _stream(row[0], row.highest, row.waiting, ranges[row[0].boot]))


def _view(gateway: Gateway, facility: str, state: GatewayState, holes: int) -> GatewayView:
    least = _milliseconds(state.least_lag)
    return GatewayView(
        code=gateway.code,
        facility=facility,
        shard=gateway.shard,
        online=state.online,
        said_at=state.said_at,
        heard_at=state.heard_at,
        lag=_milliseconds(state.lag),
        clock=None if least is None else clock_state(least),
        clock_skew=None if least is None else -least,
        clock_since=state.lag_since,
        streams_with_holes=holes,
    )


def _milliseconds(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(milliseconds=number)


def _stream(stream: MessageStream, highest: int | None, waiting: int | None, ranges: Sequence[Any]) -> StreamView:
    top = highest or stream.committed_seq
    return StreamView(
        boot=stream.boot,
        committed_seq=stream.committed_seq,
        highest_seq=top,
        skipped=stream.skipped,
        missing=top - stream.committed_seq - (waiting or 0),
        ranges=tuple(MissingRange(row.first, row.last) for row in ranges),
        heard_at=stream.heard_at,
    )


def _ranges(session: Session, gateway_id: UUID, boots: Iterable[str]) -> dict[str, list[Any]]:
    """The first holes of each boot: what lies between a number that was received and the one before it."""
    of = MessageAhead
    before = func.lag(of.seq).over(partition_by=of.boot, order_by=of.seq)
    query = (
        select(of.boot, (func.coalesce(before, MessageStream.committed_seq) + 1).label("first"), of.seq)
        .join(MessageStream, (MessageStream.gateway_id == of.gateway_id) & (MessageStream.boot == of.boot))
        .where(of.gateway_id == gateway_id, of.boot.in_(boots))
    ).subquery("seen")
    seen = query.c
    place = func.row_number().over(partition_by=seen.boot, order_by=seen.first).label("place")
    holes = select(seen.boot, seen.first, (seen.seq - 1).label("last"), place).where(seen.first < seen.seq)
    shown = holes.subquery("holes")
    found: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(select(shown).where(shown.c.place <= MOST_RANGES).order_by(shown.c.boot, shown.c.first)):
        found[row.boot].append(row)
    return found
