"""Every way to be over a limit: a branch of the tree in `service/errors.py`.

FactCheckError
└── LimitError                      a tenant's limits are in the way; carries which one
    ├── RateLimitedError            too many requests a minute, or at a time
    ├── BudgetExhaustedError        what is left of the day is not enough for this article
    └── LimitsUnavailableError      nobody can tell what is left, so nothing is given out

The message of each is shown to the caller, and is made of our own numbers alone.
"""

from service.errors import FactCheckError


class LimitError(FactCheckError):
    """A limit is in the way. `limit` is its name (None: it is not known which), `retry_after_s` when to come again."""

    retryable = True
    for_all = False

    def __init__(self, message: str, *, limit: str | None, retry_after_s: float) -> None:
        super().__init__(message)
        self.message = message
        self.limit = limit
        self.retry_after_s = retry_after_s


class RateLimitedError(LimitError):
    """As many requests as are allowed in a minute have come, or as many as are allowed at a time are being answered."""

    code = "rate-limited"


class BudgetExhaustedError(LimitError):
    """What is left of the day's characters, tokens or money is not enough for this article."""

    code = "budget-exhausted"


class LimitsUnavailableError(LimitError):
    """The place where use is counted cannot be reached, and nothing may be given out without counting."""

    code = "limits-unavailable"
