"""The gateway's published keys: which of them are used, when they are fetched, and what happens when they cannot be."""

import json
import socket
import ssl
import threading
from contextlib import closing, suppress

import pytest
import responses
import trustme
from hypothesis import given
from hypothesis import strategies as st
from requests import ConnectionError as NoConnection

from service.access.errors import AccessUnavailableError
from service.access.key_set import KEPT_S, MAX_KEYS, RETRY_S, TTL_S, KeySet, read_keys
from service.fetch.document import MAX_BYTES, OperatorDocument
from service.url_errors import UrlFetchFailedError
from tests.examples import examples
from tests.fakes import FixedClock
from tests.security.issuer import EC_ID, ED_ID, RSA_ID, Published, ec_key, ed_key, jwk, jwks, rsa_key
from tests.site_double import answer, endlessly, names, site

ALL = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
URL = "https://gateway.example.org/jwks.json"


def key_set(published, clock=None, algorithms=ALL):
    return KeySet(published.fetch, algorithms, clock or FixedClock())


def test_a_key_is_found_by_its_id_for_the_algorithms_it_is_for():
    keys = read_keys(jwks(), ALL)
    assert set(keys) == {(RSA_ID, "RS256"), (RSA_ID, "PS256"), (EC_ID, "ES256"), (ED_ID, "EdDSA")}


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"kty": "oct", "k": "c2VjcmV0", "kid": "x"}, id="a secret"),
        pytest.param(jwk(rsa_key(), "x", use="enc"), id="for encryption"),
        pytest.param(jwk(rsa_key(), "x", d="AQAB"), id="a private key"),
        pytest.param(jwk(rsa_key(), "x", alg="HS256"), id="of an algorithm that is not set"),
        pytest.param(jwk(rsa_key(), 7), id="with a number for an id"),
        pytest.param({"kty": "RSA", "kid": "x"}, id="without numbers"),
        pytest.param({"kty": "RSA", "kid": "x", "n": "!", "e": "AQAB"}, id="with what is no number"),
        pytest.param({"kty": "RSA", "kid": "x", "n": 5, "e": []}, id="with numbers of another type"),
        pytest.param({"kty": "EC", "kid": "x", "crv": "P-256", "x": "AA", "y": "AA"}, id="off its curve"),
        pytest.param({"kty": "EC", "kid": "x", "crv": ["P-256"]}, id="with a list for a curve"),
        pytest.param({"kty": ["RSA"], "kid": "x"}, id="with a list for a kind"),
        pytest.param({"kid": "x"}, id="without a kind"),
        pytest.param("key", id="not an object"),
    ],
)
def test_what_is_no_public_key_for_signatures_is_left_out(entry):
    assert {key_id for key_id, _ in read_keys(jwks(entry, jwk(ed_key(), ED_ID)), ALL)} == {ED_ID}
    with pytest.raises(UrlFetchFailedError):
        read_keys(jwks(entry), ALL)


@pytest.mark.parametrize("document", [b"", b"<html>", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b"\xff", b"[" * 9_999])
def test_what_is_no_jwks_is_told(document):
    with pytest.raises(UrlFetchFailedError):
        read_keys(document, ALL)


@examples(50)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["kty", "kid", "crv", "n", "e", "x", "y", "alg", "use"]),
            st.one_of(st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB", "sig", "AA"]), st.text(), st.integers()),
        )
    )
)
def test_no_list_of_keys_is_worse_than_one_that_cannot_be_used(entries):
    with suppress(UrlFetchFailedError):
        assert all(isinstance(key_id, str | None) for key_id, _ in read_keys(jwks(*entries, {}), ALL))


def test_of_two_keys_with_one_id_the_first_counts_and_of_many_only_the_first_hundred():
    first = read_keys(jwks(jwk(rsa_key(1), "x"), jwk(rsa_key(2), "x")), ["RS256"])
    assert first[("x", "RS256")].public_numbers() == rsa_key(1).public_key().public_numbers()
    many = read_keys(jwks(*(jwk(ed_key(), str(number)) for number in range(MAX_KEYS + 5))), ["EdDSA"])
    assert len(many) == MAX_KEYS


def test_a_token_without_an_id_is_checked_with_the_only_key_there_is():
    keys = key_set(Published(jwks(jwk(rsa_key(), "a"), jwk(ec_key(), None))))
    assert keys.find(None, "RS256") is not None
    assert keys.find(None, "ES256") is not None
    assert key_set(Published(jwks(jwk(rsa_key(1), "a"), jwk(rsa_key(2), "b")))).find(None, "RS256") is None


def test_keys_are_fetched_once_in_ten_minutes():
    clock, published = FixedClock(), Published()
    keys = key_set(published, clock)
    for _ in range(10):
        assert keys.find(RSA_ID, "RS256") is not None
    clock.advance(TTL_S + 1)
    assert keys.find(RSA_ID, "RS256") is not None
    assert published.asked == 2


def test_a_new_key_is_found_without_waiting_for_ten_minutes():
    clock, published = FixedClock(), Published()
    keys = key_set(published, clock)
    assert keys.find("rsa-2", "RS256") is None
    published.document = jwks(jwk(rsa_key(2), "rsa-2"))
    assert keys.find("rsa-2", "RS256") is None
    assert published.asked == 1
    clock.advance(RETRY_S)
    assert keys.find("rsa-2", "RS256") is not None
    assert keys.find(RSA_ID, "RS256") is None
    assert published.asked == 2


def test_keys_that_cannot_be_fetched_anew_are_used_for_a_day():
    clock, published = FixedClock(), Published()
    keys = key_set(published, clock)
    keys.find(RSA_ID, "RS256")
    published.failing = UrlFetchFailedError("down")
    clock.advance(KEPT_S - 1)
    assert keys.find(RSA_ID, "RS256") is not None
    assert keys.ready() is None
    clock.advance(2)
    with pytest.raises(AccessUnavailableError) as caught:
        keys.find(RSA_ID, "RS256")
    assert 0 < caught.value.retry_after_s <= RETRY_S
    assert keys.ready() == "the gateway's keys cannot be fetched"
    published.failing = None
    clock.advance(RETRY_S)
    assert keys.find(RSA_ID, "RS256") is not None


def test_keys_that_never_came_let_nobody_in_and_are_asked_for_every_half_minute():
    clock, published = FixedClock(), Published()
    published.failing = UrlFetchFailedError("down")
    keys = key_set(published, clock)
    for _ in range(61):
        with pytest.raises(AccessUnavailableError):
            keys.find(RSA_ID, "RS256")
        clock.advance(1)
    assert published.asked == 3


def test_nobody_waits_for_a_fetch_that_another_request_began():
    begun, go_on = threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert go_on.wait(60)
        return jwks()

    keys = KeySet(slow, ALL, FixedClock())
    found = []
    first = threading.Thread(target=lambda: found.append(keys.find(RSA_ID, "RS256")))
    first.start()
    assert begun.wait(60)
    with pytest.raises(AccessUnavailableError) as caught:
        keys.find(RSA_ID, "RS256")
    assert caught.value.retry_after_s == 1
    go_on.set()
    first.join(60)
    assert found[0] is not None


def test_what_an_unknown_id_stands_for_is_not_said_while_keys_are_being_fetched():
    clock, begun, go_on = FixedClock(), threading.Event(), threading.Event()
    published = Published()

    def slow_the_second_time():
        if published.asked:
            begun.set()
            assert go_on.wait(60)
        return published.fetch()

    keys = KeySet(slow_the_second_time, ALL, clock)
    keys.refresh()
    clock.advance(RETRY_S)
    first = threading.Thread(target=keys.find, args=("new", "RS256"))
    first.start()
    assert begun.wait(60)
    assert keys.find(RSA_ID, "RS256") is not None
    with pytest.raises(AccessUnavailableError):
        keys.find("new", "RS256")
    go_on.set()
    first.join(60)


@pytest.fixture
def web():
    with responses.RequestsMock() as mock:
        yield mock


def test_keys_are_fetched_in_the_services_name_and_with_nothing_else(web):
    web.get(URL, body=jwks(), content_type="application/json")
    assert read_keys(OperatorDocument(URL, "tests/1").fetch(), ALL)
    (call,) = web.calls
    assert call.request.headers["Accept"] == "application/json"
    assert call.request.headers["User-Agent"] == "tests/1"
    assert "Authorization" not in call.request.headers


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param({"status": 500}, id="error"),
        pytest.param({"status": 404, "json": {"keys": []}}, id="not there"),
        pytest.param({"status": 302, "headers": {"Location": "https://evil.test/jwks"}}, id="redirect"),
        pytest.param({"status": 204}, id="nothing"),
        pytest.param({"body": b"x" * (MAX_BYTES + 1)}, id="too long"),
        pytest.param({"body": NoConnection("refused at 10.1.2.3")}, id="no connection"),
        pytest.param({"body": b"\x1f\x8b", "headers": {"Content-Encoding": "br"}}, id="encoded"),
    ],
)
def test_what_is_not_there_is_told_without_its_address(web, answered):
    web.get(URL, **answered)
    with pytest.raises(UrlFetchFailedError) as caught:
        OperatorDocument(URL, "tests/1").fetch()
    assert "10.1.2.3" not in str(caught.value)
    assert "example" not in str(caught.value)


def test_a_server_that_is_not_known_is_told():

    def nowhere(_name):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with names(nowhere), pytest.raises(UrlFetchFailedError, match="not known"):
        OperatorDocument(URL, "tests/1").fetch()


@pytest.mark.loopback
def test_a_server_that_never_ends_its_answer_is_left():
    start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with site({"/jwks": endlessly(start, b" ")}) as there, pytest.raises(UrlFetchFailedError):
        OperatorDocument(f"{there.url}/jwks", "tests/1", seconds=0.3).fetch()


@pytest.mark.loopback
def test_keys_are_reached_inside_the_operators_network():
    with names(lambda _name: ["127.0.0.1"]), site({"/jwks": answer(body=jwks())}) as there:
        url = f"http://gateway.internal:{there.port}/jwks"
        assert read_keys(OperatorDocument(url, "tests/1").fetch(), ALL)


@pytest.mark.loopback
def test_keys_published_on_this_machine_are_fetched():
    with site({"/jwks": answer(body=jwks(), content_type="application/json")}) as there:
        assert read_keys(OperatorDocument(f"{there.url}/jwks", "tests/1").fetch(), ALL)


@pytest.mark.loopback
def test_a_certificate_is_believed_when_its_authority_is_named(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        server = threading.Thread(target=serve_twice, args=(listener, context))
        server.start()
        url = f"https://localhost:{port}/jwks"
        with pytest.raises(UrlFetchFailedError):
            OperatorDocument(url, "tests/1").fetch()
        assert json.loads(OperatorDocument(url, "tests/1", tmp_path / "ca.pem").fetch())["keys"]
        server.join(60)


def serve_twice(listener, context):
    for _ in range(2):
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65_536)
                secured.sendall(answer(body=jwks(), content_type="application/json"))
        except OSError:
            connection.close()
