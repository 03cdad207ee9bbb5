"""Bills in the shape of the Chinese traceability platform: its names, as its interface writes them."""

from typing import Any

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.events import HistoryQuery
from api.schemas.fields import Celsius, Minutes, Schema
from inventory.domain.bills import BillType, Direction, Document, Note
from inventory.domain.words import EventKind


class BillQuery(HistoryQuery):
    """Of a facility, a batch or a shipment; `limit` counts events, of which each has a bill, or several, or none."""

    shipment = fields.UUID(load_default=None)


def _text(description: str | None = None) -> fields.String:
    return fields.String(allow_none=True, metadata={"description": description} if description else {})


def _codes() -> fields.Field[Any]:
    return fields.List(fields.String(), metadata={"description": "追溯码, 20 digits each"})


class InOutBillSchema(Schema):
    """A vaccine bill of goods in or out; null is what the ledger does not know."""

    trace_codes = _codes()
    bill_code = fields.String()
    bill_time = fields.String(metadata={"description": "In Asia/Shanghai: 2026-01-05 12:00:00"})
    bill_type = own.word(BillType)
    physic_type = _text("2 where every code begins with 89, 3 where none does")
    ref_user_id = _text("Our facility code; the platform wants its own id")
    agent_ref_user_id = _text()
    from_user_id = _text("Our facility code; the platform wants its own id")
    to_user_id = _text("Our facility code; the platform wants its own id")
    dest_user_id = _text()
    oper_ic_code = _text()
    oper_ic_name = _text("The name of the token that recorded the event")
    warehouse_id = _text()
    drug_id = _text()
    client_type = fields.String()
    return_reason_code = _text()
    return_reason_des = _text()
    cancel_reason_code = _text()
    cancel_reason_des = _text("Why doses were destroyed; in a cancellation, why the bill is void")
    executer_name = _text()
    executer_code = _text()
    superviser_name = _text()
    superviser_code = _text()
    from_address = _text()
    to_address = _text()
    from_bill_code = _text("The bill by which the doses were sent here")
    order_code = _text()
    from_person = _text("Who handed over, by the transport record")
    to_person = _text("Who took, by the transport record")
    dis_ref_ent_id = _text()
    xt_is_check = _text()
    xt_check_code = _text()
    xt_check_code_desc = _text()
    drug_list_json = _text()
    ass_ref_ent_id = _text()
    qu_receivable = _text()


class DoseGivenBillSchema(Schema):
    """A bill of doses given to a person, who is known by an opaque reference only."""

    trace_codes = _codes()
    bill_code = fields.String()
    bill_time = fields.String(metadata={"description": "In Asia/Shanghai: 2026-01-05 12:00:00"})
    ref_user_id = _text("Our facility code; the platform wants its own id")
    oper_ic_code = _text()
    customer_id_type = _text("9, other; null without a reference")
    customer_id = _text("Our opaque reference, never a person's number")
    user_tel = _text()
    medic_doctor = _text()
    medic_dispenser = _text()
    user_name = _text()
    user_agent = _text()
    network_bill_flag = _text()


class BillSchema(Schema):
    """An unofficial bill: in the platform's shape, and what that shape has no room for beside it."""

    official = fields.Boolean(metadata={"description": "Always false: nobody has certified this shape"})
    document = own.word(Document)
    bill_code = fields.String()
    bill_type = own.word(BillType)
    direction = own.word(Direction)
    in_vaccine_interface = fields.Boolean()
    event = fields.UUID()
    kind = own.word(EventKind)
    facility = fields.String()
    gtin = fields.String()
    batch = fields.String()
    doses = fields.Integer()
    doses_without_trace_code = fields.Integer()
    other_codes = fields.List(fields.String())
    shipment = fields.UUID(allow_none=True)
    from_bills = fields.List(fields.String())
    cancelled_by = fields.UUID(allow_none=True)
    cancel_reason = fields.String(allow_none=True)
    notes = fields.List(own.word(Note))
    in_out = fields.Nested(InOutBillSchema, allow_none=True)
    dose_given = fields.Nested(DoseGivenBillSchema, allow_none=True)


class TemperatureRecordSchema(Schema):
    """The lowest and highest of an hour."""

    equipment_code = fields.String()
    equipment_name = _text()
    time = fields.String(metadata={"description": "When the hour began, in Asia/Shanghai"})
    min_value = Celsius()
    max_value = Celsius()
    bill_code = fields.String()
    upload_ent_name = _text("Our facility code")
    type = fields.String()


class TransportTemperatureSchema(Schema):
    """What one sensor saw of a bill's transport."""

    ref_ent_id = _text("Our facility code; the platform wants its own id")
    bill_code = fields.String()
    transport_ref_ent_id = _text()
    transport_ref_ent_name = _text()
    equipment_code = fields.String(metadata={"description": "The sensor's serial"})
    equipment_name = _text()
    content = _text()
    agent_ref_ent_id = _text()
    records = fields.List(fields.Nested(TemperatureRecordSchema))


class BillTemperaturesSchema(Schema):
    """What was seen of an event's transports, unofficially."""

    official = fields.Boolean(metadata={"description": "Always false: nobody has certified this shape"})
    archived_minutes = Minutes(
        attribute="archived", metadata={"description": "Of which the readings are in files, see coldtrail archives"}
    )
    uploads = fields.List(fields.Nested(TransportTemperatureSchema))
