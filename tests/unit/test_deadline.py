import pytest

from service.deadline import Deadline
from service.errors import DeadlineExceededError
from tests.fakes import FixedClock


def test_what_is_left_shrinks_with_the_clock():
    clock = FixedClock()
    deadline = Deadline.after(10, clock)
    clock.advance(4)
    assert deadline.check() == 6


@pytest.mark.parametrize("late", [10, 11])
def test_nothing_is_left_once_it_has_passed(late):
    clock = FixedClock()
    deadline = Deadline.after(10, clock)
    clock.advance(late)
    with pytest.raises(DeadlineExceededError):
        deadline.check()


@pytest.mark.parametrize(("left", "expected"), [(10, 9), (1, 0.5)])
def test_a_sooner_deadline_leaves_at_least_half_of_the_time(left, expected):
    assert Deadline.after(left, FixedClock()).sooner(1).remaining_s() == expected
