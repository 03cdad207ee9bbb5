"""What gateways say of themselves, and what their messages' arrival says of their clocks."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from inventory.domain.presence import LEAST_KEPT
from inventory.persistence.statements import core, insert_new
from inventory.persistence.tables import GatewayState
from inventory.services.messages import Presence

_log = logging.getLogger(__name__)


class Named(Protocol):
    """A gateway, as far as it is known here."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def code(self) -> str:
        """Its code."""


def note(session: Session, gateway: Named, presence: Presence, at: datetime) -> None:
    """Note what a gateway, or its last will, said at `at`.

    What is older than what was said last changes nothing. Neither does a will of another birth than the last one: it
    is of a connection that a later one has replaced, and a broker may publish it long after.
    """
    insert_new(session, GatewayState, [{"gateway_id": gateway.id}])
    query = select(GatewayState).where(GatewayState.gateway_id == gateway.id).with_for_update()
    state = session.scalars(query, execution_options={"populate_existing": True}).one()
    if _is_past(state, presence, at):
        _log.info("gateway %s: %s at %s is past; its birth was %s", gateway.code, presence, at, state.birth)
        return
    state.online, state.said_at, state.birth = presence.online, at, presence.birth
    if presence.online:
        state.heard_at = max(state.heard_at or at, at)
    session.flush()


def _is_past(state: GatewayState, presence: Presence, at: datetime) -> bool:
    if state.said_at is not None and at < state.said_at:
        return True
    numbered = state.birth is not None and presence.birth is not None
    return not presence.online and numbered and state.birth != presence.birth


def note_lags(session: Session, lags: Mapping[UUID, int], now: datetime) -> None:
    """Note how far behind the newest readings of gateways' last messages were as they arrived, in milliseconds.

    The least is kept for a day; with the first lag noted after that it begins anew.
    """
    if not lags:
        return
    insert_new(session, GatewayState, [{"gateway_id": each} for each in sorted(lags)])
    state, lag = core(GatewayState).c, bindparam("new_lag", type_=GatewayState.lag.type)
    over = or_(state.lag_since.is_(None), state.least_lag.is_(None), state.lag_since <= now - LEAST_KEPT)
    session.connection().execute(
        update(core(GatewayState))
        .where(state.gateway_id == bindparam("of", type_=state.gateway_id.type))
        .values(
            lag=lag,
            least_lag=case((or_(over, state.least_lag > lag), lag), else_=state.least_lag),
            lag_since=case((over, now), else_=state.lag_since),
            heard_at=case((or_(state.heard_at.is_(None), state.heard_at < now), now), else_=state.heard_at),
        ),
        [{"of": gateway_id, "new_lag": each} for gateway_id, each in sorted(lags.items())],
    )
