import pytest

from evals.datasets import DATASETS, data_folder
from evals.items import Attribution, CentralGold, FactGold, LabelledSentence, NoGold, VerdictGold
from evals.readers import lines as reading
from evals.readers import sentences as sentence_sets
from evals.results import read_items
from service.errors import SetupError
from tests.evals.miniature import (
    FACTS_ROW,
    GERMAN_TEXT,
    GOLD,
    POLNEAR_ROW,
    ROWS,
    TEXT,
    TOPIC_TEXT,
    lines,
    span,
)


def only(data, name):
    (item,) = read_items(DATASETS[name], data)
    return item


@pytest.mark.parametrize("name", ROWS)
def test_every_set_reads_its_miniature_into_items_with_text(name, data):
    items = read_items(DATASETS[name], data)
    assert items
    assert all(item.text and item.id for item in items)
    assert len({item.id for item in items}) == len(items)


def test_a_reference_article_keeps_claims_claimants_and_stances(data):
    item = only(data, "reference")
    assert (item.id, item.text, item.language, item.title) == ("bridge", TEXT, "en", None)
    assert item.gold == GOLD
    assert item.drawn_with == "bridge"


def test_a_newsclaims_article_keeps_sentences_and_labels_with_none_for_what_is_not_labelled(data):
    item = only(data, "newsclaims")
    refuted, own = item.gold.claims
    assert [item.text[slice(*sentence)] for sentence in item.gold.sentences][1:] == [
        "Masks protect from the virus.",
        "The weather was fine.",
    ]
    assert (refuted.stance, refuted.reported, refuted.claimer, refuted.claimer_in_sentence) == ("refute", True, "Dr Lee", True)
    assert TOPIC_TEXT[slice(*refuted.span)] == "Bats do not carry the virus"
    assert (own.stance, own.reported, own.claimer, own.span) == (None, False, None, None)


def test_polnear_takes_the_first_annotator_and_only_attributions_with_a_content(data):
    item = only(data, "polnear")
    assert item.title == "A bridge"
    assert item.gold.attributions == (Attribution((span("the bridge cost 40 million euros"),), "Mayor Ann Roe"),)


def test_a_polnear_article_without_annotations_has_no_attributions(tmp_path):
    path = tmp_path / "dev.jsonl"
    path.write_text(lines([{**POLNEAR_ROW, "annotations": []}]), encoding="utf-8")
    (item,) = DATASETS["polnear"].read(path)
    assert item.gold.attributions == ()


def test_german_quotes_keep_their_speaker(data):
    item = only(data, "german_wikinews_quotes")
    assert item.language == "de"
    (attribution,) = item.gold.attributions
    assert GERMAN_TEXT[slice(*attribution.pieces[0])] == "Die Brücke kostet 40 Millionen"
    assert attribution.source == "Anna Roth"


def test_sentences_are_put_back_together_to_speeches(data):
    first, second = read_items(DATASETS["policlaim"], data)
    assert first.text == "We built four hundred schools last year. What a wonderful evening this is."
    assert [(first.text[slice(*one.span)], one.positive) for one in first.gold.sentences] == [
        ("We built four hundred schools last year.", True),
        ("What a wonderful evening this is.", False),
    ]
    assert (first.id, first.drawn_with, second.id, second.drawn_with) == ("OZ2020#01", "OZ2020", "OZ2021#01", "OZ2021")


def test_a_long_speech_is_read_in_parts_that_belong_together():
    spoken = [(f"Sentence number {number}.", "1", True) for number in range(10)]
    items = list(reading.sentence_items("X", "en", spoken, part_chars=60))
    assert [item.id for item in items] == ["X#01", "X#02", "X#03", "X#04"]
    assert {item.drawn_with for item in items} == {"X"}
    assert [one.text[slice(*sentence.span)] for one in items for sentence in one.gold.sentences] == [
        words for words, _, _ in spoken
    ]


def test_a_sentence_longer_than_a_part_is_a_part_of_its_own():
    items = list(reading.sentence_items("X", "en", [("long " * 30, "1", True), ("Short.", "0", False)], part_chars=60))
    assert [len(item.gold.sentences) for item in items] == [1, 1]


def test_debate_sentences_carry_their_three_labels(data):
    item = only(data, "claimbuster")
    assert item.id == "1900-01-01#01"
    assert [(one.label, one.positive) for one in item.gold.sentences] == [("CFS", True), ("UFS", False), ("NFS", False)]


def test_subjectivity_sentences_stand_on_lines_of_their_own(data):
    item = only(data, "checkthat2025_subjectivity_en")
    assert item.text == "The bridge opened in May.\nIt is an ugly thing."
    assert [one.positive for one in item.gold.sentences] == [True, False]
    assert item.drawn_with == item.id


def test_an_empty_set_of_sentences_has_no_items(tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text("\n", encoding="utf-8")
    assert list(sentence_sets.subjectivity(path)) == []
    assert list(sentence_sets.policlaim(path)) == []


def test_factcheck_bench_keeps_sentences_that_are_in_the_text_and_claims_that_are_factual(data):
    item = only(data, "factcheck_bench")
    assert item.gold == FactGold(
        (
            LabelledSentence(span("The bridge opened in May.", FACTS_ROW["response"]), "yes", positive=True),
            LabelledSentence(span("I like it.", FACTS_ROW["response"]), "opinion", positive=False),
        ),
        ("The bridge opened in May.", "The bridge cost 40 million euros."),
    )


def test_a_page_keeps_its_central_claim(data):
    item = only(data, "averitec_dce")
    assert item.gold == CentralGold("The bridge cost 40 million euros", "Ann Roe")
    assert item.language is None


def test_evidence_is_joined_and_supporting_sentences_are_places_in_it(data):
    item = only(data, "wice")
    assert item.text == "It opened in May.\nCars cross it.\nSubscribe now."
    assert item.gold == VerdictGold("The bridge is open.", "supported", (((0, 17),), ((0, 17), (18, 32))))


def test_an_unlabelled_article_has_no_gold(data):
    item = only(data, "semeval2025_t10_ru")
    assert (item.gold, item.language) == (NoGold(), "ru")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("{", "line 1 holds no JSON object", id="no JSON"),
        pytest.param("[]", "line 1 holds no JSON object", id="no object"),
        pytest.param("\n" + '{"doc_id": "x"}', "line 2 is not as this set's lines are (KeyError)", id="missing field"),
        pytest.param(
            lines([{**ROWS["reference"][0], "claims": [{**ROWS["reference"][0]["claims"][0], "span": [5, 2]}]}]),
            "(ValueError)",
            id="span that ends before it starts",
        ),
    ],
)
def test_a_line_that_is_wrong_is_named(content, told, tmp_path):
    path = tmp_path / "dev.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SetupError) as caught:
        list(DATASETS["reference"].read(path))
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_line_of_a_sentence_set_that_is_wrong_is_named(tmp_path):
    path = tmp_path / "dev.jsonl"
    path.write_text('{"speech": "x"}', encoding="utf-8")
    with pytest.raises(SetupError, match="line 1"):
        list(DATASETS["policlaim"].read(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"nowhere\.jsonl cannot be read: No such file"):
        list(DATASETS["reference"].read(tmp_path / "nowhere.jsonl"))


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"doc_id": "\xe4"}\n')
    with pytest.raises(SetupError, match="it is not UTF-8"):
        list(DATASETS["reference"].read(path))


def test_the_data_folder_is_the_one_that_the_environment_names(tmp_path):
    assert data_folder({"FACTCHECK_DATA": str(tmp_path)}) == tmp_path


@pytest.mark.parametrize("environ", [{}, {"FACTCHECK_DATA": "  "}, {"FACTCHECK_DATA": "/no/such/folder"}], ids=str)
def test_a_data_folder_that_is_not_there_is_refused(environ):
    with pytest.raises(SetupError, match="FACTCHECK_DATA"):
        data_folder(environ)


def test_only_sets_that_may_be_passed_on_are_not_private():
    public = {name for name, dataset in DATASETS.items() if not dataset.private}
    assert public == {"reference", "claimbuster", "factcheck_bench"}
