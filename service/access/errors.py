"""Every way to be kept out: a branch of the tree in `service/errors.py`.

RequestError
└── AccessDeniedError
    ├── CredentialMissingError      the request does not say who sends it
    ├── CredentialRefusedError      what it says is not believed
    └── ScopeMissingError           the caller may not do this
FactCheckError
└── AccessUnavailableError          whether to believe it cannot be found out now
"""

from service.errors import FactCheckError, RequestError


class AccessDeniedError(RequestError):
    """The caller is kept out. The message is shown to them; `challenge` is what `WWW-Authenticate` tells them to send."""

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(message)
        self.challenge = challenge


class CredentialMissingError(AccessDeniedError):
    """The request does not say who sends it."""

    code = "credential-missing"


class CredentialRefusedError(AccessDeniedError):
    """What the request says of its sender is not believed. `reason` tells our log why, in words of ours alone."""

    code = "credential-refused"

    def __init__(self, message: str, challenge: str, *, reason: str) -> None:
        super().__init__(message, challenge)
        self.reason = reason


class ScopeMissingError(AccessDeniedError):
    """The caller is known and may not do this."""

    code = "scope-missing"


class AccessUnavailableError(FactCheckError):
    """Whether to believe a request cannot be found out now; perhaps in `retry_after_s` seconds. The message is for our log."""

    code = "access-unavailable"
    retryable = True
    for_all = False

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
