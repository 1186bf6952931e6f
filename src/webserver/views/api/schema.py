"""The part of JSON Schema that the interface uses: written once, it checks requests and stands in openapi.json."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

LONGEST_TEXT = 10_000
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_NAMES = {"object": "an object", "array": "a list", "string": "a text", "boolean": "true or false"}
_NAMES |= {"integer": "a whole number", "number": "a number", "null": "null"}


class Invalid(Exception):
    """``field``: which value, such as ``servers.2``; ``message``: what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field, self.message = field, message


# -- how schemas are written


def text(description: str = "", **more: Any) -> dict[str, Any]:
    return _schema("string", description, **{"maxLength": LONGEST_TEXT, **more})


def choice(*values: str, description: str = "") -> dict[str, Any]:
    return _schema("string", description, enum=list(values))


def number(description: str = "", **more: Any) -> dict[str, Any]:
    return _schema("number", description, **more)


def integer(description: str = "", **more: Any) -> dict[str, Any]:
    return _schema("integer", description, **more)


def boolean(description: str = "") -> dict[str, Any]:
    return _schema("boolean", description)


def array(items: Schema, description: str = "", **more: Any) -> dict[str, Any]:
    return _schema("array", description, items=dict(items), **more)


def mapping(values: Schema, description: str = "") -> dict[str, Any]:
    """An object with any names."""
    return _schema("object", description, additionalProperties=dict(values))


def record(description: str = "", /, **fields: Schema) -> dict[str, Any]:
    """An object of an answer: it has these fields, and later versions may add others."""
    return _schema("object", description, properties={name: dict(one) for name, one in fields.items()})


def body(description: str = "", /, **fields: Schema) -> dict[str, Any]:
    """An object of a request: a field that ends with ``_`` may be left out, and there are no others."""
    needed = [name for name in fields if not name.endswith("_")]
    found = _schema("object", description, additionalProperties=False)
    found["properties"] = {name.removesuffix("_"): dict(one) for name, one in fields.items()}
    return {**found, "required": needed} if needed else found


def nullable(schema: Schema) -> dict[str, Any]:
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **choices}


def anything(description: str = "") -> dict[str, Any]:
    return {"description": description} if description else {}


def _schema(kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **({"description": description} if description else {}), **more}


# -- checking


def check(schema: Schema, value: Any, field: str = "") -> None:
    """Raise Invalid when ``value`` does not fit; it names the first fault in the order of the schema."""
    kinds = schema.get("type")
    if kinds is not None:
        _check_type([kinds] if isinstance(kinds, str) else kinds, value, field)
    if "enum" in schema and value not in schema["enum"]:
        raise Invalid(field, f"use one of {', '.join(map(str, schema['enum']))}")
    if isinstance(value, str):
        _check_text(schema, value, field)
    elif isinstance(value, dict):
        _check_object(schema, value, field)
    elif isinstance(value, list):
        _check_array(schema, value, field)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(schema, value, field)


def _check_type(kinds: list[str], value: Any, field: str) -> None:
    for kind in kinds:
        if isinstance(value, bool) and kind in ("integer", "number"):
            continue
        if isinstance(value, _TYPES[kind]):
            return
    raise Invalid(field, f"{' or '.join(_NAMES[kind] for kind in kinds)} is needed")


def _check_text(schema: Schema, value: str, field: str) -> None:
    if len(value) > schema.get("maxLength", LONGEST_TEXT):
        raise Invalid(field, f"at most {schema.get('maxLength', LONGEST_TEXT)} characters")
    if len(value) < schema.get("minLength", 0):
        raise Invalid(field, "it cannot be empty")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Invalid(field, "it holds what is no character")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        raise Invalid(field, f"it does not look like {schema['pattern']}")


def _check_object(schema: Schema, value: dict[str, Any], field: str) -> None:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            raise Invalid(_inside(field, name), "it is missing")
    others = schema.get("additionalProperties", True)
    for name, one in value.items():
        if name in properties:
            check(properties[name], one, _inside(field, name))
        elif others is False:
            known = ", ".join(properties)
            raise Invalid(_inside(field, _printable(name)), f"there is no such field; there is: {known}")
        elif others is not True:
            check({"type": "string"}, name, field)
            check(others, one, _inside(field, name))


def _check_array(schema: Schema, value: list[Any], field: str) -> None:
    if len(value) < schema.get("minItems", 0):
        raise Invalid(field, f"at least {schema['minItems']} needed")
    if len(value) > schema.get("maxItems", len(value)):
        raise Invalid(field, f"at most {schema['maxItems']}")
    for place, one in enumerate(value):
        check(schema.get("items", {}), one, _inside(field, str(place)))


def _check_number(schema: Schema, value: float, field: str) -> None:
    if not math.isfinite(value):
        raise Invalid(field, "a finite number is needed")
    if value < schema.get("minimum", value):
        raise Invalid(field, f"at least {schema['minimum']:g}")
    if value > schema.get("maximum", value):
        raise Invalid(field, f"at most {schema['maximum']:g}")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        raise Invalid(field, f"more than {schema['exclusiveMinimum']:g}")


def _printable(name: str) -> str:
    """Return the name of a field that somebody made up, fit to stand in an answer."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:80])


def _inside(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def from_text(schema: Schema, value: str, field: str) -> Any:
    """Return the value that a text of a path or a query stands for, checked. Raises Invalid."""
    kind = schema["type"]
    found: Any = value
    if kind in ("integer", "number"):
        try:
            found = int(value) if kind == "integer" else float(value)
        except ValueError:
            raise Invalid(field, f"{_NAMES[kind]} is needed") from None
    elif kind == "boolean":
        if value not in ("true", "false"):
            raise Invalid(field, "use true or false")
        found = value == "true"
    check(schema, found, field)
    return found
