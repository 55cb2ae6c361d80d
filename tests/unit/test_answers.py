from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from threading import Event
from time import sleep

import pytest
from hypothesis import assume, given

from service.codec import Codec
from service.deadline import Deadline
from service.domain import (
    Analysis,
    AnalysisStatus,
    ArticleInput,
    Caveat,
    Claimant,
    Coverage,
    Options,
    PassageCoverage,
    Quote,
    Span,
    Stance,
    StanceLabel,
)
from service.earlier import Previous
from service.errors import DeadlineExceededError, ModelUnavailableError
from service.pipeline.answers import FALLBACK, KEPT, LEASE_S, MADE, SHARED, Answers, Caching, Question
from service.store.base import Shelf
from service.store.memory import MemoryStore
from tests.analyses import values_of
from tests.examples import examples
from tests.export_cases import CASES
from tests.fakes import FixedClock

PATIENCE_S = 30
LATIN = CASES["latin"]
QUESTION = Question(ArticleInput(LATIN.article.text), Options(), ("extract_claims@1", "0" * 64, "1" * 64))
ANSWER = replace(
    LATIN,
    status=AnalysisStatus.COMPLETE,
    coverage=Coverage(1, 1, (PassageCoverage(0, 12, "2" * 64),)),
    usage=replace(LATIN.usage, cache=MADE, duration_ms=2140),
)
CUT_SHORT = replace(
    ANSWER,
    status=AnalysisStatus.PARTIAL,
    coverage=Coverage(
        2, 1, (PassageCoverage(0, 12, "2" * 64), PassageCoverage(12, 20, "3" * 64, "deadline-exceeded", for_all=False))
    ),
)
PARTIAL = replace(CUT_SHORT, coverage=Coverage(2, 1, (PassageCoverage(0, 12, "2" * 64, "upstream-unavailable"),)))


class Model:
    """What makes answers, and how often it did."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.times = 0

    def __call__(self, _in_vain_s):
        self.times += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class SharedStore(MemoryStore):
    shared = True


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def store(clock):
    return MemoryStore(10_000_000, clock)


@pytest.fixture
def answers(store, clock):
    return Answers(store, 600, "origin", clock=clock)


def ask(answers, model, question=QUESTION, caching=None, seconds=PATIENCE_S):
    return answers.find_or_make(question, model, Deadline.after(seconds), caching or Caching())


def test_an_answer_is_made_once_and_then_found(answers):
    model = Model(ANSWER)
    assert ask(answers, model) == ANSWER
    found = ask(answers, model)
    assert found == replace(ANSWER, usage=replace(ANSWER.usage, cache=KEPT, duration_ms=0))
    assert model.times == 1


def test_the_time_told_is_that_of_the_request_and_the_cost_that_of_the_making(answers, clock):
    ask(answers, Model(ANSWER))

    class SlowStore(MemoryStore):
        def get(self, shelf, key):
            clock.advance(0.003)
            return super().get(shelf, key)

    slow = SlowStore(10_000_000, clock)
    other = Answers(slow, 600, "origin", clock=clock)
    ask(other, Model(ANSWER))
    usage = ask(other, Model()).usage
    assert usage.duration_ms == 3
    assert (usage.calls, usage.input_tokens) == (ANSWER.usage.calls, ANSWER.usage.input_tokens)


def test_an_answer_ends_with_its_time(answers, clock):
    model = Model(ANSWER, ANSWER)
    ask(answers, model)
    clock.advance(600)
    assert ask(answers, model).usage.cache == MADE
    assert model.times == 2


def test_without_a_time_nothing_is_kept(store, clock):
    answers = Answers(store, 0, clock=clock)
    model = Model(ANSWER, ANSWER)
    assert ask(answers, model).usage.cache == MADE
    assert ask(answers, model).usage.cache == MADE


def test_who_asks_for_new_work_gets_it_and_others_find_it(answers):
    newer = replace(ANSWER, id="an_newer")
    model = Model(ANSWER, newer)
    ask(answers, model)
    assert ask(answers, model, caching=Caching(read=False)) == newer
    assert ask(answers, model).id == "an_newer"
    assert model.times == 2


def test_who_wants_nothing_kept_leaves_and_finds_nothing(answers):
    alone = Caching(read=False, keep=False)
    model = Model(ANSWER, ANSWER, ANSWER)
    ask(answers, model, caching=alone)
    assert ask(answers, model).usage.cache == MADE
    assert ask(answers, model, caching=alone).usage.cache == MADE


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(CUT_SHORT, id="out of time"),
        pytest.param(PARTIAL, id="partial"),
        pytest.param(replace(PARTIAL, status=AnalysisStatus.COMPLETE), id="a passage failed"),
        pytest.param(replace(ANSWER, status="stand_in"), id="another status"),
        pytest.param(replace(ANSWER, warnings=(Caveat(FALLBACK, "Another answered."),)), id="another model"),
    ],
)
def test_an_answer_that_is_not_the_whole_of_what_was_asked_is_not_kept(answers, answer):
    model = Model(answer, ANSWER)
    assert ask(answers, model) == answer
    assert ask(answers, model) == ANSWER


def test_a_failure_is_not_kept(answers):
    model = Model(ModelUnavailableError("gone"), ANSWER)
    with pytest.raises(ModelUnavailableError):
        ask(answers, model)
    assert ask(answers, model) == ANSWER


@pytest.mark.parametrize(
    "text", ["", "{}", Codec(Analysis).dump(ANSWER)[:-1], Codec(Analysis).dump(ANSWER).replace('"id"', '"di"')]
)
def test_what_is_kept_in_another_format_is_made_anew(answers, store, text):
    store.put(Shelf.ANSWERS, answers.key(QUESTION), text, 600)
    assert ask(answers, Model(ANSWER)) == ANSWER


def with_first_claim(**changes):
    return replace(ANSWER, claims=(replace(ANSWER.claims[0], **changes), *ANSWER.claims[1:]))


FALSE = Quote("words that nobody wrote", Span(0, 23, 0, 23), (1,))


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(with_first_claim(quote=FALSE), id="quote"),
        pytest.param(with_first_claim(occurrences=(FALSE,)), id="occurrence"),
        pytest.param(with_first_claim(claimant=Claimant("Ms Hale", FALSE)), id="claimant"),
        pytest.param(with_first_claim(claimant=Claimant("Ms Hale", ANSWER.claims[0].quote, cites=FALSE)), id="source"),
        pytest.param(with_first_claim(stances=(Stance("Ms Hale", StanceLabel.REFUTES, FALSE),)), id="evidence"),
        pytest.param(replace(ANSWER, article=replace(ANSWER.article, text="Another article."), claims=()), id="article"),
    ],
)
def test_what_is_kept_cannot_invent_a_quote(answers, store, forged):
    store.put(Shelf.ANSWERS, answers.key(QUESTION), Codec(Analysis).dump(forged), 600)
    assert ask(answers, Model(ANSWER)) == ANSWER


OTHERS = [
    *(replace(QUESTION, article=replace(QUESTION.article, **{field.name: "2026-01-31"})) for field in fields(ArticleInput)),
    replace(QUESTION, options=Options(max_claims=1)),
    replace(QUESTION, options=Options(min_check_worthiness=0.5)),
    replace(QUESTION, options=Options(allow_partial=True)),
    replace(QUESTION, prompts=("extract_claims@1", "0" * 64, "2" * 64)),
    replace(QUESTION, previous=Previous(None)),
    replace(QUESTION, tenant="another newsroom"),
]


@pytest.mark.parametrize("other", OTHERS, ids=range(len(OTHERS)))
def test_another_question_is_another_key(answers, other):
    assert answers.key(other) != answers.key(QUESTION)


def test_another_origin_is_another_key(store):
    assert Answers(store, 600, "one").key(QUESTION) != Answers(store, 600, "two").key(QUESTION)


@examples()
@given(values_of(Question), values_of(Question))
def test_different_questions_have_different_keys_of_hex_digits(one, other):
    assume(one != other)
    answers = Answers()
    assert answers.key(one) != answers.key(other)
    assert len(bytes.fromhex(answers.key(one))) == 32


def test_the_same_question_asked_many_times_at_once_is_answered_once(answers):
    begun, go = Event(), Event()

    def slowly(_in_vain_s):
        begun.set()
        assert go.wait(PATIENCE_S)
        return ANSWER

    model = Model()
    with ThreadPoolExecutor(64) as pool:
        first = pool.submit(ask, answers, slowly)
        assert begun.wait(PATIENCE_S)
        others = [pool.submit(ask, answers, model) for _ in range(63)]
        go.set()
        assert first.result() == ANSWER
        told = [other.result() for other in others]
    assert {one.usage.cache for one in told} <= {SHARED, KEPT}
    assert {replace(one, usage=ANSWER.usage) for one in told} == {ANSWER}
    assert model.times == 0


GIVEN_UP = replace(CUT_SHORT, coverage=Coverage(2, 1, (PassageCoverage(0, 12, "2" * 64, "upstream-busy", for_all=False),)))


@pytest.mark.parametrize("answer", [CUT_SHORT, GIVEN_UP], ids=["out of time", "no time to ask again"])
def test_an_answer_cut_short_by_its_own_time_is_not_shared(answers, answer):
    begun, go = Event(), Event()

    def slowly(_in_vain_s):
        begun.set()
        assert go.wait(PATIENCE_S)
        return answer

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, answers, slowly)
        assert begun.wait(PATIENCE_S)
        other = pool.submit(ask, answers, Model(ANSWER))
        sleep(0.05)
        go.set()
        assert first.result() == answer
        assert other.result() == ANSWER


def between_processes(clock, *, on_sleep):
    store = SharedStore(10_000_000, clock)
    slept = []

    def sleeping(seconds):
        slept.append(seconds)
        clock.advance(seconds)
        on_sleep(store, slept)

    return store, Answers(store, 600, "origin", clock=clock, sleep=sleeping), slept


def test_work_that_another_process_does_is_waited_for(clock):
    def on_sleep(store, slept):
        if len(slept) == 3:
            store.put(Shelf.ANSWERS, answers.key(QUESTION), Codec(Analysis).dump(ANSWER), 600)

    store, answers, slept = between_processes(clock, on_sleep=on_sleep)
    store.put(Shelf.FLIGHTS, answers.key(QUESTION), "their claim", LEASE_S)
    found = ask(answers, Model())
    assert found == replace(ANSWER, usage=replace(ANSWER.usage, cache=SHARED, duration_ms=round(sum(slept) * 1000)))
    assert store.get(Shelf.FLIGHTS, answers.key(QUESTION)) == "their claim"


@pytest.mark.parametrize("ends", ["gives up", "dies"])
def test_work_that_another_process_leaves_is_taken_over(clock, ends):
    def on_sleep(store, slept):
        if ends == "gives up" and len(slept) == 2:
            store.remove(Shelf.FLIGHTS, answers.key(QUESTION), "their claim")

    store, answers, slept = between_processes(clock, on_sleep=on_sleep)
    store.put(Shelf.FLIGHTS, answers.key(QUESTION), "their claim", LEASE_S)
    assert ask(answers, Model(ANSWER), seconds=10_000) == ANSWER
    assert sum(slept) <= LEASE_S + 1
    assert store.get(Shelf.FLIGHTS, answers.key(QUESTION)) is None


def test_waiting_for_another_process_ends_with_the_requests_own_time(clock):
    store, answers, _ = between_processes(clock, on_sleep=lambda *_: None)
    store.put(Shelf.FLIGHTS, answers.key(QUESTION), "their claim", LEASE_S)
    with pytest.raises(DeadlineExceededError):
        answers.find_or_make(QUESTION, Model(), Deadline.after(1, clock), Caching())


def test_a_process_that_works_says_so_until_it_is_done(clock):
    store, answers, _ = between_processes(clock, on_sleep=lambda *_: None)

    def make(_in_vain_s):
        assert store.get(Shelf.FLIGHTS, answers.key(QUESTION)) is not None
        raise ModelUnavailableError("gone")

    with pytest.raises(ModelUnavailableError):
        ask(answers, make)
    assert store.get(Shelf.FLIGHTS, answers.key(QUESTION)) is None
