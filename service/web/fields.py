"""marshmallow fields that coerce nothing: its own take "5", 5.7 and "off" where a number or a boolean is meant."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from marshmallow import fields


class _Exactly(fields.Field[Any]):
    """A value of one of the JSON types in `kinds`, and no other that looks like it."""

    def __init__(self, kinds: tuple[type, ...], must: str, **kwargs: Any) -> None:
        super().__init__(error_messages={"invalid": must, "null": must}, **kwargs)
        self._kinds = kinds

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:  # noqa: ARG002 - marshmallow's signature
        # Not isinstance: to it, True is an int.
        if type(value) not in self._kinds or (isinstance(value, float) and not isfinite(value)):
            raise self.make_error("invalid")
        return value


def string(**kwargs: Any) -> fields.Field[Any]:
    """A field for a JSON string."""
    return _Exactly((str,), "This must be a string.", **kwargs)


def integer(**kwargs: Any) -> fields.Field[Any]:
    """A field for a JSON whole number."""
    return _Exactly((int,), "This must be a whole number, without quotation marks.", **kwargs)


def number(**kwargs: Any) -> fields.Field[Any]:
    """A field for a finite JSON number."""
    return _Exactly((int, float), "This must be a number, without quotation marks.", **kwargs)


def boolean(**kwargs: Any) -> fields.Field[Any]:
    """A field for JSON's true and false."""
    return _Exactly((bool,), "This must be true or false, without quotation marks.", **kwargs)
