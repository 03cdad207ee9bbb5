"""The closed lists of words: each is the only name of its thing in code, storage and API (docs/design.md, Words)."""

from enum import StrEnum


class FacilityKind(StrEnum):
    """What a facility is in the chain from the manufacturer to a person."""

    SUPPLIER = "supplier"
    CITY_STORE = "city-store"
    COUNTY_STORE = "county-store"
    FIXED_SITE = "fixed-site"
    TEMPORARY_SITE = "temporary-site"
    MOBILE_SITE = "mobile-site"

    @property
    def is_store(self) -> bool:
        """A city or county CDC store: it receives from suppliers and stores, and supplies stores and sites."""
        return self in {FacilityKind.CITY_STORE, FacilityKind.COUNTY_STORE}

    @property
    def is_site(self) -> bool:
        """A vaccination site: doses are given there."""
        return self in {FacilityKind.FIXED_SITE, FacilityKind.TEMPORARY_SITE, FacilityKind.MOBILE_SITE}


class ApplianceKind(StrEnum):
    """Cold-chain equipment."""

    FRIDGE = "fridge"
    FREEZER = "freezer"
    COLD_ROOM = "cold-room"
    COLD_BOX = "cold-box"


class LocationKind(StrEnum):
    """What holds custodies."""

    STORAGE = "storage"
    QUARANTINE = "quarantine"
    TRANSIT = "transit"


class EventKind(StrEnum):
    """What a stock event did."""

    RECEIVE = "receive"
    DISPATCH = "dispatch"
    ADMINISTER = "administer"


class End(StrEnum):
    """How doses leave the forest of custodies."""

    ADMINISTERED = "administered"


class Chosen(StrEnum):
    """How the custody of a movement was chosen: a pick is an attribution, not knowledge."""

    SCANNED = "scanned"
    NAMED = "named"
    PICKED = "picked"


class Role(StrEnum):
    """What a token's holder may do."""

    ADMIN = "admin"
    STAFF = "staff"
    AUDITOR = "auditor"
    GATEWAY = "gateway"


class Side(StrEnum):
    """On which side of its limit an excursion lies; silence is unseen, and an unseen fridge is not a cold one."""

    ABOVE = "above"
    BELOW = "below"
    SILENCE = "silence"


class RejectReason(StrEnum):
    """Why a message, or a reading in it, was kept aside instead of stored."""

    BAD_TOPIC = "bad_topic"
    MALFORMED = "malformed"
    UNKNOWN_GATEWAY = "unknown_gateway"
    WRONG_SHARD = "wrong_shard"
    UNKNOWN_SENSOR = "unknown_sensor"
    FOREIGN_SENSOR = "foreign_sensor"
    TIME_IN_FUTURE = "time_in_future"
    TIME_TOO_OLD = "time_too_old"
