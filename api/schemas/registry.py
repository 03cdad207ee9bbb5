"""Reference data."""

from api.schemas import fields as own
from api.schemas.fields import Instant, Schema
from inventory.domain.words import ApplianceKind, FacilityKind


class FacilitySchema(Schema):
    """A supplier, a store or a site."""

    code = own.code(required=True)
    name = own.text(200, required=True)
    kind = own.word(FacilityKind, required=True)
    zone = own.text(64, required=True, metadata={"description": "IANA time zone", "example": "Asia/Shanghai"})
    supplied_by = own.code(load_default=None, allow_none=True)
    daily_capacity = own.count(load_default=None, allow_none=True)
    stations = own.count(load_default=None, allow_none=True)


class ApplianceSchema(Schema):
    """Cold-chain equipment."""

    code = own.code(required=True)
    facility = own.code(required=True)
    name = own.text(200, required=True)
    kind = own.word(ApplianceKind, required=True)


class ProductSchema(Schema):
    """A vaccine by its GTIN."""

    gtin = own.text(14, required=True)
    name = own.text(200, required=True)
    doses_per_vial = own.count(required=True)
    storage_profile = own.code(required=True, metadata={"example": "strict-2-8"})


class GatewaySchema(Schema):
    """A gateway; its shard is given by its code unless it is stated."""

    code = own.code(required=True)
    facility = own.code(required=True)
    shard = own.matching("^[0-9a-f]{2}$", load_default=None, allow_none=True, metadata={"example": "00"})


class SensorSchema(Schema):
    """A sensor, judged by a storage profile, and the appliance that it watches."""

    serial = own.code(required=True)
    interval_seconds = own.count(required=True)
    storage_profile = own.code(required=True)
    gateway = own.code(load_default=None, allow_none=True)
    appliance = own.code(load_default=None, allow_none=True)
    appliance_since = Instant(load_default=None, allow_none=True)
