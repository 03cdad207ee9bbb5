"""What each kind of event may do: who posts it, at which facilities, from which locations, and into what.

One table, asked by every service that writes the ledger and walked by a test: kind of event by kind of location.
"""

from dataclasses import dataclass

from inventory.domain.errors import N_, Code, Conflict, Forbidden, Invalid
from inventory.domain.words import EventKind, FacilityKind, LocationKind, Role

STORAGE, QUARANTINE, TRANSIT = LocationKind.STORAGE, LocationKind.QUARANTINE, LocationKind.TRANSIT

STORES = frozenset(kind for kind in FacilityKind if kind.is_store)
SITES = frozenset(kind for kind in FacilityKind if kind.is_site)
WRITERS = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.STAFF})
SUPERVISORS = frozenset({Role.ADMIN, Role.SUPERVISOR})


@dataclass(frozen=True)
class Handling:
    """The rule of one kind of event.

    Attributes:
        roles: whose holders may post it; all but an admin only for facilities of theirs.
        facilities: the kinds of facility that post it.
        sources: the kinds of location that it takes doses from; none where it takes none, or any (a correction).
        expired: whether doses past the label's expiry, or past the limit of an opened or thawed vial, may be taken.
        recalled: whether doses of a recalled batch may be taken.
        whole_vials: whether only unopened vials may be taken.
        needs: what an order states beside the doses, by the names of its fields; domain.arrivals says what a receipt's
            outcome needs in turn.
    """

    roles: frozenset[Role]
    facilities: frozenset[FacilityKind]
    sources: frozenset[LocationKind]
    expired: bool = True
    recalled: bool = True
    whole_vials: bool = False
    needs: tuple[str, ...] = ()


def _sources(*kinds: LocationKind) -> frozenset[LocationKind]:
    return frozenset(kinds)


HANDLING: dict[EventKind, Handling] = {
    EventKind.RECEIVE: Handling(
        WRITERS, STORES | SITES, _sources(TRANSIT, QUARANTINE), needs=("appliance", "outcome", "transport")
    ),
    EventKind.DISPATCH: Handling(
        WRITERS, STORES | SITES, _sources(STORAGE), expired=False, recalled=False, whole_vials=True
    ),
    EventKind.MOVE: Handling(WRITERS, STORES | SITES, _sources(STORAGE, QUARANTINE), needs=("to_appliance",)),
    EventKind.OPEN: Handling(WRITERS, SITES, _sources(STORAGE), expired=False, recalled=False, whole_vials=True),
    EventKind.ADMINISTER: Handling(WRITERS, SITES, _sources(STORAGE), expired=False, recalled=False),
    EventKind.WASTE: Handling(WRITERS, STORES | SITES, _sources(STORAGE, QUARANTINE, TRANSIT), needs=("cause",)),
    EventKind.HOLD: Handling(WRITERS, STORES | SITES, _sources(STORAGE, TRANSIT), needs=("reason",)),
    EventKind.RELEASE: Handling(
        WRITERS, STORES | SITES, _sources(QUARANTINE), expired=False, recalled=False, needs=("reason",)
    ),
    EventKind.COUNT: Handling(WRITERS, STORES | SITES, _sources(STORAGE, QUARANTINE), needs=("counted", "appliance")),
    EventKind.RETURN: Handling(
        WRITERS, STORES | SITES, _sources(STORAGE, QUARANTINE), whole_vials=True, needs=("reason",)
    ),
    EventKind.RECALL: Handling(SUPERVISORS, STORES, _sources(STORAGE, TRANSIT), needs=("reason",)),
    EventKind.OVERRIDE: Handling(SUPERVISORS, STORES | SITES, _sources(), needs=("reason",)),
    EventKind.CORRECT: Handling(WRITERS, STORES | SITES, frozenset(LocationKind), needs=("reason",)),
}
"""Only a CDC store supplies (疫苗管理法 art. 35): a site dispatches its surplus to a site of the same store, by that
store's order; doses on their way are received, held, or explained as wasted, and nothing else."""


ABOARD = frozenset({kind for kind, rule in HANDLING.items() if TRANSIT in rule.sources} | {EventKind.RELEASE})
"""What may touch doses that are held on their way: they lie in a quarantine, but nobody has received them."""


def may_post(kind: EventKind, role: Role) -> None:
    """Refuse an event to a role that does not post it.

    Raises:
        Forbidden: `forbidden`.
    """
    roles = HANDLING[kind].roles
    if role not in roles:
        names = ", ".join(sorted(roles))
        raise Forbidden(Code.FORBIDDEN, "role", role.value, N_("one of the roles %(roles)s"), roles=names)


def happens_at(kind: EventKind, facility: FacilityKind, code: str, field: str = "facility") -> None:
    """Refuse an event at a kind of facility where it does not happen.

    Raises:
        Invalid: `wrong_facility_kind`.
    """
    allowed = HANDLING[kind].facilities
    if facility not in allowed:
        expected = N_("a facility of the kind %(kinds)s")
        kinds = ", ".join(sorted(allowed))
        raise Invalid(Code.WRONG_FACILITY_KIND, field, code, expected, kinds=kinds)


def takes_from(kind: EventKind, location: LocationKind, custody: object, *, aboard: bool = False) -> None:
    """Refuse an event that would take doses from a kind of location that it does not take from, or `aboard` a shipment.

    Raises:
        Conflict: `wrong_location`.
    """
    sources = HANDLING[kind].sources
    if location not in sources or (aboard and kind not in ABOARD):
        expected = N_("doses in %(sources)s; these are in %(location)s")
        names = ", ".join(sorted(sources)) or "-"
        where = LocationKind.TRANSIT if aboard else location
        raise Conflict(Code.WRONG_LOCATION, "custody", custody, expected, sources=names, location=where.value)
