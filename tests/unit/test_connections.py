import socket
import sys
from selectors import DefaultSelector
from time import monotonic, sleep

import pytest

from service.connections import PARTING_S, SEND_LIMIT_S, ConnectionWatch, Paced, Partings, unread_s
from tests.fakes import FixedClock


class FakeSocket:
    """A connection that remembers how it was shut down."""

    def __init__(self, *, gone=False, told=b""):
        self.gone = gone
        self.told = told
        self.done = []

    def getsockopt(self, _level, _name, size):
        if self.gone:
            raise OSError
        return self.told[:size]

    def shutdown(self, how):
        if self.gone:
            raise BrokenPipeError
        self.done.append(how)


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def watch(clock):
    return ConnectionWatch(30, clock)


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


def test_a_limit_of_its_own_counts_for_one_reading(watch, clock):
    connection = FakeSocket()
    watch.begin(connection, 5)
    clock.advance(6)
    watch.cut_late()
    assert connection.done == [socket.SHUT_RD]


def test_who_is_not_waited_for_is_not_cut_but_a_cut_is_remembered(watch, clock):
    connection = FakeSocket()
    watch.begin(connection)
    clock.advance(31)
    watch.cut_late()
    watch.rest(connection)
    clock.advance(31)
    watch.cut_late()
    assert connection.done == [socket.SHUT_RD]
    assert watch.was_cut(connection)


def test_an_arrival_is_forgotten_with_its_request(watch, clock):
    connection = FakeSocket(told=bytes(52) + (250).to_bytes(4, sys.byteorder))
    assert watch.arrival(connection) is None
    watch.note_arrival(connection)
    assert watch.arrival(connection) == clock.now - 0.25
    watch.end(connection)
    assert watch.arrival(connection) is None


@pytest.mark.parametrize("connection", [FakeSocket(gone=True), FakeSocket(told=bytes(40))], ids=["gone", "an old system"])
def test_what_the_system_does_not_tell_arrived_when_it_was_seen(connection):
    assert unread_s(connection) == 0


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="the system does not tell")
def test_bytes_that_nobody_reads_grow_older():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        ours, _ = server.accept()
        with ours:
            client.sendall(b"x")
            ours.recv(1, socket.MSG_PEEK)
            until = monotonic() + 30
            while unread_s(ours) < 0.02 and monotonic() < until:
                sleep(0.01)
            assert 0.02 <= unread_s(ours) < 30
            ours.recv(1)


class Parting:
    """A connection with a client at the other end."""

    def __init__(self):
        self.sock, self.theirs = socket.socketpair()
        self.closed = False

    def close(self):
        self.closed = True
        self.sock.close()


class Leaving:
    """The connections being parted from, on a clock that stands."""

    def __init__(self, poller):
        self.clock = FixedClock()
        self.poller = poller
        self.closed = 0
        self.partings = Partings(poller, self.count, self.clock)

    def count(self):
        self.closed += 1

    def begin(self):
        connection = Parting()
        self.partings.begin(connection)
        return connection

    def dispatch(self):
        for key, _ in self.poller.select(0):
            key.data(key.fileobj)


@pytest.fixture
def leaving():
    with DefaultSelector() as poller:
        yield Leaving(poller)


def test_who_does_not_close_in_time_is_no_longer_waited_for(leaving):
    connection = leaving.begin()
    leaving.clock.advance(PARTING_S)
    leaving.partings.end_late()
    assert not connection.closed
    leaving.clock.advance(0.1)
    leaving.partings.end_late()
    assert (connection.closed, leaving.closed) == (True, 1)
    assert not leaving.poller.get_map()
    connection.theirs.close()


def test_who_goes_on_sending_is_no_longer_read_after_a_while(leaving):
    connection = leaving.begin()
    sent = 0
    while not connection.closed:
        connection.theirs.sendall(b"x" * 10_000)
        sent += 10_000
        leaving.dispatch()
    assert sent == 70_000
    connection.theirs.close()


def test_what_is_seen_of_a_connection_that_was_closed_is_nothing(leaving):
    connection = leaving.begin()
    (seen,) = leaving.poller.get_map().values()
    seen.data(connection.sock)  # nothing is there
    assert leaving.partings.end_oldest()
    seen.data(connection.sock)
    assert leaving.closed == 1
    assert not leaving.partings.end_oldest()
    connection.theirs.close()


class Reset:
    """A connection that its client has reset."""

    def setblocking(self, flag):
        assert not flag

    def shutdown(self, how):
        assert how == socket.SHUT_WR

    def recv(self, _size):
        raise ConnectionResetError


class OnePlace:
    """A selector that hands over what is registered."""

    def register(self, _sock, _events, call):
        self.call = call

    def unregister(self, _sock):
        del self.call


def test_a_connection_that_was_reset_is_over():
    leaving = Leaving(OnePlace())
    connection = Parting()
    with connection.theirs, connection.sock:
        connection.sock = Reset()
        connection.close = lambda: None
        leaving.partings.begin(connection)
        leaving.poller.call(connection.sock)
    assert leaving.closed == 1


def test_an_answer_in_pieces_may_take_long_but_a_client_not_over_one_of_them(watch, clock):
    connection, closed = FakeSocket(), []

    class Pieces:
        def __iter__(self):
            for number in range(3):
                clock.advance(2 * SEND_LIMIT_S)  # we take our time, and the client is not at fault
                watch.cut_late()
                yield b"%d" % number

        def close(self):
            closed.append(True)

    paced = Paced(Pieces(), connection, watch)
    for expected in (b"0", b"1"):
        assert next(paced) == expected
        clock.advance(SEND_LIMIT_S - 1)
        watch.cut_late()
        assert connection.done == []
    assert next(paced) == b"2"
    clock.advance(SEND_LIMIT_S + 1)
    watch.cut_late()
    assert connection.done == [socket.SHUT_RDWR]
    paced.close()
    assert closed == [True]
    Paced([b"x"], connection, watch).close()
