"""A gateway that is believed: it proves itself by a shared secret, and tells who its caller is."""

import hmac
from typing import ClassVar, Final

from service.access.base import GATEWAY_PROOF, Header
from service.access.caller import Caller, is_name, scopes_among
from service.access.errors import CredentialMissingError, CredentialRefusedError

CALLER: Final = "X-Factcheck-Caller"
TENANT: Final = "X-Factcheck-Tenant"
SCOPES: Final = "X-Factcheck-Scopes"
CHALLENGE: Final = 'Gateway realm="factcheck"'


class GatewayAccess:
    """Believes what `X-Factcheck-Caller`, `-Tenant` and `-Scopes` say beside the right `X-Factcheck-Secret`.

    A caller without a tenant is one of their own.
    """

    challenge: ClassVar[str | None] = CHALLENGE

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def caller(self, header: Header, _peer: str) -> Caller:
        """Who the gateway says it is.

        Raises: CredentialMissingError, CredentialRefusedError.
        """
        secret = header(GATEWAY_PROOF)
        if secret is None:
            raise CredentialMissingError("This service answers its gateway only: send the request there.", CHALLENGE)
        if not hmac.compare_digest(secret.encode("utf-8", "surrogateescape"), self._secret):
            raise _refused("The gateway's secret is not the one that was agreed.", "wrong secret")
        # A field that came twice is joined by a comma: then a client's own may be one of the two.
        name, tenant, scopes = header(CALLER), header(TENANT), header(SCOPES) or ""
        if name is None or not _is_one_name(name):
            raise _refused(
                f"{CALLER} must name one caller, in visible ASCII without spaces and commas.", "no one caller is named"
            )
        if tenant is not None and not _is_one_name(tenant):
            raise _refused(f"{TENANT} must be visible ASCII without spaces and commas.", "no one tenant is named")
        if "," in scopes:
            raise _refused(f"{SCOPES} must list scopes with spaces between them, and come once.", "the scopes hold a comma")
        caller = f"proxy:{name}"
        return Caller(caller, tenant or caller, scopes_among(scopes))

    def ready(self) -> str | None:
        """None: nothing has to be asked."""
        return None


def _is_one_name(value: str) -> bool:
    return "," not in value and is_name(value)


def _refused(message: str, reason: str) -> CredentialRefusedError:
    return CredentialRefusedError(message, CHALLENGE, reason=reason)
