"""The adapter and its transport against endpoints that misbehave on the wire, on the loopback interface."""

import gzip
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace

import httpx2
import pytest

from service.deadline import Deadline, Interest
from service.errors import (
    ClientGoneError,
    DeadlineExceededError,
    FactCheckError,
    ModelBusyError,
    ModelReplyError,
    ModelUnavailableError,
    SetupError,
)
from service.llm.base import CallBudget, Message, ModelCall, ModelTraits, Reply, ReplySchema, ResponseFormat
from service.llm.openai_chat import OpenAIChatModel
from service.llm.transport import BoundedTransport, for_the_sake_of
from tests.model_double import Answer, Call, ModelDouble, Modes, completion, error_answer, json_answer

pytestmark = pytest.mark.loopback

KEY = "sk-canary-key-4711"
TRAITS = ModelTraits("asked-model", "double", 32_768, 8_192)
CALL = ModelCall(
    (Message("user", "[1] The bridge cost 40 million euros, the mayor said.\n[2] It opened."),),
    ReplySchema("claim_list.v1", "0", {"type": "object"}),
    temperature=0.0,
    max_output_tokens=50,
)


def fresh(**changes) -> ModelCall:
    """The call as a new question: with all its requests still to spend."""
    return replace(CALL, **{"budget": CallBudget()} | changes)


GOOD = json_answer(completion("{}"))
SHORT_S = 0.25
LATE_S = 1.0
"""More than any of these may take after a deadline of `SHORT_S`, on a machine that is busy with other things."""


def ask(base_url: str, deadline_s: float = 5.0) -> Reply:
    with closing(OpenAIChatModel(TRAITS, base_url, KEY)) as model:
        return model.complete(fresh(), Deadline.after(deadline_s))


def until(condition: Callable[[], bool], wait_s: float = 5.0) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + wait_s
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return met


def refusal_of(answer: Answer, deadline_s: float = 5.0) -> FactCheckError:
    with ModelDouble([answer]) as double, pytest.raises(FactCheckError) as caught:
        ask(double.base_url, deadline_s)
    return caught.value


def raw(*parts: bytes, end: Callable[[socket.socket], None] | None = None) -> Answer:
    def write(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        if end is not None:
            end(connection)

    return Answer(raw=write)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def trickle(connection: socket.socket) -> None:
    with suppress(OSError):
        for _ in range(500):
            connection.sendall(b" ")
            time.sleep(0.01)


def silence(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(1)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"


# Good weather.


def test_a_whole_answer_is_read_over_a_real_connection():
    with ModelDouble() as double:
        reply = ask(double.base_url)

    assert json.loads(reply.text)["claims"][0]["quote"] == "The bridge cost 40 million euros, the mayor said."
    assert (reply.served_model, reply.response_format, reply.calls) == ("asked-model", ResponseFormat.JSON_SCHEMA, 1)
    assert double.calls[0].headers["authorization"] == f"Bearer {KEY}"
    assert double.calls[0].headers["accept-encoding"] == "identity"


def test_connections_serve_calls_that_follow_one_another():
    with ModelDouble() as double, closing(OpenAIChatModel(TRAITS, double.base_url, KEY)) as model:
        for _ in range(5):
            model.complete(fresh(), Deadline.after(5))
        assert len(double.clients) == 1
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: model.complete(fresh(), Deadline.after(5)), range(20)))

    assert len(double.calls) == 25
    assert len(double.clients) <= 4


def test_a_prefix_the_endpoint_has_seen_is_counted_as_cached():
    with ModelDouble() as double, closing(OpenAIChatModel(TRAITS, double.base_url, KEY)) as model:
        first, second = (model.complete(fresh(), Deadline.after(5)) for _ in range(2))

    assert first.cached_tokens == 0
    assert second.cached_tokens == second.input_tokens == first.input_tokens > 0


def test_a_connection_the_endpoint_closed_meanwhile_is_replaced():
    good = GOOD.body
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(good)
    with ModelDouble([raw(head, good), GOOD]) as double, closing(OpenAIChatModel(TRAITS, double.base_url, KEY)) as model:
        model.complete(fresh(), Deadline.after(5))
        assert until(lambda: double.connections == 0)
        assert model.complete(fresh(), Deadline.after(5)).text == "{}"


# Time.


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(wait_s=60), id="30 silence"),
        pytest.param(raw(HEAD, end=silence), id="30 silence after the headers"),
        pytest.param(raw(HEAD, b'{"choices"', end=silence), id="30 silence in the body"),
        pytest.param(raw(HEAD, end=trickle), id="31 trickled body"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nx-trickle: ", end=trickle), id="31 trickled headers"),
        pytest.param(raw(b"HTTP/1.1 500 Oh\r\ncontent-length: 9999\r\n\r\n", end=trickle), id="31 trickled error"),
        pytest.param(raw(*[b"HTTP/1.1 102 Processing\r\n\r\n"] * 9, end=silence), id="interim answers only"),
    ],
)
def test_no_endpoint_holds_a_call_past_its_deadline(answer):
    started = time.monotonic()

    error = refusal_of(answer, deadline_s=SHORT_S)

    assert isinstance(error, DeadlineExceededError)
    assert SHORT_S <= time.monotonic() - started < SHORT_S + LATE_S


def test_a_connection_cut_at_its_deadline_is_not_used_again():
    with ModelDouble([raw(HEAD, end=silence), GOOD]) as double, closing(OpenAIChatModel(TRAITS, double.base_url, KEY)) as model:
        with pytest.raises(DeadlineExceededError):
            model.complete(fresh(), Deadline.after(SHORT_S))
        assert model.complete(fresh(), Deadline.after(5)).text == "{}"


def test_a_listener_that_never_answers_a_handshake_is_left_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            ask(f"https://127.0.0.1:{listener.getsockname()[1]}/v1", SHORT_S)

    assert time.monotonic() - started < SHORT_S + LATE_S


# Broken connections.


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw(end=reset), id="28 reset before the answer"),
        pytest.param(raw(HEAD, b"{", end=reset), id="28 reset in the body"),
        pytest.param(raw(), id="28 closed before the answer"),
        pytest.param(raw(HEAD, b"{"), id="28 closed in the body"),
        pytest.param(raw(b"SSH-2.0-OpenSSH\r\n"), id="not HTTP"),
    ],
)
def test_a_connection_that_breaks_may_be_tried_again(answer):
    error = refusal_of(answer)

    assert isinstance(error, ModelUnavailableError)
    assert error.may_retry


def test_a_port_nobody_listens_on_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(ModelUnavailableError):
        ask(f"http://127.0.0.1:{port}/v1")


def test_tls_to_a_port_that_speaks_none_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def answer_in_clear() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                silence(connection)

        pool.submit(answer_in_clear)
        with pytest.raises(ModelUnavailableError):
            ask(f"https://127.0.0.1:{listener.getsockname()[1]}/v1")


# Size.


def test_an_answer_larger_than_any_completion_is_refused_unread():
    sent = threading.Event()

    def flood(connection: socket.socket) -> None:
        with suppress(OSError):
            for _ in range(600):
                connection.sendall(b" " * 100_000)
            sent.set()

    error = refusal_of(raw(HEAD.replace(b"100000", b"60000000"), end=flood))

    assert isinstance(error, ModelReplyError)
    assert "more than 8000000 bytes" in str(error)
    assert not sent.is_set()


def test_an_endless_error_is_read_no_further_than_needed():
    def flood(connection: socket.socket) -> None:
        with suppress(OSError):
            for _ in range(600):
                connection.sendall(b" " * 100_000)

    head = b"HTTP/1.1 429 Busy\r\nretry-after: 7\r\ncontent-type: application/json\r\ncontent-length: 60000000\r\n\r\n"
    error = refusal_of(raw(head, end=flood))

    assert isinstance(error, ModelBusyError)
    assert error.retry_after_s == 7


def test_a_compressed_answer_is_refused_without_inflating_it():
    error = refusal_of(Answer(gzip.compress(GOOD.body), headers={"content-encoding": "gzip"}))

    assert type(error) is ModelReplyError
    assert "compressed" in str(error)


def test_a_compressed_error_still_tells_its_status():
    body = gzip.compress(error_answer(429, "rate_limit_exceeded").body)

    assert isinstance(refusal_of(Answer(body, 429, {"content-encoding": "gzip"})), ModelBusyError)


@pytest.mark.parametrize("charset", ["zlib", "hex", "base64", "undefined", "idna", "utf-16", "no-such"])
def test_a_made_up_charset_does_not_choose_a_codec(charset):
    bomb = zlib.compress(b" " * 1_000_000)
    error = refusal_of(Answer(bomb, 500, content_type=f"application/json; charset={charset}"))

    assert isinstance(error, ModelUnavailableError)


def test_a_redirect_is_not_followed():
    with ModelDouble() as elsewhere:
        error = refusal_of(Answer(status=307, headers={"location": f"{elsewhere.base_url}/chat/completions"}))

    assert type(error) is ModelReplyError
    assert elsewhere.calls == []


# The transport by itself.


def get(transport: BoundedTransport, url: str) -> httpx2.Response:
    with httpx2.Client(transport=transport) as client:
        return client.get(url, timeout=None)


def test_a_request_without_a_timeout_is_bounded_all_the_same():
    with ModelDouble() as double:
        response = get(BoundedTransport(double.base_url), f"{double.base_url}/models")

    assert response.json()["data"][0]["id"] == "double"


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        pytest.param({}, 6, id="all"),
        pytest.param({"max_idle": 3}, 3, id="no more than three"),
        pytest.param({"max_idle": 0}, 0, id="none"),
    ],
)
def test_connections_at_rest_are_kept_within_limits(limits, kept):
    everyone_is_here = threading.Barrier(6)

    def reply(_: Call) -> Answer:
        everyone_is_here.wait(5)
        return GOOD

    with ModelDouble(reply) as double:
        client = httpx2.Client(transport=BoundedTransport(double.base_url, **limits))
        with closing(OpenAIChatModel(TRAITS, double.base_url, KEY, http_client=client)) as model, ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: model.complete(fresh(), Deadline.after(5)), range(6)))
            assert until(lambda: double.connections <= kept)
            assert double.connections == kept
        assert until(lambda: double.connections == 0)


def test_connections_that_have_rested_too_long_are_closed_by_the_next_call():
    together = threading.Barrier(3)

    def reply(call: Call) -> Answer:
        if call.body["temperature"]:
            together.wait(5)
        return GOOD

    with ModelDouble(reply) as double:
        client = httpx2.Client(transport=BoundedTransport(double.base_url, keep_alive_s=0.2))
        with closing(OpenAIChatModel(TRAITS, double.base_url, KEY, http_client=client)) as model, ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: model.complete(fresh(temperature=1.0), Deadline.after(5)), range(3)))
            assert double.connections == 3
            time.sleep(0.25)
            model.complete(fresh(), Deadline.after(5))
            assert until(lambda: double.connections == 1)
            assert len(double.clients) == 4


def test_an_answer_closed_twice_gives_its_connection_back_once():
    with ModelDouble() as double, closing(BoundedTransport(double.base_url)) as transport:
        for _ in range(2):
            response = transport.handle_request(httpx2.Request("GET", f"{double.base_url}/models"))
            response.read()
            response.stream.close()
        first, second = (transport.handle_request(httpx2.Request("GET", f"{double.base_url}/models")) for _ in range(2))
        assert first.read() == second.read()


def test_a_timeout_too_short_for_anything_is_a_timeout():
    with (
        ModelDouble() as double,
        httpx2.Client(transport=BoundedTransport(double.base_url)) as client,
        pytest.raises(httpx2.ReadTimeout),
    ):
        client.get(double.base_url, timeout=httpx2.Timeout(5, read=1e-9))

    assert double.clients == []


def test_closing_while_a_call_is_under_way_lets_it_end_and_keeps_no_connection():
    with ModelDouble(Modes(latency_s=0.2)) as double:
        model = OpenAIChatModel(TRAITS, double.base_url, KEY)
        with ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(model.complete, fresh(), Deadline.after(5))
            assert until(lambda: bool(double.calls))
            model.close()
            assert under_way.result(timeout=5).text
        assert until(lambda: double.connections == 0)


# Proxies.


@pytest.fixture
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
def test_a_proxy_of_the_environment_is_asked_for_other_hosts(no_proxies, name):
    with ModelDouble() as proxy:
        no_proxies.setenv(name, proxy.base_url.removeprefix("http://").removesuffix("/v1").replace("127", "user:secret@127", 1))
        reply = ask("http://model.test/v1")

    assert reply.text
    assert proxy.calls[0].path == "http://model.test/v1/chat/completions"
    assert proxy.calls[0].headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_loopback_interface_needs_no_proxy(no_proxies, host):
    no_proxies.setenv("http_proxy", "http://127.0.0.1:9")
    with ModelDouble() as double:
        assert ask(double.base_url.replace("127.0.0.1", host)).text


@pytest.mark.parametrize("excepted", [pytest.param("127.1", id="this host"), pytest.param("*", id="every host")])
def test_hosts_named_in_no_proxy_are_asked_directly(no_proxies, excepted):
    with ModelDouble() as proxy, ModelDouble() as double:
        no_proxies.setenv("http_proxy", proxy.base_url)
        no_proxies.setenv("no_proxy", excepted)
        assert ask(double.base_url.replace("127.0.0.1", "127.1")).text  # 127.0.0.1 to the system, just a name to us

    assert proxy.requests == []


def test_a_proxy_for_another_scheme_is_not_asked(no_proxies):
    with ModelDouble() as proxy, ModelDouble() as double:
        no_proxies.setenv("https_proxy", proxy.base_url)
        assert ask(double.base_url.replace("127.0.0.1", "127.1")).text

    assert proxy.requests == []


def test_tls_goes_through_a_proxy_by_a_tunnel(no_proxies):
    with ModelDouble() as proxy:
        no_proxies.setenv("https_proxy", proxy.base_url)
        with pytest.raises(ModelUnavailableError):
            ask("https://model.test/v1")

    assert [(call.method, call.path) for call in proxy.requests] == [("CONNECT", "model.test:443")]


def test_a_proxy_of_a_kind_not_spoken_is_refused_at_start_up(no_proxies):
    no_proxies.setenv("all_proxy", "socks5://user:secret@127.0.0.1:9")
    with pytest.raises(SetupError) as caught:
        OpenAIChatModel(TRAITS, "http://model.test/v1", KEY)

    assert "secret" not in str(caught.value)


# Calls that nobody waits for any more.


@pytest.mark.parametrize("misbehave", [silence, trickle], ids=["silence", "a byte now and then"])
def test_a_call_nobody_waits_for_is_broken_off_and_its_connection_closed(misbehave):
    deadline = Deadline.after(60)
    with ModelDouble([raw(HEAD, end=misbehave)]) as double, closing(OpenAIChatModel(TRAITS, double.base_url, KEY)) as model:
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(model.complete, fresh(), deadline)
            assert until(lambda: bool(double.calls))
            deadline.interest.lose()
            with pytest.raises(ClientGoneError):
                asked.result(LATE_S)
        assert until(lambda: double.connections == 0)


def test_a_call_nobody_waits_for_is_not_begun():
    deadline = Deadline.after(60)
    deadline.interest.lose()
    with pytest.raises(ClientGoneError), ModelDouble([]) as double:
        OpenAIChatModel(TRAITS, double.base_url, KEY).complete(fresh(), deadline)


def test_a_connection_serves_others_after_the_one_that_used_it_has_left():
    first, second = Deadline.after(60), Deadline.after(60)
    with ModelDouble([GOOD, GOOD]) as double, closing(OpenAIChatModel(TRAITS, double.base_url, KEY)) as model:
        model.complete(fresh(), first)
        first.interest.lose()
        assert model.complete(fresh(), second).text == "{}"
        assert len(double.clients) == 1


def test_an_exchange_ends_when_the_interest_is_lost_while_it_connects():
    interest = Interest()
    with ModelDouble([]) as double, BoundedTransport(double.base_url) as transport, for_the_sake_of(interest):
        interest.lose()
        with pytest.raises(httpx2.ReadTimeout):
            transport.handle_request(httpx2.Request("GET", double.base_url))
