import json
from dataclasses import replace

import pytest

from service.deadline import Deadline
from service.domain import AnalysisStatus, ArticleInput, Options
from service.errors import DeadlineExceededError, ModelRefusedError
from service.llm.base import Reply, ResponseFormat
from service.pipeline.analyze import Services, analyze
from service.prompt_files import find_prompts, load_prompts
from tests.fakes import TRAITS, FixedClock, ScriptedModel, claim

LIBRARY = load_prompts(find_prompts())
PROMPT = LIBRARY.select("extract_claims@1", "extract_claims")
TEXT = "The mayor opened the new bridge on Monday morning. It cost the city forty million euros in the end."
GOOD = json.dumps({"claims": [claim()]})


def run(model, clock=None, given=None):
    clock = clock or FixedClock()
    services = Services(model, LIBRARY, clock)
    return analyze(given or ArticleInput(TEXT), Options(), PROMPT, services, Deadline.after(60, clock))


def test_an_analysis_says_what_was_read_and_what_wrote_it():
    analysis = run(ScriptedModel(GOOD))
    assert analysis.status is AnalysisStatus.COMPLETE
    assert (analysis.coverage.sentences, analysis.coverage.read) == (2, 2)
    assert [(one.start, one.end, one.code) for one in analysis.coverage.passages] == [(0, len(TEXT), None)]
    assert analysis.provenance.prompt == PROMPT.ref
    assert analysis.provenance.model.served == "scripted-1"
    assert analysis.article.language == "en"
    assert analysis.warnings == ()


def test_the_word_of_the_caller_about_the_language_wins():
    assert run(ScriptedModel(GOOD), given=ArticleInput(TEXT, language="de")).article.language == "de"


def test_usage_adds_up_over_the_repair_round():
    analysis = run(ScriptedModel("no", GOOD))
    usage = analysis.usage
    assert (usage.calls, usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (2, 200, 80, 40)
    assert [one.code for one in analysis.warnings] == ["repaired_asked_again"]


def test_retries_are_counted():
    reply = Reply(GOOD, "scripted-1", ResponseFormat.TEXT, calls=3, retries=2)
    usage = run(ScriptedModel(reply)).usage
    assert (usage.calls, usage.retries) == (3, 2)


def test_a_trial_model_is_called_one():
    analysis = run(ScriptedModel(GOOD, traits=replace(TRAITS, trial=True)))
    assert [one.code for one in analysis.warnings] == ["trial_model"]


def test_sentences_a_small_model_was_not_asked_about_count_as_not_read():
    text = "The council met again for one more long hour. " * 32
    analysis = run(ScriptedModel(GOOD, traits=replace(TRAITS, narrow_schema=True)), given=ArticleInput(text))
    assert (analysis.coverage.sentences, analysis.coverage.read) == (32, 30)
    assert [one.code for one in analysis.warnings] == ["sentences_left_out"]


def test_no_claims_is_an_answer_only_when_the_model_gave_it():
    assert run(ScriptedModel('{"claims": []}')).claims == ()
    with pytest.raises(ModelRefusedError):
        run(ScriptedModel(ModelRefusedError("no")))


def test_the_same_answer_has_the_same_id_and_another_one_another():
    one, same, other = (run(ScriptedModel(reply)).id for reply in (GOOD, GOOD, '{"claims": []}'))
    assert one == same != other


def test_an_answer_that_comes_too_late_is_not_given():
    class SlowModel(ScriptedModel):
        def complete(self, call, deadline):
            reply = super().complete(call, deadline)
            clock.advance(61)
            return reply

    clock = FixedClock()
    with pytest.raises(DeadlineExceededError):
        run(SlowModel(GOOD), clock)


def test_a_role_that_is_not_in_the_article_is_told_once_for_all_the_claims_of_its_source():
    text = "The bridge cost 40 million euros, Jane Roe said. It opened in May, Jane Roe said. Nobody uses it, Tom Poe said."
    whole = {"text": "", "stances": [], "kind": "event", "worth": 5, "why": "public"}
    quotes = ["The bridge cost 40 million euros", "It opened in May", "Nobody uses it", "nowhere", "nowhere"]
    claims = [{"n": number, "quote": words, "by": 1, **whole} for number, words in enumerate(quotes, 1)]
    claims[2]["by"] = 2
    reply = json.dumps({"sources": ["Jane Roe | Lord Mayor", "Tom Poe | her brother"], "claims": claims})
    services = Services(ScriptedModel(reply), LIBRARY, FixedClock())
    prompt = LIBRARY.select("extract_claims@3", "extract_claims")
    analysis = analyze(ArticleInput(text), Options(), prompt, services, Deadline.after(60, FixedClock()))
    assert len(analysis.claims) == 3
    assert [(one.reason.value, one.text) for one in analysis.set_aside] == [
        ("role_not_found", "Lord Mayor"),
        ("role_not_found", "her brother"),
        ("quote_not_found", "nowhere"),
        ("quote_not_found", "nowhere"),
    ]


def test_a_failed_reading_does_not_spoil_the_deadline_for_another_model():
    deadline = Deadline.after(60, FixedClock())
    services = Services(ScriptedModel(ModelRefusedError("no")), LIBRARY, FixedClock())
    with pytest.raises(ModelRefusedError):
        analyze(ArticleInput(TEXT), Options(), PROMPT, services, deadline)
    assert not deadline.interest.lost
