"""`Authorization: Bearer`, in which both keys and tokens are sent (RFC 6750)."""

import re
from typing import ClassVar, Protocol

from service.access.base import Header
from service.access.caller import Caller
from service.access.errors import CredentialMissingError, CredentialRefusedError

CHALLENGE = 'Bearer realm="factcheck"'
REFUSED = f'{CHALLENGE}, error="invalid_token"'
MAX_TOKEN_CHARS = 8_000

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/=-]+)")


class Verifier(Protocol):
    """Tells who may hold a token. Thread-safe."""

    def caller(self, token: str) -> Caller:
        """Whose token it is.

        Raises: CredentialRefusedError, AccessUnavailableError.
        """

    def ready(self) -> str | None:
        """None when tokens can be judged now, else a short reason."""


def refused(message: str, reason: str) -> CredentialRefusedError:
    """The error for a token that is not believed: `message` for who sent it, `reason` for our log."""
    return CredentialRefusedError(message, REFUSED, reason=reason)


class BearerAccess:
    """Knows callers by the token in `Authorization`, which `verifier` judges."""

    challenge: ClassVar[str | None] = CHALLENGE

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def caller(self, header: Header, _peer: str) -> Caller:
        """Whose token came with the request.

        Raises: CredentialMissingError, CredentialRefusedError, AccessUnavailableError.
        """
        given = header("Authorization")
        if not given:
            raise CredentialMissingError("Send the key or token you were given: `Authorization: Bearer …`.", CHALLENGE)
        found = _BEARER.fullmatch(given)
        if found is None or len(given) > MAX_TOKEN_CHARS:
            raise refused(
                "The Authorization header must be `Bearer` and one key or token.", "the header is not of the form Bearer token"
            )
        return self._verifier.caller(found[1])

    def ready(self) -> str | None:
        """What the verifier says."""
        return self._verifier.ready()
