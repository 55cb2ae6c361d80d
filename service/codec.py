"""Frozen dataclasses as JSON text and back, strictly: what is read is equal to what was written, or refused.

The rules are derived from the fields and their types, so a field added to a dataclass is carried without a word here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

from service import strictjson
from service.strictjson import StrictJsonError

T = TypeVar("T")
_Load = Callable[[Any], Any]
_EXACT: Mapping[type, tuple[type, ...]] = {str: (str,), int: (int,), bool: (bool,), float: (float, int)}


def canonical(value: Any) -> str:
    """`value`, made of dataclasses and what JSON has, as JSON on one line: the same text whenever it holds the same."""
    return json.dumps(value, default=_field_values, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


class CodecError(ValueError):
    """The text is not what this codec writes. The message quotes nothing of it."""


class Codec(Generic[T]):
    """Writes and reads values of the dataclass `kind`.

    Its fields may be str, int, float, bool, string enums, tuples, and dataclasses of these, each also with `| None`.
    `shape` is a hash of all field names and types: it differs as soon as what is written does. With `grown`, fields that have
    a default may be missing: what was written before they came is read.
    Raises: TypeError for a field of another type.
    """

    def __init__(self, kind: type[T], *, grown: bool = False) -> None:
        described: list[str] = []
        self._load = _loader(kind, described, grown=grown)
        self.shape = sha256("\n".join(described).encode()).hexdigest()

    def dump(self, value: T) -> str:
        """`value` as JSON on one line."""
        return canonical(value)

    def load(self, text: str) -> T:
        """The value that `dump` made `text` of.

        Raises: CodecError.
        """
        try:
            document = strictjson.loads(text)
        except StrictJsonError as error:
            raise CodecError(error.reason) from None
        return cast("T", self._load(document))


def _field_values(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _loader(kind: Any, described: list[str], *, grown: bool) -> _Load:
    """What makes a value of type `kind` of its JSON; the names and types met are added to `described`."""
    if kind in _EXACT:
        return _plain(_EXACT[kind])
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        described.append(f"{kind.__qualname__}: {', '.join(kind)}")
        return _label(kind)
    if is_dataclass(kind):
        return _record(cast("type[Any]", kind), described, grown=grown)
    arguments = get_args(kind)
    if get_origin(kind) is tuple and arguments:
        loaders = [_loader(one, described, grown=grown) for one in arguments if one is not ...]
        return _list(loaders[0]) if arguments[-1] is ... else _row(loaders)
    if isinstance(kind, UnionType) and NoneType in arguments and len(arguments) == 2:  # noqa: PLR2004 - a type and None
        return _optional(_loader(next(one for one in arguments if one is not NoneType), described, grown=grown))
    raise TypeError(f"a codec cannot carry a field of type {kind}")


def _record(kind: type[Any], described: list[str], *, grown: bool) -> _Load:
    hints = get_type_hints(kind)
    described.append(f"{kind.__qualname__}: " + ", ".join(f"{field.name} {hints[field.name]}" for field in fields(kind)))
    loaders = {field.name: _loader(hints[field.name], described, grown=grown) for field in fields(kind)}
    needed = {field.name for field in fields(kind) if not grown or (field.default, field.default_factory) == (MISSING, MISSING)}

    def load(value: Any) -> Any:
        if not isinstance(value, dict) or not needed <= value.keys() <= loaders.keys():
            raise CodecError(f"this is not a {kind.__qualname__}")
        return kind(**{name: read(value[name]) for name, read in loaders.items() if name in value})

    return load


def _plain(kinds: tuple[type, ...]) -> _Load:
    def load(value: Any) -> Any:
        # Not isinstance: to it, True is an int.
        if type(value) not in kinds:
            raise CodecError(f"this is not a {kinds[0].__name__}")
        return value

    return load


def _label(kind: type[StrEnum]) -> _Load:
    members = {member.value: member for member in kind}

    def load(value: Any) -> Any:
        if not isinstance(value, str) or value not in members:
            raise CodecError(f"this is not a {kind.__qualname__}")
        return members[value]

    return load


def _list(one: _Load) -> _Load:
    def load(value: Any) -> Any:
        if not isinstance(value, list):
            raise CodecError("this is not a list")
        return tuple([one(item) for item in value])

    return load


def _row(loaders: list[_Load]) -> _Load:
    def load(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(loaders):
            raise CodecError(f"this is not a list of {len(loaders)}")
        return tuple([read(item) for read, item in zip(loaders, value, strict=True)])

    return load


def _optional(one: _Load) -> _Load:
    return lambda value: None if value is None else one(value)
