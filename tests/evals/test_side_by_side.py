import pytest

from evals.results import load_runs
from evals.side_by_side import articles_shown
from tests.evals.miniature import claim, document
from tests.evals.runs import keep_run

COST, OPENED, DENIED = "the bridge cost 40 million euros", "It opened in May", "Her rival Tom Poe denied it"


def shown(data, tmp_path, *answers, name="reference", most=9):
    paths = [
        keep_run(
            tmp_path / str(number), data, {name: outcomes if isinstance(outcomes, list) else [outcomes]}, prompt=f"p@{number}"
        )
        for number, outcomes in enumerate(answers, 1)
    ]
    return articles_shown([run.sets[name] for run in load_runs(paths, data)], most)


def only(data, tmp_path, *answers, **more):
    ((article,), hidden) = shown(data, tmp_path, *answers, **more)
    assert hidden == 0
    return article


def chips(cell):
    return {(chip.slot, chip.text): (chip.right, chip.changed) for chip in cell.chips}


def test_claims_of_two_runs_and_of_people_stand_in_one_row_in_the_articles_order(data, tmp_path):
    article = only(
        data, tmp_path, document(claim(OPENED), claim(COST)), document(claim("the bridge cost 40 million"), claim(DENIED))
    )
    assert [(row.gold and row.gold.text, [cell and cell.text for cell in row.cells]) for row in article.rows] == [
        ("The bridge cost 40 million euros.", [COST, "the bridge cost 40 million"]),
        (None, [None, DENIED]),
        ("The bridge opened in May.", [OPENED, None]),
    ]
    assert [row.state for row in article.rows] == ["same", "only", "only"]
    assert (article.claims, article.failures) == ((2, 2), (None, None))
    assert article.gain == article.values[1] - article.values[0] == -0.5


def test_two_claims_that_people_did_not_label_meet_in_one_row(data, tmp_path):
    article = only(data, tmp_path, document(claim(DENIED)), document(claim(DENIED)))
    assert [[bool(cell) for cell in row.cells] for row in article.rows] == [[False, False], [True, True], [False, False]]
    assert [row.state for row in article.rows] == ["missed", "same", "missed"]


def test_notes_are_right_or_wrong_by_what_people_labelled(data, tmp_path):
    said = claim(
        COST, claimant="Ann Roe", others={"Tom Poe": "supports", "the bridge": "refutes"}, article="discusses", kind="event"
    )
    (row, _) = only(data, tmp_path, document(said)).rows
    found = {note: right for note, (right, _) in chips(row.cells[0]).items()}
    assert found == {
        ("voice", "Ann Roe"): True,
        ("article", "discusses"): True,
        ("holder", "Tom Poe: supports"): False,
        ("holder", "the bridge: refutes"): False,
        ("kind", "event"): False,
        ("worth", "0.50"): None,
    }


@pytest.mark.parametrize(
    ("claimant", "right"),
    [
        pytest.param("Mayor Ann Roe", True, id="the name"),
        pytest.param("Tom Poe", False, id="another"),
        pytest.param(None, False, id="nobody"),
    ],
)
def test_a_claimant_is_right_when_the_names_are_alike(data, tmp_path, claimant, right):
    (row, _) = only(data, tmp_path, document(claim(COST, claimant=claimant))).rows
    assert chips(row.cells[0])["voice", claimant or "own voice"][0] is right


def test_a_holder_is_right_with_the_same_stance(data, tmp_path):
    (row, _) = only(data, tmp_path, document(claim(COST, others={"Tom Poe": "refutes"}))).rows
    assert chips(row.cells[0])["holder", "Tom Poe: refutes"][0] is True


def test_notes_that_differ_between_the_runs_are_marked(data, tmp_path):
    article = only(data, tmp_path, document(claim(OPENED)), document(claim(OPENED, kind="rule")))
    row = article.rows[1]
    assert row.state == "labels"
    assert [chips(cell)["kind", kind] for cell, kind in zip(row.cells, ("event", "rule"), strict=True)] == [
        (True, True),
        (False, True),
    ]
    assert chips(row.cells[0])["article", "supports"] == (True, False)


def test_a_quote_is_shown_where_it_is_not_the_text(data, tmp_path):
    article = only(data, tmp_path, document(claim(COST, text="The bridge cost 40 million."), claim(OPENED, text=f"{OPENED}.")))
    assert [row.cells[0].quote for row in article.rows] == [COST, ""]


def test_an_article_that_failed_has_its_code_and_comes_first(data, tmp_path):
    articles, _ = shown(data, tmp_path, [document(), "upstream-empty"], [document(), document()], name="policlaim")
    assert [article.id for article in articles] == ["OZ2021#01", "OZ2020#01"]
    assert (articles[0].failures, articles[0].claims, articles[0].gain) == (("upstream-empty", None), (None, 0), None)


def test_of_one_run_the_worst_articles_come_first(data, tmp_path):
    built = claim("four hundred schools", "We built four hundred schools last year.")
    articles, _ = shown(data, tmp_path, [document(built), document()], name="policlaim")
    assert [article.id for article in articles] == ["OZ2021#01", "OZ2020#01"]


def test_an_article_with_nothing_to_score_comes_after_the_bad_ones(data, tmp_path):
    file = data / "private_only/policlaim/train_gold.jsonl"
    rows = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([rows[1].replace("OZ2020", "OZ2019"), *rows]), encoding="utf-8")
    articles, _ = shown(data, tmp_path, [document(), document(), document()], name="policlaim")
    assert [article.values for article in articles] == [(0.0,), (0.0,), (None,)]


def test_articles_beyond_the_most_are_counted(data, tmp_path):
    articles, hidden = shown(data, tmp_path, [document(), document()], name="policlaim", most=1)
    assert (len(articles), hidden) == (1, 1)


def test_articles_that_only_one_run_was_asked_are_left_out(data, tmp_path):
    articles, _ = shown(data, tmp_path, [document(), document()], [document()], name="policlaim")
    assert len(articles) == 1


def test_what_was_set_aside_is_shown_with_its_reason(data, tmp_path):
    refused = [{"reason": "quote_not_found", "text": "It never opened."}]
    article = only(data, tmp_path, document(set_aside=refused), "upstream-empty")
    assert article.set_aside == ((("quote not found", "It never opened."),), ())


def test_labelled_wording_without_a_place_stands_apart(data, tmp_path):
    article = only(data, tmp_path, document(), name="averitec_dce")
    assert [cell.text for cell in article.unplaced] == ["The bridge cost 40 million euros"]
    assert article.rows == ()


def test_a_title_is_the_articles_or_its_first_words(data, tmp_path):
    assert only(data, tmp_path, document()).title.startswith("Mayor Ann Roe said")
    assert only(data, tmp_path / "other", document(), name="polnear").title == "A bridge"


def test_a_note_that_people_did_not_make_is_neither_right_nor_wrong(data, tmp_path):
    article = only(
        data, tmp_path, document(claim("Unemployment is at 4 percent", "Unemployment is at 4 percent.")), name="claimbuster"
    )
    assert {right for row in article.rows for cell in row.cells if cell for right, _ in chips(cell).values()} == {None}
