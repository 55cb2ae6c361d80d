from selectors import EVENT_READ
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.connections import ConnectionWatch
from service.receiving import MAX_HEAD_BYTES, Arrival, Come, Reception
from tests.examples import examples
from tests.fakes import FixedClock

MAX_BODY = 100
POST = b"POST /analyze HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
FIVE = POST + b"Content-Length: 5\r\n\r\nwords"
CHUNKS = POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
TRAILERS = POST + b"transfer-encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\n"


def come(data, max_body=MAX_BODY):
    return Arrival(max_body).feed(data)


@pytest.mark.parametrize("request_bytes", [GET, FIVE, CHUNKS, TRAILERS], ids=["no body", "length", "chunks", "trailers"])
def test_a_request_is_whole_with_its_last_byte(request_bytes):
    assert come(request_bytes) is Come.WHOLE
    assert come(request_bytes[:-1]) is Come.PART
    assert come(request_bytes + b"GET / HTT") is Come.WHOLE


@examples()
@given(st.sampled_from([GET, FIVE, CHUNKS, TRAILERS]), st.data())
def test_it_does_not_matter_in_how_many_pieces_a_request_comes(request_bytes, data):
    arrival, rest = Arrival(MAX_BODY), request_bytes
    while len(rest) > 1:
        size = data.draw(st.integers(1, len(rest) - 1))
        assert arrival.feed(rest[:size]) is Come.PART
        rest = rest[size:]
    assert arrival.feed(rest) is Come.WHOLE
    assert arrival.data == request_bytes


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", id="two lengths"),
        pytest.param(POST + b"Content-Length: -5\r\n\r\n", id="negative length"),
        pytest.param(POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", id="length and chunks"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", id="a chunk's size that is no number"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 1_001, id="a chunk's size without end"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabcdef", id="a chunk without end"),
    ],
)
def test_what_will_be_refused_is_not_waited_for(request_bytes):
    assert come(request_bytes) is Come.WHOLE


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(POST + b"X" * MAX_HEAD_BYTES, id="a head without end"),
        pytest.param(POST + b"Content-Length: 101\r\n\r\n", id="a length over the limit"),
        pytest.param(POST + b"Content-Length: 1000000000000\r\n\r\n", id="a length of 13 digits"),
        pytest.param(POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n", id="a length of more digits than a number has"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n", id="a chunk over the limit"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200, id="chunks over the limit"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"x" * MAX_HEAD_BYTES, id="trailers without end"),
    ],
)
def test_what_is_more_than_is_taken_is_told(request_bytes):
    assert come(request_bytes) is Come.TOO_MUCH


def test_a_client_that_asks_before_it_sends_its_body_is_noticed_once():
    arrival = Arrival(MAX_BODY)
    head = POST + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
    assert arrival.feed(head) is Come.PART
    assert arrival.wants_go_ahead
    assert arrival.feed(b"wo") is Come.PART
    assert not arrival.wants_go_ahead


@pytest.mark.parametrize("head", [FIVE[:-5], FIVE[:-5].replace(b"Host: x", b"Expect: cake")], ids=["no expectation", "another"])
def test_a_client_that_asks_nothing_gets_no_go_ahead(head):
    arrival = Arrival(MAX_BODY)
    arrival.feed(head)
    assert not arrival.wants_go_ahead


@examples()
@given(st.binary(max_size=300))
def test_any_bytes_after_a_head_come_to_something(data):
    assert come(POST + b"Transfer-Encoding: chunked\r\n\r\n" + data) in Come
    assert come(data) in Come


class FakeSocket:
    """Gives what it was filled with, then says that it would block, or that it has ended."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.sent = []

    def getsockopt(self, *_asked):
        raise OSError

    def recv(self, _size):
        if not self.pieces:
            raise BlockingIOError
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def send(self, data):
        self.sent.append(data)

    def setblocking(self, flag):
        assert not flag

    def shutdown(self, _how):
        self.pieces.append(b"")


class FakeUnreader:
    def __init__(self, early):
        self.early = early
        self.given = b""

    def take_buffered(self):
        return self.early

    def unread(self, data):
        self.given = data


class Connection:
    def __init__(self, *pieces, early=b""):
        self.sock = FakeSocket(*pieces)
        self.parser = SimpleNamespace(unreader=FakeUnreader(early))

    def init(self):
        pass

    @property
    def request(self):
        return self.parser.unreader.given


class Poller:
    """A selector that reads from what is registered when it is told to."""

    def __init__(self):
        self.registered = {}

    def register(self, sock, events, call):
        assert events == EVENT_READ
        assert sock not in self.registered
        self.registered[sock] = call

    def unregister(self, sock):
        del self.registered[sock]

    def wake(self, connection):
        self.registered[connection.sock](connection.sock)


class World:
    def __init__(self):
        self.clock = FixedClock()
        self.watch = ConnectionWatch(30, self.clock)
        self.poller = Poller()
        self.handed_over, self.let_go = [], []
        self.reception = Reception(
            self.poller, self.watch, MAX_BODY, hand_over=self.handed_over.append, let_go=self.let_go.append
        )

    def begin(self, *pieces, early=b""):
        connection = Connection(*pieces, early=early)
        self.reception.begin(connection)
        return connection

    def send(self, connection, *pieces):
        connection.sock.pieces += pieces
        self.poller.wake(connection)

    def idle(self):
        return not self.poller.registered and not len(self.reception)


@pytest.fixture
def world():
    return World()


def test_a_request_that_is_there_already_is_handed_over_at_once(world):
    connection = world.begin(FIVE)
    assert world.handed_over == [connection]
    assert connection.request == FIVE
    assert world.idle()


def test_a_request_is_handed_over_when_its_last_byte_has_come(world):
    connection = world.begin()
    world.send(connection, FIVE[:10])
    world.send(connection, FIVE[10:-1])
    assert world.handed_over == []
    world.send(connection, FIVE[-1:])
    assert (world.handed_over, connection.request) == ([connection], FIVE)
    assert world.idle()


@pytest.mark.parametrize(("early", "pieces"), [(FIVE, ()), (FIVE[:9], (FIVE[9:],))], ids=["whole", "in part"])
def test_what_was_sent_together_with_the_last_request_is_not_lost(world, early, pieces):
    connection = world.begin(*pieces, early=early)
    assert (world.handed_over, connection.request) == ([connection], FIVE)


def test_a_connection_that_ends_without_a_word_needs_no_thread(world):
    connection = world.begin(b"")
    assert (world.handed_over, world.let_go) == ([], [connection])
    assert world.idle()


def test_half_a_request_is_handed_over_to_be_refused(world):
    connection = world.begin(FIVE[:-1], b"")
    assert (world.handed_over, connection.request) == ([connection], FIVE[:-1])


def test_a_broken_connection_is_let_go(world):
    connection = world.begin(FIVE[:9], ConnectionResetError())
    assert (world.handed_over, world.let_go) == ([], [connection])
    assert world.idle()


def test_who_takes_too_long_is_cut_and_then_handed_over_or_let_go(world):
    silent, slow = world.begin(), world.begin(FIVE[:9])
    world.clock.advance(31)
    world.watch.cut_late()
    world.poller.wake(silent)
    world.poller.wake(slow)
    assert (world.handed_over, world.let_go) == ([slow], [silent])
    assert world.watch.was_cut(slow.sock)
    assert not world.watch.was_cut(silent.sock)


def test_a_whole_request_that_waits_for_a_thread_is_not_cut(world):
    connection = world.begin(FIVE)
    world.clock.advance(31)
    world.watch.cut_late()
    assert connection.sock.pieces == []


def test_a_request_arrives_with_its_first_byte(world):
    connection = world.begin()
    world.clock.advance(5)
    world.send(connection, FIVE[:1])
    begun = world.clock.now
    world.clock.advance(5)
    world.send(connection, FIVE[1:])
    assert world.watch.arrival(connection.sock) == begun


def test_a_client_that_asks_first_is_told_to_go_ahead(world):
    connection = world.begin(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert connection.sock.sent == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    world.send(connection, b"words")
    assert connection.sock.sent == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    assert world.handed_over == [connection]


def test_few_threads_at_a_time_are_given_to_those_who_send_too_much(world):
    too_much = POST + b"Content-Length: 101\r\n\r\n"
    connections = [world.begin(too_much) for _ in range(5)]
    assert (world.handed_over, world.let_go) == (connections[:4], connections[4:])
    world.reception.over(connections[0])
    assert world.begin(too_much) is world.handed_over[4]


def test_when_all_together_send_too_much_the_largest_is_let_go(world):
    half = POST + b"Content-Length: 100\r\n\r\n" + b"x" * 50
    largest = world.begin(half + b"x" * 49)
    while not world.let_go:
        last = world.begin(half)
    assert world.let_go == [largest]
    world.send(last, b"x" * 50)
    assert world.handed_over == [last]


def test_who_is_the_largest_is_let_go_while_it_sends(world):
    connection = world.begin(POST)
    others = [world.begin(POST + b"Content-Length: 100\r\n\r\n" + b"x" * 20) for _ in range(60)]
    world.send(connection, b"X" * 4_000)
    assert world.let_go == [connection]
    assert len(world.reception) == len(others)


def test_the_oldest_is_let_go_first(world):
    first, second, third = (world.begin() for _ in range(3))
    assert world.reception.let_go_oldest()
    assert world.let_go == [first]
    world.reception.let_all_go()
    assert world.let_go == [first, second, third]
    assert not world.reception.let_go_oldest()
    assert world.idle()


def test_what_is_seen_of_a_connection_that_was_let_go_is_nothing(world):
    connection = world.begin()
    seen = world.poller.registered[connection.sock]
    world.reception.let_all_go()
    connection.sock.pieces.append(FIVE)
    seen(connection.sock)
    assert world.handed_over == []
