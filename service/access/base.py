"""What tells who sends a request, as the rest of the service sees it."""

from collections.abc import Callable
from typing import ClassVar, Final, Protocol

from service.access.caller import ALL_SCOPES, Caller

GATEWAY_PROOF: Final = "X-Factcheck-Secret"
"""The header field in which a gateway that is believed proves itself."""

Header = Callable[[str], str | None]
"""The value of a request's header field of that name; None when it has none."""


class Access(Protocol):
    """Knows callers by what they send along. Thread-safe."""

    @property
    def challenge(self) -> str | None:
        """What `WWW-Authenticate` asks for, without parameters; None where nobody is asked who they are."""

    def caller(self, header: Header, peer: str) -> Caller:
        """Who sent a request with these header fields from the address `peer`.

        Raises: CredentialMissingError, CredentialRefusedError, AccessUnavailableError.
        """

    def ready(self) -> str | None:
        """None when callers can be told apart now, else a short reason for `/readyz`."""


class OpenAccess:
    """Asks nobody: whoever reaches the service may do everything, and all share one tenant."""

    challenge: ClassVar[str | None] = None

    def caller(self, _header: Header, peer: str) -> Caller:
        """The one at `peer`."""
        return Caller(peer, "", ALL_SCOPES)

    def ready(self) -> str | None:
        """None: there is nobody to tell apart."""
        return None
