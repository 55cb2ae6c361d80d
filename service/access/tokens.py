"""Tokens that a gateway issues (JWT, RFC 7519), checked as RFC 8725 asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from service.access.bearer import refused
from service.access.caller import Caller, is_name, scopes_among
from service.access.key_set import KeySet

LEEWAY_S: Final = 30
"""How far the gateway's clock and ours may be apart."""

_REQUIRED = ("exp", "iss", "aud", "sub")
_REASONS: Mapping[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.InvalidAudienceError: "the token is for another audience",
    jwt.InvalidIssuerError: "the token is of another issuer",
    jwt.MissingRequiredClaimError: "the token lacks one of exp, iss, aud and sub",
    jwt.InvalidSignatureError: "the token's signature is wrong",
}
_UNREADABLE = "the token cannot be read"


@dataclass(frozen=True)
class Claims:
    """Which tokens are taken, and where they say what their caller may do.

    `tenant` is the claim with the caller's tenant; None makes each subject one of its own. `scope` is the claim with the
    scopes, each of them behind `prefix`.
    """

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    tenant: str | None = None
    scope: str = "scope"
    prefix: str = ""


class Tokens:
    """Tells whose token it is. Nothing a token says of the key it was signed with is used but the id it has in `keys`."""

    def __init__(self, claims: Claims, keys: KeySet) -> None:
        self._claims = claims
        self._keys = keys

    def caller(self, token: str) -> Caller:
        """Whose token it is.

        Raises: CredentialRefusedError, AccessUnavailableError.
        """
        try:
            head = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise _refused(_UNREADABLE) from error
        algorithm, key_id = head.get("alg"), head.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._claims.algorithms:
            raise _refused("the token's algorithm is not allowed")
        key = self._keys.find(key_id, algorithm)
        if key is None:
            raise _refused("the token's key is not known")
        try:
            told = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._claims.audience,
                issuer=self._claims.issuer,
                leeway=LEEWAY_S,
                options={"require": list(_REQUIRED), "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise _refused(_REASONS.get(type(error), _UNREADABLE)) from error
        return self._caller(told)

    def ready(self) -> str | None:
        """None when there are keys to check tokens with."""
        return self._keys.ready()

    def _caller(self, told: Mapping[str, Any]) -> Caller:
        claims, subject = self._claims, told["sub"]
        if not is_name(subject):
            raise _refused("the token's subject is not visible ASCII without spaces")
        caller = f"jwt:{subject}"
        tenant = caller if claims.tenant is None else told.get(claims.tenant)
        if not isinstance(tenant, str) or not is_name(tenant):
            raise _refused("the token names no tenant")
        return Caller(caller, tenant, scopes_among(told.get(claims.scope), claims.prefix))


def _refused(reason: str) -> Exception:
    return refused(f"This token is not accepted: {reason}.", reason)
