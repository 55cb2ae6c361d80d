"""An earlier answer handed back over HTTP: what is read again, what is told, and what a forged one can do."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ModelUnavailableError
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from service.web.seal import Sealer
from tests.api.conftest import problem
from tests.described import create_app
from tests.examples import examples
from tests.fakes import TRAITS
from tests.rereading import SentenceModel

LIBRARY = load_prompts(find_prompts())
KEY = "a key of more than thirty-two characters"
TRAITS_40 = replace(TRAITS, passage_chars=3_000)


def told(sentences):
    """An article, with emoji so that the two kinds of offset differ."""
    return " ".join(
        f"Minister Gray 🌉 told the house that the bridge{number} cost {number * 3} million, and nobody who was there "
        "that day could later remember having heard anything else about it."
        for number in range(1, sentences + 1)
    )


LONG = told(750)
TEXT = told(110)
EDIT = ("bridge40 cost 120 million", "bridge40 cost 121 million")


class Desk:
    """A service, and what its model was asked last."""

    def __init__(self, key=KEY):
        self._settings = Settings(seal_key=key, max_request_bytes=4_000_000)
        self.model = None

    def post(self, text=TEXT, previous=None, *, model=None, headers=None, **more):
        self.model = model or SentenceModel(traits=TRAITS_40)
        app = create_app(self._settings, Services(self.model, LIBRARY))
        body = {"article": {"text": text, "language": "en"}, "prompt": "extract_claims@1", **more}
        if previous is not None:
            body["previous"] = previous
        return app.test_client().post("/analyze", json=body, headers=headers)

    def ask(self, *args, **kwargs):
        response = self.post(*args, **kwargs)
        assert response.status_code == 200, response.get_json()
        return response.get_json()

    @property
    def calls(self):
        return len(self.model.asked)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture(scope="module")
def before():
    return Desk().ask()


@pytest.fixture(scope="module")
def forty():
    """The answer to an article of forty passages."""
    return Desk().ask(LONG)


def not_reused(answer):
    return [told["detail"] for told in answer["warnings"] if told["code"] == "previous_not_reused"]


def quotes(answer):
    return {claim["id"]: claim["quote"]["text"] for claim in answer["claims"]}


def test_an_answer_can_be_handed_back_and_says_nothing_of_changes(before):
    assert len(before["coverage"]["passages"]) == 5
    assert "changes" not in before
    assert not any("reused" in passage for passage in before["coverage"]["passages"])
    assert not_reused(before) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("bridge400 cost 1200 million", "bridge400 cost 1201 million", id="same length"),
        pytest.param("bridge400 cost 1200 million", "bridge400, of which much was said, cost 1201 million", id="longer"),
        pytest.param("bridge400 cost 1200 million, and nobody", "b, and nobody", id="shorter"),
    ],
)
def test_one_edited_sentence_in_forty_passages_costs_one_call(desk, forty, old, new):
    text = LONG.replace(old, new)
    assert len(forty["coverage"]["passages"]) == 40
    after = desk.ask(text, forty)
    assert desk.calls == after["usage"]["calls"] == 1
    assert sum(passage.get("reused", False) for passage in after["coverage"]["passages"]) == 39
    assert {passage["status"] for passage in after["coverage"]["passages"]} == {"ok"}
    anew = Desk().ask(text)
    assert after["claims"] == anew["claims"]
    assert after["set_aside"] == anew["set_aside"]
    assert after["changes"]["since"] == forty["id"]
    assert [one["id"] for one in after["changes"]["gone"]] == [
        name for name, words in quotes(forty).items() if words == "the bridge400 cost 1200 million"
    ]
    assert set(after["changes"]["new"]) == set(quotes(after)) - set(quotes(forty))
    assert set(after["changes"]["kept"]) == set(quotes(after)) & set(quotes(forty))
    assert not_reused(after) == []


def test_an_edit_at_a_border_costs_two_calls_at_most(desk, forty):
    border = forty["coverage"]["passages"][20]["start"]
    desk.ask(LONG[: border - 1] + " " + LONG[border:].replace("Minister", "minister", 1), forty)
    assert desk.calls <= 2
    desk.ask(LONG[: border - 2] + " and " + LONG[border:], forty)
    assert desk.calls <= 2


def test_a_new_first_sentence_moves_every_kept_claim(desk, before):
    text = f"The 🚢 harbour opened. {TEXT}"
    after = desk.ask(text, before)
    assert desk.calls == 1
    units = text.encode("utf-16-le")
    for claim in after["claims"]:
        quote = claim["quote"]
        assert text[quote["start"] : quote["end"]] == quote["text"]
        assert units[2 * quote["start_utf16"] : 2 * quote["end_utf16"]].decode("utf-16-le") == quote["text"]


def test_the_seal_alone_is_enough(desk, before):
    desk.ask(TEXT, {"seal": before["seal"]})
    assert desk.calls == 0


def test_every_answer_can_be_built_upon_by_the_next(desk, before):
    first = desk.ask(TEXT.replace(*EDIT), before)
    second = desk.ask(TEXT, first)
    assert desk.calls == 1
    assert second["claims"] == before["claims"]
    assert second["changes"]["since"] == first["id"]


CHEESE = {"id": "c_1", "text": "The moon is made of cheese.", "quote": {"text": "Minister Gray", "start": 0, "end": 13}}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"claims": [CHEESE]}, id="a claim whose quote slices"),
        pytest.param({"claims": [CHEESE] * 2_000}, id="a huge list of claims"),
        pytest.param({"claims": [{**CHEESE, "quote": {"text": "x", "start": -1, "end": 10**30}}]}, id="spans out of range"),
        pytest.param({"claims": {"c": 1}, "coverage": 7, "id": None, "usage": "none"}, id="wrong types"),
        pytest.param({"coverage": {"passages": [{"start": 0, "end": 10**9, "sha256": "0" * 64}] * 2_000}}, id="passages"),
        pytest.param({"set_aside": [[[[[["deep"]]]]]]}, id="nested"),
        pytest.param({"odd \x00 name": "\ud83d\ude00"}, id="odd names"),
    ],
)
def test_nothing_but_the_seal_of_an_earlier_answer_is_read(desk, before, changes):
    after = desk.ask(TEXT, before | changes)
    assert after["claims"] == before["claims"]
    assert after["changes"] == {"since": before["id"], "new": [], "gone": [], "kept": list(quotes(before)), "unlisted": []}
    assert "cheese" not in json.dumps(after)


def other_seal(_):
    return Desk("another key of more than thirty-two characters").ask(TEXT)["seal"]


@pytest.mark.parametrize(
    "seal",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "." * 10_000, id="stops"),
        pytest.param(lambda _: "ß😀", id="not ASCII"),
        pytest.param(lambda before: before["seal"][:-1], id="cut short"),
        pytest.param(lambda before: before["seal"].swapcase(), id="changed"),
        pytest.param(lambda before: before["seal"] * 2, id="twice"),
        pytest.param(other_seal, id="of another installation"),
        pytest.param(lambda before: before["id"], id="something else"),
    ],
)
def test_a_wrong_seal_means_a_whole_reading_and_a_warning(desk, before, seal):
    after = desk.ask(TEXT, before | {"seal": seal(before), "claims": [CHEESE]})
    assert desk.calls == 5
    (told,) = not_reused(after)
    assert "no seal of this service" in told
    assert "changes" not in after
    assert after["claims"] == before["claims"]


def test_an_answer_without_a_seal_means_a_whole_reading_and_a_warning(desk, before):
    after = desk.ask(TEXT, {name: value for name, value in before.items() if name != "seal"})
    assert desk.calls == 5
    assert len(not_reused(after)) == 1


def test_a_process_without_a_key_knows_only_its_own_answers():
    before = Desk(None).ask("The harbour opened.")
    after = Desk(None).ask("The harbour opened.", before)
    assert len(not_reused(after)) == 1


@pytest.mark.parametrize(
    ("previous", "pointer"),
    [
        pytest.param([], "/previous", id="list"),
        pytest.param("an_1", "/previous", id="string"),
        pytest.param(7, "/previous", id="number"),
        pytest.param({"seal": 7}, "/previous/seal", id="seal a number"),
        pytest.param({"seal": None}, "/previous/seal", id="seal null"),
        pytest.param({"seal": ["x"]}, "/previous/seal", id="seal a list"),
    ],
)
def test_what_is_no_earlier_answer_is_told_by_pointer(desk, previous, pointer):
    document = problem(desk.post("The harbour opened.", previous), 422, "invalid-request")
    assert [fault["pointer"] for fault in document["errors"]] == [pointer]
    assert desk.calls == 0


SMALL = create_app(Settings(seal_key=KEY), Services(SentenceModel(), LIBRARY)).test_client()
ANSWER = Desk().ask("The harbour opened.")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(ANSWER)) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=15,
)


@examples(150)
@given(values | st.dictionaries(st.sampled_from(list(ANSWER)), values).map(lambda changes: ANSWER | changes))
def test_whatever_comes_as_an_earlier_answer_is_taken_or_told(previous):
    body = {"article": {"text": "The harbour opened.", "language": "en"}, "prompt": "extract_claims@1", "previous": previous}
    response = SMALL.post("/analyze", json=body)
    if response.status_code == 200:
        assert response.get_json()["claims"] == ANSWER["claims"]
    else:
        assert response.get_json()["code"] in {"invalid-request", "invalid-json"}


def test_null_counts_as_no_earlier_answer():
    app = create_app(Settings(), Services(SentenceModel(), LIBRARY))
    body = {"article": {"text": "The harbour opened."}, "prompt": "extract_claims@1", "previous": None}
    answer = app.test_client().post("/analyze", json=body).get_json()
    assert ("changes" in answer, not_reused(answer)) == (False, [])


@pytest.mark.parametrize(
    ("inner", "status", "code"),
    [
        pytest.param('{"seal": "\\ud800"}', 422, "invalid-request", id="half a surrogate pair in the seal"),
        pytest.param('{"seal": "", "claims": ["\\udc00"]}', 422, "invalid-request", id="half a pair elsewhere"),
        pytest.param('{"claims": ' + "[" * 100 + "]" * 100 + "}", 400, "invalid-json", id="depth"),
        pytest.param('{"seal": "", "seal": ""}', 400, "invalid-json", id="the same key twice"),
        pytest.param('{"usage": 1e999}', 400, "invalid-json", id="infinity"),
    ],
)
def test_an_earlier_answer_meets_the_rules_of_every_input(inner, status, code):
    app = create_app(Settings(), Services(SentenceModel(), LIBRARY))
    body = f'{{"article": {{"text": "The harbour opened."}}, "previous": {inner}}}'
    problem(app.test_client().post("/analyze", data=body, content_type="application/json"), status, code)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        pytest.param({"options": {"max_claims": 3}}, "max_claims", id="max_claims"),
        pytest.param({"options": {"min_check_worthiness": 0.4}}, "min_check_worthiness", id="min_check_worthiness"),
    ],
)
def test_an_answer_to_another_question_is_not_built_upon(desk, before, more, name):
    (told,) = not_reused(desk.ask(TEXT, before, **more))
    assert f"another {name}." in told
    assert desk.calls == 5


def test_a_claim_cut_by_a_limit_comes_back_when_there_is_room():
    desk = Desk()
    text = "The harbour opened. It rained. Minister Gray told the house that the bridge cost 3 million."
    before = desk.ask(text, options={"max_claims": 2})
    after = desk.ask(text, before, options={"max_claims": 2})
    assert desk.calls == 0
    assert (after["claims"], after["set_aside"]) == (before["claims"], before["set_aside"])
    assert "max_claims_reached" in [told["code"] for told in after["warnings"]]


def test_what_could_not_be_read_is_not_called_gone(desk, before):
    model = SentenceModel(traits=TRAITS_40, fail_on="bridge40 ", failure=ModelUnavailableError("down"))
    text = TEXT.replace(*EDIT)
    after = desk.ask(text, before, model=model, options={"allow_partial": True})
    assert after["status"] == "partial"
    assert [one["text"] for one in after["changes"]["gone"]] == [
        claim["text"] for claim in before["claims"] if "bridge40 " in claim["text"]
    ]
    assert len(after["changes"]["unlisted"]) > 5


@pytest.mark.parametrize(
    ("accept", "words"),
    [
        pytest.param("text/html", "<h3>New</h3>", id="HTML"),
        pytest.param("text/markdown", "## What changed", id="Markdown"),
        pytest.param("text/csv", ",new\r\n", id="CSV"),
        pytest.param("application/jsonl", '"change": "new"', id="JSON Lines"),
        pytest.param("application/ld+json", '"New: ', id="Web Annotation"),
    ],
)
def test_every_form_says_what_is_new(desk, before, accept, words):
    text = TEXT.replace(*EDIT)
    response = desk.post(text, before, headers={"Accept": accept})
    assert response.status_code == 200
    assert words in response.get_data(as_text=True)


def test_the_log_says_how_much_was_reused_and_no_seal(desk, before, log):
    desk.ask(TEXT, before)
    (line,) = log()
    assert (line["reused"], line["calls"]) == (5, 0)
    assert before["seal"][:40] not in json.dumps(line)


def test_the_key_of_the_seals_is_in_no_answer(desk):
    answer = desk.ask("The harbour opened.")
    assert KEY not in json.dumps(answer)
    assert Sealer(KEY).open(answer["seal"]).memory.analysis == answer["id"]
