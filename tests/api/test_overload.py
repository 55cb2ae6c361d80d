"""The production server with more work than it can do, with clients that misbehave or leave, and while it is stopped."""

import errno
import json
import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from time import monotonic, sleep

import pytest

from service.web.routes import ANSWER_SHARE
from tests.api.conftest import TEXT
from tests.api.running import HEAD, PATIENCE_S, SOON_S, loopback, running, wait_until
from tests.model_double import Answer, ModelDouble, Modes

pytestmark = loopback

SLOW = HEAD + b"Content-Length: 9\r\n\r\nSLOW ####"
LATE_S = 10.0
"""What an answer may be late on a machine busy with other things: without a deadline it would come after half a minute."""


@contextmanager
def connected(server, *sent, count=1):
    """Connections on which `sent` has been sent, with another number in the place of #### on each."""
    with ExitStack() as stack:
        connections = []
        for number in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.connect().port), PATIENCE_S))
            connection.sendall(b"".join(sent).replace(b"####", b"%04d" % number))
            connections.append(connection)
        yield connections


def ask_cheaply(server):
    """The statuses of the endpoints that need no model, each answered within a second."""
    statuses = []
    for path in ("/healthz", "/readyz", "/prompts", "/problems/overloaded"):
        connection = HTTPConnection("127.0.0.1", server.connect().port, timeout=1.0)
        connection.request("GET", path)
        statuses.append(connection.getresponse().status)
        connection.close()
    return statuses


def busy_with(server, count):
    wait_until(lambda: server.said.count("SLOW\n") == count)


def test_beyond_its_limit_the_service_says_so_at_once_and_everything_else_goes_on():
    with running(settings={"server_threads": 10, "max_model_calls": 10}) as server, connected(server, SLOW, count=9):
        busy_with(server, 9)
        connection = server.connect()
        begun = monotonic()
        connection.request("POST", "/analyze", TEXT, {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        problem = json.loads(answer.read())
        assert monotonic() - begun < LATE_S
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert (problem["code"], problem["retryable"]) == ("overloaded", True)
        assert ask_cheaply(server) == [200] * 4
        connection.close()
        server.leave(signal.SIGINT)


def test_a_request_that_gets_no_place_at_the_model_in_time_is_turned_away():
    with running(settings={"max_model_calls": 2}) as server, connected(server, SLOW, count=2):
        busy_with(server, 2)
        status, problem = server.ask()
        assert (status, problem["code"]) == (503, "overloaded")
        server.leave(signal.SIGINT)


@pytest.fixture(scope="module")
def server():
    """One server for all tests that leave it as it was."""
    with running(settings={"server_threads": 8}) as server:
        server.ask()  # what is loaded at first use is loaded
        yield server
        assert server.leave(signal.SIGTERM) == 0


@pytest.fixture(scope="module")
def silent():
    """An endpoint that never answers, and whose connections are open until its client closes them."""
    with ModelDouble(lambda _: Answer(raw=lambda connection: connection.recv(1))) as double:
        yield double


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"POST /analyze HT", id="half a head"),
        pytest.param(HEAD + b"Content-Length: 5000\r\n\r\nhalf", id="half a body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nwo", id="half a chunk"),
        pytest.param(HEAD + b"Content-Length: 5000000\r\n\r\nhalf", id="half of more than is taken"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, id="a head without end"),
    ],
)
def test_clients_that_do_not_finish_their_requests_keep_nobody_waiting(server, sent):
    with connected(server, sent, count=60):
        assert ask_cheaply(server) == [200] * 4
        assert server.ask()[0] == 200


def test_a_client_that_asks_before_it_sends_its_article_is_told_to_go_on(server):
    with connected(server, HEAD, b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n") as (connection,):
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"words")
        with connection.makefile("rb") as answer:
            lines = iter(answer.readline, b"")
            assert next(line for line in lines if line.startswith(b"HTTP/1.1 2"))


LONG = " ".join(f"Minister number {number} opened bridge {number} for 5 million euros." for number in range(60))


def test_calls_are_broken_off_when_their_client_leaves_and_at_the_deadline(silent):
    settings = {"parallel_calls": 2, "passage_chars": 300, "base_url": silent.base_url}
    with running(settings=settings) as server:
        with connected(server, HEAD, f"Content-Length: {len(LONG)}\r\n\r\n{LONG}".encode()):
            wait_until(lambda: silent.connections == 2)
        wait_until(lambda: silent.connections == 0)
        server.wait_until_said("client-gone")
        assert len(silent.calls) == 2
        assert ask_cheaply(server) == [200] * 4
        begun = monotonic()
        status, problem = server.ask(**{"Request-Timeout": "0.5"})
        assert 0.5 * (1 - ANSWER_SHARE) <= monotonic() - begun < 0.5 + LATE_S
        assert (status, problem["code"]) == (504, "deadline-exceeded")
        wait_until(lambda: silent.connections == 0)


def test_a_client_that_has_said_all_it_has_to_say_is_answered():
    with ModelDouble(Modes(latency_s=1)) as double, running(settings={"base_url": double.base_url}) as server:
        body = TEXT.encode()
        answer = server.send_raw(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body, end=True)
    assert re.match(rb"(HTTP/1.1 100 Continue\r\n\r\n)*HTTP/1.1 200 ", answer)


def test_the_deadline_is_kept_by_a_model_that_does_not_know_it(server):
    """That nothing waits for such a model when the server is stopped is seen where the server is left."""
    begun = monotonic()
    status, problem = server.ask(body="SLOW", **{"Request-Timeout": "0.5"})
    assert 0.5 * (1 - ANSWER_SHARE) <= monotonic() - begun < 0.5 + LATE_S
    assert (status, problem["code"]) == (504, "deadline-exceeded")


def test_a_slow_sender_spends_its_own_time(server):
    with connected(server, HEAD + b"Request-Timeout: 0.5\r\nContent-Length: 5\r\n\r\nwor") as (connection,):
        sleep(0.6)
        connection.sendall(b"ds")
        assert connection.recv(100).startswith(b"HTTP/1.1 504 ")


def is_refused(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_while_it_is_stopped_it_takes_no_connections_and_answers_those_it_has():
    with ModelDouble(Modes(latency_s=2)) as double, running(settings={"base_url": double.base_url}) as server:
        kept = [server.connect() for _ in range(2)]
        for connection in kept:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        port = kept[0].port
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(server.ask)
            wait_until(lambda: double.calls)
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: is_refused(port))
            kept[0].request("GET", "/readyz")
            ready = kept[0].getresponse()
            assert (ready.status, ready.headers["Connection"]) == (503, "close")
            assert json.loads(ready.read())["reasons"] == ["the service is being stopped"]
            kept[1].request("POST", "/analyze", TEXT, {"Content-Type": "text/plain"})
            last = kept[1].getresponse()
            assert (last.status, last.headers["Connection"]) == (200, "close")
            assert asked.result()[0] == 200
        assert server.finish() == 0
        for connection in kept:
            connection.close()


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait_for_requests_being_served(again):
    with running() as server, connected(server, SLOW):
        busy_with(server, 1)
        port = server.connect().port
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refused(port))
        begun = monotonic()
        assert server.leave(again) == 0
        assert monotonic() - begun < SOON_S
        assert server.said.count("closed\n") == 1


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_no_process_outlives_one_that_was_killed():
    with running() as server:
        worker = int(server.wait_until_said(r"Booting worker with pid: (\d+)")[1])
        assert is_running(worker)
        server.leave(signal.SIGKILL)
        wait_until(lambda: not is_running(worker))


def test_a_worker_that_was_killed_is_replaced():
    with running() as server:
        worker = int(server.wait_until_said(r"Booting worker with pid: (\d+)")[1])
        assert server.ask()[0] == 200
        os.kill(worker, signal.SIGKILL)
        server.wait_until_said(rf"Booting worker with pid: (?!{worker}\b)\d+")
        assert server.ask()[0] == 200
        assert server.leave() == 0
