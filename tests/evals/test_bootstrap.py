import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.bootstrap import Estimate, differences, estimates, value
from evals.figures import Figure, ratio
from tests.examples import examples

SHARE = Figure("share", "Share", "G", ratio("part", "whole"), "…")
EMPTY = Figure("empty", "Empty", "G", ratio("part", "nothing"), "…")
ROWS = {f"article-{number}": {"part": number % 4, "whole": 4.0} for number in range(12)}


def by_hand(rows, resamples=500):
    """The percentile bootstrap written down plainly: 5 % cut off at each end."""
    rows = list(rows)
    rng = random.Random(0)  # noqa: S311 - resampling, not a secret
    drawn = [[rng.choice(rows) for _ in rows] for _ in range(resamples)]
    values = sorted(sum(row["part"] for row in draw) / sum(row["whole"] for row in draw) for draw in drawn)
    return values[25], values[474]


def test_an_estimate_is_the_value_on_all_articles_and_the_range_of_the_draws():
    found = estimates([SHARE], ROWS)["share"]
    assert found.value == 18 / 48
    assert (found.low, found.high) == pytest.approx(by_hand(ROWS.values()))


def test_the_same_rows_give_the_same_range_every_time():
    assert estimates([SHARE], ROWS) == estimates([SHARE], dict(ROWS))


def test_an_undefined_figure_has_neither_value_nor_range():
    assert estimates([EMPTY], ROWS)["empty"] == Estimate(None, None, None)


def test_no_articles_leave_every_figure_undefined():
    assert estimates([SHARE], {})["share"] == Estimate(None, None, None)


def test_draws_in_which_a_figure_is_undefined_are_left_out_of_its_range():
    rows = {"one": {"part": 1.0, "whole": 2.0}, **{f"empty-{number}": {} for number in range(3)}}
    assert estimates([SHARE], rows)["share"] == Estimate(0.5, 0.5, 0.5)


def test_two_runs_are_compared_on_the_articles_both_have_drawn_together():
    after = {name: {**row, "part": row["part"] + 1} for name, row in list(ROWS.items())[2:]} | {"new": {"part": 9, "whole": 9}}
    found = differences([SHARE], ROWS, after)["share"]
    assert found.after - found.before == pytest.approx(0.25)
    assert (found.gain.value, found.gain.low, found.gain.high) == pytest.approx((0.25, 0.25, 0.25))
    assert found.clear


def test_a_difference_whose_range_holds_zero_is_not_clear():
    after = {name: {"part": 3 - row["part"], "whole": 4.0} for name, row in ROWS.items()}
    found = differences([SHARE], ROWS, after)["share"]
    assert found.gain.low < 0 < found.gain.high
    assert not found.clear


def test_a_difference_that_is_undefined_is_not_clear():
    found = differences([EMPTY], ROWS, ROWS)["empty"]
    assert found.gain == Estimate(None, None, None)
    assert not found.clear


def test_runs_that_share_no_article_have_no_difference():
    found = differences([SHARE], {"a": {"part": 1, "whole": 2}}, {"b": {"part": 1, "whole": 2}})["share"]
    assert found.gain.value is None


def test_the_value_of_one_article_is_that_of_its_counts():
    assert value(SHARE, {"part": 1, "whole": 4}) == 0.25
    assert value(SHARE, {}) is None


@examples()
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(5, 9)), min_size=1, max_size=15))
def test_the_range_holds_nothing_but_values_that_articles_can_have(pairs):
    rows = {str(number): {"part": part, "whole": whole} for number, (part, whole) in enumerate(pairs)}
    found = estimates([SHARE], rows)["share"]
    shares = [part / whole for part, whole in pairs]
    assert min(shares) - 1e-9 <= found.low <= found.high <= max(shares) + 1e-9
