import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, meta

from evals.datasets import DATASETS
from evals.items import GoldClaim, GoldStance
from evals.readers.marks import MAX_BYTES, SCHEMA_FILE, marked
from evals.results import read_items
from service.domain import Kind, StanceLabel
from service.errors import SetupError
from service.web.openapi.examples import example
from tests.evals.bench import Bench
from tests.examples import examples
from tests.fakes import claim

FILE = Path(__file__).parents[1] / "golden" / "marks" / "bridge.json"
MARKS = json.loads(FILE.read_text(encoding="utf-8"))
TEXT = MARKS["article"]["text"]
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def at(words):
    start = TEXT.index(words)
    return start, start + len(words)


def changed(*place, value=None, **fields):
    """The marks with something else at a place, or with fields added to what is there."""
    document = deepcopy(MARKS)
    owner = document
    for part in place[:-1]:
        owner = owner[part]
    if fields:
        owner[place[-1]] = owner[place[-1]] | fields
    else:
        owner[place[-1]] = value
    return document


def written(folder, document, name="marks.json"):
    path = folder / name
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return path


def refusal(folder, document):
    with pytest.raises(SetupError) as caught:
        list(marked(written(folder, document)))
    assert str(folder / "marks.json") in str(caught.value)
    return str(caught.value)


def test_marks_become_the_labels_of_an_article():
    (item,) = marked(FILE)
    assert (item.id, item.text, item.language, item.title) == ("bridge", TEXT, "en", "A bridge")
    assert item.gold.claims == (
        GoldClaim(
            "The bridge cost 40 million euros.",
            at("the bridge cost 40 million euros"),
            "Mayor Ann Roe",
            "discusses",
            (GoldStance("Ann Roe", "refutes"), GoldStance("Mayor Ann Roe", "supports")),
            "quantity",
            3,
        ),
        GoldClaim(
            "إن الجسر آمن", at("إن الجسر آمن"), "الوزير", "discusses", (GoldStance("الوزير", "supports"),), "other", None
        ),
        GoldClaim("The bridge opened in May.", at("It opened in May"), None, "supports", (), "event", None),
        GoldClaim("Nobody was hurt.", at("Nobody was hurt"), None, "supports", (), "event", 1),
    )


def test_what_says_nothing_of_the_claimant_keeps_who_the_answer_named(tmp_path):
    (item,) = marked(written(tmp_path, changed("marks", 0, "corrected", value={"kind": "rule"})))
    assert item.gold.claims[0].claimant == "Tom Poe"
    assert item.gold.claims[0].others == (GoldStance("Tom Poe", "supports"), GoldStance("Ann Roe", "refutes"))
    (item,) = marked(written(tmp_path, changed("marks", 0, "corrected", value={"claimant": None})))
    assert item.gold.claims[0].claimant is None
    assert item.gold.claims[0].others == (GoldStance("Ann Roe", "refutes"),)


def test_a_folder_is_read_by_name_and_one_article_marked_twice_is_drawn_together(tmp_path):
    written(tmp_path, MARKS, "b.json")
    written(tmp_path, changed("marks", value=[]), "a.json")
    written(tmp_path, b"no marks", "notes.txt")
    first, second = marked(tmp_path)
    assert (first.id, second.id, len(first.gold.claims), len(second.gold.claims)) == ("a", "b", 0, 4)
    assert first.drawn_with == second.drawn_with != first.id


def test_a_claim_as_the_service_answers_it_can_be_marked(tmp_path):
    answer = example("answer")
    request = example("request")
    marks = [{"mark": "right", "claim": claim} for claim in answer["claims"]]
    document = {
        "format": "factcheck-marks/1",
        "article": {"text": request["article"]["text"], "language": "en", "sha256": answer["article"]["sha256"]},
        "complete": True,
        "marks": marks,
    }
    (item,) = marked(written(tmp_path, document))
    assert [claim.claimant for claim in item.gold.claims] == ["Jane Roe", None]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param(changed("complete", value=False), "/complete: the marks are not complete", id="not come to an end"),
        pytest.param(changed("article", sha256="0" * 64), "/article/sha256: this is not the hash", id="changed text"),
        pytest.param(
            changed("marks", 1, "claim", "quote", start=5), "/marks/1/claim/quote: these words are not", id="moved quote"
        ),
        pytest.param(changed("marks", 4, "quote", text="made up"), "/marks/4/quote: these words are not", id="made up quote"),
        pytest.param(changed("marks", 4, "quote", start=10**30, end=10**30), "/marks/4/quote", id="far outside"),
        pytest.param(changed("marks", 4, "quote", start=-3), "/marks/4/quote/start", id="from the end"),
        pytest.param(changed("marks", 4, "quote", start=2.5), "/marks/4/quote/start", id="fraction"),
        pytest.param(changed("marks", 2, "claim", id="c_1"), "/marks/2/claim/id: this claim is marked twice", id="twice"),
        pytest.param(changed("marks", 0, "mark", value="maybe"), "/marks/0/mark", id="unknown mark"),
        pytest.param(changed("marks", 0, check_worthiness=4), "/marks/0/check_worthiness", id="too worthy"),
        pytest.param(changed("marks", 0, check_worthiness=True), "/marks/0/check_worthiness", id="worth of truth"),
        pytest.param(changed("marks", 0, "corrected", value={}), "/marks/0/corrected", id="nothing corrected"),
        pytest.param(
            changed("marks", 0, "corrected", value={"stances": [{"holder": "article", "stance": "supports"}]}),
            "/marks/0/corrected/stances/0",
            id="article among others",
        ),
        pytest.param(changed("marks", 0, "corrected", value={"claimant": ""}), "/marks/0/corrected/claimant", id="nameless"),
        pytest.param(
            changed("marks", 0, "claim", "stances", value=[]), "/marks/0/claim/stances", id="no stance of the article"
        ),
        pytest.param(changed("marks", 1, corrected={"kind": "rule"}), "/marks/1", id="a wrong claim corrected"),
        pytest.param(changed("marks", 3, verdict="true"), "/marks/3", id="unknown field"),
        pytest.param(changed("marks", value={}), "/marks", id="no list"),
        pytest.param(changed("format", value="factcheck-marks/2"), "/format", id="a later format"),
        pytest.param(changed("article", text=""), "/article/text", id="no text"),
        pytest.param([], "/: ", id="no object"),
        pytest.param(b"{", "is not strict JSON", id="no JSON"),
        pytest.param(b'{"format": 1, "format": 2}', "is not strict JSON", id="a key twice"),
        pytest.param(b'{"format": NaN}', "is not strict JSON", id="not a number"),
        pytest.param(b"[" * 100_000, "is not strict JSON", id="deep"),
        pytest.param(b'"\\ud800"', "is not strict JSON", id="half a character"),
        pytest.param(b"\xff\xfe", "is not strict JSON", id="no UTF-8"),
    ],
)
def test_what_cannot_be_believed_is_refused_with_its_place(document, told, tmp_path):
    assert told in refusal(tmp_path, document)


def test_everything_wrong_is_told_together_up_to_a_limit(tmp_path):
    document = changed("marks", value=[{"mark": "right"}] * 30)
    lines = refusal(tmp_path, document).splitlines()
    assert len(lines) == 22
    assert lines[-1].endswith("and 10 more")


def test_nothing_of_a_refused_file_reaches_the_terminal_as_it_is(tmp_path):
    document = changed("marks", 0, value={"mark": "embargoed words", "\x1b[2J": 1})
    told = refusal(tmp_path, document)
    assert "embargoed" not in told
    assert "\x1b" not in told


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "marks.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(SetupError, match="more than"):
        list(marked(path))


def test_a_folder_without_marks_and_a_missing_file_are_told(tmp_path):
    with pytest.raises(SetupError, match="holds no marks"):
        list(marked(tmp_path))
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        list(marked(tmp_path / "nowhere.json"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(
    [
        ("article", "text"),
        ("marks", 0),
        ("marks", 0, "claim"),
        ("marks", 0, "claim", "quote"),
        ("marks", 4, "quote", "end"),
        ("marks", 2, "corrected"),
        ("marks", 0, "claim", "claimant"),
        ("marks", 1, "claim", "stances", 0),
    ]
)


@examples()
@given(places, json_values)
def test_whatever_stands_in_a_file_is_refused_or_quotes_the_article(tmp_path_factory, place, value):
    path = written(tmp_path_factory.mktemp("marks"), changed(*place, value=value))
    try:
        (item,) = marked(path)
    except SetupError:
        return
    assert all(0 <= claim.span[0] < claim.span[1] <= len(item.text) for claim in item.gold.claims)


def test_the_schema_is_sound_and_knows_the_labels_of_the_service():
    meta.validate(SCHEMA)
    assert Draft202012Validator(SCHEMA).is_valid(MARKS)
    assert SCHEMA["$defs"]["stance"]["enum"] == list(StanceLabel)
    assert SCHEMA["$defs"]["kind"]["enum"] == list(Kind)


REPLY = json.dumps(
    {
        "claims": [
            claim(
                1, "the bridge cost 40 million euros", claimant="Mayor Ann Roe", article="discusses", kind="quantity", worth=0.9
            ),
            claim(4, "It opened in May", text="The bridge opened in May.", worth=0.2),
            claim(2, "Her rival Tom Poe denied it"),
        ]
    }
)


def test_a_run_on_marks_is_scored_like_one_on_the_reference_set(data, tmp_path):
    result = Bench(data, REPLY).run("run", "--set", f"marked={FILE}", "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    # Two of three claims listed are among the four that editors want.
    assert "57.1" in result.stderr
    report = tmp_path / "report.html"
    bench = Bench(data)
    assert bench.run("report", result.stdout.strip(), "--out", report, "--json", tmp_path / "figures.json").exit_code == 0
    assert "3 of 3" in report.read_text(encoding="utf-8")


def test_marks_are_a_set_among_the_others_and_private(data):
    dataset = DATASETS["marked"]
    assert dataset.private
    folder = data / dataset.file
    folder.mkdir(parents=True)
    written(folder, MARKS)
    assert [item.id for item in read_items(dataset, data)] == ["marks"]
    listed = json.loads(Bench(data).run("sets", "--json").stdout)
    (told,) = [one for one in listed if one["name"] == "marked"]
    assert (told["articles"], told["private"]) == (1, True)
