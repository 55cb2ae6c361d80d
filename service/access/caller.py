"""Who sends a request, as the rest of the service knows them. Standard library only."""

import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"[!-~]{1,200}")


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


def is_name(name: object) -> bool:
    """Whether `name` can stand for a caller or a tenant: up to 200 visible ASCII characters, without spaces."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def scopes_among(words: object, prefix: str = "") -> frozenset[Scope]:
    """The scopes that `words` name, each behind `prefix`: a list of strings, or one with spaces between them.

    What is no scope of ours is left out: a token may be for other services too.
    """
    listed = words.split() if isinstance(words, str) else words if isinstance(words, list) else []
    return frozenset(scope for scope in Scope if f"{prefix}{scope}" in listed)
