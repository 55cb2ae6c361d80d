"""API keys: how one is made, what is kept of it, and whose it is.

A key is `fck_`, its id of 8 hex digits, `_`, and 256 random bits in hex. Kept is the id, to look it up by, and the
HMAC-SHA-256 of the whole under a secret that is not kept with it: who reads the file can neither use nor test a key.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from service.access.bearer import refused
from service.access.caller import Caller, Scope
from service.access.errors import AccessUnavailableError

_MARK = "fck_"
_ID_BYTES = 4
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Key:
    """What is kept of a key. Times are whole seconds since the epoch; `expires_at` None means never.

    `name` is for people. `digest` is the keyed hash, in hex.
    """

    id: str
    name: str
    tenant: str
    scopes: tuple[Scope, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    digest: str

    def state(self, now: float) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


# What an unknown id is compared with, so that it takes as long as a known one. No hash is known to come to this.
_NOBODY = Key("", "", "", (), 0, None, None, "0" * 64)


def digest(pepper: bytes, text: str) -> str:
    """The keyed hash of a key, in hex."""
    return hmac.new(pepper, text.encode(), sha256).hexdigest()


def new_id(taken: Mapping[str, object]) -> str:
    """An id for a new key that is not `taken`."""
    while (made := secrets.token_hex(_ID_BYTES)) in taken:
        pass
    return made


def new_text(key_id: str) -> str:
    """A new key with this id, as its holder sends it."""
    return f"{_MARK}{key_id}_{secrets.token_hex(_SECRET_BYTES)}"


class Keys:
    """Tells whose key a token is. `read` gives the keys there are now, by id; it may raise AccessUnavailableError."""

    def __init__(self, read: Callable[[], Mapping[str, Key]], pepper: bytes, clock: Callable[[], float]) -> None:
        self._read = read
        self._pepper = pepper
        self._clock = clock

    def caller(self, token: str) -> Caller:
        """Whose key it is. What a key that is not known is told takes as long to find out as a wrong secret.

        Raises: CredentialRefusedError, AccessUnavailableError.
        """
        # The id alone is looked at: no branch is taken on any digit of the secret.
        key = self._read().get(token.removeprefix(_MARK).partition("_")[0], _NOBODY)
        if not hmac.compare_digest(digest(self._pepper, token), key.digest):
            raise refused("This key is not known here.", "no such key")
        # Only who holds the key learns more of it.
        state = key.state(self._clock())
        if state != "active":
            raise refused(f"This key is {state}: ask whoever runs the service for a new one.", f"key {key.id} is {state}")
        return Caller(f"key:{key.id}", key.tenant, frozenset(key.scopes))

    def ready(self) -> str | None:
        """None when the keys can be read."""
        try:
            self._read()
        except AccessUnavailableError as error:
            return str(error)
        return None
