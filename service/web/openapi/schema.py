"""Words to write JSON Schemas with (2020-12, as OpenAPI 3.1 has them)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

Schema = dict[str, Any]

SCHEMAS = "#/components/schemas/"


def ref(name: str) -> Schema:
    """A reference to the shape of that name."""
    return {"$ref": f"{SCHEMAS}{name}"}


def text(description: str, **keywords: Any) -> Schema:
    """A string."""
    return {"type": "string", "description": description, **keywords}


def count(description: str) -> Schema:
    """A whole number that is not negative."""
    return {"type": "integer", "minimum": 0, "description": description}


def flag(description: str) -> Schema:
    """True or false."""
    return {"type": "boolean", "description": description}


def one_of(values: Iterable[str] | type[StrEnum], description: str) -> Schema:
    """One of these strings."""
    return {"type": "string", "enum": [str(value) for value in values], "description": description}


def listed(items: Schema, description: str) -> Schema:
    """A list of `items`."""
    return {"type": "array", "items": items, "description": description}


def or_null(schema: Schema) -> Schema:
    """`schema`, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = schema | {"type": [schema["type"], "null"]}
    return nullable | {"enum": [*schema["enum"], None]} if "enum" in schema else nullable


def record(properties: Mapping[str, Schema], description: str, optional: Iterable[str] = ()) -> Schema:
    """An object in which every property but the `optional` ones is there."""
    return {
        "type": "object",
        "description": description,
        "properties": dict(properties),
        "required": [name for name in properties if name not in set(optional)],
    }


def closed(value: Any) -> Any:
    """The same schema, in which no object has properties that are not told."""
    if isinstance(value, list):
        return [closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {name: closed(item) for name, item in value.items()}
    # A property may itself be named "properties".
    return inner | {"additionalProperties": False} if "required" in value and value.get("type") == "object" else inner
