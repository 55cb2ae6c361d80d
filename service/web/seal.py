"""What an answer carries for the next one of the same article, sealed: only what this service said itself comes back in.

The seal holds the model's replies, so nothing else of an answer that is handed back has to be read, let alone believed.
"""

from dataclasses import asdict
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from service.earlier import Circumstances, ClaimMemory, Memory, PassageMemory, Previous

_FORMAT = "factcheck answer 1"
"""Signed along: the number goes up when the fields of a memory change, so that older seals are not misread."""

_KEY_BYTES = 32


class Sealer:
    """Seals memories and opens seals, with HMAC-SHA-256 under `key`; without one, under a random key of its own.

    Each tenant's seals hold for that tenant alone.
    """

    def __init__(self, key: str | None = None) -> None:
        self._key = key or token_urlsafe(_KEY_BYTES)

    def seal(self, memory: Memory, tenant: str = "") -> str:
        """The memory as one string of letters, digits, `-`, `_` and `.`, compressed."""
        return str(self._serializer(tenant).dumps(asdict(memory)))

    def open(self, sealed: str, tenant: str = "") -> Previous:
        """The earlier answer that a seal speaks for; what was not sealed with this key for `tenant` speaks for none."""
        try:
            # The signature is looked at before anything is unpacked.
            return Previous(_memory(self._serializer(tenant).loads(sealed)))
        except BadData:
            return Previous(None)

    def _serializer(self, tenant: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._key,
            salt=f"{_FORMAT}\n{tenant}" if tenant else _FORMAT,
            signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
        )


def _memory(loaded: Any) -> Memory:
    return Memory(
        analysis=loaded["analysis"],
        circumstances=Circumstances(**loaded["circumstances"]),
        claims=tuple(ClaimMemory(**claim) for claim in loaded["claims"]),
        passages=tuple(PassageMemory(**{**passage, "repairs": tuple(passage["repairs"])}) for passage in loaded["passages"]),
    )
