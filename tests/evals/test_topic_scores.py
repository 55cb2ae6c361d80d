import pytest

from evals.bootstrap import value
from evals.datasets import DATASETS
from evals.results import read_items
from evals.scores.scorer import Note, Slot
from evals.scores.topics import FIGURES, TOPICS, count
from tests.evals.miniature import TOPIC_TEXT, answer, claim

BATS, MASKS, WEATHER = "Bats do not carry the virus", "Masks protect from the virus", "The weather was fine"


@pytest.fixture
def item(data):
    (item,) = read_items(DATASETS["newsclaims"], data)
    return item


def said(words, **changes):
    return claim(words, TOPIC_TEXT, **changes)


def figures(item, *claims):
    tally = count(item, answer(*claims))
    return {figure.name: value(figure, tally) for figure in FIGURES}


def test_a_claim_counts_for_the_sentence_it_lies_in(item):
    found = figures(item, said(BATS), said("The weather was fine."))
    assert (found["sentence_recall"], found["sentence_f1"]) == (0.5, 0.5)


def test_claims_off_the_four_topics_do_not_count_against_precision_on_topic(item):
    found = figures(item, said(BATS), said(MASKS), said(WEATHER))
    assert (found["topic_precision"], found["topic_f1"]) == (1.0, 1.0)
    assert found["sentence_f1"] == pytest.approx(0.8)


def test_the_best_of_several_claims_in_a_sentence_is_judged(item):
    found = figures(item, said("Dr Lee said", claimant=None), said(BATS, claimant="Dr Lee"))
    assert (found["span_iou"], found["claimer_f1"], found["claimer_inside"], found["claimer_outside"]) == (1.0, 1.0, 1.0, None)


def test_own_voice_is_judged_where_it_is_labelled(item):
    found = figures(item, said(BATS), said(MASKS))
    assert found["voice"] == 0.5
    assert found["own_f1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        pytest.param({"claimant": "Dr Lee", "others": {"Dr Lee": "refutes"}}, 1.0, id="the claimer refutes it"),
        pytest.param({"claimant": "Dr Lee", "others": {"Dr Lee": "supports"}}, 0.0, id="the claimer supports it"),
        pytest.param({"claimant": "Dr Lee", "article": "refutes"}, 0.0, id="only the article refutes it"),
        pytest.param({"article": "refutes"}, 1.0, id="the article refutes it in its own voice"),
        pytest.param({}, 0.0, id="nobody refutes it"),
    ],
)
def test_the_stance_is_that_of_who_makes_the_claim(item, changes, right):
    assert figures(item, said(BATS, **changes))["topic_stance"] == right


def test_a_claim_outside_every_sentence_is_nobodys(item):
    between = said(" ")
    between["quote"] |= {"start": 41, "end": 42}
    found = figures(item, between)
    assert (found["sentence_recall"], found["sentence_f1"]) == (0.0, 0.0)


def test_what_people_labelled_is_shown_with_its_topic_voice_and_stance(item):
    bats, masks = TOPICS.golds(item)
    assert bats.notes == (Note(Slot.LABEL, "Origin"), Note(Slot.VOICE, "Dr Lee"), Note(Slot.LABEL, "refute"))
    assert masks.notes == (Note(Slot.LABEL, "Protection"), Note(Slot.VOICE, "own voice"))
    assert TOPIC_TEXT[slice(*masks.span)] == "Masks protect from the virus."
