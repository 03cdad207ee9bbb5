"""How the API reads WHO deliveries: with the format of the ingest, which it does not know."""

from inventory.services.cce_deliveries import Delivery, Fault, Faulty
from mqtt_ingest.formats import cce
from mqtt_ingest.formats.cce_rules import violations


def read_delivery(body: bytes) -> Delivery:
    """What a delivery says.

    Raises:
        BadPayload: it is too long, damaged, packed twice, or no JSON.
        Faulty: it breaks the schema, or names what cannot be stored.
    """
    envelope = cce.loaded(body)
    faults = violations(envelope)
    if faults:
        raise Faulty([Fault(fault.path, fault.message) for fault in faults])
    content = cce.content(envelope)
    return Delivery(content.transfer_id or "", content.measurements, content.alarms)
