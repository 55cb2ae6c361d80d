"""Articles of several passages, through the API: read side by side, in part, and again after an edit."""

import json
import re
import threading

from service.errors import ModelUnavailableError
from service.llm.base import Reply, ResponseFormat
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from tests.described import create_app
from tests.fakes import TRAITS, claim, stance

LIBRARY = load_prompts(find_prompts())
NUMBERED = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)
TEXT = " ".join(
    f"Minister number {number} told the house that bridge {number} cost {number * 3} million." for number in range(1, 401)
)


class ReadingModel:
    """A model that claims the first sentence of each passage, and fails where it finds a word it was told to fail on."""

    def __init__(self, fail_on=None):
        self.traits = TRAITS
        self.fail_on = fail_on
        self.asked = []
        self._lock = threading.Lock()

    def complete(self, call, deadline):
        deadline.check()
        content = call.messages[-1].content
        with self._lock:
            self.asked.append(content)
        if self.fail_on and self.fail_on in content:
            raise ModelUnavailableError("down")
        number, sentence = NUMBERED.search(content).groups()
        minister = re.match(r"Minister number \d+", sentence)
        told = [stance(minister[0], "supports", int(number), sentence)] if minister else []
        reply = {"claims": [claim(int(number), sentence, claimant=minister and minister[0], stances=told, article="discusses")]}
        return Reply(json.dumps(reply), "reader", ResponseFormat.JSON_SCHEMA, 10, 5, 5)

    def ready(self):
        return None


def ask(model, text=TEXT, **request):
    services = Services(model, LIBRARY)
    client = create_app(Settings(), services).test_client()
    body = {"article": {"text": text}, "prompt": "extract_claims@1", **request}
    response = client.post("/analyze", json=body)
    return response.status_code, response.get_json()


def test_a_long_article_costs_at_most_one_call_for_6000_characters():
    model = ReadingModel()
    status, answer = ask(model)
    assert status == 200
    assert answer["usage"]["calls"] == len(model.asked) == len(TEXT) // 6_000 > 2
    assert answer["coverage"]["read"] == answer["coverage"]["sentences"] == 400
    passages = answer["coverage"]["passages"]
    assert [one["start"] for one in passages] == [0, *(one["end"] for one in passages[:-1])]
    for one in answer["claims"]:
        assert TEXT[one["quote"]["start"] : one["quote"]["end"]] == one["quote"]["text"]


def test_a_failed_passage_fails_the_request_and_names_its_range():
    status, problem = ask(ReadingModel(fail_on="bridge 200 "))
    assert (status, problem["code"]) == (502, "upstream-unavailable")
    assert "bridge 200 " in TEXT[problem["passage"]["start"] : problem["passage"]["end"]]


def test_a_part_is_answered_only_when_asked_for_and_called_one():
    status, answer = ask(ReadingModel(fail_on="bridge 200 "), options={"allow_partial": True})
    assert (status, answer["status"]) == (200, "partial")
    (failed,) = [one for one in answer["coverage"]["passages"] if one["status"] == "failed"]
    assert failed["code"] == "upstream-unavailable"
    assert "bridge 200 " in TEXT[failed["start"] : failed["end"]]
    assert answer["coverage"]["read"] < 400
    assert "passages_failed" in [warning["code"] for warning in answer["warnings"]]


def test_what_was_cut_by_max_claims_is_flagged():
    _, answer = ask(ReadingModel(), options={"max_claims": 2})
    assert len(answer["claims"]) == 2
    assert "max_claims_reached" in [warning["code"] for warning in answer["warnings"]]
    assert {one["reason"] for one in answer["set_aside"]} == {"over_max_claims"}
