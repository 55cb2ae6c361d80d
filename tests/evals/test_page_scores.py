import pytest

from evals.bootstrap import value
from evals.datasets import DATASETS
from evals.results import read_items
from tests.evals.miniature import TEXT, answer, claim

COST = "the bridge cost 40 million euros"


def figures(data, name, *claims):
    (item,) = read_items(DATASETS[name], data)
    scorer = DATASETS[name].scorer
    tally = scorer.count(item, answer(*claims))
    return {figure.name: value(figure, tally) for figure in scorer.figures}


def test_the_central_claim_is_found_by_its_words_with_its_speaker(data):
    found = figures(data, "averitec_dce", claim(COST, claimant="Ann Roe"))
    assert set(found.values()) == {1.0}


def test_a_central_claim_far_down_the_list_is_not_among_the_first(data):
    others = [claim("It opened in May", check_worthiness=0.9) for _ in range(5)]
    found = figures(data, "averitec_dce", *others, claim(COST, check_worthiness=0.1))
    assert (found["central_found"], found["central_first"], found["central_rank"]) == (1.0, 0.0, pytest.approx(1 / 6))
    assert found["speaker_f1"] == 0.0


def test_a_page_without_its_central_claim_says_nothing_of_the_speaker(data):
    found = figures(data, "averitec_dce")
    assert (found["central_found"], found["central_wording"], found["speaker_f1"]) == (0.0, 0.0, None)


def test_a_page_whose_speaker_nobody_named_is_not_judged_by_it(data):
    file = data / DATASETS["averitec_dce"].file
    file.write_text(file.read_text(encoding="utf-8").replace('"Ann Roe"', "null"), encoding="utf-8")
    assert figures(data, "averitec_dce", claim(COST))["speaker_f1"] is None
    (item,) = read_items(DATASETS["averitec_dce"], data)
    assert DATASETS["averitec_dce"].scorer.golds(item)[0].notes == ()


def test_evidence_counts_when_a_claim_is_taken_from_it(data):
    (item,) = read_items(DATASETS["wice"], data)
    assert figures(data, "wice", claim("It opened in May", item.text)) == {"evidence_touched": 0.5}
    label, *places = DATASETS["wice"].scorer.golds(item)
    assert (label.words, label.notes[0].text) == ("The bridge is open.", "supported")
    assert [item.text[slice(*place.span)] for place in places] == ["It opened in May.", "Cars cross it."]


def test_an_unlabelled_article_is_only_asked_for_claims(data):
    assert figures(data, "semeval2025_t10_ru") == {"with_claims": 0.0}
    (item,) = read_items(DATASETS["semeval2025_t10_ru"], data)
    assert DATASETS["semeval2025_t10_ru"].scorer.golds(item) == []


def test_the_central_claim_is_shown_with_its_speaker(data):
    (item,) = read_items(DATASETS["averitec_dce"], data)
    (line,) = DATASETS["averitec_dce"].scorer.golds(item)
    assert (item.text, line.span, line.words, line.notes[0].text) == (
        TEXT,
        None,
        "The bridge cost 40 million euros",
        "Ann Roe",
    )
