import math
from concurrent.futures import Future

import pytest

from service.deadline import Deadline
from service.domain import Article, Passage
from service.errors import ArticleTooLongError, ClientGoneError, DeadlineExceededError, ModelBusyError, ModelUnavailableError
from service.pipeline.read import Reading, read
from service.text.segment import segment
from tests.fakes import FixedClock

TEXT = "One sentence here. Two sentences here. Three sentences here."
ARTICLE = Article(TEXT, "0" * 64, "en")
PASSAGES = tuple(Passage(ARTICLE, (sentence,)) for sentence in segment(TEXT, "en"))


class InTurn:
    """Does what it is given at once, in the order given."""

    def submit(self, work, given):
        future = Future()
        try:
            future.set_result(work(given))
        except Exception as error:  # noqa: BLE001 - whatever happens is handed on
            future.set_exception(error)
        return future

    def await_start(self):
        pass


def later(seconds=60):
    return Deadline.after(seconds, FixedClock())


def reader(**failures):
    """Reads each passage, but fails on those named by the number of their sentence."""

    def read_one(passage):
        error = failures.get(f"s{passage.sentences[0].number}")
        if error:
            raise error
        return (Reading(passage),)

    return read_one


def test_all_passages_come_back_in_their_order():
    readings = read(PASSAGES, reader(), InTurn(), later(), allow_partial=False)
    assert [reading.passage for reading in readings] == list(PASSAGES)


@pytest.mark.parametrize("allow_partial", [False, True])
def test_a_single_passage_that_fails_is_not_named(allow_partial):
    with pytest.raises(ModelBusyError) as caught:
        read(PASSAGES[:1], reader(s1=ModelBusyError("busy")), InTurn(), later(), allow_partial=allow_partial)
    assert caught.value.passage is None


def test_a_single_passage_that_never_ends_is_late():
    with pytest.raises(DeadlineExceededError) as caught:
        read(PASSAGES[1:2], reader(), Stuck(), later(0), allow_partial=True)
    assert caught.value.passage is None


def test_a_failure_ends_the_interest_in_the_other_passages():
    deadline = later()
    with pytest.raises(ModelBusyError):
        read(PASSAGES, reader(s1=ModelBusyError("busy")), Stuck(), deadline, allow_partial=False)
    assert deadline.interest.lost


def test_a_failure_that_is_allowed_does_not():
    deadline = later()
    read(PASSAGES, reader(s1=ModelBusyError("busy")), InTurn(), deadline, allow_partial=True)
    assert not deadline.interest.lost


def test_a_client_that_leaves_is_not_waited_for():
    deadline = later()

    class Leaving(Stuck):
        def await_start(self):
            deadline.interest.lose()

    with pytest.raises(ClientGoneError):
        read(PASSAGES[1:2], reader(), Leaving(), deadline, allow_partial=True)


def test_a_passage_that_was_dropped_is_a_client_that_left():
    class Dropping(InTurn):
        def submit(self, _work, _given):
            future = Future()
            future.cancel()
            return future

    with pytest.raises(ClientGoneError):
        read(PASSAGES, reader(), Dropping(), later(), allow_partial=True)


def test_a_deadline_that_never_comes_can_be_waited_for():
    assert len(read(PASSAGES, reader(), InTurn(), Deadline(math.inf), allow_partial=False)) == 3


def test_one_failed_passage_fails_the_whole_and_is_named():
    error = ModelBusyError("busy")
    with pytest.raises(ModelBusyError) as caught:
        read(PASSAGES, reader(s2=error), InTurn(), later(), allow_partial=False)
    assert caught.value.passage == (PASSAGES[1].start, PASSAGES[1].end)


@pytest.mark.parametrize("error", [ModelUnavailableError("down"), DeadlineExceededError("late")])
def test_a_failed_passage_is_told_where_a_part_is_enough(error):
    readings = read(PASSAGES, reader(s3=error), InTurn(), later(), allow_partial=True)
    assert [reading.failure for reading in readings] == [None, None, error]


def test_a_part_of_nothing_is_an_error():
    down = ModelUnavailableError("down")
    with pytest.raises(ModelUnavailableError):
        read(PASSAGES, reader(s1=down, s2=down, s3=down), InTurn(), later(), allow_partial=True)


def test_a_passage_too_long_for_the_model_fails_like_any_other():
    error = ArticleTooLongError("long")
    readings = read(PASSAGES, reader(s1=error), InTurn(), later(), allow_partial=True)
    assert [reading.failure for reading in readings] == [error, None, None]
    assert error.passage == (PASSAGES[0].start, PASSAGES[0].end)


class Stuck(InTurn):
    """Never gets to the passage that holds the sentence of this number."""

    def submit(self, work, given):
        return Future() if given.sentences[0].number == 2 else super().submit(work, given)


def test_a_passage_whose_turn_never_comes_is_late():
    with pytest.raises(DeadlineExceededError) as caught:
        read(PASSAGES, reader(), Stuck(), later(0), allow_partial=False)
    assert caught.value.passage == (PASSAGES[1].start, PASSAGES[1].end)


def test_what_was_read_in_time_is_a_part():
    readings = read(PASSAGES, reader(), Stuck(), Deadline.after(0.05), allow_partial=True)
    assert [type(reading.failure) for reading in readings] == [type(None), DeadlineExceededError, type(None)]


def test_a_passage_read_in_parts_comes_back_as_those_in_its_place():
    def in_parts(passage):
        return (Reading(passage), Reading(passage)) if passage is PASSAGES[1] else (Reading(passage),)

    readings = read(PASSAGES, in_parts, InTurn(), later(), allow_partial=False)
    assert [reading.passage for reading in readings] == [PASSAGES[0], PASSAGES[1], PASSAGES[1], PASSAGES[2]]


@pytest.mark.parametrize("allow_partial", [False, True])
def test_a_part_that_failed_is_told_where_a_part_is_enough(allow_partial):
    error = ModelBusyError("busy")

    def in_parts(passage):
        return (Reading(passage), Reading(passage, failure=error))

    if allow_partial:
        readings = read(PASSAGES[:1], in_parts, InTurn(), later(), allow_partial=True)
        assert [reading.failure for reading in readings] == [None, error]
    else:
        with pytest.raises(ModelBusyError):
            read(PASSAGES[:1], in_parts, InTurn(), later(), allow_partial=False)
