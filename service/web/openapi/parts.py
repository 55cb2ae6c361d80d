"""The parts that operations are described with: headers, parameters, answers and problem reports."""

from collections.abc import Iterable, Mapping
from typing import Any

from service.web.asking import MAX_KEY_CHARS
from service.web.failures import PROBLEM_JSON, problem_document
from service.web.limit_problems import POLICY, STATE
from service.web.openapi.schema import Schema, ref, text
from service.web.problems import PROBLEMS
from service.web.security import SECURITY_HEADERS

Described = dict[str, Any]

ANYWHERE = (
    "bad-request",
    "unknown-host",
    "uri-too-long",
    "expectation-failed",
    "headers-too-large",
    "internal-error",
    "not-implemented",
)
"""The codes of failures that do not depend on the path."""

_EXAMPLE_ID = "3f1c9d5e8a7b4c6d9e0f1a2b3c4d5e6f"
_WAITED_FOR = {409, 429, 502, 503}
_CHALLENGED = {401, 403}

HEADERS: Mapping[str, Described] = {
    "X-Request-Id": {
        "description": "The id that log lines and problem reports carry: the caller's own, or a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "Cache-Control": {
        "description": "How long the answer may be kept by others.",
        "required": True,
        "schema": {"type": "string"},
    },
    **{
        name: {
            "description": "What a browser may do with the answer.",
            "required": True,
            "schema": {"type": "string"},
            "example": value,
        }
        for name, value in SECURITY_HEADERS.items()
    },
    "ETag": {
        "description": "A strong tag of these very bytes, for `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{64}"$'},
    },
    "Location": {
        "description": "The path where the answer can be read again.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Vary": {"description": "Answers differ by `Accept`.", "required": True, "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "There when this is the answer of an earlier request with the same `Idempotency-Key`.",
        "schema": {"const": "true"},
    },
    "Retry-After": {
        "description": "In how many seconds the request may be sent again, where that is known.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 86_400},
    },
    "WWW-Authenticate": {
        "description": "What to send along, and which scope is missing.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'Bearer realm="factcheck"',
    },
    POLICY: {
        "description": "What the caller may have, where they are limited: for each limit `q` of a unit `qu` (requests where it "
        "is not told) in `w` seconds, or at a time (draft-ietf-httpapi-ratelimit-headers-11).",
        "schema": {"type": "string"},
        "example": '"requests";q=60;w=60, "tokens";q=2000000;qu="tokens";w=86400',
    },
    STATE: {
        "description": "What is left: `r` of each limit, with more in `t` seconds at the latest.",
        "schema": {"type": "string"},
        "example": '"requests";r=59;t=1, "tokens";r=1893004;t=40512',
    },
    "traceparent": {
        "description": "The place of this request in the caller's trace, or in one of its own (W3C Trace Context).",
        "required": True,
        "schema": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
    },
}
ALWAYS = ("X-Request-Id", "Cache-Control", "traceparent", *SECURITY_HEADERS)
"""The headers of every answer."""

PARAMETERS: Mapping[str, Described] = {
    "X-Request-Id": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "An id of the caller's own to find this request by; one that is not harmless to repeat is replaced.",
        "schema": {"type": "string", "examples": ["Desk-7_b.1"]},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of an answer the caller has: 304 says that it still holds.",
        "schema": {"type": "string"},
    },
    "Request-Timeout": {
        "name": "Request-Timeout",
        "in": "header",
        "description": "At most so many seconds, more than 0; never more than `deadline_s` or the service's own limit.",
        "schema": {"type": "string", "pattern": r"^(?=.*[1-9])[0-9]{1,9}(\.[0-9]{1,9})?$", "examples": ["30"]},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A key of the caller's own, such as a UUID: the same request sent again with it gets the first one's "
        "answer. Kept for a day. Not together with `Cache-Control: no-store`.",
        "schema": {"type": "string", "pattern": r"^[\x20-\x7e]+$", "minLength": 1, "maxLength": MAX_KEY_CHARS},
    },
    "Cache-Control": {
        "name": "Cache-Control",
        "in": "header",
        "description": "`no-cache` asks for new work, `no-store` also not to keep the answer.",
        "schema": {"type": "string", "examples": ["no-cache", "no-store"]},
    },
    "prompt": {
        "name": "prompt",
        "in": "query",
        "description": "The prompt to ask with, one of `/prompts`, where the body is an article alone; JSON names it itself.",
        "schema": {"type": "string", "maxLength": 200},
    },
}


def parameter(name: str) -> Described:
    """A reference to the parameter of that name."""
    return {"$ref": f"#/components/parameters/{name}"}


def answer(description: str, content: Mapping[str, Any] | None = None, headers: Iterable[str] = ()) -> Described:
    """An answer with the headers of every answer and these."""
    described: Described = {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in (*ALWAYS, *headers)},
    }
    if content is not None:
        described["content"] = dict(content)
    return described


def in_json(shape: str, **keywords: Any) -> Described:
    """The content of an answer that is JSON of that shape."""
    return {"application/json": {"schema": ref(shape), **keywords}}


def page(description: str, **keywords: Any) -> Described:
    """The content of an answer that is a page for people."""
    return {"text/html": {"schema": text(description, **keywords)}}


def problems(codes: Iterable[str]) -> dict[str, Described]:
    """The problem reports with these codes, one answer for each status."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {str(status): _reports(status, by_status[status]) for status in sorted(by_status)}


def failures(*more: str) -> dict[str, Described]:
    """The problem reports of a path where only what may go wrong anywhere does, and `more`."""
    described = problems((*ANYWHERE, *more))
    return {status: _COMMON_REF[status] if report == _COMMON.get(status) else report for status, report in described.items()}


def get(
    name: str, summary: str, answers: dict[str, Described], *parameters: Described, more: tuple[str, ...] = ()
) -> Described:
    """A `GET` with these answers and the failures of anywhere; `more` are codes of its own."""
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [parameter("X-Request-Id"), *parameters],
        "responses": dict(sorted((failures(*more) | answers).items())),
    }


def kept(name: str, summary: str, content: dict[str, Any], *parameters: Described, more: tuple[str, ...] = ()) -> Described:
    """A `GET` whose answer may be kept and asked for again by its tag."""
    answers = {
        "200": answer(f"{summary}.", content, ["ETag"]),
        "304": answer("What the caller has still holds.", headers=["ETag"]),
    }
    return get(name, summary, answers, parameter("If-None-Match"), *parameters, more=more)


def _reports(status: int, codes: list[str]) -> Described:
    told = "; ".join(f"`{code}`: {PROBLEMS[code].title}" for code in codes)
    narrowed: Schema = {
        "allOf": [ref("Problem"), {"properties": {"status": {"const": status}, "code": {"enum": codes}}}],
    }
    examples = {code: {"value": problem_document(PROBLEMS[code], _EXAMPLE_ID)} for code in codes}
    return answer(
        f"{told}.",
        {PROBLEM_JSON: {"schema": narrowed, "examples": examples}},
        ["Retry-After"] * (status in _WAITED_FOR) + ["WWW-Authenticate"] * (status in _CHALLENGED),
    )


_COMMON = problems(ANYWHERE)
_COMMON_REF = {status: {"$ref": f"#/components/responses/Failure{status}"} for status in _COMMON}
RESPONSES: dict[str, Described] = {f"Failure{status}": report for status, report in _COMMON.items()}
"""The problem reports that most paths share."""
