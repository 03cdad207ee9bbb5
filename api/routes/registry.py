"""Reference data: an admin makes things known, every reader may list them."""

from collections.abc import Callable
from typing import Any

from api.auth import ADMINS, READERS, allow
from api.blueprint import Blueprint
from api.context import database, now
from api.schemas.answers import page_of
from api.schemas.fields import Schema
from api.schemas.queries import PageQuery, SensorQuery
from api.schemas.registry import (
    ApplianceSchema,
    FacilitySchema,
    GatewaySchema,
    GatewayViewSchema,
    ProductSchema,
    ProgrammeSchema,
    RuleAssignmentSchema,
    RuleSetSchema,
    SensorSchema,
    SensorViewSchema,
    StorageProfileSchema,
)
from inventory.domain.deadlines import DeadlineRule
from inventory.services import equipment, facilities, gateways, products, profiles, programmes, rule_sets, silence
from inventory.services.paging import Page

Add = Callable[[Any], Any]
List = Callable[..., Page[Any]]


def _resource(
    name: str,
    schema: type[Schema],
    add: Add,
    listing: List,
    shown: type[Schema] | None = None,
    query: type[Schema] = PageQuery,
) -> Blueprint:
    """POST one, GET a page of all, which may show more than was posted."""
    blueprint = _listing(name, shown or schema, listing, query)

    @blueprint.route("", methods=["POST"])
    @allow(*ADMINS)
    @blueprint.arguments(schema)
    @blueprint.response(201, schema)
    def post(record: dict[str, Any]) -> Any:
        """Make one known."""
        return add(record)

    return blueprint


def _listing(name: str, schema: type[Schema], listing: List, asked: type[Schema] = PageQuery) -> Blueprint:
    """GET a page of all."""
    blueprint = Blueprint(name, name, url_prefix=f"/api/v1/{name}")

    @blueprint.route("")
    @allow(*READERS)
    @blueprint.arguments(asked, location="query")
    @blueprint.response(200, page_of(schema))
    def get(query: dict[str, Any]) -> Page[Any]:
        """List them, page by page."""
        return listing(database(), **query)

    return blueprint


def _rule_set(code: str, rules: list[dict[str, Any]]) -> rule_sets.RuleSetRecord:
    return rule_sets.RuleSetRecord(code, tuple(DeadlineRule(code, **rule) for rule in rules))


BLUEPRINTS = (
    _resource(
        "facilities",
        FacilitySchema,
        lambda record: facilities.add_facility(database(), facilities.FacilityRecord(**record)),
        facilities.list_facilities,
    ),
    _resource(
        "appliances",
        ApplianceSchema,
        lambda record: equipment.add_appliance(database(), equipment.ApplianceRecord(**record)),
        equipment.list_appliances,
    ),
    _resource(
        "products",
        ProductSchema,
        lambda record: products.add_product(database(), products.ProductRecord(**record)),
        products.list_products,
    ),
    _resource(
        "gateways",
        GatewaySchema,
        lambda record: equipment.add_gateway(database(), equipment.GatewayRecord(**record)),
        gateways.list_gateways,
        GatewayViewSchema,
    ),
    _resource(
        "sensors",
        SensorSchema,
        lambda record: equipment.add_sensor(database(), equipment.SensorRecord(**record), now()),
        lambda database, **query: silence.list_sensors(database, now(), **query),
        SensorViewSchema,
        SensorQuery,
    ),
    _resource(
        "programmes",
        ProgrammeSchema,
        lambda record: programmes.add_programme(database(), programmes.ProgrammeRecord(**record)),
        programmes.list_programmes,
    ),
    _resource(
        "rule-sets",
        RuleSetSchema,
        lambda record: rule_sets.add_rule_set(database(), _rule_set(**record)),
        rule_sets.list_rule_sets,
    ),
    _resource(
        "rule-assignments",
        RuleAssignmentSchema,
        lambda record: rule_sets.add_rule_assignment(database(), rule_sets.RuleAssignmentRecord(**record)),
        rule_sets.list_rule_assignments,
    ),
    _listing("storage-profiles", StorageProfileSchema, profiles.list_profiles),
)
