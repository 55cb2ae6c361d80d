"""Who sends a request, as the rest of the service knows them. Standard library only."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller may do: have articles analysed, read prompts and models, or see how the service does."""

    ANALYZE = "analyze"
    PROMPTS = "prompts"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True)
class Caller:
    """Who sends a request.

    `id` is harmless to log: `key:ab12cd34`, `jwt:<subject>`, `proxy:<name>`, or the peer's address where nobody is asked.
    `tenant` is whose cache, idempotency keys, earlier answers and limits are used; nothing of one is ever seen by another.
    It is empty where nobody is asked: then all are one.
    """

    id: str
    tenant: str
    scopes: frozenset[Scope]
