import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.matching import Pair, english_words, greedy_pairs, iou, overlap, token_f1, words
from tests.examples import examples

ranges = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (min(pair), max(pair)))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param((0, 10), (0, 10), 1.0, id="the same"),
        pytest.param((0, 10), (5, 15), 5 / 15, id="half over half"),
        pytest.param((0, 10), (10, 20), 0.0, id="touching"),
        pytest.param((3, 3), (3, 3), 0.0, id="both empty"),
    ],
)
def test_iou_is_shared_over_all_characters(one, other, expected):
    assert iou(one, other) == pytest.approx(expected)


@examples()
@given(ranges, ranges)
def test_iou_and_overlap_do_not_depend_on_the_order(one, other):
    assert iou(one, other) == iou(other, one)
    assert overlap(one, other) == overlap(other, one) == len(set(range(*one)) & set(range(*other)))
    assert 0 <= iou(one, other) <= 1


def test_words_leave_out_case_punctuation_and_articles_of_two_languages():
    assert words("The “Grand” Hotel, der Wirt & a cat!") == ["grand", "hotel", "wirt", "cat"]
    assert words(None) == []


def test_english_words_keep_what_the_older_scorer_keeps():
    assert english_words("The “Grand” Hotel, der Wirt") == ["“grand”", "hotel", "der", "wirt"]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        pytest.param("Dmitry Peskov", "Peskov", 2 / 3, id="shorter name"),
        pytest.param("", "", 1.0, id="both empty"),
        pytest.param("", "Peskov", 0.0, id="one empty"),
        pytest.param("red red car", "red car car", 2 / 3, id="counted as bags"),
        pytest.param("red", "blue", 0.0, id="nothing shared"),
    ],
)
def test_token_f1_compares_bags_of_words(ours, theirs, expected):
    assert token_f1(words(ours), words(theirs)) == pytest.approx(expected)


def test_the_best_pairs_come_first_and_nothing_is_used_twice():
    scored = [(0.9, 0, 0), (0.8, 1, 0), (0.5, 1, 1), (0.2, 2, 2)]
    assert greedy_pairs(scored, 0.3) == [Pair(0.9, 0, 0), Pair(0.5, 1, 1)]


@examples()
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_pairs_are_one_to_one_and_at_least_as_alike_as_asked(scored):
    pairs = greedy_pairs(scored, 0.3)
    assert all(pair.score >= 0.3 for pair in pairs)
    assert len({pair.ours for pair in pairs}) == len({pair.theirs for pair in pairs}) == len(pairs)
