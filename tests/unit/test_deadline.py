import math

import pytest

from service.deadline import Deadline, Interest
from service.errors import ClientGoneError, DeadlineExceededError
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


def test_a_share_is_one_of_the_time_that_is_left_with_the_same_interest():
    deadline = Deadline.after(30, FixedClock())
    share = deadline.share(0.5)
    assert (share.remaining_s(), share.interest) == (15, deadline.interest)
    assert Deadline.after(math.inf, FixedClock()).share(0.5).at == math.inf


def test_a_deadline_without_interest_is_over_for_all_that_share_it():
    deadline = Deadline.after(10, FixedClock())
    deadline.interest.lose()
    with pytest.raises(ClientGoneError):
        deadline.sooner(1).check()


def test_a_pause_ends_when_nobody_waits_any_more():
    deadline = Deadline.after(10, FixedClock())
    deadline.pause(0)
    deadline.interest.lose()
    with pytest.raises(ClientGoneError):
        deadline.pause(60)


def test_who_listens_is_told_once_that_the_interest_is_lost():
    interest, told = Interest(), []
    with interest.when_lost(lambda: told.append("within")):
        interest.listen(lambda: told.append("for good"))
        assert not interest.lost
        interest.lose()
        interest.lose()
    assert interest.lost
    assert sorted(told) == ["for good", "within"]


def test_who_listens_too_late_is_told_at_once():
    interest, told = Interest(), []
    interest.lose()
    with interest.when_lost(lambda: told.append("late")):
        assert told == ["late"]


def test_who_listens_no_more_is_not_told():
    interest, told = Interest(), []
    with interest.when_lost(lambda: told.append("too late")):
        pass
    interest.lose()
    assert told == []
    assert interest.wait_lost(0)


def test_the_interest_in_a_part_can_be_lost_alone_but_not_kept_alone():
    deadline = Deadline.after(10, FixedClock())
    with deadline.branch() as part, deadline.branch() as other:
        part.interest.lose()
        assert (part.interest.lost, other.interest.lost, deadline.interest.lost) == (True, False, False)
        deadline.interest.lose()
        assert other.interest.lost
    assert other.at == deadline.at
