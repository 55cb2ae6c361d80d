from contextlib import ExitStack
from threading import Event as Signal

import pytest
from flask import Flask

from service.deadline import Interest
from service.domain import Coverage, PassageCoverage
from service.errors import ClientGoneError, ModelBusyError, OverloadedError
from service.pipeline.following import Account, Progress, Proved, Stage, nobody
from service.web.event_stream import EventStream
from tests.events import TYPE, comments_of, events_of
from tests.export_cases import CASES

PATIENCE_S = 30
BEGUN = Progress(1, 0, 0, 0, Stage.READING)


@pytest.fixture(autouse=True)
def request_context():
    """What a stream is made in: reports of failures tell the request's id."""
    app = Flask(__name__)
    with app.test_request_context():
        from flask import g  # noqa: PLC0415 - beside its only use

        g.request_id, g.record = "r", {}
        yield


class Held:
    """What a stream holds, and what it was given to save."""

    def __init__(self):
        self.given_back = 0
        self.saved = []
        self.interest = Interest()

    def stream(self, answer, heartbeat_s=PATIENCE_S, before=lambda _: None):
        stack = ExitStack()
        stack.callback(self.give_back)
        stream = EventStream(self.interest, heartbeat_s, self.saved.append)
        before(stream)
        return stream, stream.respond(answer, stack)

    def give_back(self):
        self.given_back += 1


def at_once(follow):
    follow(BEGUN)
    return {"id": "an_1"}


def test_a_stream_read_to_its_end_gives_back_what_it_held_and_saves_how_it_ended():
    held = Held()
    _, response = held.stream(at_once)
    assert response.is_streamed
    assert held.given_back == 0
    assert [event.name for event in events_of(response.get_data())] == ["progress", "done"]
    assert held.given_back == 1
    response.close()
    assert held.given_back == 1
    (saved,) = held.saved
    assert (saved.content_type, [event.name for event in events_of(saved.get_data())]) == (TYPE, ["progress", "done"])


def test_silence_is_broken_by_comments():
    go = Signal()

    def answer(follow):
        follow(BEGUN)
        assert go.wait(PATIENCE_S)
        return {}

    held = Held()
    stream, response = held.stream(answer, heartbeat_s=0.001)
    begun = b"".join(next(stream) for _ in range(4))
    assert (len(events_of(begun)), comments_of(begun)) == (1, 3)
    go.set()
    assert response.get_data().endswith(b"event: done\ndata: {}\n\n")


def test_a_stream_that_is_closed_loses_interest_waits_for_its_work_and_says_so_to_whoever_listens():
    ended, order = Signal(), []

    def answer(follow):
        follow(BEGUN)
        assert held.interest.wait_lost(PATIENCE_S)
        ended.set()
        raise ClientGoneError("gone")

    held = Held()
    stream, response = held.stream(answer)
    stream.at_end(lambda: order.append((ended.is_set(), held.given_back)))
    response.close()
    assert order == [(True, 0)]
    assert held.given_back == 1
    (saved,) = held.saved
    assert [event.data["code"] for event in events_of(saved.get_data())] == ["client-gone"]
    with pytest.raises(StopIteration):
        next(stream)


def test_a_failure_before_anything_was_told_is_an_answer_of_its_own():
    def answer(_follow):
        raise OverloadedError("full", retry_after_s=7)

    held = Held()
    _, response = held.stream(answer)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
    assert not response.is_streamed
    assert held.given_back == 1
    assert held.saved == []


def test_a_client_that_is_asked_whether_it_is_there_gets_a_comment_before_anything_else():
    go = Signal()

    def answer(_follow):
        assert go.wait(PATIENCE_S)
        raise ModelBusyError("busy")

    held = Held()
    _, response = held.stream(answer, before=EventStream.beat)
    assert response.status_code == 200
    go.set()
    body = response.get_data()
    assert body.startswith(b":")
    assert [event.name for event in events_of(body)] == ["problem"]


def test_what_each_event_holds_stays_on_its_line():
    claim = CASES["scripts"].claims[0]

    def answer(follow):
        follow(Proved(claim))
        return {"text": "one\r\ntwo\n\nevent: problem\u2028\x85"}

    _, response = Held().stream(answer)
    proved, done = events_of(response.get_data())
    assert proved.data["text"] == claim.text
    assert done.data["text"] == "one\r\ntwo\n\nevent: problem\u2028\x85"


def test_the_progress_of_an_answer_that_was_there_tells_what_failed():
    passages = (PassageCoverage(0, 5, "0" * 64), PassageCoverage(5, 9, "0" * 64, "upstream-busy"))
    assert Progress.of_a_whole(Coverage(2, 1, passages), 4) == Progress(2, 1, 1, 4, Stage.MERGING)


def test_an_account_that_nobody_follows_costs_nothing():
    account = Account()
    account.begin(1)
    account.passage_read(CASES["latin"].claims)
    account.merging()
    assert nobody(BEGUN) is None


def test_claims_with_the_same_words_are_told_with_ids_of_their_own():
    told = []
    account = Account(told.append)
    account.begin(2)
    account.passage_read([CASES["latin"].claims[0], CASES["latin"].claims[0]])
    account.passage_failed()
    account.merging()
    one, other = (news.claim.id for news in told if isinstance(news, Proved))
    assert one != other
    assert told[-1] == Progress(2, 1, 1, 2, Stage.MERGING)


def test_a_stream_that_never_began_can_be_closed():
    interest = Interest()
    EventStream(interest, PATIENCE_S, [].append).close()
    assert interest.lost
