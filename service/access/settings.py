"""What an operator sets about who may call."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env
from marshmallow import ValidationError, validate

MIN_SECRET_CHARS = 32
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What tokens may be signed with: no secret is shared, so that what checks a signature cannot make one."""


class Mode(StrEnum):
    """How callers are known: not at all, by API keys, by tokens of a gateway, or by what a gateway says."""

    OPEN = "open"
    KEYS = "keys"
    JWT = "jwt"
    HEADER = "header"


@dataclass(frozen=True)
class AccessSettings:
    """Who may call; each field is the variable of its name behind `FACTCHECK_`.

    `allow_open` lets a service that asks nobody listen where other machines reach it; `open_metrics` lets anyone read
    `/metrics`. Without `key_pepper` the keys' hashes are made with what is in a file beside `keys_file`. With
    `jwt_tenant_claim` None each subject is a tenant of its own.
    """

    access: Mode = Mode.OPEN
    allow_open: bool = False
    open_metrics: bool = False
    keys_file: Path | None = None
    key_pepper: str | None = field(default=None, repr=False)
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")
    jwt_tenant_claim: str | None = None
    jwt_scope_claim: str = "scope"
    jwt_scope_prefix: str = ""
    jwks_url: str | None = None
    jwks_ca_file: Path | None = None
    header_secret: str | None = field(default=None, repr=False)


ACCESS_SETTING_NAMES = frozenset(f"FACTCHECK_{one.name.upper()}" for one in fields(AccessSettings))

_NEEDED = {
    Mode.OPEN: (),
    Mode.KEYS: ("FACTCHECK_KEYS_FILE",),
    Mode.JWT: ("FACTCHECK_JWT_ISSUER", "FACTCHECK_JWT_AUDIENCE", "FACTCHECK_JWKS_URL"),
    Mode.HEADER: ("FACTCHECK_HEADER_SECRET",),
}
_MODE_OF_PREFIX = {
    "FACTCHECK_KEY": Mode.KEYS,
    "FACTCHECK_JW": Mode.JWT,
    "FACTCHECK_HEADER": Mode.HEADER,
}


def read_access(env: Env) -> AccessSettings:
    """The settings in `env`, which notes what is malformed."""
    plain = AccessSettings()
    long_enough = validate.Length(min=MIN_SECRET_CHARS)
    named = validate.Length(max=200)
    return AccessSettings(
        access=env.enum("FACTCHECK_ACCESS", plain.access, enum=Mode, by_value=True),
        allow_open=env.bool("FACTCHECK_ALLOW_OPEN", plain.allow_open),
        open_metrics=env.bool("FACTCHECK_OPEN_METRICS", plain.open_metrics),
        keys_file=env.path("FACTCHECK_KEYS_FILE", None),
        key_pepper=env.str("FACTCHECK_KEY_PEPPER", None, validate=long_enough),
        jwt_issuer=env.str("FACTCHECK_JWT_ISSUER", None),
        jwt_audience=env.str("FACTCHECK_JWT_AUDIENCE", None),
        jwt_algorithms=tuple(env.list("FACTCHECK_JWT_ALGORITHMS", [*plain.jwt_algorithms], validate=_algorithms) or ()),
        jwt_tenant_claim=env.str("FACTCHECK_JWT_TENANT_CLAIM", None, validate=named),
        jwt_scope_claim=env.str("FACTCHECK_JWT_SCOPE_CLAIM", plain.jwt_scope_claim, validate=named),
        jwt_scope_prefix=env.str("FACTCHECK_JWT_SCOPE_PREFIX", plain.jwt_scope_prefix, validate=named),
        jwks_url=env.str("FACTCHECK_JWKS_URL", None, validate=_safe_url),
        jwks_ca_file=env.path("FACTCHECK_JWKS_CA_FILE", None),
        header_secret=env.str("FACTCHECK_HEADER_SECRET", None, validate=long_enough),
    )


def access_faults(mode: Mode, given: Container[str]) -> Iterator[str]:
    """What this mode lacks among the variables `given`, and what is given in vain, which could pass for protection."""
    if mode not in _NEEDED:  # it was malformed, which is told already
        return
    for name in _NEEDED[mode]:
        if name not in given:
            yield f"{name}: FACTCHECK_ACCESS={mode} needs it"
    for name in sorted(ACCESS_SETTING_NAMES):
        belongs = next((theirs for prefix, theirs in _MODE_OF_PREFIX.items() if name.startswith(prefix)), mode)
        if belongs is not mode and name in given:
            yield f"{name}: has no effect without FACTCHECK_ACCESS={belongs}"


def _algorithms(names: Any) -> None:
    if not names or not set(names) <= set(ALGORITHMS):
        raise ValidationError(f"must be some of {', '.join(ALGORITHMS)}")


def _safe_url(value: str) -> None:
    parts = urlsplit(value)
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        raise ValidationError("must name a server, without credentials or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValidationError("must be an https URL: who can change the keys on their way can let anyone in")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
