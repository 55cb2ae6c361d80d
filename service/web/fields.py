"""marshmallow fields that coerce nothing: its own take "5", 5.7 and "off" where a number or a boolean is meant."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, ClassVar

from marshmallow import fields


class Exactly(fields.Field[Any]):
    """A value of one of the JSON types in `kinds`, and no other that looks like it."""

    kinds: ClassVar[tuple[type, ...]]
    must: ClassVar[str]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(error_messages={"invalid": self.must, "null": self.must}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        # Not isinstance: to it, True is an int.
        if type(value) not in self.kinds or (isinstance(value, float) and not isfinite(value)):
            raise self.make_error("invalid")
        return value


class String(Exactly):
    """A JSON string."""

    kinds = (str,)
    must = "This must be a string."


class Integer(Exactly):
    """A JSON whole number."""

    kinds = (int,)
    must = "This must be a whole number, without quotation marks."


class Number(Exactly):
    """A finite JSON number."""

    kinds = (int, float)
    must = "This must be a number, without quotation marks."


class Boolean(Exactly):
    """JSON's true and false."""

    kinds = (bool,)
    must = "This must be true or false, without quotation marks."
