"""What an endpoint says when it refuses a call, and which of our errors that is.

Endpoints agree on little: the same trouble comes as a status, a code, a type or only as English. Nothing of what they
write goes into our messages: it may quote the article or the tail of a key.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite
from typing import Any

from service.errors import (
    ModelBusyError,
    ModelContextError,
    ModelError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelUnavailableError,
)
from service.strictjson import StrictJsonError, loads

_MAX_TEXT_CHARS = 4_000
_MAX_WORD_CHARS = 100
_REPEATED_CHARS = 40  # longer than what an endpoint and an article are likely to have in common

_STATUS_OF = {
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "too_many_requests": 429,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "content_filter": 400,
    "server_error": 500,
    "internal_server_error": 500,
    "overloaded_error": 503,
    "unavailable_error": 503,
    "service_unavailable": 503,
}
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_CONTEXT = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_FILTERED = frozenset({"content_filter", "content_policy_violation", "responsibleaipolicyviolation"})
_WORTH_A_REPEAT = frozenset({408, 409})
_MAY_SPEAK_OF_CONTEXT = frozenset({200, 400, 422, 500})
_MAY_SPEAK_OF_FORMAT = frozenset({400, 404, 422, 500})
_TOO_LONG = re.compile(
    r"maximum (?:context|model) length|exceed\w* [^.]{0,60}\bcontext|context (?:length|size|window) exceeded|"
    r"longer than the (?:maximum )?(?:model|context)|prompt is too long|input token count \S* ?exceeds"
)
_FORMAT = re.compile(
    r"response.?format|json.?(?:schema|object)|\bgrammar|\bschema|structured.?output|guided.?(?:json|decoding)"
)


@dataclass(frozen=True)
class Complaint:
    """An endpoint's refusal: HTTP status, and in lower case what it wrote under code, type, param and message."""

    status: int
    code: str = ""
    kind: str = ""
    param: str = ""
    text: str = ""

    @property
    def about_quota(self) -> bool:
        """Whether the account is exhausted, as against busy."""
        return self.status == HTTPStatus.PAYMENT_REQUIRED or not _QUOTA.isdisjoint((self.code, self.kind))

    @property
    def about_context(self) -> bool:
        """Whether the prompt does not fit."""
        if self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or not _CONTEXT.isdisjoint((self.code, self.kind)):
            return True
        return self.status in _MAY_SPEAK_OF_CONTEXT and _TOO_LONG.search(self.text) is not None

    @property
    def about_content(self) -> bool:
        """Whether a filter stopped the article before the model read it."""
        return self.status == HTTPStatus.BAD_REQUEST and not _FILTERED.isdisjoint((self.code, self.kind))

    @property
    def about_format(self) -> bool:
        """Whether the way the reply schema was asked for is not supported."""
        return self.status in _MAY_SPEAK_OF_FORMAT and _FORMAT.search(f"{self.param} {self.text}") is not None

    def without_echo(self, said: str) -> "Complaint":
        """The complaint up to where its text begins to repeat what was `said` to the endpoint.

        An endpoint that writes our prompt into its errors would else let the article's words choose what we make of them.
        """
        heard = " ".join(said.lower().split())
        text = " ".join(self.text.split())
        for start in range(0, len(text) - _REPEATED_CHARS + 1, _REPEATED_CHARS // 4):
            if text[start : start + _REPEATED_CHARS] in heard:
                return replace(self, text=text[:start])
        return self

    def about(self, parameter: str) -> bool:
        """Whether `parameter` itself is refused."""
        if self.status != HTTPStatus.BAD_REQUEST:
            return False
        return self.param == parameter or re.search(rf"\b{parameter}\b", self.text) is not None


def read_complaint(status: int, content: bytes) -> Complaint:
    """The complaint in the body of a refused call, of any shape."""
    try:
        body = loads(content)
    except StrictJsonError:
        # A page in HTML is not an answer about our parameters, whatever words its markup holds.
        text = "" if content.lstrip().startswith(b"<") else content[:_MAX_TEXT_CHARS].decode("utf-8", "replace")
        return Complaint(status, text=text.lower())
    return _complaint(status, body.get("error") or body if isinstance(body, dict) else body)


def inner_complaint(error: Any) -> Complaint:
    """The complaint in an `error` member that came with status 200; its status is 200 when none can be told."""
    found = _complaint(HTTPStatus.OK, error)
    status = next(filter(None, map(_status_named, (found.code, found.kind))), found.status)
    return replace(found, status=status)


def _status_named(name: str) -> int:
    if re.fullmatch("[45][0-9][0-9]", name):
        return int(name)
    return _STATUS_OF.get(name, 0)


def _complaint(status: int, error: Any) -> Complaint:
    members = error if isinstance(error, dict) else {"message": error}
    code, kind, param = (_word(members.get(name)) for name in ("code", "type", "param"))
    text = " ".join(_words(members.get("message"), members.get("detail")))
    return Complaint(int(status), code, kind, param, text[:_MAX_TEXT_CHARS].lower())


def _word(value: Any) -> str:
    return str(value).lower()[:_MAX_WORD_CHARS] if isinstance(value, str | int) else ""


def _words(*values: Any) -> Iterator[str]:
    """The texts of a message, and of the `loc` and `msg` of a list of faults; never their `input`, which is our prompt."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for fault in value:
                if isinstance(fault, dict):
                    yield from (part for part in (fault.get("msg"), *_listed(fault.get("loc"))) if isinstance(part, str))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def failure(complaint: Complaint, headers: Mapping[str, str], now: float) -> ModelError:
    """Our error for a refused call. `now` is the Unix time, for a wait given as a date."""
    told = f"the endpoint answered {complaint.status}"
    if complaint.about_quota:
        return ModelQuotaError(f"{told}: the account is exhausted")
    if complaint.about_context:
        return ModelContextError(f"{told}: the prompt does not fit its context")
    if complaint.about_content:
        return ModelRefusedError(f"{told}: a content filter stopped the prompt", filtered=True)
    return _failure_by_status(complaint.status, told, headers, now)


def _failure_by_status(status: int, told: str, headers: Mapping[str, str], now: float) -> ModelError:
    wait = retry_after_s(headers, now)
    may_retry = headers.get("x-should-retry", "").strip().lower() != "false"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ModelBusyError(told, retry_after_s=wait, may_retry=may_retry)
    if status in _WORTH_A_REPEAT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ModelUnavailableError(told, retry_after_s=wait, may_retry=may_retry, once=status in _WORTH_A_REPEAT)
    if status >= HTTPStatus.BAD_REQUEST:
        return ModelMisconfiguredError(f"{told}: it rejects our key, model name or parameters")
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        return ModelReplyError(f"{told}: a redirect, which is not followed", may_retry=False)
    return ModelReplyError(f"{told} with an error inside")


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the endpoint asks to wait, or None when it gives no time that can be believed.

    Source: RFC 9110, section 10.2.3; `retry-after-ms` is OpenAI's own.
    """
    for name, per_second in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / per_second
        except ValueError:
            continue
        if isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        seconds = parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None
