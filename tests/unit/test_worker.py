import json
import socket
from concurrent.futures import Future
from selectors import EVENT_READ, DefaultSelector
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.http import errors as http_errors

from service.connections import ConnectionWatch, Paced
from service.web.serving import ARRIVED, DRAINING
from service.worker import Body, Worker, report_broken_request, watched
from tests.fakes import FixedClock

SECRET = "words of an embargoed article"


class FakeSocket:
    """A connection that remembers what was done to it."""

    def __init__(self, *, gone=False):
        self.gone = gone
        self.done = []

    def getsockopt(self, *_asked):
        raise OSError

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
    return ConnectionWatch(30, clock)


def test_a_body_is_read_and_its_end_noticed(watch, clock):
    connection = FakeSocket()
    watch.begin(connection)
    body = Body(FakeBody(b"abcd", b"ef"), connection, watch)
    assert body.read(4) == b"abcd"
    assert body.read(4) == b"ef"
    clock.advance(31)
    watch.cut_late()
    assert connection.done == []


def test_a_client_whose_whole_body_was_read_is_not_waited_for(watch, clock):
    connection = FakeSocket()
    watch.begin(connection)
    body = Body(FakeBody(b"abcd", b""), connection, watch)
    assert body.read(4) == b"abcd"
    assert body.read(0) == b""
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
    assert list(watched(app, watch, lambda: False)(environ, None)) == [b"answer"]
    assert isinstance(seen[0], Body)
    clock.advance(31)
    watch.cut_late()
    assert connection.done == cut


@pytest.mark.parametrize("draining", [False, True])
def test_the_application_is_told_of_the_server(watch, clock, draining):
    connection = FakeSocket()
    watch.note_arrival(connection)
    clock.advance(5)
    seen = {}

    def app(environ, _start_response):
        seen.update(environ)
        return []

    watched(app, watch, lambda: draining)({"gunicorn.socket": connection, "wsgi.input": FakeBody()}, None)
    assert (seen[ARRIVED], seen[DRAINING]) == (clock.now - 5, draining)


def test_a_request_whose_arrival_was_not_seen_has_none(watch):
    seen = {}

    def app(environ, _start_response):
        seen.update(environ)
        return []

    watched(app, watch, lambda: False)({"gunicorn.socket": FakeSocket(), "wsgi.input": FakeBody()}, None)
    assert ARRIVED not in seen


def test_a_client_has_a_minute_to_take_its_answer(watch, clock):
    connection, started = FakeSocket(), []

    def app(_environ, start_response):
        start_response("200 OK", [])
        return []

    environ = {"gunicorn.socket": connection, "wsgi.input": FakeBody()}
    watched(app, watch, lambda: False)(environ, lambda *given: started.append(given))
    assert started == [("200 OK", [], None)]
    clock.advance(60)
    watch.cut_late()
    assert connection.done == []
    clock.advance(1)
    watch.cut_late()
    assert connection.done == [socket.SHUT_RDWR]


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
    max_body_bytes = 100

    def wsgi(self):
        return lambda _environ, _start_response: [b"answer"]


class Closable:
    def shutdown(self, *, wait):
        assert not wait


@pytest.fixture
def worker():
    worker = Worker(1, 1, [], App(), 60, Config(), None)
    worker.poller = DefaultSelector()
    worker.load_wsgi()
    yield worker
    worker.poller.close()
    worker.tmp.close()


def test_the_worker_watches_the_bodies_of_its_application(worker):
    environ = {"gunicorn.socket": FakeSocket(), "wsgi.input": FakeBody()}
    assert list(worker.wsgi(environ, None)) == [b"answer"]
    assert environ[DRAINING] is False


class Idle:
    """A connection on which nothing has been asked yet."""

    def __init__(self):
        self.sock, self.theirs = socket.socketpair()
        self.parser = SimpleNamespace(unreader=SimpleNamespace(take_buffered=lambda: b""))
        self.closed = False

    def init(self):
        pass

    def close(self):
        self.closed = True
        self.sock.close()
        self.theirs.close()


@pytest.fixture
def idle(worker):
    connection = Idle()
    worker.nr_conns = 1
    worker.enqueue_req(connection)
    yield connection
    connection.close()


def test_a_full_worker_lets_go_of_who_asks_nothing(worker, idle):
    worker.worker_connections = 2
    worker.notify()
    assert not idle.closed
    worker.worker_connections = 1
    worker.notify()
    assert idle.closed
    assert worker.nr_conns == 0


def ended(result):
    request = Future()
    request.set_result(result)
    return request


def cancelled():
    request = Future()
    request.cancel()
    return request


@pytest.fixture
def parting(worker):
    connection = Idle()
    worker.nr_conns = 1
    worker.finish_request(connection, ended(False))  # noqa: FBT003 - what gunicorn's handle comes to
    yield connection
    connection.close()


def test_a_client_with_its_last_answer_is_told_so_and_not_waited_for_in_the_main_loop(worker, parting):
    assert parting.theirs.recv(1) == b""
    worker.wait_for_and_dispatch_events(0)
    assert not parting.closed
    parting.theirs.sendall(b"more than was asked for")
    worker.wait_for_and_dispatch_events(0)
    assert (parting.closed, worker.nr_conns) == (False, 1)
    parting.theirs.shutdown(socket.SHUT_WR)
    worker.wait_for_and_dispatch_events(1)
    assert (parting.closed, worker.nr_conns) == (True, 0)


def test_a_full_worker_lets_go_first_of_who_has_its_last_answer(worker, parting, idle):
    worker.nr_conns = worker.worker_connections = 2
    worker.notify()
    assert (parting.closed, idle.closed, worker.nr_conns) == (True, False, 1)


@pytest.mark.parametrize("request_over", [cancelled, lambda: ended(None)], ids=["cancelled", "answered"])
def test_a_connection_that_is_gone_already_is_counted_once(worker, request_over):
    connection = Idle()
    worker.nr_conns = 1
    connection.sock.close()
    worker.finish_request(connection, request_over())
    assert (connection.closed, worker.nr_conns) == (True, 0)


def test_a_connection_whose_thread_broke_is_closed_at_once(worker):
    connection, broken = Idle(), Future()
    broken.set_exception(KeyError("a bug"))
    worker.nr_conns = 1
    worker.finish_request(connection, broken)
    assert (connection.closed, worker.nr_conns) == (True, 0)


class Kept(Idle):
    timeout = 10**9


def test_a_full_worker_lets_go_of_who_has_asked_before(worker):
    kept = Kept()
    worker.poller.register(kept.sock, EVENT_READ)
    worker.keepalived_conns.append(kept)
    worker.nr_conns = worker.worker_connections = 1
    worker.notify()
    assert kept.closed
    assert worker.nr_conns == 0


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.loopback
def test_who_has_connected_before_a_worker_is_stopped_is_let_in(worker, listener):
    with socket.create_connection(listener.getsockname()) as first, socket.create_connection(listener.getsockname()) as second:
        worker.sockets = [listener]
        worker.alive = False
        worker.notify()
        assert (len(worker.reception), worker.nr_conns) == (2, 2)
        worker.reception.let_all_go()
        assert (first.recv(1), second.recv(1)) == (b"", b"")


@pytest.mark.loopback
def test_a_worker_that_is_stopped_refuses_connections_and_soon_lets_go_of_who_asks_nothing(worker, idle, listener):
    worker.sockets = [listener]
    worker.alive = False
    worker.clock = FixedClock()
    worker.notify()
    assert listener.fileno() == -1
    assert not idle.closed
    worker.clock.advance(3)
    worker.notify()
    assert idle.closed


def test_the_workers_heartbeat_cuts_what_is_late(worker, clock):
    connection = FakeSocket()
    worker.watch = ConnectionWatch(30, clock)
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
    worker.watch = ConnectionWatch(30, clock)
    connection = SilentConnection()
    worker.handle(connection)
    clock.advance(31)
    worker.watch.cut_late()
    assert [option[1] for option in connection.sock.done] == [socket.SO_SNDTIMEO, socket.SO_SNDBUF]


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


@pytest.mark.parametrize(("content_type", "paced"), [("text/event-stream", True), ("application/json", False)])
def test_only_an_answer_that_comes_as_events_is_paced(watch, content_type, paced):
    def app(_environ, start):
        start("200 OK", [("Content-Type", content_type)])
        return [b"words"]

    environ = {"gunicorn.socket": FakeSocket(), "wsgi.input": FakeBody()}
    pieces = watched(app, watch, lambda: False)(environ, lambda *_: None)
    assert isinstance(pieces, Paced) is paced
    assert list(pieces) == [b"words"]
