"""What knows the callers, as the settings ask: the only place that picks its classes."""

import time
from importlib.metadata import version
from pathlib import Path

from service.access.base import Access, OpenAccess
from service.access.bearer import BearerAccess
from service.access.gateway import GatewayAccess
from service.access.key_file import KeyFile, load_pepper
from service.access.keys import Keys
from service.access.settings import AccessSettings, Mode
from service.errors import SetupError

_AGENT = "factcheck-service"


def build_access(settings: AccessSettings) -> Access:
    """What knows the callers; the gateway's keys are fetched already, if that is possible.

    Raises: SetupError as `check_access` does.
    """
    if settings.access is Mode.KEYS:
        path = keys_path(settings)
        pepper = load_pepper(path, settings.key_pepper)
        file = KeyFile(path, pepper)
        file.check()
        return BearerAccess(Keys(file.current, pepper, time.time))
    if settings.access is Mode.JWT:
        return _by_tokens(settings)
    if settings.access is Mode.HEADER:
        return GatewayAccess(settings.header_secret or "")
    return OpenAccess()


def check_access(settings: AccessSettings) -> None:
    """Nothing, when the files that these settings name can be used.

    Raises: SetupError for a file of keys that is missing, broken or hashed with another pepper, or for missing authorities.
    """
    if settings.access is Mode.KEYS:
        build_access(settings)
    if settings.jwks_ca_file is not None and not settings.jwks_ca_file.is_file():
        raise SetupError(f"there is no {settings.jwks_ca_file}: correct FACTCHECK_JWKS_CA_FILE")


def keys_path(settings: AccessSettings) -> Path:
    """Where the API keys are."""
    return (settings.keys_file or Path()).expanduser()


def _by_tokens(settings: AccessSettings) -> Access:
    # Cryptography takes a tenth of a second to load, and most services have no use for it.
    from service.access.key_set import KeySet  # noqa: PLC0415
    from service.access.tokens import Claims, Tokens  # noqa: PLC0415
    from service.fetch.document import OperatorDocument  # noqa: PLC0415

    document = OperatorDocument(settings.jwks_url or "", f"{_AGENT}/{version(_AGENT)}", settings.jwks_ca_file)
    keys = KeySet(document.fetch, settings.jwt_algorithms, time.monotonic)
    keys.refresh()
    claims = Claims(
        settings.jwt_issuer or "",
        settings.jwt_audience or "",
        settings.jwt_algorithms,
        settings.jwt_tenant_claim,
        settings.jwt_scope_claim,
        settings.jwt_scope_prefix,
    )
    return BearerAccess(Tokens(claims, keys))
