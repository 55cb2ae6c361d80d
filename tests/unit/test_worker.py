import json
import socket

import pytest
from gunicorn.config import Config
from gunicorn.http import errors as http_errors

from service.worker import Body, ReadingWatch, Worker, report_broken_request, watch_bodies
from tests.fakes import FixedClock

SECRET = "words of an embargoed article"


class FakeSocket:
    """A connection that remembers what was done to it."""

    def __init__(self, *, gone=False):
        self.gone = gone
        self.done = []

    def _do(self, what):
        if self.gone:
            raise BrokenPipeError
        self.done.append(what)

    def shutdown(self, how):
        self._do(how)

    def sendall(self, data):
        self._do(data)

    def setsockopt(self, *option):
        self._do(option)

    def setblocking(self, flag):
        pass

    def gettimeout(self):
        return None


class FakeBody:
    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def read(self, _size):
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def watch(clock):
    return ReadingWatch(30, clock)


def test_reading_that_takes_too_long_is_cut(watch, clock):
    late, prompt = FakeSocket(), FakeSocket()
    watch.begin(late)
    clock.advance(20)
    watch.begin(prompt)
    clock.advance(11)
    watch.cut_late()
    assert late.done == [socket.SHUT_RD]
    assert prompt.done == []
    assert watch.was_cut(late)
    assert not watch.was_cut(prompt)


def test_reading_is_cut_once(watch, clock):
    connection = FakeSocket()
    watch.begin(connection)
    clock.advance(31)
    watch.cut_late()
    watch.cut_late()
    assert connection.done == [socket.SHUT_RD]


def test_what_has_been_read_is_not_cut(watch, clock):
    connection = FakeSocket()
    watch.begin(connection)
    watch.end(connection)
    clock.advance(31)
    watch.cut_late()
    assert connection.done == []


def test_a_cut_is_forgotten_with_its_request(watch, clock):
    connection = FakeSocket()
    watch.begin(connection)
    clock.advance(31)
    watch.cut_late()
    watch.end(connection)
    assert not watch.was_cut(connection)


def test_a_client_that_has_left_already_is_no_trouble(watch, clock):
    connection = FakeSocket(gone=True)
    watch.begin(connection)
    clock.advance(31)
    watch.cut_late()
    assert watch.was_cut(connection)


def test_a_body_is_read_and_its_end_noticed(watch, clock):
    connection = FakeSocket()
    watch.begin(connection)
    body = Body(FakeBody(b"abcd", b"ef"), connection, watch)
    assert body.read(4) == b"abcd"
    assert body.read(4) == b"ef"
    clock.advance(31)
    watch.cut_late()
    assert connection.done == []


def test_a_body_that_was_cut_is_a_timeout(watch, clock):
    connection = FakeSocket()
    watch.begin(connection)
    clock.advance(31)
    watch.cut_late()
    with pytest.raises(TimeoutError):
        Body(FakeBody(b"half"), connection, watch).read(100)


@pytest.mark.parametrize(
    "error",
    [http_errors.InvalidChunkSize(SECRET), http_errors.ChunkMissingTerminator(SECRET), http_errors.InvalidChunkExtension("x")],
    ids=lambda error: type(error).__name__,
)
def test_broken_framing_is_an_os_error_without_words(watch, error):
    with pytest.raises(OSError, match="framing is broken"):
        Body(FakeBody(error), FakeSocket(), watch).read(100)


@pytest.mark.parametrize(
    ("environ", "cut"),
    [
        pytest.param({}, [], id="no body"),
        pytest.param({"CONTENT_LENGTH": "5"}, [socket.SHUT_RD], id="a body of known length"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked"}, [socket.SHUT_RD], id="a body in chunks"),
    ],
)
def test_a_request_is_watched_as_long_as_there_is_a_body_to_come(watch, clock, environ, cut):
    connection = FakeSocket()
    watch.begin(connection)
    seen = []

    def app(environ, _start_response):
        seen.append(environ["wsgi.input"])
        return [b"answer"]

    environ = environ | {"gunicorn.socket": connection, "wsgi.input": FakeBody()}
    assert list(watch_bodies(app, watch)(environ, None)) == [b"answer"]
    assert isinstance(seen[0], Body)
    clock.advance(31)
    watch.cut_late()
    assert connection.done == cut


def parsed(response):
    head, _, body = response.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return line, dict(header.split(": ", 1) for header in headers), json.loads(body), len(body)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(http_errors.InvalidRequestLine(SECRET), 400, "bad-request", id="request line"),
        pytest.param(http_errors.InvalidHeader(SECRET), 400, "bad-request", id="header"),
        pytest.param(http_errors.LimitRequestLine(9, 8), 414, "uri-too-long", id="long line"),
        pytest.param(http_errors.LimitRequestHeaders(SECRET), 431, "headers-too-large", id="headers"),
        pytest.param(http_errors.ExpectationFailed(SECRET), 417, "expectation-failed", id="expectation"),
        pytest.param(http_errors.UnsupportedTransferCoding(SECRET), 501, "not-implemented", id="transfer coding"),
        pytest.param(http_errors.ConfigurationProblem(SECRET), 500, "internal-error", id="configuration"),
        pytest.param(ValueError(SECRET), 500, "internal-error", id="unexpected"),
    ],
)
def test_a_broken_request_is_answered_whole_and_without_its_words(error, status, code):
    line, headers, document, size = parsed(report_broken_request(error, "r1"))
    assert line.startswith(f"HTTP/1.1 {status} ")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Content-Length"] == str(size)
    assert headers["Connection"] == "close"
    assert headers["X-Request-Id"] == document["request_id"] == "r1"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert (document["status"], document["code"]) == (status, code)
    assert SECRET not in json.dumps(document)


class App:
    read_limit_s = 30.0

    def wsgi(self):
        return lambda _environ, _start_response: [b"answer"]


class Closable:
    def shutdown(self, *, wait):
        assert not wait


@pytest.fixture
def worker():
    worker = Worker(1, 1, [], App(), 60, Config(), None)
    yield worker
    worker.tmp.close()


def test_the_worker_watches_the_bodies_of_its_application(worker):
    worker.load_wsgi()
    environ = {"gunicorn.socket": FakeSocket(), "wsgi.input": FakeBody()}
    assert list(worker.wsgi(environ, None)) == [b"answer"]


def test_the_workers_heartbeat_cuts_what_is_late(worker, clock):
    connection = FakeSocket()
    worker.watch = ReadingWatch(30, clock)
    worker.watch.begin(connection)
    clock.advance(31)
    worker.notify()
    assert connection.done == [socket.SHUT_RD]


class SilentConnection:
    initialized = False
    data_ready = False

    def __init__(self):
        self.sock = FakeSocket()

    def wait_for_data(self, _timeout):
        return False


def test_a_connection_is_no_longer_watched_once_its_request_is_over(worker, clock):
    worker.watch = ReadingWatch(30, clock)
    connection = SilentConnection()
    worker.handle(connection)
    clock.advance(31)
    worker.watch.cut_late()
    assert [option[1] for option in connection.sock.done] == [socket.SO_SNDTIMEO]


@pytest.mark.parametrize("gone", [False, True])
def test_the_worker_reports_a_broken_request_if_anyone_is_there(worker, gone):
    client = FakeSocket(gone=gone)
    worker.handle_error(None, client, ("127.0.0.1", 1), http_errors.InvalidRequestLine(SECRET))
    assert [parsed(sent)[0] for sent in client.done] == ["HTTP/1.1 400 Bad Request"] * (not gone)


def test_an_interrupt_makes_the_worker_hurry(worker):
    worker.tpool = Closable()
    assert not worker.hurried
    with pytest.raises(SystemExit):
        worker.handle_quit(2, None)
    assert worker.hurried
