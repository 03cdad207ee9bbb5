"""The tables: reference data, the ledger, monitoring, the outbox and access.

Facts are keyed so that they can be spread over machines: ledger rows by batch, readings by sensor; every primary key
and unique constraint on them holds that column. Reference data is small and can stand whole on each.
"""

from inventory.persistence.columns import Base
from inventory.persistence.tables.access import IdempotencyKey, Token, TokenFacility
from inventory.persistence.tables.ledger import HOLDS, Custody, Deadline, Movement, Pack, StockEvent
from inventory.persistence.tables.monitoring import (
    Excursion,
    MessageAhead,
    MessageStream,
    Reading,
    ReadingConflict,
    RejectedMessage,
)
from inventory.persistence.tables.notices import Notice, NoticeDelivery
from inventory.persistence.tables.reference import (
    Appliance,
    Batch,
    DeadlineRule,
    ExcursionRule,
    Facility,
    Gateway,
    Location,
    Product,
    Programme,
    RuleAssignment,
    Sensor,
    SensorAssignment,
    Shipment,
    StorageProfile,
)

__all__ = [
    "HOLDS",
    "Appliance",
    "Base",
    "Batch",
    "Custody",
    "Deadline",
    "DeadlineRule",
    "Excursion",
    "ExcursionRule",
    "Facility",
    "Gateway",
    "IdempotencyKey",
    "Location",
    "MessageAhead",
    "MessageStream",
    "Movement",
    "Notice",
    "NoticeDelivery",
    "Pack",
    "Product",
    "Programme",
    "Reading",
    "ReadingConflict",
    "RejectedMessage",
    "RuleAssignment",
    "Sensor",
    "SensorAssignment",
    "Shipment",
    "StockEvent",
    "StorageProfile",
    "Token",
    "TokenFacility",
]
