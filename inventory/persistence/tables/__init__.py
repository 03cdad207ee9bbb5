"""The tables: reference data, the ledger, the log over it, monitoring, the outbox and access.

Facts are keyed so that they can be spread over machines: ledger rows by batch, readings by sensor; every primary key
and unique constraint on them holds that column. Reference data is small and can stand whole on each.
"""

from inventory.persistence.columns import Base
from inventory.persistence.tables.access import IdempotencyKey, Token, TokenFacility
from inventory.persistence.tables.adverse_events import AdverseEvent
from inventory.persistence.tables.exchange import CapturedEvent
from inventory.persistence.tables.ledger import (
    HOLDS,
    Custody,
    Deadline,
    Movement,
    Pack,
    PackRegistration,
    StockEvent,
)
from inventory.persistence.tables.log import LogCheckpoint, LogLeaf, LogNode, LogState
from inventory.persistence.tables.monitoring import (
    ArchivedMonth,
    DeviceAlarm,
    EdgeNode,
    Excursion,
    ExcursionVersion,
    GatewayState,
    MessageAhead,
    MessageStream,
    Reading,
    ReadingConflict,
    ReadingHour,
    RejectedMessage,
    SensorState,
    Unjudged,
)
from inventory.persistence.tables.notices import Notice, NoticeDelivery
from inventory.persistence.tables.reference import (
    Appliance,
    Batch,
    DeadlineRule,
    ExcursionRule,
    ExposureBudget,
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
    "AdverseEvent",
    "Appliance",
    "ArchivedMonth",
    "Base",
    "Batch",
    "CapturedEvent",
    "Custody",
    "Deadline",
    "DeadlineRule",
    "DeviceAlarm",
    "EdgeNode",
    "Excursion",
    "ExcursionRule",
    "ExcursionVersion",
    "ExposureBudget",
    "Facility",
    "Gateway",
    "GatewayState",
    "IdempotencyKey",
    "Location",
    "LogCheckpoint",
    "LogLeaf",
    "LogNode",
    "LogState",
    "MessageAhead",
    "MessageStream",
    "Movement",
    "Notice",
    "NoticeDelivery",
    "Pack",
    "PackRegistration",
    "Product",
    "Programme",
    "Reading",
    "ReadingConflict",
    "ReadingHour",
    "RejectedMessage",
    "RuleAssignment",
    "Sensor",
    "SensorAssignment",
    "SensorState",
    "Shipment",
    "StockEvent",
    "StorageProfile",
    "Token",
    "TokenFacility",
    "Unjudged",
]
