"""The demonstration's county has the figures of a real one."""

from collections import Counter

from coldtrail.demo.county import PRODUCTS, build_county
from inventory.domain.products import gtin
from inventory.services.equipment import shard_of
from mqtt_ingest import topics

COUNTY = build_county()


def test_has_28_sites_with_57_stations_for_17000_doses_a_day() -> None:
    assert Counter(site.kind for site in COUNTY.sites) == {"fixed-site": 20, "temporary-site": 7, "mobile-site": 1}
    assert sum(site.stations for site in COUNTY.sites) == 57
    assert 17_000 <= sum(site.daily_capacity for site in COUNTY.sites) <= 17_200


def test_two_sensors_watch_each_cold_room_and_one_each_fridge() -> None:
    watched = Counter(probe.appliance for probe in COUNTY.probes)
    assert watched["CITY-CR1"] == watched["COUNTY-CR1"] == 2
    fridges = [fridge for site in COUNTY.sites for fridge in site.appliances]
    assert all(watched[fridge] == 1 for fridge in fridges)
    assert all(1 <= len(site.appliances) <= 2 for site in COUNTY.sites)


def test_every_name_is_given_once() -> None:
    serials = [probe.serial for probe in COUNTY.probes] + list(COUNTY.loggers)
    assert len(set(serials)) == len(serials)
    assert len({site.code for site in COUNTY.sites}) == len({site.name for site in COUNTY.sites}) == 28


def test_the_products_have_right_check_digits_and_vials_of_one_and_two_doses() -> None:
    assert [gtin(product.gtin) for product in PRODUCTS] == [product.gtin for product in PRODUCTS]
    assert [product.doses_per_vial for product in PRODUCTS] == [1, 2]


def test_each_facility_has_a_gateway_with_a_topic() -> None:
    gateways = {probe.gateway for probe in COUNTY.probes}
    assert len(gateways) == len(COUNTY.facilities) == 30
    assert all(topics.receipt_topic(code, shard_of(code)) for code in gateways)
