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
        name = header(CALLER)
        if name is None or not is_name(name):
            raise _refused(f"{CALLER} must name the caller, in visible ASCII without spaces.", "no caller is named")
        tenant = header(TENANT)
        if tenant is not None and not is_name(tenant):
            raise _refused(f"{TENANT} must be visible ASCII without spaces.", "the tenant's name cannot be read")
        caller = f"proxy:{name}"
        return Caller(caller, tenant or caller, scopes_among((header(SCOPES) or "").replace(",", " ")))

    def ready(self) -> str | None:
        """None: nothing has to be asked."""
        return None


def _refused(message: str, reason: str) -> CredentialRefusedError:
    return CredentialRefusedError(message, CHALLENGE, reason=reason)
