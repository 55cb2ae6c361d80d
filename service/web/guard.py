"""Which path needs which scope, and who the caller is: settled once, before anything else of a request is read."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, g, request

from service.access.base import Access
from service.access.caller import Scope
from service.access.errors import ScopeMissingError

OPEN: frozenset[Scope] = frozenset()
"""Needs no caller."""

SCOPES: Mapping[str, frozenset[Scope]] = {
    "/analyze": frozenset({Scope.ANALYZE}),
    "/healthz": OPEN,
    "/readyz": OPEN,
    "/metrics": frozenset({Scope.ADMIN}),
    "/prompts": frozenset({Scope.PROMPTS, Scope.ANALYZE}),
    "/models": frozenset({Scope.PROMPTS, Scope.ANALYZE}),
    "/problems": OPEN,
    "/problems/<code>": OPEN,
    "/openapi.json": OPEN,
    "/docs": OPEN,
}
"""One of these scopes lets a caller in. A path that is not here lets nobody in."""


@dataclass(frozen=True)
class Guard:
    """Lets in who may. `open_metrics` lets anyone read `/metrics`."""

    access: Access
    open_metrics: bool = False

    def register(self, app: Flask) -> None:
        """Let `app` answer only callers that may ask."""
        app.before_request(self.admit)

    def admit(self) -> None:
        """Nothing; `g.caller` is who sent the request, where its path needs to know.

        Raises: CredentialMissingError, CredentialRefusedError, ScopeMissingError, AccessUnavailableError.
        """
        if request.url_rule is None:  # there is no such path, or it does not take the method
            return
        needed = self.needed(request.url_rule.rule)
        if needed == OPEN:
            return
        g.caller = caller = self.access.caller(request.headers.get, request.remote_addr or "")
        if self.access.challenge is not None:
            g.record["caller"] = caller.id
        if needed is None or not needed & caller.scopes:
            raise ScopeMissingError(_words(needed or frozenset()))

    def needed(self, rule: str) -> frozenset[Scope] | None:
        """The scopes of which a caller must have one; empty where nobody need be known, None where nobody is let in."""
        if rule == "/metrics" and self.open_metrics:
            return OPEN
        return SCOPES.get(rule)


def _words(needed: frozenset[Scope]) -> str:
    return f"This path needs a caller with the scope {' or '.join(sorted(needed)) or 'that nobody has'}."
