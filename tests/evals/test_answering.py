import json

import pytest

from evals.answering import answering, run_of, run_of_baseline
from evals.answers import read_answer
from evals.items import Item, NoGold
from service.domain import Options
from service.errors import DeadlineExceededError, ModelBusyError
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from tests.evals.miniature import TEXT
from tests.fakes import FixedClock, ScriptedModel, claim

ITEM = Item("bridge", TEXT, "en", "A bridge", NoGold())


@pytest.fixture
def prompts():
    return load_prompts(find_prompts(), drafts=False)


def test_an_item_is_answered_by_the_services_own_flow(prompts):
    model = ScriptedModel(json.dumps({"claims": [claim(1, "the bridge cost 40 million euros", claimant="Mayor Ann Roe")]}))
    services = Services(model, prompts)
    document = answering(prompts.select("extract_claims@1", "extract_claims"), Options(), services, 60.0)(ITEM)
    (found,) = read_answer(document).claims
    assert (found.quote.text, found.claimant) == ("the bridge cost 40 million euros", "Mayor Ann Roe")
    assert "A bridge" in model.calls[0].messages[-1].content
    assert document["article"]["language"] == "en"


def test_a_failure_is_raised_and_not_turned_into_an_answer(prompts):
    answer = answering(
        prompts.select("extract_claims@1", "extract_claims"),
        Options(),
        Services(ScriptedModel(ModelBusyError("busy")), prompts),
        60.0,
    )
    with pytest.raises(ModelBusyError):
        answer(ITEM)


def test_each_article_has_the_deadline_of_a_request(prompts):
    clock = FixedClock()
    services = Services(ScriptedModel("{}"), prompts, clock=clock)
    answer = answering(prompts.select("extract_claims@1", "extract_claims"), Options(), services, 0.0)
    with pytest.raises(DeadlineExceededError):
        answer(ITEM)


def test_a_run_says_what_was_asked_and_of_whom(prompts):
    prompt = prompts.select("extract_claims@1", "extract_claims")
    info = run_of(prompt, Options(max_claims=3), Services(ScriptedModel(), prompts), {"reference": None})
    assert info.label == f"{prompt.name} · scripted · max_claims 3"
    assert (info.asked.prompt, info.asked.model, info.endpoint) == (prompt.ref, "scripted", "nowhere")
    assert info.asked.options["max_claims"] == 3
    assert not info.is_baseline


def test_a_baselines_run_says_so():
    info = run_of_baseline("every_sentence", {"reference": None})
    assert (info.label, info.is_baseline) == ("every sentence", True)
