"""The public keys that a gateway signs its tokens with, as it publishes them (JWKS, RFC 7517), kept and fetched anew.

Whoever sends tokens can make up key ids, so what they name never makes us fetch more often than every `RETRY_S`: an id
that was not found is not looked for again before. A request never waits for a fetch that another one has begun.
"""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, Final

import jwt
import structlog

from service import strictjson
from service.access.errors import AccessUnavailableError
from service.strictjson import StrictJsonError
from service.url_errors import UrlFetchFailedError

TTL_S: Final = 600.0
RETRY_S: Final = 30.0
KEPT_S: Final = 86_400.0
"""How long keys are used that cannot be fetched anew."""
MAX_KEYS: Final = 100

_BUSY_RETRY_AFTER_S = 1.0
_OF_KIND: Mapping[str, Callable[[str], bool]] = {
    "RSA": lambda algorithm: algorithm[:2] in {"RS", "PS"},
    "EC": lambda algorithm: algorithm.startswith("ES"),
    "OKP": lambda algorithm: algorithm == "EdDSA",
}
_OF_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}

_Named = tuple[str | None, str]


class KeySet:
    """The keys that `fetch` gives, as far as they are for these `algorithms`. Thread-safe."""

    def __init__(self, fetch: Callable[[], bytes], algorithms: Iterable[str], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._algorithms = tuple(algorithms)
        self._clock = clock
        self._fetching = Lock()
        self._keys: Mapping[_Named, Any] | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None

    def find(self, key_id: str | None, algorithm: str) -> Any | None:
        """The key of that id for that algorithm, or None. Without an id, the only key there is for the algorithm.

        Raises: AccessUnavailableError.
        """
        age_s = self._clock() - self._fetched_at
        if self._keys is None or age_s > TTL_S:
            self.refresh()
        found = self._pick(key_id, algorithm)
        if found is None and self.refresh():
            found = self._pick(key_id, algorithm)
        return found

    def refresh(self) -> bool:
        """Whether the keys have been fetched anew; they are not when that was tried a short while ago."""
        if not self._fetching.acquire(blocking=False):
            return False
        try:
            now = self._clock()
            if self._tried_at is not None and now - self._tried_at < RETRY_S:
                return False
            self._tried_at = now
            self._keys = read_keys(self._fetch(), self._algorithms)
            self._fetched_at = now
        except UrlFetchFailedError as error:
            structlog.get_logger().warning("the gateway's keys cannot be fetched", reason=str(error))
            return False
        finally:
            self._fetching.release()
        return True

    def ready(self) -> str | None:
        """None when there are keys that can be used, else a short reason."""
        usable = self._keys is not None and self._clock() - self._fetched_at <= KEPT_S
        return None if usable else "the gateway's keys cannot be fetched"

    def _pick(self, key_id: str | None, algorithm: str) -> Any | None:
        keys = self._keys or {}
        if (reason := self.ready()) is not None:
            raise AccessUnavailableError(reason, retry_after_s=self._wait_s())
        found = keys.get((key_id, algorithm))
        if found is None and key_id is not None and self._fetching.locked():
            # It may be in what is just being fetched: that this key is not known cannot be said now.
            raise AccessUnavailableError("the gateway's keys are being fetched", retry_after_s=_BUSY_RETRY_AFTER_S)
        if key_id is not None:
            return found
        fitting = [key for (_, fits), key in keys.items() if fits == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def _wait_s(self) -> float:
        if self._fetching.locked() or self._tried_at is None:
            return _BUSY_RETRY_AFTER_S
        return max(RETRY_S - (self._clock() - self._tried_at), _BUSY_RETRY_AFTER_S)


def read_keys(document: bytes, algorithms: Iterable[str]) -> Mapping[_Named, Any]:
    """The usable keys of a JWKS, by their id and each algorithm they are for.

    Left out are secrets, private keys, keys for encryption, and what cannot be read as a key.
    Raises: UrlFetchFailedError when it is no JWKS, or none of its keys can be used.
    """
    try:
        listed = strictjson.loads(document)
    except StrictJsonError as error:
        raise UrlFetchFailedError("what is at the address of the keys is not JSON") from error
    entries = listed.get("keys") if isinstance(listed, dict) else None
    if not isinstance(entries, list):
        raise UrlFetchFailedError("what is at the address of the keys is no JWKS")
    wanted = tuple(algorithms)
    keys: dict[_Named, Any] = {}
    for entry in entries[:MAX_KEYS]:
        if isinstance(entry, dict):
            keys = _named(entry, wanted) | keys
    if not keys:
        raise UrlFetchFailedError("no key at the address of the keys can be used")
    return keys


def _named(entry: Mapping[str, Any], wanted: Iterable[str]) -> dict[_Named, Any]:
    kind, key_id = entry.get("kty"), entry.get("kid")
    fits = _OF_KIND.get(kind) if isinstance(kind, str) else None
    if fits is None or "d" in entry or entry.get("use", "sig") != "sig" or not isinstance(key_id, str | None):
        return {}
    if kind == "EC":
        curve = entry.get("crv")
        wanted = [name for name in wanted if isinstance(curve, str) and name == _OF_CURVE.get(curve)]
    names = [name for name in wanted if fits(name) and entry.get("alg", name) == name]
    try:
        return {(key_id, name): jwt.PyJWK(dict(entry), name).key for name in names}
    except jwt.PyJWTError:
        return {}
