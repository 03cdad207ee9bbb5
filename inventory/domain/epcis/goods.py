"""How much of which batches an EPCIS event from outside says, and what the events beside it say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from inventory.domain.epcis import uris
from inventory.domain.epcis.events import DOSE
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.packs import MOST_DOSES, PackLine

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Goods:
    """So much of a batch: vials, doses beside them, and packs with the doses that are stated of each."""

    batch: uris.Batch
    vials: int = 0
    doses: int = 0
    packs: tuple[PackLine, ...] = ()

    def total(self, doses_per_vial: int) -> int:
        """All of it in doses."""
        return self.vials * doses_per_vial + self.doses + sum(pack.doses or 0 for pack in self.packs)


@dataclass(frozen=True)
class Around:
    """What the events of one document say of batches and packs: expiries, and which pack holds which."""

    expiries: Mapping[uris.Batch, date]
    inside: Mapping[str, Sequence[str]]

    def with_contents(self, packs: Sequence[PackLine]) -> tuple[PackLine, ...]:
        """Packs with all that is in them, as far as it is told; what holds others has their doses."""
        found: list[PackLine] = []
        for pack in packs:
            children = self.inside.get(pack.code, ())
            found.append(replace(pack, doses=None) if children else pack)
            if len(found) > MOST_PACKS:
                raise Invalid(
                    Code.MALFORMED, "childEPCs", pack.code, N_("at most %(most)d packs in a document"), most=MOST_PACKS
                )
            found += self.with_contents([PackLine(code, None, pack.code) for code in children])
        return tuple(found)


MOST_PACKS = 10_000


def around(events: Sequence[Any]) -> Around:
    """What is told beside the goods: master data of commissionings (CBV itemExpirationDate), and packings."""
    known = [event for event in events if isinstance(event, Mapping)]
    expiries = {batch: expiry for event in known for batch, expiry in _expiries(event)}
    inside: dict[str, list[str]] = {}
    for event in known:
        if event.get("type") == "AggregationEvent" and event.get("action") == "ADD":
            parent = uris.pack_of(str(event.get("parentID")))
            children = [uris.pack_of(str(each)) for each in _listed(event.get("childEPCs"))]
            if parent is not None and parent not in children:
                inside.setdefault(parent, []).extend(each for each in children if each is not None)
    return Around(expiries, {} if _in_itself(inside) else inside)


def _in_itself(inside: Mapping[str, Sequence[str]]) -> bool:
    """Whether a pack would be in itself, or in two: then nothing is known of what is where."""
    children = [code for each in inside.values() for code in each]
    if len(children) != len(set(children)):
        return True
    around_of = {code: parent for parent, each in inside.items() for code in each}
    return any(_leads_back(code, around_of) for code in around_of)


def _leads_back(code: str, around_of: Mapping[str, str]) -> bool:
    seen = {code}
    while (code := around_of.get(code, "")) and code not in seen:
        seen.add(code)
    return bool(code)


def _expiries(event: Json) -> list[tuple[uris.Batch, date]]:
    ilmd = event.get("ilmd")
    stated = [value for name, value in ilmd.items() if name.endswith("itemExpirationDate")] if isinstance(
        ilmd, Mapping) else []  # fmt: skip
    if not stated:
        return []
    named = [each.get("epcClass") for each in _listed(event.get("quantityList")) if isinstance(each, Mapping)]
    batches = [uris.batch_of(str(uri)) for uri in (*named, event.get("coldtrail:batch"))]
    return [(batch, _date(str(stated[0]))) for batch in batches if batch is not None]


def goods_of(event: Json, path: str) -> tuple[Goods, ...]:
    """The batches of an event, each once.

    Raises:
        Invalid: `malformed`, naming the path.
    """
    found: dict[uris.Batch, Goods] = {}
    for place, each in enumerate(listed(event, "quantityList", path)):
        read = _quantity(each, f"{path}.quantityList[{place}]")
        before = found.get(read.batch, Goods(read.batch))
        found[read.batch] = replace(before, vials=before.vials + read.vials, doses=before.doses + read.doses)
    if listed(event, "epcList", path):
        batch, packs = _packs(event, tuple(found), path)
        found[batch] = replace(found.get(batch, Goods(batch)), packs=packs)
    if not found:
        raise Invalid(Code.MALFORMED, f"{path}.quantityList", None, N_("at least one batch with its quantity"))
    return tuple(found.values())


def _packs(event: Json, batches: Sequence[uris.Batch], path: str) -> tuple[uris.Batch, tuple[PackLine, ...]]:
    """Packs count by what is stated of their doses and batch, for an instance's name says neither."""
    stated = {
        str(each.get("coldtrail:epc")): each.get("coldtrail:doses")
        for each in listed(event, "coldtrail:pack", path)
        if isinstance(each, Mapping)
    }
    batch = uris.batch_of(str(event.get("coldtrail:batch"))) or (batches[0] if len(batches) == 1 else None)
    packs = []
    for uri in listed(event, "epcList", path):
        code, doses = uris.pack_of(str(uri)), stated.get(str(uri))
        if code is None or not _is_count(doses):
            raise _unstated(uri, path)
        packs.append(PackLine(code, doses))
    if batch is None:
        raise _unstated(event.get("epcList"), path)
    return batch, tuple(packs)


def _unstated(value: Any, path: str) -> Invalid:
    expected = N_("packs with their batch and doses beside them (coldtrail:batch, coldtrail:pack), or quantities")
    return Invalid(Code.MALFORMED, f"{path}.epcList", value, expected)


def _quantity(each: Any, path: str) -> Goods:
    if not isinstance(each, Mapping):
        raise Invalid(Code.MALFORMED, path, each, N_("an object"))
    batch = uris.batch_of(str(each.get("epcClass")))
    if batch is None:
        raise Invalid(Code.MALFORMED, f"{path}.epcClass", each.get("epcClass"), N_("a GTIN with a batch number"))
    amount, unit = each.get("quantity"), each.get("uom")
    if isinstance(amount, float) and amount.is_integer():
        amount = int(amount)
    if amount is None or not _is_count(amount):
        expected = N_("a whole number from 1 to %(most)d")
        raise Invalid(Code.MALFORMED, f"{path}.quantity", amount, expected, most=MOST_DOSES)
    if unit not in {None, DOSE}:
        raise Invalid(Code.MALFORMED, f"{path}.uom", unit, N_("no unit, which means vials, or E27, which means doses"))
    return Goods(batch, doses=int(amount)) if unit else Goods(batch, vials=int(amount))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_DOSES


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Invalid(Code.MALFORMED, "ilmd.itemExpirationDate", text, N_("a date, such as 2026-06-30")) from error


def listed(event: Json, name: str, path: str) -> list[Any]:
    """A list of an event's, empty where it has none; what is there and no list may say something that would be lost.

    Raises:
        Invalid: `malformed`.
    """
    value = event.get(name)
    if value is None or isinstance(value, list):
        return value or []
    raise Invalid(Code.MALFORMED, f"{path}.{name}", value, N_("a list"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
