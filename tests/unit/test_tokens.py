"""What an honest token says of its caller."""

from time import time

import pytest

from service.access.caller import ALL_SCOPES, Caller, Scope
from service.access.errors import AccessUnavailableError, CredentialRefusedError
from service.access.key_set import KeySet
from service.access.tokens import LEEWAY_S, Claims, Tokens
from service.url_errors import UrlFetchFailedError
from tests.fakes import FixedClock
from tests.security.issuer import AUDIENCE, EC_ID, ED_ID, ISSUER, Published, ec_key, ed_key, token

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


def tokens(published=None, **told):
    keys = KeySet((published or Published()).fetch, ALGORITHMS, FixedClock())
    return Tokens(Claims(ISSUER, AUDIENCE, ALGORITHMS, **told), keys)


def test_a_token_names_its_caller_who_is_a_tenant_of_their_own():
    assert tokens().caller(token()) == Caller("jwt:desk-7", "jwt:desk-7", frozenset({Scope.ANALYZE}))


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"),
    [(None, "PS256", "rsa-1"), (ec_key, "ES256", EC_ID), (ed_key, "EdDSA", ED_ID), (ec_key, "ES256", None)],
)
def test_every_algorithm_that_is_set_is_taken(key, algorithm, key_id):
    assert tokens().caller(token(key and key(), algorithm, key_id)).id == "jwt:desk-7"


def test_one_of_several_audiences_may_be_ours():
    assert tokens().caller(token(aud=["payments", AUDIENCE])).id == "jwt:desk-7"


@pytest.mark.parametrize(
    ("said", "prefix", "scopes"),
    [
        pytest.param("analyze prompts admin", "", ALL_SCOPES, id="a text"),
        pytest.param(["analyze", "x"], "", {Scope.ANALYZE}, id="a list"),
        pytest.param("factcheck:analyze admin", "factcheck:", {Scope.ANALYZE}, id="a prefix"),
        pytest.param("Analyze analyzer", "", set(), id="other words"),
        pytest.param([["analyze"], {"admin": 1}, 7, None], "", set(), id="no words"),
        pytest.param({"admin": True}, "", set(), id="an object"),
        pytest.param(7, "", set(), id="a number"),
        pytest.param(None, "", set(), id="nothing"),
    ],
)
def test_scopes_are_those_of_ours_that_a_token_lists(said, prefix, scopes):
    assert tokens(prefix=prefix).caller(token(scope=said)).scopes == scopes


def test_scopes_can_stand_in_another_claim():
    assert tokens(scope="roles").caller(token(roles=["admin"])).scopes == {Scope.ADMIN}


def test_the_tenant_can_stand_in_a_claim():
    assert tokens(tenant="org").caller(token(org="news-a")).tenant == "news-a"


@pytest.mark.parametrize("tenant", [None, "", "two words", 7, ["a"], "x" * 201, "Gr\xfcn"])
def test_a_token_whose_tenant_is_not_told_is_refused(tenant):
    with pytest.raises(CredentialRefusedError) as caught:
        tokens(tenant="org").caller(token(org=tenant))
    assert caught.value.reason == "the token names no tenant"


def test_clocks_may_be_half_a_minute_apart():
    now = int(time())
    assert tokens().caller(token(exp=now - LEEWAY_S + 15, nbf=now + LEEWAY_S - 15))


def test_while_the_keys_cannot_be_had_nobody_is_let_in_or_called_a_forger():
    published = Published()
    published.failing = UrlFetchFailedError("down")
    judge = tokens(published)
    with pytest.raises(AccessUnavailableError):
        judge.caller(token())
    assert judge.ready() == "the gateway's keys cannot be fetched"
    with pytest.raises(CredentialRefusedError):
        judge.caller("no token")


def test_a_judge_with_keys_is_ready():
    judge = tokens()
    judge.caller(token())
    assert judge.ready() is None
