from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.quotation import quotations, quoted_share
from tests.examples import examples


def quoted(text):
    return [text[start:end] for start, end in quotations(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("He said “no” twice.", ["no"], id="curly"),
        pytest.param('He said "no" twice.', ["no"], id="straight"),
        pytest.param("Er sagte: „Nein“, dann ging er.", ["Nein"], id="German"),
        pytest.param("Il dit «non» et partit.", ["non"], id="guillemets"),
        pytest.param("彼は「いいえ」と言った。", ["いいえ"], id="Japanese"),
        pytest.param(
            "He noted, 'It isn't always true,' and left.", ["It isn't always true,"], id="single with an apostrophe inside"
        ),
        pytest.param("The workers' union and Peskov's remarks", [], id="apostrophes"),
        pytest.param("An open “quotation never ends.", [], id="never closed"),
        pytest.param("“One.” And “two.”", ["One.", "two."], id="two"),
        pytest.param("“He said 'no' to me.”", ["He said 'no' to me."], id="one inside another counts once"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_what_stands_between_quotation_marks(text, expected):
    assert quoted(text) == expected


def test_a_mark_left_open_does_not_swallow_the_article():
    assert quoted("“" + "word " * 2_000 + "”") == []


@examples()
@given(st.text(alphabet="ab “”„«»\"'‘’\n"))
def test_ranges_are_in_order_and_apart(text):
    ranges = quotations(text)
    assert all(start <= end for start, end in ranges)
    assert all(one[1] <= other[0] for one, other in pairwise(ranges))


def test_the_share_that_is_quoted():
    assert quoted_share(0, 10, [(5, 20)]) == 0.5
    assert quoted_share(3, 3, [(0, 9)]) == 0
