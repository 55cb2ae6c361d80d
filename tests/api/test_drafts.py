"""The answers that rules draft, through the whole service: the keyless default."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from service.errors import ModelContextError, ModelUnavailableError
from service.llm.base import CALLS_PER_PASSAGE
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from tests.api.conftest import problem
from tests.described import create_app
from tests.fakes import TRAITS, ScriptedModel

SEEDS = Path(__file__).parents[2] / "seeds"
OPEN = "“The whole town was under water for a week.” Max Bell and Ann Lee walked through the streets of the town on Monday."


def asked(text, *outcomes, language="en", **traits):
    model = ScriptedModel(*outcomes, traits=replace(TRAITS, prompt="name_speaker@1", **traits))
    client = create_app(Settings(), Services(model=model, prompts=load_prompts(find_prompts()))).test_client()
    return client.post("/analyze", json={"article": {"text": text, "language": language}}), model


def answer(text, *outcomes, **given):
    response, model = asked(text, *outcomes, **given)
    assert response.status_code == 200
    return json.loads(response.get_data()), model


def held(document, words):
    """Who stands where on the claim whose quote holds `words`."""
    (claim,) = [claim for claim in document["claims"] if words in claim["quote"]["text"]]
    return {stance["holder"]: stance["stance"] for stance in claim["stances"]}


@pytest.fixture(scope="module")
def drones():
    return answer((SEEDS / "000_5d23d1c23963b52b.txt").read_text("utf-8"), asks_speakers=False)[0]


@pytest.fixture(scope="module")
def missiles():
    return answer((SEEDS / "002_c2e5c578d10b02ad.txt").read_text("utf-8"), asks_speakers=False)[0]


def test_a_denial_of_reports_and_those_who_claim_the_same_stand_on_one_claim(drones):
    stances = held(drones, "using Iranian-supplied drones")
    assert stances == {"Dmitry Peskov": "refutes", "American and Ukrainian officials": "supports", "article": "discusses"}


def test_the_accused_are_not_said_to_support_the_accusation(missiles):
    assert held(missiles, "has supplied short-range ballistic missiles")["Dmitry Peskov"] == "discusses"


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        pytest.param("White House", "would represent a significant escalation", id="White House"),
        pytest.param("Wall Street Journal", "had shipped short-range missiles", id="Wall Street Journal"),
        pytest.param("Dmitry Peskov", "an important partner of Russia", id="Dmitry Peskov"),
    ],
)
def test_each_holds_a_stance_of_their_own(missiles, holder, words):
    assert held(missiles, words)[holder] == "supports"


def test_nothing_is_left_out_or_set_aside(drones, missiles):
    for document in (drones, missiles):
        assert document["coverage"]["read"] == document["coverage"]["sentences"]
        assert document["set_aside"] == []
        assert document["status"] == "complete"


def test_who_decided_is_told_and_that_no_model_was_asked(drones):
    provenance = drones["provenance"]
    by = {"claims": "rules", "claimants": "rules", "stances": "rules", "check_worthiness": "not judged"}
    assert provenance["decided_by"] == by
    assert (provenance["model"]["served"], provenance["model"]["response_format"]) == (None, None)
    assert drones["usage"]["calls"] == 0


def test_a_model_that_can_tell_is_asked_who_speaks():
    document, model = answer(OPEN, '{"who":2}')
    assert len(model.calls) == 1
    assert model.calls[0].schema.document["properties"]["who"] == {"enum": [0, 1, 2]}
    assert "Named: 1 Max Bell; 2 Ann Lee" in model.calls[0].messages[-1].content
    assert document["claims"][0]["claimant"]["name"] == "Ann Lee"
    assert document["provenance"]["decided_by"]["claimants"] == "rules and model"
    assert document["provenance"]["model"]["served"] == "scripted-1"
    assert document["warnings"] == []


def test_a_denial_in_a_quotation_is_refuted_by_whoever_speaks_it():
    text = OPEN.replace("The whole town was under water for a week", "There is no evidence that the dam was damaged in May")
    document, _ = answer(text, '{"who":1}')
    assert held(document, "the dam was damaged") == {"Max Bell": "refutes", "article": "discusses"}


def test_a_quotation_left_without_a_speaker_is_told():
    document, _ = answer(OPEN, '{"who":0}')
    assert document["claims"][0]["claimant"] is None
    assert [warning["code"] for warning in document["warnings"]] == ["quotations_without_speaker"]


def test_a_model_that_cannot_tell_is_asked_nothing():
    document, model = answer(OPEN, asks_speakers=False, trial=True)
    assert model.calls == []
    assert [warning["code"] for warning in document["warnings"]] == ["trial_model", "quotations_without_speaker"]
    assert "Rules of language" in document["warnings"][0]["detail"]


def test_a_question_that_does_not_fit_is_asked_again_with_half_of_the_passage():
    """The half without open quotations costs nothing."""
    text = f"The town lies on the river. It has a bridge. It has a mayor, too. {OPEN}"
    document, model = answer(text, ModelContextError("too long"), '{"who":1}', passage_chars=100_000)
    assert document["usage"]["calls"] == len(model.calls) == 2
    assert "repaired_in_parts" in [one["code"] for one in document["warnings"]]
    assert len(document["coverage"]["passages"]) == 2


def test_no_more_quotations_are_asked_about_than_a_passage_may_cost_calls():
    document, model = answer(" ".join([OPEN] * 20), *['{"who":1}'] * CALLS_PER_PASSAGE, passage_chars=100_000)
    assert len(model.calls) == document["usage"]["calls"] == CALLS_PER_PASSAGE
    assert len({id(call.budget) for call in model.calls}) == 1


@pytest.mark.parametrize("reply", ['{"who":3}', '{"who":"Ann Lee"}', "Ann Lee", '{"who":-1}'])
def test_a_reply_that_names_nobody_asked_about_is_a_failure(reply):
    problem(asked(OPEN, reply)[0], 502, "upstream-schema")


def test_a_model_that_fails_is_not_taken_for_one_that_knows_nobody():
    problem(asked(OPEN, ModelUnavailableError("down"))[0], 502, "upstream-unavailable")


def test_in_a_language_the_rules_do_not_know_it_is_told_that_speakers_are_not_judged():
    document, _ = answer("Rzeka wzrosła o dwa metry. Tama trzymała przez całą noc.", language="pl")
    assert {claim["stances"][0]["stance"] for claim in document["claims"]} == {"discusses"}
    assert [warning["code"] for warning in document["warnings"]] == ["speakers_not_read"]


def test_an_earlier_answer_that_rules_drafted_is_read_again_and_told_so():
    model = ScriptedModel(traits=replace(TRAITS, prompt="name_speaker@1"))
    client = create_app(Settings(), Services(model=model, prompts=load_prompts(find_prompts()))).test_client()
    first = client.post("/analyze", json={"article": {"text": "The river rose by two metres in March."}}).get_json()
    again = {"article": {"text": "The river rose by two metres in March."}, "previous": {"seal": first["seal"]}}
    second = client.post("/analyze", json=again).get_json()
    assert [warning["code"] for warning in second["warnings"]] == ["previous_not_reused"]
    assert second["changes"]["kept"] == [claim["id"] for claim in first["claims"]]


def test_who_only_says_that_it_is_false_refutes_the_claim_before():
    text = "The bridge cost 40 million euros, Mayor Jane Roe said. Her rival Tom Poe told reporters: “That is false.”"
    document, _ = answer(text, asks_speakers=False)
    assert len(document["claims"]) == 1
    assert held(document, "40 million") == {"Jane Roe": "supports", "Tom Poe": "refutes", "article": "discusses"}


def test_a_german_denial_in_whole_refutes_the_claim_before():
    text = "Die Brücke habe 40 Millionen Euro gekostet, sagte Anna Meier. Klaus Weber sagte: „Das ist falsch.“"
    document, _ = answer(text, language="de", asks_speakers=False)
    assert held(document, "40 Millionen")["Klaus Weber"] == "refutes"
