import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.errors import SetupError
from service.text.worth import PACKAGED, CheckWorthiness, Weights, Worth, load_weights
from service.text.worth_features import MOST_WORDS, features
from tests.examples import examples

SCORER = CheckWorthiness(load_weights())
PLAIN = Weights(topics={}, words={}, pairs={}, marks={}, slope=1.0, intercept=0.0)


def scored(sentence, **weights):
    return CheckWorthiness(Weights(**{**PLAIN.__dict__, **weights})).score(sentence, "en")


@pytest.mark.parametrize(
    ("higher", "lower"),
    [
        pytest.param(
            "Unemployment rose to 9.4 percent in 2009, the highest rate in 26 years.",
            "I think we should all be proud of that.",
            id="a figure above a view",
        ),
        pytest.param(
            "Russian forces attacked the city with 28 drones, and four people were killed.",
            "The band played three songs at the festival and the fans cheered.",
            id="harm above leisure",
        ),
        pytest.param(
            "The ministry paid the company 40 million euros for vaccines that were never delivered.",
            "What will you do about it?",
            id="money above a question",
        ),
        pytest.param(
            "The court convicted the former minister of taking bribes.",
            "The striker scored a goal in the second half of the match.",
            id="crime above sport",
        ),
    ],
)
def test_what_an_editor_would_check_first_scores_higher(higher, lower):
    assert SCORER.score(higher, "en").value > SCORER.score(lower, "en").value


@pytest.mark.parametrize("language", ["de", "ru", "und", "", "enm"])
def test_other_languages_are_not_judged(language):
    assert SCORER.score("The army killed 40 people.", language) == Worth(0.5, "not judged: only English is")


@pytest.mark.parametrize("language", ["en", "en-GB", "EN"])
def test_english_is_judged_however_it_is_written(language):
    assert SCORER.score("The army killed 40 people.", language).reason != "not judged: only English is"


@pytest.mark.parametrize("text", ["", " \n", "…", "12,000", "$ 5 %"])
def test_what_has_no_words_is_not_worth_checking(text):
    assert SCORER.score(text, "en") == Worth(0.0, "no words to check")


def test_two_things_that_weigh_most_are_the_reason():
    marks = {"figure": 1.0, "unit": 2.0, "past": 0.5}
    worth = scored("They paid 5 dollars.", marks=marks, slope=10.0)
    assert worth == Worth(1.0, "an amount that can be checked; a figure that can be checked")


def test_a_low_score_is_explained_by_what_speaks_against_it():
    worth = scored("Should I stay?", marks={"question": -2.0, "hedge": -1.0, "first person": -0.5, "length": 0.1})
    assert worth == Worth(0.03, "a question; a wish, a view or a possibility")


@pytest.mark.parametrize(
    ("weight", "reason"),
    [
        pytest.param(200, "a matter of public concern: “army”", id="concern"),
        pytest.param(-200, "a matter of leisure: “army”", id="leisure"),
        pytest.param(1, "nothing in particular", id="too light to name"),
        pytest.param(-1, "nothing in particular", id="too light either way"),
    ],
)
def test_a_topic_is_named_with_its_word(weight, reason):
    assert scored("the army", topics={"army": weight}).reason == reason


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        pytest.param("the dam reportedly burst", "a matter of public concern: “burst”", id="adverb"),
        pytest.param("the supply burst", "a matter of public concern: “supply”", id="noun with the same ending"),
        pytest.param("reportedly", "nothing in particular", id="nothing else"),
    ],
)
def test_an_adverb_weighs_but_names_no_matter(sentence, reason):
    topics = {"reportedly": 900, "supply": 800, "burst": 300}
    worth = scored(sentence, topics=topics)
    assert worth.reason == reason
    assert worth.value > 0.8


def test_words_and_pairs_add_up_and_are_told_when_nothing_stands_out():
    low = scored("so it is", words={"so": -100, "it": -20}, pairs={"<s> so": -300, "is </s>": 20})
    assert low == Worth(0.09, "nothing that stands out as checkable")


def test_what_stands_far_down_a_sentence_is_not_read():
    far = " ".join(["so"] * MOST_WORDS)
    assert features(f"{far} army") == features(far)


def test_no_weight_is_too_great_for_a_score():
    assert scored("army", topics={"army": 10**9}).value == 1.0
    assert scored("army", topics={"army": -(10**9)}).value == 0.0


@examples()
@given(st.text(), st.text(max_size=5))
@example("1" + "," * 200_000, "en")
@example("a'" * 100_000, "en")
@example("A" * 200_000, "en")
@example("İ’ß 2,0,0 ٣ ²", "en")
def test_any_text_gets_a_score_and_a_reason(text, language):
    for worth in (SCORER.score(text, language), SCORER.score(text, "en")):
        assert 0 <= worth.value <= 1
        assert worth.reason


@examples()
@given(st.text())
def test_curly_and_straight_apostrophes_weigh_the_same(text):
    assert SCORER.score(text.replace("'", "’"), "en") == SCORER.score(text.replace("’", "'"), "en")


def test_the_packaged_weights_are_sorted_and_rounded():
    read = json.loads(PACKAGED.read_text("utf-8"))
    assert json.dumps(read, ensure_ascii=False, indent=0, sort_keys=True) + "\n" == PACKAGED.read_text("utf-8")
    assert all(isinstance(weight, int) for table in ("topics", "words", "pairs") for weight in read[table].values())


@pytest.mark.parametrize("written", [None, "{", "[]", "{}", '{"weights": {}}'])
def test_a_broken_file_of_weights_is_refused(written, tmp_path):
    path = tmp_path / "weights.json"
    if written is not None:
        path.write_text(written, "utf-8")
    with pytest.raises(SetupError, match=r"weights in weights\.json cannot be read"):
        load_weights(path)
