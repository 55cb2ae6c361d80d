"""docs/security.md says what is true: both of its tables are measured anew."""

import json

import pytest

from service.access.bearer import BearerAccess
from service.access.errors import AccessUnavailableError, CredentialRefusedError
from service.access.key_set import RETRY_S, KeySet
from service.access.tokens import Claims, Tokens
from tests.fakes import FixedClock
from tests.security import table
from tests.security.attacks import ATTACKS
from tests.security.issuer import AUDIENCE, ISSUER, Published, token

OPEN = {"/healthz", "/readyz", "/problems", "/problems/{code}", "/openapi.json", "/docs", "/"}
ASIDE = {
    "/analyses/": "404 `analysis-not-found`",  # nothing is stored at that address
    "/room/": "422 `invalid-request`",  # what is sent there has no text to be drawn in
}


@pytest.fixture(scope="module")
def paths():
    return table.path_rows()


@pytest.fixture(scope="module")
def tokens():
    return table.token_rows()


def test_the_page_has_what_every_caller_is_answered_at_every_path(paths):
    assert table.committed("paths") == paths, "scripts/security writes it anew"


def test_the_page_has_what_every_token_is_answered(tokens):
    assert table.committed("tokens") == tokens, "scripts/security writes it anew"


def test_only_a_right_key_with_the_scope_gets_in(paths):
    for path, _, *kept_out, right, other in paths:
        if "/room/static/" in path:
            assert {*kept_out, right, other} == {"404 `not-found`"}
            continue
        if path.strip("`").split()[1] in OPEN:
            assert {*kept_out, right, other} == {"200"}
            continue
        missing, wrong, expired, revoked, scope = kept_out
        assert missing == "401 `credential-missing`"
        assert {wrong, expired, revoked} == {"401 `credential-refused`"}
        assert scope == "403 `scope-missing`"
        found = next((answer for part, answer in ASIDE.items() if part in path), "200")
        assert right == found
        assert other == ("200, worked out anew" if "/analyze`" in path else found)


def test_every_forged_token_is_refused_and_makes_us_fetch_nothing(tokens):
    (_, honest, _, _), *forged = tokens
    assert honest == "200"
    assert len(forged) == len(ATTACKS)
    assert {(answer, fetched) for _, answer, _, fetched in forged} == {("401 `credential-refused`", "1")}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.what)
def test_nothing_of_a_forged_token_is_told_or_logged(attack):
    sent = attack.make()
    access = BearerAccess(Tokens(Claims(ISSUER, AUDIENCE, ("RS256",)), KeySet(Published().fetch, ["RS256"], FixedClock())))
    with pytest.raises(CredentialRefusedError) as caught:
        access.caller({"Authorization": f"Bearer {sent}"}.get, "192.0.2.1")
    told = json.dumps([caught.value.message, caught.value.reason, caught.value.challenge])
    assert not any(part and part in told for part in sent.split(".") if len(part) > 8)


def test_a_flood_of_unknown_key_ids_fetches_the_keys_twice_a_minute():
    clock, published = FixedClock(), Published()
    tokens = Tokens(Claims(ISSUER, AUDIENCE, ("RS256",)), KeySet(published.fetch, ["RS256"], clock))
    for number in range(600):
        with pytest.raises((CredentialRefusedError, AccessUnavailableError)):
            tokens.caller(FLOOD[number % len(FLOOD)])
        clock.advance(0.1)
    assert published.asked <= 60 / RETRY_S + 1


FLOOD = [token(key_id=f"made-up-{number}") for number in range(20)]
