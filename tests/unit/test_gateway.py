"""A gateway that is believed, and who only says so."""

import pytest

from service.access.caller import ALL_SCOPES, Caller, Scope
from service.access.errors import CredentialMissingError, CredentialRefusedError
from service.access.gateway import GatewayAccess

SECRET = "s3cret-" * 6
TOLD = {"X-Factcheck-Secret": SECRET, "X-Factcheck-Caller": "desk-7", "X-Factcheck-Scopes": "analyze"}


def caller(**headers):
    told = TOLD | {f"X-Factcheck-{name}": value for name, value in headers.items()}
    return GatewayAccess(SECRET).caller({name: value for name, value in told.items() if value is not None}.get, "192.0.2.1")


def test_a_caller_is_who_the_gateway_says():
    assert caller(Tenant="news-a") == Caller("proxy:desk-7", "news-a", frozenset({Scope.ANALYZE}))
    assert caller().tenant == "proxy:desk-7"


@pytest.mark.parametrize(
    ("said", "scopes"),
    [("analyze prompts admin", ALL_SCOPES), ("analyze admin", {Scope.ANALYZE, Scope.ADMIN}), ("root", set()), (None, set())],
)
def test_scopes_are_what_it_lists_and_nothing_else(said, scopes):
    assert caller(Scopes=said).scopes == scopes


def test_who_does_not_come_through_the_gateway_is_told_to():
    with pytest.raises(CredentialMissingError) as caught:
        caller(Secret=None)
    assert caught.value.challenge.startswith("Gateway ")


@pytest.mark.parametrize("secret", ["", SECRET[:-1], f"{SECRET}x", SECRET.upper(), "\udcff", "é", f"{SECRET},{SECRET}"])
def test_a_wrong_secret_is_refused_and_not_repeated(secret):
    with pytest.raises(CredentialRefusedError) as caught:
        caller(Secret=secret)
    assert caught.value.reason == "wrong secret"
    assert not secret or secret not in caught.value.message


@pytest.mark.parametrize("name", [None, "", "a b", "a\nb", "é", "x" * 201, "desk-7,chief"])
def test_a_caller_without_a_usable_name_is_refused(name):
    with pytest.raises(CredentialRefusedError, match="X-Factcheck-Caller"):
        caller(Caller=name)


@pytest.mark.parametrize("name", ["", "a b", "\x00", "x" * 201, "a,b"])
def test_a_tenant_without_a_usable_name_is_refused(name):
    with pytest.raises(CredentialRefusedError, match="X-Factcheck-Tenant"):
        caller(Tenant=name)


def test_scopes_that_came_twice_are_refused():
    with pytest.raises(CredentialRefusedError, match="X-Factcheck-Scopes"):
        caller(Scopes="analyze,admin")


def test_a_gateway_is_always_ready():
    assert GatewayAccess(SECRET).ready() is None
