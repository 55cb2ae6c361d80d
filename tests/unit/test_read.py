from concurrent.futures import Executor, Future

import pytest

from service.domain import Article, Passage
from service.errors import ArticleTooLongError, DeadlineExceededError, ModelBusyError, ModelUnavailableError
from service.pipeline.read import Reading, read
from service.text.segment import segment

TEXT = "One sentence here. Two sentences here. Three sentences here."
ARTICLE = Article(TEXT, "0" * 64, "en")
PASSAGES = tuple(Passage(ARTICLE, (sentence,)) for sentence in segment(TEXT, "en"))


class InTurn(Executor):
    """Runs what it is given at once, in the order given."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - an executor hands on whatever happens
            future.set_exception(error)
        return future


def reader(**failures):
    """Reads each passage, but fails on those named by the number of their sentence."""

    def read_one(passage):
        error = failures.get(f"s{passage.sentences[0].number}")
        if error:
            raise error
        return Reading(passage)

    return read_one


def test_all_passages_come_back_in_their_order():
    readings = read(PASSAGES, reader(), InTurn(), allow_partial=False)
    assert [reading.passage for reading in readings] == list(PASSAGES)


def test_a_single_passage_needs_no_pool():
    (reading,) = read(PASSAGES[:1], reader(), None, allow_partial=False)
    assert reading.failure is None


def test_one_failed_passage_fails_the_whole_and_is_named():
    error = ModelBusyError("busy")
    with pytest.raises(ModelBusyError) as caught:
        read(PASSAGES, reader(s2=error), InTurn(), allow_partial=False)
    assert caught.value.passage == (PASSAGES[1].start, PASSAGES[1].end)


@pytest.mark.parametrize("error", [ModelUnavailableError("down"), DeadlineExceededError("late")])
def test_a_failed_passage_is_told_where_a_part_is_enough(error):
    readings = read(PASSAGES, reader(s3=error), InTurn(), allow_partial=True)
    assert [reading.failure for reading in readings] == [None, None, error]


def test_a_part_of_nothing_is_an_error():
    down = ModelUnavailableError("down")
    with pytest.raises(ModelUnavailableError):
        read(PASSAGES, reader(s1=down, s2=down, s3=down), InTurn(), allow_partial=True)


def test_what_the_caller_must_change_is_never_a_part():
    with pytest.raises(ArticleTooLongError):
        read(PASSAGES, reader(s1=ArticleTooLongError("long")), InTurn(), allow_partial=True)
