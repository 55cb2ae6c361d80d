"""Which path needs which scope, and who the caller is: settled once, before anything else of a request is read."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, g, request

from service.access.base import Access
from service.access.caller import Scope
from service.access.errors import ScopeMissingError

METRICS = "/metrics"
OPEN: frozenset[Scope] = frozenset()
"""Needs no caller."""

SCOPES: Mapping[str, frozenset[Scope]] = {
    "/analyze": frozenset({Scope.ANALYZE}),
    "/analyses/<key>": frozenset({Scope.ANALYZE}),
    "/healthz": OPEN,
    "/readyz": OPEN,
    METRICS: frozenset({Scope.ADMIN}),
    "/prompts": frozenset({Scope.PROMPTS, Scope.ANALYZE}),
    "/models": frozenset({Scope.PROMPTS, Scope.ANALYZE}),
    "/problems": OPEN,
    "/problems/<code>": OPEN,
    "/": OPEN,
    "/room": frozenset({Scope.ANALYZE}),
    "/room/view": frozenset({Scope.ANALYZE}),
    "/room/compare": frozenset({Scope.ANALYZE}),
    "/room/export": frozenset({Scope.ANALYZE}),
    "/room/static/<digest>/<name>": OPEN,
    "/openapi.json": OPEN,
    "/docs": OPEN,
}
"""One of its scopes lets a caller in. A path that is not here lets in nobody, where callers are asked who they are."""


@dataclass(frozen=True)
class Guard:
    """Lets in who may. With `open_metrics` anyone may read `/metrics`."""

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
        rule = request.url_rule.rule
        needed = SCOPES.get(rule)
        if needed == OPEN or (rule == METRICS and self.open_metrics):
            return
        g.caller = caller = self.access.caller(request.headers.get, request.remote_addr or "")
        if (challenge := self.access.challenge) is None:
            return
        g.record["caller"] = caller.id
        if needed is None or not needed & caller.scopes:
            wanted = sorted(needed or ())
            raise ScopeMissingError(
                f"You may not do this: it takes the scope {' or '.join(wanted) or 'that nobody has'}.",
                f'{challenge}, error="insufficient_scope", scope="{" ".join(wanted)}"',
            )
