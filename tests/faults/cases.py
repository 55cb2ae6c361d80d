"""What the service must make of each fault: the fault matrix, row by row."""

from dataclasses import dataclass

from tests.faults.stack import LIMIT_S, SHORT_LIMIT_S


@dataclass(frozen=True)
class Case:
    """A mode of the fault server, and what one passage must come to under it: status, code, and calls spent.

    `healed` is the number of calls after which the request is answered when the fault happens once; 0 where it is not.
    """

    mode: str
    status: int
    code: str
    calls: int
    healed: int
    limit_s: float = LIMIT_S


INVALID = "upstream-invalid-response"
DOWN = "upstream-unavailable"
SPENT = "deadline-exceeded"

CASES = (
    Case("ok", 200, "complete", 1, 1),
    Case("html-200", 502, INVALID, 2, 2),
    Case("empty-body", 502, INVALID, 3, 2),
    Case("truncated-envelope", 502, INVALID, 3, 2),
    Case("not-utf8", 502, INVALID, 3, 2),
    Case("deep-json", 502, INVALID, 1, 0),
    Case("huge-integer", 502, INVALID, 3, 2),
    Case("error-in-200", 502, INVALID, 3, 2),
    Case("busy-in-200", 503, "upstream-busy", 3, 2),
    Case("no-choices", 502, "upstream-empty", 3, 2),
    Case("null-choices", 502, "upstream-empty", 3, 2),
    Case("null-content", 502, "upstream-empty", 2, 2),
    Case("empty-content", 502, "upstream-empty", 2, 2),
    Case("length", 502, "upstream-truncated", 2, 2),
    Case("whitespace-loop", 200, "complete", 2, 2),
    Case("whitespace-always", 502, "upstream-truncated", 2, 2),
    Case("content-filter", 422, "model-refused", 1, 0),
    Case("refusal", 422, "model-refused", 1, 0),
    Case("fence", 200, "complete, repaired_fence", 1, 1),
    Case("prose", 200, "complete, repaired_fence, repaired_prose", 1, 1),
    Case("think", 200, "complete, repaired_think", 1, 1),
    Case("wrong-schema", 502, "upstream-schema", 2, 2),
    Case("duplicate-keys", 502, "upstream-schema", 2, 2),
    Case("nan", 502, "upstream-schema", 2, 2),
    Case("lone-surrogate", 502, "upstream-schema", 2, 2),
    Case("busy-briefly", 503, "upstream-busy", 3, 2),
    Case("busy", 503, "upstream-busy", 3, 2),
    Case("busy-for-an-hour", 503, "upstream-busy", 1, 0),
    Case("quota", 503, "upstream-quota", 1, 0),
    Case("http-500", 502, DOWN, 3, 2),
    Case("http-502", 502, DOWN, 3, 2),
    Case("http-503", 502, DOWN, 3, 2),
    Case("http-500-no-retry", 502, DOWN, 1, 0),
    Case("http-408", 502, DOWN, 2, 2),
    Case("http-409", 502, DOWN, 2, 2),
    Case("context-length", 413, "article-too-long", 2, 3),
    Case("no-json-schema", 200, "complete", 2, 2),
    Case("no-json-schema-500", 200, "complete", 2, 2),
    Case("no-response-format", 200, "complete", 3, 2),
    Case("no-grammar", 502, DOWN, 3, 2),
    Case("http-401", 503, "upstream-misconfigured", 1, 0),
    Case("http-403", 503, "upstream-misconfigured", 1, 0),
    Case("redirect", 502, INVALID, 1, 0),
    Case("refused", 502, DOWN, 0, 0),
    Case("reset", 502, DOWN, 3, 2),
    Case("reset-mid-body", 502, DOWN, 3, 2),
    Case("close-mid-body", 502, DOWN, 3, 2),
    Case("tls-untrusted", 502, DOWN, 0, 0),
    Case("tls-plain-http", 502, DOWN, 0, 0),
    Case("silence", 504, SPENT, 1, 0, SHORT_LIMIT_S),
    Case("slow-trickle", 504, SPENT, 1, 0, SHORT_LIMIT_S),
    Case("huge-body", 502, INVALID, 1, 0),
    Case("gzip-bomb", 502, INVALID, 1, 0),
    Case("sse-no-end", 502, INVALID, 2, 2),
    Case("sse-cut", 502, DOWN, 3, 2),
    Case("sse-reset", 502, DOWN, 3, 2),
    Case("sse-bad-frame", 502, INVALID, 2, 2),
    Case("sse-error-frame", 502, INVALID, 2, 2),
    Case("sse-stall", 504, SPENT, 1, 0, SHORT_LIMIT_S),
    Case("stream-plain-json", 200, "complete", 1, 1),
    Case("sse-usage-only", 502, INVALID, 2, 2),
)
