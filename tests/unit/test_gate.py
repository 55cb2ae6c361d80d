from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import OverloadedError
from service.pipeline.gate import Gate
from tests.examples import examples


def fill(gate, caller, stack):
    """How many more requests of a caller are taken in."""
    taken = 0
    while True:
        try:
            stack.enter_context(gate.passed(caller))
        except OverloadedError:
            return taken
        taken += 1


def test_no_more_are_taken_in_than_there_is_room_for():
    gate = Gate(3)
    with ExitStack() as stack:
        for caller in "abc":
            stack.enter_context(gate.passed(caller))
        with pytest.raises(OverloadedError), gate.passed("d"):
            pass
        assert gate.inside == 3
    assert gate.inside == 0
    with gate.passed("d"):
        assert gate.inside == 1


def test_one_caller_leaves_room_for_others():
    gate = Gate(96)
    with ExitStack() as stack:
        assert fill(gate, "greedy", stack) == 85
        assert fill(gate, "modest", stack) == 9
        assert fill(gate, "third", stack) == 1


@pytest.mark.parametrize("failure", [None, ValueError()])
def test_who_leaves_makes_room_however_it_went(failure):
    gate = Gate(1)
    with suppress(ValueError), gate.passed("a"):
        if failure:
            raise failure
    with gate.passed("b"):
        assert gate.inside == 1


def test_who_is_refused_is_told_when_to_come_again():
    gate = Gate(0, retry_after_s=10)
    with pytest.raises(OverloadedError) as refused, gate.passed("a"):
        pass
    assert refused.value.retry_after_s == 10


@examples()
@given(st.integers(1, 200), st.lists(st.sampled_from("abcd"), max_size=300))
def test_a_caller_who_is_not_in_is_let_in_while_there_is_any_room(capacity, callers):
    gate = Gate(capacity)
    with ExitStack() as stack:
        for caller in callers:
            with suppress(OverloadedError):
                stack.enter_context(gate.passed(caller))
        assert gate.inside <= capacity
        if gate.inside < capacity:
            stack.enter_context(gate.passed("new"))
