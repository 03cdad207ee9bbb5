"""Doses given to people at a site, one by one or as a list with a result for each line."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from inventory.domain.errors import ColdtrailError
from inventory.domain.instants import stated
from inventory.persistence.database import ATTEMPT, Database
from inventory.services import ledger
from inventory.services.giving import AdministrationOrder, Shelves
from inventory.services.ledger import Draft
from inventory.services.posting import Fault, Posted, PostedList, Request, post, post_list, post_together
from inventory.services.rounds import Rounds, Waiting

__all__ = ["AdministrationList", "AdministrationOrder", "administer", "administer_list"]


@dataclass(frozen=True)
class AdministrationList:
    """Up to a thousand administrations, in the order in which they are to be carried out.

    `malformed` are the lines that nobody can carry out, by their places: a repeat is known by them, too.
    """

    administrations: tuple[AdministrationOrder, ...]
    malformed: tuple[tuple[int, str], ...] = ()


def administer(database: Database, request: Request, order: AdministrationOrder) -> Posted:
    """Give doses; the last event's id is the administration's, for a vial may have to be opened first.

    Raises:
        Forbidden: `forbidden`, `not_your_facility`.
        Invalid: `not_found`, `unknown_product`, `unknown_batch`, `naive_time`, `time_in_future`,
            `wrong_facility_kind`, `wrong_appliance`, `wrong_custody`, `named_person`.
        Conflict: `batch_expired`, `batch_recalled`, `not_usable`, `not_enough_doses`, `pack_elsewhere`,
            `time_before_custody`, `time_before_count`, `idempotency_key_reused`.
    """

    def alone(request: Request, order: AdministrationOrder) -> Posted:
        return post(database, request, order, _alone)

    def together(party: Sequence[Waiting[AdministrationOrder]]) -> Sequence[Posted | None]:
        return post_together(database, [(each.request, each.order) for each in party], _together)

    return _rounds(database).post(request, order, alone, together)


def administer_list(database: Database, request: Request, order: AdministrationList) -> PostedList:
    """Give doses line by line in one transaction; a line that is refused leaves the others as they are."""
    return post_list(database, request, order, _administer_list)


_making = Lock()
_of: WeakKeyDictionary[Database, Rounds[AdministrationOrder]] = WeakKeyDictionary()


def _rounds(database: Database) -> Rounds[AdministrationOrder]:
    """The administrations that wait for this database in this process."""
    with _making:
        return _of.setdefault(database, Rounds())


def _alone(session: Session, request: Request, order: AdministrationOrder) -> Posted:
    drafts = Shelves(session, request.now).drafts(request.actor, order)
    return Posted(ledger.record_together(session, [(request, draft) for draft in drafts]))


def _together(session: Session, entries: Sequence[tuple[Request, AdministrationOrder]]) -> Sequence[Posted | None]:
    """The administrations of several requests; who is refused is to be told by himself."""
    shelves = Shelves(session, max(request.now for request, _ in entries))
    shelves.look_ahead(order for _, order in entries)
    drafts = [_drafts(shelves, request, order) for request, order in entries]
    requests = [request for request, _ in entries]
    good = [(request, draft) for request, mine in zip(requests, drafts, strict=True) for draft in mine]
    posted = iter(ledger.record_together(session, good) if good else ())
    return [Posted(tuple(next(posted) for _ in mine)) if mine else None for mine in drafts]


def _drafts(shelves: Shelves, request: Request, order: AdministrationOrder) -> list[Draft]:
    """The events of one of several, none where it is refused; its own clock counts, not the latest of them."""
    try:
        stated("occurred_at", order.occurred_at, request.now)
        return shelves.drafts(request.actor, order)
    except ColdtrailError:
        return []


def _administer_list(session: Session, request: Request, order: AdministrationList) -> PostedList:
    shelves = Shelves(session, request.now)
    if session.info.get(ATTEMPT):
        shelves.hold(request.actor, order.administrations)
    shelves.look_ahead(order.administrations)
    drafts: list[list[Draft] | ColdtrailError] = []
    for line in order.administrations:
        try:
            drafts.append(shelves.drafts(request.actor, line))
        except ColdtrailError as refused:
            drafts.append(refused)
    good = [(request, draft) for line in drafts if not isinstance(line, ColdtrailError) for draft in line]
    posted = iter(ledger.record_together(session, good) if good else ())
    return PostedList(
        tuple(
            Fault.of(line) if isinstance(line, ColdtrailError) else Posted(tuple(next(posted) for _ in line))
            for line in drafts
        )
    )
