"""The limits that a product sets to opened and thawed vials, on the clocks of its doses."""

from collections.abc import Iterable
from datetime import datetime

from inventory.domain.deadlines import Deadline, VialLimits, on_thawing
from inventory.domain.words import ApplianceKind
from inventory.persistence.tables import Product


def limits_of(product: Product) -> VialLimits:
    """What a product keeps once opened or thawed."""
    return VialLimits(product.open_vial_hours, product.open_vial_session, product.thaw_hours)


def put_into(kind: ApplianceKind, product: Product, at: datetime, clocks: Iterable[Deadline]) -> list[Deadline]:
    """The clocks of doses that are put into an appliance: frozen vaccine thaws in whatever is no freezer."""
    if kind is ApplianceKind.FREEZER:
        return list(clocks)
    return on_thawing(limits_of(product), at, clocks)
