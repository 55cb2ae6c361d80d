"""Every way to be kept out: a branch of the tree in `service/errors.py`.

FactCheckError
├── CredentialMissingError          the request does not say who sends it
├── CredentialRefusedError          what it says is not believed
├── ScopeMissingError               the caller may not do this
└── AccessUnavailableError          whether to believe it cannot be found out now

The `detail` of an error is shown to the caller, and holds nothing of what they sent; `reason` is for our log.
"""

from service.errors import FactCheckError, RequestError


class CredentialMissingError(RequestError):
    """The request does not say who sends it."""

    code = "credential-missing"


class CredentialRefusedError(RequestError):
    """What the request says of its sender is not believed. `reason` tells the log why, in words of ours."""

    code = "credential-refused"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class ScopeMissingError(RequestError):
    """The caller is known and may not do this."""

    code = "scope-missing"


class AccessUnavailableError(FactCheckError):
    """Whether to believe a request cannot be found out now. `retry_after_s` is when it may be, in seconds."""

    code = "access-unavailable"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
