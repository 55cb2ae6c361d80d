"""The tables in docs/security.md, measured: `python -m tests.security.table` writes them anew."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.access.base import Access, Header
from service.access.bearer import BearerAccess
from service.access.caller import ALL_SCOPES, Caller, Scope
from service.access.errors import CredentialRefusedError
from service.access.key_set import KeySet
from service.access.tokens import Claims, Tokens
from service.pipeline.analyze import Services
from service.settings import Settings
from service.web.guard import SCOPES
from service.web.openapi.examples import example
from tests.api.conftest import PROMPTS, TEXT, NeverTired
from tests.described import create_app
from tests.fakes import FixedClock
from tests.security.attacks import ATTACKS
from tests.security.desks import OTHER_DESK, Desks, bearing, desks
from tests.security.issuer import AUDIENCE, ISSUER, Published, token

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
_HEADS = {
    "paths": ("Path", "Scope", "No key", "Wrong key", "Expired", "Revoked", "Other scopes only", "Right key", "Another tenant"),
    "tokens": ("What is sent", "Answer", "Why, in our log", "Keys fetched"),
}
_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")

_PAGE: dict[str, dict[str, Any]] = {
    "/room": {"data": {"text": TEXT}},
    "/room/view": {"json": example("answer")},
    "/room/compare": {"json": {"one": example("answer"), "other": example("answer")}},
    "/room/export": {"json": example("answer")},
}
"""What is sent to the paths of the reading room. The example holds no text, so that it cannot be drawn."""

Row = tuple[str, ...]


def path_rows() -> list[Row]:
    """One line for each path: what every kind of caller is answered there now."""
    with desks() as service:
        return [_path_row(service, path, needed) for path, needed in SCOPES.items()]


def _path_row(service: Desks, path: str, needed: frozenset[Scope]) -> Row:
    right = min(needed, default=Scope.ANALYZE)
    others = ALL_SCOPES - needed or {Scope.ADMIN}
    text = service.key(right)
    sent = [
        {},
        bearing(f"{text[:-1]}{'0' if text[-1] != '0' else '1'}"),
        bearing(service.key(expires_in_s=-1)),
        bearing(service.key(revoked=True)),
        bearing(service.key(*sorted(others))),
        bearing(text),
    ]
    method = "POST" if path == "/analyze" or path in _PAGE else "GET"
    cells = [_cell(_ask(service, path, headers)) for headers in sent]
    scope = " or ".join(f"`{name}`" for name in sorted(needed)) or "none"
    return (f"`{method} {path.replace('<', '{').replace('>', '}')}`", scope, *cells, _other_tenant(service, path, right))


def _ask(service: Desks, path: str, headers: dict[str, str]) -> Any:
    if path == "/analyze":
        headers = {"Idempotency-Key": "the same for all", **headers}
        return service.client.post(path, data=TEXT, content_type="text/plain", headers=headers)
    if path in _PAGE:
        return service.client.post(path, headers=headers, **_PAGE[path])
    filled = path.replace("<code>", "not-found").replace("<key>", "0" * 32).replace("<digest>/<name>", "0/none.js")
    return service.client.get(filled, headers=headers)


def _cell(response: Any) -> str:
    if response.status_code == 200:
        return "200"
    return f"{response.status_code} `{response.get_json()['code']}`"


def _other_tenant(service: Desks, path: str, scope: Scope) -> str:
    """What another tenant gets who sends the very same request as the tenant before."""
    calls = len(service.calls)
    response = _ask(service, path, bearing(service.key(scope, tenant=OTHER_DESK)))
    if path != "/analyze":
        return _cell(response)
    fresh = response.get_json()["usage"]["cache"] == "miss" and "Idempotent-Replayed" not in response.headers
    return f"{_cell(response)}, {'worked out anew' if fresh and len(service.calls) > calls else 'SHARED'}"


class _Overheard:
    """Knows callers as `access` does; `reason` is why the last one was refused."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.reason = "–"
        self.challenge = access.challenge
        self.ready = access.ready

    def caller(self, header: Header, peer: str) -> Caller:
        try:
            return self._access.caller(header, peer)
        except CredentialRefusedError as error:
            self.reason = error.reason
            raise


def token_rows() -> list[Row]:
    """One line for each attack: what it is answered, and how often the keys have been fetched by then."""
    published = Published()
    keys = KeySet(published.fetch, _ALGORITHMS, FixedClock())
    access = _Overheard(BearerAccess(Tokens(Claims(ISSUER, AUDIENCE, _ALGORITHMS), keys)))
    client = create_app(Settings(), Services(NeverTired(), PROMPTS), access).test_client()

    def sent(make: Callable[[], str]) -> Row:
        response = client.post("/analyze", data=TEXT, content_type="text/plain", headers=bearing(make()))
        return _cell(response), access.reason, str(published.asked)

    return [("an honest token", *sent(token)), *((attack.what, *sent(attack.make)) for attack in ATTACKS)]


def committed(name: str) -> list[Row]:
    """The lines of that table as docs/security.md holds them."""
    found = _block(name).search(PAGE.read_text(encoding="utf-8"))
    lines = (found[1] if found else "").splitlines()
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- measured {name}: begin -->\n(.*?)<!-- measured {name}: end -->", re.DOTALL)


def main() -> None:
    """Nothing; the tables are measured and written."""
    for name, rows in (("paths", path_rows()), ("tokens", token_rows())):
        page = PAGE.read_text(encoding="utf-8")
        table = f"<!-- measured {name}: begin -->\n{_table(_HEADS[name], rows)}<!-- measured {name}: end -->"
        PAGE.write_text(_block(name).sub(lambda _, made=table: made, page), encoding="utf-8")
        sys.stdout.write(f"{len(rows)} lines written to {PAGE.name}\n")


def _table(head: Row, rows: list[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("|" + "|".join(line if line == "---" else f" {line} " for line in cells) + "|\n" for cells in lines)


if __name__ == "__main__":
    main()
