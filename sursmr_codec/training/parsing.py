"""From a TOML table to a frozen dataclass, by the types of its fields; nothing goes unread."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from sursmr_codec.errors import UsageError

T = TypeVar("T")


def parse(kind: type[T], values: Any, where: str = "") -> T:
    """A `kind` from a table; raises UsageError naming the key that is unknown, missing or of a wrong type.

    Fields may be plain types, literals, other dataclasses, tuples of one type, and mappings from strings.
    """
    if not isinstance(values, dict):
        raise UsageError(f"{where} must be a table, not {values!r}")
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    for key in values:
        if key not in hints:
            raise UsageError(f"unknown key {_path(where, key)}; known: {', '.join(hints)}")
    for field in fields:
        optional = (field.default, field.default_factory) != (dataclasses.MISSING, dataclasses.MISSING)
        if field.name not in values and not optional:
            raise UsageError(f"{_path(where, field.name)} is missing")
    return kind(**{key: _value(hints[key], value, _path(where, key)) for key, value in values.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return parse(hint, value, where)  # type: ignore[arg-type]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise UsageError(f"{where} must be a list, not {value!r}")
        return tuple(_value(arguments[0], one, f"{where}[{i}]") for i, one in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise UsageError(f"{where} must be a table, not {value!r}")
        return {key: _value(arguments[1], one, _path(where, key)) for key, one in value.items()}
    if origin is Literal:
        if value not in arguments:
            raise UsageError(f"{where} must be one of {', '.join(arguments)}, not {value!r}")
        return value
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise UsageError(f"{where} must be of type {hint.__name__}, not {value!r}")
    return value


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
