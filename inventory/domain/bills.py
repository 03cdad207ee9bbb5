"""Bills in the shape of the Chinese traceability platform: unofficial, and empty wherever the ledger knows nothing.

Field names and codes are those that the platform's interface uses in practice (see docs/standards.md); no published
standard was found that lists them. Nobody has certified this shape, and Coldtrail uploads nothing.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

PLATFORM_ZONE = timezone(timedelta(hours=8))
"""The platform's clock, Asia/Shanghai: China has one time and no summer time."""

CLIENT_TYPE = "2"
"""The kind of client that the interface is told for vaccine bills."""

OTHER_DOCUMENT = "9"
"""The kind of a customer's number that is none of the listed ones: here an opaque reference, which names nobody."""

_TRACE_CODE = re.compile(r"8[0-9]{19}")


class Direction(StrEnum):
    """Whether doses come into a unit, leave it, or go to a person."""

    IN = "in"
    OUT = "out"
    PERSON = "person"


class BillType(StrEnum):
    """The platform's numbers for what a bill is of."""

    PURCHASE_IN = "102"
    RETURN_IN = "103"
    TRANSFER_IN = "104"
    SUPPLY_IN = "107"
    SURPLUS_IN = "111"
    RETURN_OUT = "202"
    TRANSFER_OUT = "203"
    DESTROY_OUT = "205"
    SUPPLY_OUT = "209"
    SHORTAGE_OUT = "214"
    DOSE_GIVEN = "322"

    @property
    def direction(self) -> Direction:
        """The platform's first digit: 1 in, 2 out, 3 to a person."""
        return {"1": Direction.IN, "2": Direction.OUT, "3": Direction.PERSON}[self.value[0]]

    @property
    def in_vaccine_interface(self) -> bool:
        """Whether the vaccine interface takes it; the rest are of the platform's general list."""
        return self in _OF_VACCINES

    @property
    def of_a_return(self) -> bool:
        """Whether it asks for the reason of a return."""
        return self in {BillType.RETURN_IN, BillType.RETURN_OUT}


_OF_VACCINES = {
    BillType.PURCHASE_IN,
    BillType.RETURN_IN,
    BillType.SUPPLY_IN,
    BillType.RETURN_OUT,
    BillType.DESTROY_OUT,
    BillType.SUPPLY_OUT,
    BillType.DOSE_GIVEN,
}


class Document(StrEnum):
    """A bill, or the word that one which was corrected is void."""

    BILL = "bill"
    CANCELLATION = "cancellation"


class Note(StrEnum):
    """What whoever wants to upload a bill has to know of it first."""

    NO_TRACE_CODES = "no-trace-codes"
    """The doses moved by batch: nobody scanned a pack."""
    DOSES_WITHOUT_TRACE_CODES = "doses-without-trace-codes"
    CODES_OF_ANOTHER_KIND = "codes-of-another-kind"
    """Packs were scanned whose codes are no 20 digits."""
    SEVERAL_OUTGOING_BILLS = "several-outgoing-bills"
    """`from_bill_code` has room for one, so it is empty; `from_bills` has them all."""
    OUTSIDE_VACCINE_INTERFACE = "outside-vaccine-interface"
    GOODS_HELD = "goods-held"
    """They came in, and wait for papers in quarantine."""
    ON_THEIR_WAY = "on-their-way"
    """They had left the sender's book and were in nobody else's: no unit's stock changes by this bill."""
    EXPLAINED_AFTERWARDS = "explained-afterwards"
    """Doses that had been missing from a shipment."""


@dataclass(frozen=True, kw_only=True)
class InOutBill:
    """A vaccine bill of goods in or out, field for field as the interface names them; None is what is not known.

    `ref_user_id`, `from_user_id` and `to_user_id` hold our facility codes, which are to be put into the platform's.
    """

    trace_codes: tuple[str, ...]
    bill_code: str
    bill_time: str
    bill_type: BillType
    physic_type: str | None
    ref_user_id: str
    agent_ref_user_id: str | None = None
    from_user_id: str | None
    to_user_id: str | None
    dest_user_id: str | None = None
    oper_ic_code: str | None = None
    oper_ic_name: str
    warehouse_id: str | None = None
    drug_id: str | None = None
    client_type: str = CLIENT_TYPE
    return_reason_code: str | None = None
    return_reason_des: str | None = None
    cancel_reason_code: str | None = None
    cancel_reason_des: str | None = None
    executer_name: str | None = None
    executer_code: str | None = None
    superviser_name: str | None = None
    superviser_code: str | None = None
    from_address: str | None = None
    to_address: str | None = None
    from_bill_code: str | None = None
    order_code: str | None = None
    from_person: str | None = None
    to_person: str | None = None
    dis_ref_ent_id: str | None = None
    xt_is_check: str | None = None
    xt_check_code: str | None = None
    xt_check_code_desc: str | None = None
    drug_list_json: str | None = None
    ass_ref_ent_id: str | None = None
    qu_receivable: str | None = None


@dataclass(frozen=True, kw_only=True)
class DoseGivenBill:
    """A bill of doses given to a person (322), as `InOutBill`; who that is, is known elsewhere."""

    trace_codes: tuple[str, ...]
    bill_code: str
    bill_time: str
    ref_user_id: str
    oper_ic_code: str | None = None
    customer_id_type: str | None
    customer_id: str | None
    user_tel: str | None = None
    medic_doctor: str | None = None
    medic_dispenser: str | None = None
    user_name: str | None = None
    user_agent: str | None = None
    network_bill_flag: str | None = None


@dataclass(frozen=True, kw_only=True)
class TemperatureRecord:
    """The lowest and highest that one sensor saw in an hour of a transport, in hundredths of a degree Celsius."""

    equipment_code: str
    equipment_name: str | None = None
    time: str
    min_value: int
    max_value: int
    bill_code: str
    upload_ent_name: str | None
    type: str = "运输温度"


@dataclass(frozen=True, kw_only=True)
class TransportTemperature:
    """What one sensor saw of a bill's transport, as an upload; `content` has a form that is not known."""

    ref_ent_id: str
    bill_code: str
    transport_ref_ent_id: str | None = None
    transport_ref_ent_name: str | None = None
    equipment_code: str
    equipment_name: str | None = None
    content: str | None = None
    agent_ref_ent_id: str | None = None
    records: tuple[TemperatureRecord, ...]


def bill_time(at: datetime) -> str:
    """An instant as the platform writes it."""
    return at.astimezone(PLATFORM_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def bill_code(kind: BillType, event: UUID) -> str:
    """The number of an event's bill of a type: the same whenever it is asked for, and no other bill's."""
    return f"CT{kind.value}{event.hex.upper()}"


def trace_codes(packs: Collection[str]) -> tuple[str, ...]:
    """Those codes of packs that are 追溯码, 20 digits from an 8 on, in a fixed order; an SSCC may be 20 digits, too."""
    return tuple(sorted(code for code in packs if _TRACE_CODE.fullmatch(code)))


def physic_type(codes: Collection[str]) -> str | None:
    """What the codes say of the goods: 2 for those that begin with 89, else 3; None where they disagree, or none."""
    kinds = {"2" if code.startswith("89") else "3" for code in codes}
    return kinds.pop() if len(kinds) == 1 else None
