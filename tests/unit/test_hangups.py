import socket
from contextlib import contextmanager, suppress
from threading import Event

import pytest

from service.deadline import Interest
from service.web.hangups import HangUps

PATIENCE_S = 30
A_WHILE_S = 0.1


@pytest.fixture
def hangups():
    return HangUps(look_s=0.01)


@contextmanager
def connected():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_client_that_leaves_is_noticed(hangups):
    interest = Interest()
    with connected() as (ours, theirs), hangups.watched(ours, interest):
        theirs.close()
        assert interest.wait_lost(PATIENCE_S)


def test_several_clients_are_told_apart(hangups):
    staying, leaving = Interest(), Interest()
    with connected() as (ours, theirs), connected() as (other, _), hangups.watched(other, staying):
        with hangups.watched(ours, leaving):
            theirs.close()
            assert leaving.wait_lost(PATIENCE_S)
        assert not staying.lost


def test_a_client_that_has_only_said_all_is_still_there(hangups):
    interest = Interest()
    with connected() as (ours, theirs):
        with hangups.watched(ours, interest):
            theirs.shutdown(socket.SHUT_WR)
            assert theirs.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert not interest.wait_lost(A_WHILE_S)
        with pytest.raises(BlockingIOError):
            theirs.recv(100, socket.MSG_DONTWAIT)


def test_a_client_that_breaks_off_is_noticed(hangups):
    interest = Interest()
    with connected() as (ours, theirs), hangups.watched(ours, interest):
        ours.send(b"never read, so that the end is an error")
        theirs.close()
        assert interest.wait_lost(PATIENCE_S)


def test_a_client_that_leaves_after_it_has_said_all_is_noticed(hangups):
    interest = Interest()
    with connected() as (ours, theirs), hangups.watched(ours, interest):
        theirs.shutdown(socket.SHUT_WR)
        assert not interest.wait_lost(A_WHILE_S)
        theirs.close()  # with the question whether it is there unread
        assert interest.wait_lost(PATIENCE_S)


def test_a_client_that_says_more_is_not_taken_for_one_that_left(hangups):
    interest = Interest()
    with connected() as (ours, theirs), hangups.watched(ours, interest):
        theirs.send(b"GET")
        assert not interest.wait_lost(A_WHILE_S)
        assert ours.recv(3) == b"GET"


def test_a_client_whose_machine_takes_nothing_more_is_waited_for(hangups):
    interest = Interest()
    with connected() as (ours, theirs):
        with suppress(BlockingIOError):
            while ours.send(b"x" * 65_536, socket.MSG_DONTWAIT):
                pass
        with hangups.watched(ours, interest):
            theirs.shutdown(socket.SHUT_WR)
            assert not interest.wait_lost(A_WHILE_S)


def test_who_is_answered_is_no_longer_watched(hangups):
    interest = Interest()
    with connected() as (ours, theirs):
        with hangups.watched(ours, interest):
            pass
        theirs.close()
        assert not interest.wait_lost(A_WHILE_S)


def test_a_connection_is_watched_for_one_request_after_another(hangups):
    with connected() as (ours, theirs):
        for _ in range(3):
            with hangups.watched(ours, Interest()):
                pass
        interest = Interest()
        with hangups.watched(ours, interest):
            theirs.close()
            assert interest.wait_lost(PATIENCE_S)


def test_without_a_connection_nothing_is_watched(hangups):
    with hangups.watched(None, Interest()):
        pass


def test_a_client_in_the_middle_of_an_answer_is_asked_by_whoever_sends_it(hangups):
    interest, asked = Interest(), Event()
    with connected() as (ours, theirs):
        with hangups.watched(ours, interest, asked.set):
            theirs.shutdown(socket.SHUT_WR)
            assert asked.wait(PATIENCE_S)
            assert not interest.wait_lost(A_WHILE_S)
            theirs.close()
            with suppress(OSError):
                while True:
                    ours.send(b": still there?")
        with suppress(OSError):
            assert not theirs.recv(100, socket.MSG_DONTWAIT)
