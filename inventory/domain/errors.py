"""The errors of the domain: one small tree with stable codes; the API maps it to HTTP in one place.

Each says which field was wrong, the value that was given and what was expected. `expected` is an English
template over `facts`, so that a surface can say it in the reader's language.
"""

from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Stable codes: a client may branch on them, so they are never renamed."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_YOUR_FACILITY = "not_your_facility"
    NOT_FOUND = "not_found"
    UNKNOWN_PRODUCT = "unknown_product"
    UNKNOWN_BATCH = "unknown_batch"
    ALREADY_EXISTS = "already_exists"
    NAIVE_TIME = "naive_time"
    TIME_IN_FUTURE = "time_in_future"
    TIME_TOO_OLD = "time_too_old"
    TIME_BEFORE_CUSTODY = "time_before_custody"
    TIME_BEFORE_COUNT = "time_before_count"
    TIME_BEFORE_SHIPMENT = "time_before_shipment"
    TIME_BEFORE_CAUSE = "time_before_cause"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    NOT_WHOLE_VIALS = "not_whole_vials"
    NOT_ENOUGH_DOSES = "not_enough_doses"
    BATCH_EXPIRED = "batch_expired"
    BATCH_EXPIRY_DIFFERS = "batch_expiry_differs"
    WRONG_FACILITY_KIND = "wrong_facility_kind"
    WRONG_APPLIANCE = "wrong_appliance"
    WRONG_CUSTODY = "wrong_custody"
    WRONG_LOCATION = "wrong_location"
    WRONG_SUPPLIER = "wrong_supplier"
    SAME_APPLIANCE = "same_appliance"
    NO_TEMPERATURE_RECORD = "no_temperature_record"
    TEMPERATURE_OUT_OF_RANGE = "temperature_out_of_range"
    PAPERS_INCOMPLETE = "papers_incomplete"
    BATCH_RECALLED = "batch_recalled"
    ORIGIN_UNKNOWN = "origin_unknown"
    VIAL_NOT_MULTI_DOSE = "vial_not_multi_dose"
    PACK_ELSEWHERE = "pack_elsewhere"
    PACK_OPENED = "pack_opened"
    PACK_DIFFERS = "pack_differs"
    NOT_USABLE = "not_usable"
    NAMED_PERSON = "named_person"
    NO_SHORTFALL = "no_shortfall"
    ALREADY_REVERSED = "already_reversed"
    NOT_REVERSIBLE = "not_reversible"
    CUSTODY_TOUCHED = "custody_touched"
    REPEATED_LINE = "repeated_line"
    SENSOR_IN_USE = "sensor_in_use"
    MONTH_MISSING = "month_missing"
    ARCHIVE_DIFFERS = "archive_differs"
    LOG_DIFFERS = "log_differs"
    KEY_REUSED = "idempotency_key_reused"
    BUSY = "busy"
    DATABASE_AWAY = "database_away"


class ColdtrailError(Exception):
    """Something asked for cannot be done; nothing was written."""

    def __init__(self, code: Code, field: str, value: object, expected: str, **facts: Any) -> None:
        self.code = code
        self.field = field
        self.value = value
        self.expected = expected
        self.facts = facts
        super().__init__(code, field, value, expected)

    def __str__(self) -> str:
        """What was wrong, in English."""
        expected = self.expected % self.facts if self.facts else self.expected
        return f"{self.field} is {self.value!s}; expected {expected}"

    def within(self, place: str) -> None:
        """Say that the field is one of something larger: a line of an order, say."""
        self.field = f"{place}.{self.field}"


class Invalid(ColdtrailError):
    """The request contradicts a rule, whoever asks."""


class Unauthenticated(ColdtrailError):
    """Nobody known is asking."""


class Forbidden(ColdtrailError):
    """The one who asks may not do this."""


class NotFound(ColdtrailError):
    """The thing named in the address does not exist."""


class Conflict(ColdtrailError):
    """What is already recorded stands against it."""


class Unavailable(ColdtrailError):
    """It cannot be done at this moment, through no fault of the request; asking once more may succeed."""


def N_(text: str) -> str:  # noqa: N802  (the gettext convention for "translate this later")
    """Mark a template for translation, unchanged."""
    return text
