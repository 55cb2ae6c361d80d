"""What a client will take: the `Accept` header, read as RFC 9110 section 12.5.1 says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a token of HTTP's grammar
# An unclosed quoted string ends with the header, so that every character is read once.
_STRING = r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)'
_ELEMENT = re.compile(rf"(?:[^,\"]|{_STRING})+", re.DOTALL)
_RANGE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*((?:;.*)?)", re.DOTALL)
_PARAMETER = re.compile(rf";\s*(?:({_TOKEN})=({_TOKEN}|{_STRING})\s*)?", re.DOTALL)
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
_ANY = "*"


@dataclass(frozen=True)
class MediaType:
    """A media type we can send; `parameters` are what it may be asked for with."""

    kind: str
    subtype: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class MediaRange:
    """One element of the header. `weight` 0 means: not this."""

    kind: str
    subtype: str
    parameters: Mapping[str, str]
    weight: float

    @property
    def specificity(self) -> int:
        """How closely it names what it wants: 0 for anything, 3 and more for a type with parameters."""
        if self.subtype == _ANY:
            return int(self.kind != _ANY)
        return 2 + len(self.parameters)

    def takes(self, offer: MediaType) -> bool:
        """Whether `offer` is in this range."""
        if self.kind == _ANY:
            return True
        if self.kind != offer.kind or self.subtype not in {_ANY, offer.subtype}:
            return False
        return all(_agrees(name, value, offer.parameters) for name, value in self.parameters.items())


def parse_media_type(text: str) -> MediaType:
    """The media type that `text` names; every type of ours may also be asked for as UTF-8.

    Raises: ValueError when it is none.
    """
    parsed = _parse_range(text)
    if parsed is None:
        raise ValueError(f"{text!r} is no media type")
    return MediaType(parsed.kind, parsed.subtype, {"charset": "utf-8"} | dict(parsed.parameters))


def parse_accept(header: str) -> tuple[MediaRange, ...]:
    """The media ranges of the header, in its order; what is malformed is left out."""
    return tuple(parsed for element in _ELEMENT.findall(header) if (parsed := _parse_range(element)))


def _parse_range(element: str) -> MediaRange | None:
    found = _RANGE.fullmatch(element)
    if not found or (found[1] == _ANY and found[2] != _ANY):
        return None
    parameters, weight, position = {}, 1.0, 0
    while position < len(found[3]):
        parameter = _PARAMETER.match(found[3], position)
        if not parameter:
            return None
        position = parameter.end()
        name, value = (parameter[1] or "").lower(), _unquoted(parameter[2] or "")
        if name == "q":
            if not _WEIGHT.fullmatch(value):
                return None
            weight = float(value)
            break  # what follows the weight were extensions, which RFC 9110 took away
        if name:
            parameters[name] = value
    return MediaRange(found[1].lower(), found[2].lower(), parameters, weight)


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return re.sub(r"\\(.)", r"\1", value[1:].removesuffix('"'), flags=re.DOTALL)


def _agrees(name: str, asked: str, offered: Mapping[str, str]) -> bool:
    if name == "profile":
        # A list of addresses (RFC 6906): one that we follow is enough.
        return offered.get(name) in asked.split()
    return offered.get(name) == asked.lower()
