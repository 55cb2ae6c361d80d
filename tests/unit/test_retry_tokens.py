from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.llm.retry_tokens import AT_FIRST, EARNED_BY_A_QUESTION, MOST, REFILL_S, RetryTokens
from tests.examples import examples
from tests.fakes import FixedClock


def taken(tokens):
    """How many repeats there are to be had now."""
    count = 0
    while tokens.take():
        count += 1
    return count


def test_there_are_a_few_repeats_before_anything_was_asked():
    assert taken(RetryTokens(FixedClock())) == AT_FIRST


def test_ten_questions_earn_a_repeat():
    tokens = RetryTokens(FixedClock())
    taken(tokens)
    for _ in range(11):  # ten tenths are a little less than one
        tokens.earn()
    assert taken(tokens) == 1


def test_what_is_earned_has_a_limit():
    tokens = RetryTokens(FixedClock())
    for _ in range(1_000):
        tokens.earn()
    assert taken(tokens) == MOST


@pytest.mark.parametrize(("rested_s", "repeats"), [(REFILL_S - 1, 0), (REFILL_S, 1), (REFILL_S * 100, AT_FIRST)])
def test_a_quiet_service_gets_its_first_repeats_back(rested_s, repeats):
    clock = FixedClock()
    tokens = RetryTokens(clock)
    taken(tokens)
    clock.advance(rested_s)
    assert tokens.balance == pytest.approx(min(AT_FIRST, rested_s / REFILL_S))
    assert taken(tokens) == repeats


def test_rest_takes_nothing_away():
    clock = FixedClock()
    tokens = RetryTokens(clock)
    for _ in range(1_000):
        tokens.earn()
    clock.advance(3_600)
    assert tokens.balance == MOST


@examples()
@given(st.lists(st.one_of(st.just("question"), st.floats(0.0, 100.0))))
def test_repeats_never_pass_a_tenth_of_the_questions_and_what_rest_gives_back(steps):
    """A failing endpoint at its worst: every question is repeated as often as the tokens allow."""
    clock = FixedClock()
    tokens = RetryTokens(clock)
    questions = repeats = 0
    rested_s = 0.0
    for step in steps:
        if step == "question":
            tokens.earn()
            questions += 1
        else:
            clock.advance(step)
            rested_s += step
        repeats += taken(tokens)
        assert repeats <= AT_FIRST + EARNED_BY_A_QUESTION * questions + rested_s / REFILL_S + 1e-6
        assert 0 <= tokens.balance < 1


def test_threads_never_take_more_than_there_is():
    tokens = RetryTokens(FixedClock())
    for _ in range(1_000):
        tokens.earn()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: tokens.take(), range(200))) == MOST
