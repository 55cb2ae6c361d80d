"""How reached limits are told: one row for each error code, and the headers that let a caller stay within them.

Source: draft-ietf-httpapi-ratelimit-headers-11 (structured fields, RFC 9651); RFC 6585, section 4.
"""

from collections.abc import Sequence
from typing import Final

from flask import Response, g

from service.limit_errors import BudgetExhaustedError, LimitsUnavailableError, RateLimitedError
from service.limits.base import Level, Limit
from service.web.request_problems import Problem

POLICY: Final = "RateLimit-Policy"
STATE: Final = "RateLimit"
VIOLATED: Final = "violated-policies"
"""The member of a problem report that names the limits in the way, as the draft calls it."""

LIMIT_PROBLEMS = (
    Problem(
        RateLimitedError.code,
        429,
        "Too many requests",
        "As many requests have come as this caller may send in a minute, or as many as may be worked on at a time.",
        "Wait as long as the Retry-After header says, then send the request again.",
        retryable=True,
    ),
    Problem(
        BudgetExhaustedError.code,
        429,
        "The day's budget is used up",
        "What is left of this caller's characters, tokens or money of today is not enough for the article.",
        "Wait as long as the Retry-After header says, send a shorter article, or ask whoever runs the service for more.",
        retryable=True,
    ),
    Problem(
        LimitsUnavailableError.code,
        503,
        "Limits cannot be looked up",
        "The place where use is counted cannot be reached, so that nothing is given out.",
        "Wait as long as the Retry-After header says, then send the request again.",
        retryable=True,
    ),
)

# The draft's registry has names for requests, which is what is meant without one, and for those at a time. The others are ours.
_UNITS = {
    Limit.CONCURRENT: "concurrent-requests",
    Limit.CHARACTERS: "characters",
    Limit.TOKENS: "tokens",
    Limit.MONEY: "millionths",
}


def tell_limits(response: Response) -> Response:
    """`response`, which says how its caller's limits stand, where there are any."""
    if "admission" in g and g.admission.levels:
        response.headers[POLICY] = policy_field(g.admission.levels)
        response.headers[STATE] = state_field(g.admission.levels)
    return response


def policy_field(levels: Sequence[Level]) -> str:
    """What is allowed, as the value of `RateLimit-Policy`."""
    return ", ".join(_policy(level) for level in levels)


def state_field(levels: Sequence[Level]) -> str:
    """What is left, as the value of `RateLimit`."""
    return ", ".join(
        f'"{level.limit}";r={level.left}' + ("" if level.reset_s is None else f";t={level.reset_s}") for level in levels
    )


def _policy(level: Level) -> str:
    unit = f';qu="{_UNITS[level.limit]}"' if level.limit in _UNITS else ""
    window = "" if level.window_s is None else f";w={level.window_s}"
    return f'"{level.limit}";q={level.quota}{unit}{window}'
