import pytest

from evals.bootstrap import value
from evals.datasets import DATASETS
from evals.results import read_items
from tests.evals.miniature import FACTS_ROW, answer, claim


def figures(name, item, *claims):
    scorer = DATASETS[name].scorer
    tally = scorer.count(item, answer(*claims))
    return {figure.name: value(figure, tally) for figure in scorer.figures}


@pytest.fixture
def debate(data):
    (item,) = read_items(DATASETS["claimbuster"], data)
    return item


def said(item, words, **changes):
    return claim(words, item.text, **changes)


def test_a_sentence_is_found_when_a_claim_touches_it(debate):
    found = figures("claimbuster", debate, said(debate, "Unemployment is at 4 percent"), said(debate, "Thank you"))
    assert (found["sentence_precision"], found["sentence_recall"], found["sentence_f1"]) == (0.5, 1.0, pytest.approx(2 / 3))
    assert found["sentence_accuracy"] == pytest.approx(2 / 3)
    assert (found["found_cfs"], found["found_ufs"], found["found_nfs"]) == (1.0, 0.0, 1.0)


def test_a_claim_over_two_sentences_finds_both(debate):
    found = figures("claimbuster", debate, said(debate, "4 percent. I met"))
    assert (found["found_cfs"], found["found_ufs"], found["found_nfs"]) == (1.0, 1.0, 0.0)


def test_a_sentence_without_a_claim_ranks_last(debate):
    worthy = said(debate, "Unemployment is at 4 percent", check_worthiness=0.2)
    assert figures("claimbuster", debate, worthy)["worth_auc"] == 1.0
    worthier = said(debate, "Thank you very much", check_worthiness=0.9)
    assert figures("claimbuster", debate, worthy, worthier)["worth_auc"] == 0.5


def test_a_text_in_which_everything_is_positive_has_no_ranking(data):
    item = read_items(DATASETS["policlaim"], data)[1]
    found = figures("policlaim", item, said(item, "Taxes fell by 5 percent"))
    assert (found["sentence_f1"], found["worth_auc"], found["worth_ap"]) == (1.0, None, None)


def test_opinions_taken_for_claims_are_told(data):
    (item,) = read_items(DATASETS["checkthat2025_subjectivity_en"], data)
    found = figures("checkthat2025_subjectivity_en", item, said(item, "It is an ugly thing"))
    assert (found["found_subj"], found["sentence_recall"]) == (1.0, 0.0)


def test_worded_claims_are_found_by_their_words(data):
    (item,) = read_items(DATASETS["factcheck_bench"], data)
    found = figures(
        "factcheck_bench",
        item,
        claim("It cost 40 million euros", FACTS_ROW["response"], text="The bridge cost 40 million euros."),
        claim("I like it", FACTS_ROW["response"]),
    )
    assert (found["fact_recall"], found["fact_wording"]) == (0.5, 1.0)
    assert found["fact_f1"] == 0.5


def test_positive_sentences_and_worded_claims_are_shown(data):
    (item,) = read_items(DATASETS["factcheck_bench"], data)
    lines = DATASETS["factcheck_bench"].scorer.golds(item)
    assert [line.span is not None for line in lines] == [True, False, False]
    assert [line.words for line in lines[1:]] == ["The bridge opened in May.", "The bridge cost 40 million euros."]
