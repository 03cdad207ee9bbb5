"""Making the county known to the service, as an admin does, once: what is known already stays."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from coldtrail.demo import county as places
from coldtrail.demo.api import Api, Refused
from coldtrail.demo.county import County

_AT_ONCE = 4

Record = dict[str, object]


def enrol(api: Api, admin: str, county: County, since: datetime) -> None:
    """Post all reference data; raises `Refused` for what the service does not take, and `Stopped`.

    The probes have been where they are since an instant before their first reading.
    """
    for store in _stores():
        _add(api, admin, "facilities", store)
    _add_all(api, admin, "facilities", _sites(county))
    _add_all(api, admin, "products", _products())
    _add_all(api, admin, "appliances", _appliances(county))
    _add_all(api, admin, "gateways", _gateways(county))
    _add_all(api, admin, "sensors", _sensors(county, since))


def _add_all(api: Api, admin: str, kind: str, records: Iterable[Record]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(lambda record: _add(api, admin, kind, record), records):
            pass


def _add(api: Api, admin: str, kind: str, record: Record) -> None:
    try:
        api.post(f"/api/v1/{kind}", admin, record)
    except Refused as refused:
        if refused.code != "already_exists":
            raise


def _stores() -> Iterator[Record]:
    described = (
        (places.SUPPLIER, "Demonstration Biologicals, distribution centre", "supplier", None),
        (places.CITY, "City CDC store", "city-store", None),
        (places.COUNTY, "County CDC store", "county-store", places.CITY),
    )
    for code, name, kind, above in described:
        yield {"code": code, "name": name, "kind": kind, "zone": places.ZONE_NAME, "supplied_by": above}


def _sites(county: County) -> Iterator[Record]:
    for site in county.sites:
        yield {
            "code": site.code,
            "name": site.name,
            "kind": site.kind,
            "zone": places.ZONE_NAME,
            "supplied_by": places.COUNTY,
            "stations": site.stations,
            "daily_capacity": site.daily_capacity,
            "session_ends": places.SESSION_ENDS,
        }


def _products() -> Iterator[Record]:
    for product in places.PRODUCTS:
        yield {
            "gtin": product.gtin,
            "name": product.name,
            "doses_per_vial": product.doses_per_vial,
            "storage_profile": places.PROFILE,
            "programme": places.PROGRAMME,
        }


def _appliances(county: County) -> Iterator[Record]:
    for store, room in places.COLD_ROOMS.items():
        yield {"code": room, "facility": store, "name": f"Cold room of {store}", "kind": "cold-room"}
    for site in county.sites:
        for fridge in site.appliances:
            yield {"code": fridge, "facility": site.code, "name": f"Fridge {fridge}", "kind": "fridge"}


def _gateways(county: County) -> Iterator[Record]:
    for facility in county.facilities:
        yield {"code": places.gateway(facility), "facility": facility}


def _sensors(county: County, since: datetime) -> Iterator[Record]:
    for probe in county.probes:
        place = {"appliance": probe.appliance, "appliance_since": since.isoformat()}
        yield {**_sensor(probe.serial), "gateway": probe.gateway, **place}
    for logger in county.loggers:
        yield _sensor(logger)


def _sensor(serial: str) -> Record:
    return {"serial": serial, "interval_seconds": places.INTERVAL_SECONDS, "storage_profile": places.PROFILE}
