"""What an endpoint can be asked for: begun with the strongest, yielded one step at a time, remembered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Literal

from service.llm.base import ModelCall, ReplySchema, ResponseFormat
from service.llm.complaint import Complaint

LimitName = Literal["max_tokens", "max_completion_tokens"]

_FORMATS = tuple(ResponseFormat)
_LIMIT_NAMES: tuple[LimitName, ...] = ("max_tokens", "max_completion_tokens")
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_NAME_CHARS = 64


@dataclass(frozen=True)
class Terms:
    """The parameters an endpoint takes. There are four steps from the strongest terms to the weakest."""

    response_format: ResponseFormat = ResponseFormat.JSON_SCHEMA
    limit_name: LimitName = "max_tokens"
    temperature: bool = True

    def body(self, model: str, call: ModelCall) -> dict[str, Any]:
        """The request body that asks `call` of `model` in these terms."""
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": message.role, "content": message.content} for message in call.messages],
            self.limit_name: call.max_output_tokens,
        }
        if self.temperature:
            body["temperature"] = call.temperature
        if (wanted := _response_format(self.format_of(call), call.schema)) is not None:
            body["response_format"] = wanted
        return body

    def format_of(self, call: ModelCall) -> ResponseFormat:
        """How `call` is held to its schema in these terms."""
        return self.response_format if call.schema_mode else ResponseFormat.TEXT

    def after(self, complaint: Complaint) -> "Terms | None":
        """The next weaker terms that answer `complaint`, or None when none would."""
        if complaint.about_context:
            return None
        if self.limit_name == "max_tokens" and complaint.about("max_tokens"):
            return replace(self, limit_name="max_completion_tokens")
        if self.temperature and complaint.about("temperature"):
            return replace(self, temperature=False)
        if self.response_format is not ResponseFormat.TEXT and complaint.about_format:
            return replace(self, response_format=_FORMATS[_FORMATS.index(self.response_format) + 1])
        return None

    def weaker_of(self, other: "Terms") -> "Terms":
        """For each parameter the weaker of two."""
        return Terms(
            response_format=max(self.response_format, other.response_format, key=_FORMATS.index),
            limit_name=max(self.limit_name, other.limit_name, key=_LIMIT_NAMES.index),
            temperature=self.temperature and other.temperature,
        )


class Negotiation:
    """The terms an endpoint is known to take. Thread-safe; what is settled only ever becomes weaker."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._terms = Terms()
        self._left_off: Terms | None = None

    @property
    def terms(self) -> Terms:
        """The terms to ask in."""
        return self._left_off or self._terms

    def settle(self, terms: Terms) -> None:
        """Nothing; calls from now on are asked in terms no stronger than these, which the endpoint has accepted."""
        if terms == self._terms and self._left_off is None:
            return
        with self._lock:
            self._terms = self._terms.weaker_of(terms)
            self._left_off = None

    def leave_off(self, terms: Terms) -> None:
        """Nothing; the next call begins with these terms, at which a question ran out of calls."""
        with self._lock:
            self._left_off = self._terms.weaker_of(terms)

    def give_up(self) -> None:
        """Nothing; the endpoint refused for a reason that no terms answer, so the terms it never accepted are forgotten."""
        with self._lock:
            self._left_off = None


def _response_format(wanted: ResponseFormat, schema: ReplySchema) -> Mapping[str, Any] | None:
    if wanted is ResponseFormat.TEXT:
        return None
    if wanted is ResponseFormat.JSON_OBJECT:
        return {"type": wanted.value}
    name = _NOT_IN_A_NAME.sub("_", schema.name)[:_MAX_NAME_CHARS]
    return {"type": wanted.value, "json_schema": {"name": name, "strict": True, "schema": schema.document}}
