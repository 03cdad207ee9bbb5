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
    MOVE = "move"
    OPEN = "open"
    ADMINISTER = "administer"
    WASTE = "waste"
    HOLD = "hold"
    RELEASE = "release"
    COUNT = "count"
    RETURN = "return"
    RECALL = "recall"
    OVERRIDE = "override"
    CORRECT = "correct"


class End(StrEnum):
    """How doses leave the forest of custodies."""

    ADMINISTERED = "administered"
    WASTED = "wasted"
    RETURNED = "returned"
    MISSING = "missing"


class Origin(StrEnum):
    """Where a root of the forest comes from: only what a supplier sent has a known past."""

    SUPPLIED = "supplied"
    FOUND = "found"


class WasteReason(StrEnum):
    """Why doses were wasted; OTHER says it in words."""

    BROKEN = "broken"
    OPENED_NOT_USED = "opened-not-used"
    EXPIRED = "expired"
    HEAT = "heat"
    FROZEN = "frozen"
    LOST = "lost"
    OTHER = "other"


class Outcome(StrEnum):
    """What a receiver decides about goods (储存和运输管理规范: receive, hold until the papers are complete, refuse)."""

    ACCEPT = "accept"
    HOLD = "hold"
    REFUSE = "refuse"


class Paper(StrEnum):
    """What comes with goods from a supplier (疫苗管理法 art. 38, 39)."""

    LOT_RELEASE = "lot-release-certificate"
    IMPORT_CLEARANCE = "import-clearance"
    DELIVERY_NOTE = "delivery-note"
    TEMPERATURE_RECORD = "temperature-record"


class Cooling(StrEnum):
    """How a transport was kept cold."""

    REFRIGERATED_TRUCK = "refrigerated-truck"
    COLD_BOX_ACTIVE = "cold-box-active"
    COLD_BOX_PASSIVE = "cold-box-passive"


class Purpose(StrEnum):
    """Why a shipment travels: down the line, up the line, or between two sites of one store."""

    SUPPLY = "supply"
    RETURN = "return"
    TRANSFER = "transfer"


class Explanation(StrEnum):
    """What became of doses that were sent and did not arrive."""

    FOUND = "found"
    LOST = "lost"
    MIS_SHIPPED = "mis-shipped"


class Policy(StrEnum):
    """What a programme makes of a doubt about doses: show it, or ask a supervisor before they are given."""

    FLAG = "flag"
    ASK = "ask"


class Chosen(StrEnum):
    """How the custody of a movement was chosen: a pick is an attribution, not knowledge."""

    SCANNED = "scanned"
    NAMED = "named"
    PICKED = "picked"


class Role(StrEnum):
    """What a token's holder may do."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
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
    BEFORE_ASSIGNMENT = "before_assignment"
    UNKNOWN_ALIAS = "unknown_alias"


class VersionReason(StrEnum):
    """Why an excursion's verdict became what it is."""

    FOUND = "found"
    ENDED = "ended"
    RESUMED = "resumed"
    """Late readings showed that it had not ended."""
    EXTENDED = "extended"
    SHORTENED = "shortened"
    SPLIT = "split"
    MERGED = "merged"
    CANCELLED = "cancelled"
    WATCH_CHANGED = "watch-changed"
    """Which place the sensor watched became known late."""


class Resolution(StrEnum):
    """How finely a sensor's readings are told; AUTO is the finest that is no more than a chart can show."""

    RAW = "raw"
    HOUR = "hour"
    DAY = "day"
    AUTO = "auto"


class ClockState(StrEnum):
    """What the arrival of a gateway's messages says of its clock."""

    PLAUSIBLE = "plausible"
    AHEAD = "ahead"
    BEHIND_OR_LATE = "behind-or-late"


class Disagreement(StrEnum):
    """Who alone says that a limit was broken: the device, or Coldtrail by its readings."""

    ONLY_DEVICE = "only-device"
    ONLY_FOUND = "only-found"
