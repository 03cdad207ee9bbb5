"""The protobuf messages of Sparkplug B, as far as they are read here, described in code: nothing is generated.

The description has a pool of its own, so that another library's of the same name cannot meet it. What is left out
(metadata, data sets, templates, extensions) is passed over when read.
"""

from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from inventory.strict_json import BadPayload

_PACKAGE = "coldtrail.sparkplug"
_Field = descriptor_pb2.FieldDescriptorProto
_UINT32, _UINT64, _FLOAT, _DOUBLE = _Field.TYPE_UINT32, _Field.TYPE_UINT64, _Field.TYPE_FLOAT, _Field.TYPE_DOUBLE
_BOOL, _STRING, _BYTES = _Field.TYPE_BOOL, _Field.TYPE_STRING, _Field.TYPE_BYTES

_FIELDS: dict[str, tuple[tuple[str, int, Any], ...]] = {
    "Payload": (
        ("timestamp", 1, _UINT64),
        ("metrics", 2, ["Metric"]),
        ("seq", 3, _UINT64),
        ("uuid", 4, _STRING),
        ("body", 5, _BYTES),
    ),
    "Metric": (
        ("name", 1, _STRING),
        ("alias", 2, _UINT64),
        ("timestamp", 3, _UINT64),
        ("datatype", 4, _UINT32),
        ("is_historical", 5, _BOOL),
        ("is_transient", 6, _BOOL),
        ("is_null", 7, _BOOL),
        ("properties", 9, "PropertySet"),
    ),
    "PropertySet": (("keys", 1, [_STRING]), ("values", 2, ["PropertyValue"])),
    "PropertyValue": (("type", 1, _UINT32), ("is_null", 2, _BOOL)),
}
"""Names, numbers and types; in brackets what is repeated, and by name what is a message."""

_VALUES = (
    ("int_value", _UINT32),
    ("long_value", _UINT64),
    ("float_value", _FLOAT),
    ("double_value", _DOUBLE),
    ("boolean_value", _BOOL),
    ("string_value", _STRING),
)
_FIRST_VALUE = {"Metric": 10, "PropertyValue": 3}
"""Where the numbers of the values begin, of which a message holds one."""


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b", package=_PACKAGE, syntax="proto2")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for name, number, kind in fields:
            described.field.append(_field(name, number, kind))
        if message in _FIRST_VALUE:
            described.oneof_decl.add(name="value")
            for number, (name, kind) in enumerate(_VALUES, _FIRST_VALUE[message]):
                field = _field(name, number, kind)
                field.oneof_index = 0
                described.field.append(field)
    return file


def _field(name: str, number: int, kind: Any) -> descriptor_pb2.FieldDescriptorProto:
    field = _Field(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if isinstance(kind, list):
        field.label = _Field.LABEL_REPEATED
        (kind,) = kind
    if isinstance(kind, str):
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = kind
    return field


_POOL = DescriptorPool()
_POOL.Add(_described())

Payload: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.Payload"))
"""The class of a payload."""


def decoded(payload: bytes) -> Any:
    """The `Payload` in some bytes.

    Raises:
        BadPayload: they are no protobuf, or not of this form.
    """
    try:
        return Payload.FromString(payload)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadPayload(f"payload is no Sparkplug B: {error}") from None
