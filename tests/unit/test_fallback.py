import json
from dataclasses import replace
from threading import Semaphore

import pytest

from service.deadline import Deadline
from service.domain import AnalysisStatus, ArticleInput, Options
from service.errors import (
    ArticleTooLongError,
    DeadlineExceededError,
    ModelBusyError,
    ModelContextError,
    ModelEmptyError,
    ModelMisconfiguredError,
    ModelPausedError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
    OverloadedError,
    UnknownPromptError,
)
from service.llm.base import CallBudget, Message, ModelCall, ReplySchema
from service.pipeline.analyze import Fallback, Services, analyze
from service.pipeline.fallback import first_answer
from service.pipeline.schedule import Limits, Schedule
from service.prompt_files import find_prompts, load_prompts
from tests.fakes import TRAITS, FixedClock, ScriptedModel, claim

LIBRARY = load_prompts(find_prompts())
TEXT = "The mayor opened the new bridge on Monday morning. It cost the city forty million euros in the end."
LONG = f"{TEXT} " * 4
GOOD = json.dumps({"claims": [claim()]})
DOWN = ModelUnavailableError("down")
SMALL = replace(TRAITS, name="small", endpoint="embedded", trial=True)
OTHER = replace(TRAITS, name="other", endpoint="elsewhere")


def run(model, *fallbacks, text=TEXT, ref="extract_claims@1", options=None, **needs):
    services = Services(model, LIBRARY, **{"clock": FixedClock()} | needs, fallbacks=fallbacks)
    deadline = Deadline.after(60, services.clock)
    return first_answer(
        ref,
        services,
        deadline,
        lambda prompt, view, until: analyze(ArticleInput(text), options or Options(), prompt, view, until),
    )


def codes(analysis):
    return [caveat.code for caveat in analysis.warnings]


def test_a_model_that_answers_is_the_only_one_asked():
    other = ScriptedModel(traits=OTHER)
    analysis = run(ScriptedModel(GOOD), Fallback(other))
    assert (analysis.status, codes(analysis), other.calls) == (AnalysisStatus.COMPLETE, [], [])
    assert analysis == replace(run(ScriptedModel(GOOD)))


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(DOWN, id="unavailable"),
        pytest.param(ModelPausedError("paused", retry_after_s=3), id="paused"),
        pytest.param(ModelBusyError("busy"), id="busy"),
        pytest.param(ModelQuotaError("exhausted"), id="quota"),
        pytest.param(ModelMisconfiguredError("wrong key"), id="misconfigured"),
        pytest.param(ModelReplyError("a page in HTML"), id="not a completion"),
        pytest.param(ModelRefusedError("filtered", filtered=True), id="content filter"),
    ],
)
def test_the_next_model_answers_where_the_endpoint_cannot_and_the_answer_says_so(failure):
    analysis = run(ScriptedModel(failure), Fallback(ScriptedModel(GOOD, traits=OTHER)))
    assert (analysis.status, codes(analysis)) == (AnalysisStatus.COMPLETE, ["fallback_model"])
    assert (analysis.provenance.model.asked, analysis.provenance.model.endpoint) == ("other", "elsewhere")
    detail = analysis.warnings[0].detail
    assert f"scripted at nowhere could not answer ({failure.code})" in detail
    assert "other at elsewhere" in detail
    assert len(analysis.claims) == 1


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(ModelRefusedError("refused"), id="refusal"),
        pytest.param(ModelContextError("too long"), id="too long"),
        pytest.param(ModelEmptyError("nothing"), id="empty"),
        pytest.param(ModelTruncatedError("cut off"), id="cut off"),
        pytest.param(ModelSchemaError("off schema"), id="off schema"),
    ],
)
def test_no_other_model_is_asked_about_what_this_one_made_of_the_article(failure):
    other = ScriptedModel(traits=OTHER)
    with pytest.raises(type(failure)) as caught:
        run(ScriptedModel(failure, failure), Fallback(other))
    assert caught.value is failure
    assert other.calls == []


def test_a_stand_in_says_so_in_status_provenance_and_warnings():
    analysis = run(ScriptedModel(DOWN), Fallback(ScriptedModel(GOOD, traits=SMALL), stand_in=True))
    assert analysis.status is AnalysisStatus.STAND_IN
    assert codes(analysis) == ["fallback_model", "trial_model"]
    assert analysis.provenance.model.asked == "small"


def test_models_are_asked_in_the_order_listed():
    busy = ScriptedModel(ModelBusyError("busy"), traits=OTHER)
    analysis = run(ScriptedModel(DOWN), Fallback(busy), Fallback(ScriptedModel(GOOD, traits=SMALL)))
    assert len(busy.calls) == 1
    assert analysis.provenance.model.asked == "small"


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(ModelBusyError("busy"), id="busy"),
        pytest.param(ModelRefusedError("refused"), id="refusal"),
        pytest.param(ModelSchemaError("off schema"), id="off schema"),
        pytest.param(DeadlineExceededError("spent"), id="deadline"),
        pytest.param(ArticleTooLongError("long"), id="too long for it"),
    ],
)
def test_when_no_model_answers_the_failure_of_the_first_is_told(last):
    first = ModelQuotaError("exhausted")
    with pytest.raises(ModelQuotaError) as caught:
        run(ScriptedModel(first), Fallback(ScriptedModel(last, traits=OTHER)))
    assert caught.value is first


@pytest.mark.parametrize(
    ("last", "for_all"),
    [
        pytest.param(DeadlineExceededError("spent"), False, id="deadline"),
        pytest.param(OverloadedError("full"), False, id="overload"),
        pytest.param(ModelSchemaError("off schema"), True, id="off schema"),
        pytest.param(ModelUnavailableError("down, too"), True, id="unavailable"),
    ],
)
def test_a_failure_is_not_everybodys_where_a_fallback_had_too_little_time(last, for_all):
    first = ModelQuotaError("exhausted")
    with pytest.raises(ModelQuotaError):
        run(ScriptedModel(first), Fallback(ScriptedModel(last, traits=OTHER)))
    assert first.for_all is for_all


def test_a_fallback_that_refuses_is_the_last_to_be_asked():
    never = ScriptedModel(traits=SMALL)
    with pytest.raises(ModelUnavailableError):
        run(ScriptedModel(DOWN), Fallback(ScriptedModel(ModelRefusedError("no"), traits=OTHER)), Fallback(never))
    assert never.calls == []


def test_the_whole_article_is_answered_by_one_model():
    """One passage of four fails: the other three are asked anew, of the model that answers."""
    first = ScriptedModel(GOOD, GOOD, DOWN, GOOD, traits=replace(TRAITS, passage_chars=100))
    other = ScriptedModel(*[GOOD] * 4, traits=replace(OTHER, passage_chars=100))
    analysis = run(first, Fallback(other), text=LONG)
    assert len(other.calls) == len(analysis.coverage.passages) == 4
    assert analysis.coverage.read == analysis.coverage.sentences


def test_a_part_of_the_first_model_s_answer_stands_where_the_caller_allows_parts():
    first = ScriptedModel(GOOD, GOOD, DOWN, GOOD, traits=replace(TRAITS, passage_chars=100))
    other = ScriptedModel(traits=OTHER)
    analysis = run(first, Fallback(other), text=LONG, options=Options(allow_partial=True))
    assert (analysis.status, other.calls) == (AnalysisStatus.PARTIAL, [])


def test_each_model_is_planned_and_asked_in_its_own_way():
    other = ScriptedModel(GOOD, GOOD, traits=replace(OTHER, passage_chars=200, prompt="extract_claims@1"))
    analysis = run(ScriptedModel(DOWN, traits=replace(TRAITS, prompt=None)), Fallback(other), text=LONG[:401], ref=None)
    assert len(analysis.coverage.passages) == len(other.calls) == 2
    assert analysis.provenance.prompt.startswith("extract_claims@1")


def test_the_prompt_a_caller_names_is_the_prompt_of_all():
    other = ScriptedModel(GOOD, traits=replace(OTHER, prompt="extract_claims@2"))
    assert run(ScriptedModel(DOWN), Fallback(other)).provenance.prompt.startswith("extract_claims@1")


def test_an_unknown_prompt_is_nobody_s_to_answer():
    with pytest.raises(UnknownPromptError):
        run(ScriptedModel(), Fallback(ScriptedModel()), ref="extract_claims@99")


def test_what_was_asked_for_nothing_is_in_the_usage():
    """One passage after another: none is still being asked about when the first model gives way."""
    clock = FixedClock()

    class Slow(ScriptedModel):
        def complete(self, call, deadline):
            clock.advance(2)
            return super().complete(call, deadline)

    first = Slow(GOOD, GOOD, GOOD, DOWN, traits=replace(TRAITS, passage_chars=100))
    one_by_one = Schedule(Limits(calls=1))
    usage = run(first, Fallback(Slow(GOOD, traits=OTHER)), text=LONG, clock=clock, schedule=one_by_one).usage
    assert (usage.calls, usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (5, 400, 160, 80)
    assert usage.duration_ms == 10_000


def test_a_model_that_takes_few_articles_at_a_time_keeps_nobody_waiting():
    slots = Semaphore(1)
    small = Fallback(ScriptedModel(GOOD, GOOD, traits=SMALL), stand_in=True, slots=slots)
    assert run(ScriptedModel(DOWN), small).status is AnalysisStatus.STAND_IN
    with slots, pytest.raises(ModelUnavailableError):
        run(ScriptedModel(DOWN), small)
    assert run(ScriptedModel(DOWN), small).status is AnalysisStatus.STAND_IN


def test_a_place_is_given_back_by_an_article_that_fails():
    small = Fallback(ScriptedModel(ModelSchemaError("no"), GOOD, traits=SMALL), slots=Semaphore(1))
    with pytest.raises(ModelUnavailableError):
        run(ScriptedModel(DOWN), small)
    assert codes(run(ScriptedModel(DOWN), small))[0] == "fallback_model"


def test_a_budget_of_calls_is_part_of_no_question():
    asked = [
        ModelCall((Message("user", "hello"),), ReplySchema("s.v1", "0", {}), 0.0, 10, budget=CallBudget(calls))
        for calls in (1, 2)
    ]
    assert asked[0] == asked[1]
    assert "budget" not in repr(asked[0])


class Silent(ScriptedModel):
    """A model that never answers: its call ends when its time does."""

    def __init__(self, clock, traits=TRAITS):
        super().__init__(traits=traits)
        self.clock = clock
        self.seconds = []

    def complete(self, call, deadline):
        self.seconds.append(deadline.check())
        call.budget.spend()
        self.clock.advance(self.seconds[-1])
        raise DeadlineExceededError("spent")


def test_a_silent_model_leaves_a_third_of_the_time_to_the_next():
    clock = FixedClock()
    silent, seconds = Silent(clock), []

    class Timed(ScriptedModel):
        def complete(self, call, deadline):
            seconds.append(deadline.check())
            return super().complete(call, deadline)

    analysis = run(silent, Fallback(Timed(GOOD, traits=OTHER)), clock=clock)
    assert silent.seconds == [pytest.approx(40)]
    assert seconds == [pytest.approx(20)]
    assert analysis.status is AnalysisStatus.COMPLETE
    assert "could not answer (deadline-exceeded)" in analysis.warnings[0].detail


def test_each_model_that_has_another_after_it_has_two_thirds_of_what_is_left():
    clock = FixedClock()
    models = [Silent(clock), Silent(clock, OTHER), Silent(clock, SMALL)]
    with pytest.raises(DeadlineExceededError):
        run(models[0], *map(Fallback, models[1:]), clock=clock)
    assert [one.seconds for one in models] == [[pytest.approx(40)], [pytest.approx(40 / 3)], [pytest.approx(20 / 3)]]


def test_a_model_without_fallbacks_has_all_the_time():
    clock = FixedClock()
    silent = Silent(clock)
    with pytest.raises(DeadlineExceededError):
        run(silent, clock=clock)
    assert silent.seconds == [60]


def test_a_failure_of_all_after_a_silent_model_is_its_own():
    clock = FixedClock()
    with pytest.raises(DeadlineExceededError):
        run(Silent(clock), Fallback(ScriptedModel(DOWN, traits=OTHER)), clock=clock)


class Partly(ScriptedModel):
    """A model that answers about one passage, and is silent about the others."""

    def __init__(self, clock):
        super().__init__(GOOD, traits=replace(TRAITS, passage_chars=100))
        self.clock = clock
        self.until = 0.0

    def complete(self, call, deadline):
        if not self.calls:
            self.until = deadline.at
            return super().complete(call, deadline)
        self.clock.now = max(self.clock.now, self.until)
        raise DeadlineExceededError("spent")


def test_a_part_read_by_the_end_of_the_share_gives_way_to_a_whole_answer():
    clock = FixedClock()
    other = ScriptedModel(*[GOOD] * 4, traits=replace(OTHER, passage_chars=100))
    one_by_one = Schedule(Limits(calls=1))
    analysis = run(
        Partly(clock), Fallback(other), text=LONG, options=Options(allow_partial=True), clock=clock, schedule=one_by_one
    )
    assert (analysis.status, codes(analysis)) == (AnalysisStatus.COMPLETE, ["fallback_model"])
    assert analysis.usage.calls == 5


def test_a_part_read_by_the_end_of_the_share_is_the_answer_when_nobody_else_has_one():
    clock = FixedClock()
    other = ScriptedModel(ModelRefusedError("no"), traits=replace(OTHER, passage_chars=1_000))
    one_by_one = Schedule(Limits(calls=1))
    analysis = run(
        Partly(clock), Fallback(other), text=LONG, options=Options(allow_partial=True), clock=clock, schedule=one_by_one
    )
    assert (analysis.status, codes(analysis)) == (AnalysisStatus.PARTIAL, ["passages_failed"])
    assert [passage.code for passage in analysis.coverage.passages] == [None, *["deadline-exceeded"] * 3]
    assert analysis.usage.calls == 2
