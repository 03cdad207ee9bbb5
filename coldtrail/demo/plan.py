"""The plan of a day, from the supplier's truck to the evening's count: a pure function of the day and of what is left.

The same day planned again gives the same requests under the same keys, so that a county that was stopped goes on
where it was, and a request that is sent twice is carried out once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from coldtrail.demo.county import COUNTY, PRODUCTS, ZONE, County, Product
from coldtrail.demo.steps import Lot, Step
from coldtrail.demo.story.agenda import Agenda
from coldtrail.demo.story.assessment import plan_assessment
from coldtrail.demo.story.closing import plan_closing
from coldtrail.demo.story.deliveries import plan_deliveries
from coldtrail.demo.story.errands import errands_of
from coldtrail.demo.story.goods import plan_goods
from coldtrail.demo.story.recalls import plan_recall
from coldtrail.demo.story.sessions import plan_sessions
from coldtrail.demo.story.transfers import plan_transfers
from coldtrail.demo.supply import Need, need_of
from coldtrail.demo.trouble import Trouble

Holdings = Mapping[str, Sequence[Lot]]
"""What the county's store and each site hold when the day begins."""


def begin_of(day: date) -> datetime:
    """When the county's day begins: six in the morning."""
    return datetime.combine(day, time(6), ZONE)


def plan_day(county: County, day: date, trouble: Trouble, opening: Holdings) -> list[Step]:
    """Everything that staff send on a day, by time."""
    agenda = Agenda(county, day, trouble, opening)
    errands = errands_of(county, day, trouble)
    needs = {site.code: need_of(site, day, opening.get(site.code, ())) for site in county.sites}
    plan_goods(agenda, _ordered(needs, opening.get(COUNTY, ())))
    plan_assessment(agenda)
    plan_deliveries(agenda, errands, {code: need.sent for code, need in needs.items()})
    plan_recall(agenda)
    plan_transfers(agenda, errands)
    plan_sessions(agenda, errands, {code: need.booked for code, need in needs.items()})
    plan_closing(agenda, errands)
    return agenda.play()


def _ordered(needs: Mapping[str, Need], stored: Sequence[Lot]) -> dict[Product, int]:
    """What the county orders: what its sites need, less what it has."""
    wanted: Counter[Product] = Counter()
    for need in needs.values():
        wanted.update(need.sent)
    here = {product: sum(lot.doses for lot in stored if lot.gtin == product.gtin) for product in PRODUCTS}
    return {product: max(0, wanted[product] - here[product]) for product in PRODUCTS}
