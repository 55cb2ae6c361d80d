import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deadline import Deadline
from service.domain import AnalysisStatus, ArticleInput, Options
from service.earlier import Previous
from service.errors import ModelBusyError, ModelContextError, ModelTruncatedError, ModelUnavailableError
from service.llm.base import CALLS_PER_PASSAGE, CallBudget
from service.llm.retrying import RetryingModel
from service.pipeline.analyze import Services, analyze
from service.pipeline.ingest import ingest
from service.pipeline.plan import halves, plan
from service.prompt_files import find_prompts, load_prompts
from service.text.segment import segment
from tests.examples import examples
from tests.fakes import TRAITS, FixedClock, ScriptedModel, claim

LIBRARY = load_prompts(find_prompts())
SENTENCES = [
    f"The {name} bridge opened in {year}. " for name, year in zip("red blue old new".split(), range(2001, 2005), strict=True)
]
TEXT = "".join(SENTENCES)
TOO_LONG = ModelContextError("it does not fit")


def said(*numbers):
    return json.dumps({"claims": [claim(number, SENTENCES[number - 1].strip()) for number in numbers]})


def run(model, *, text=TEXT, previous=None, allow_partial=False):
    services = Services(model, LIBRARY, clock=FixedClock())
    prompt = LIBRARY.select("extract_claims@1", "extract_claims")
    deadline = Deadline.after(60, services.clock)
    return analyze(ArticleInput(text), Options(allow_partial=allow_partial), prompt, services, deadline, previous=previous)


def quotes(analysis):
    return [found.quote.text for found in analysis.claims]


def test_a_passage_that_does_not_fit_is_read_as_its_two_halves():
    model = ScriptedModel(TOO_LONG, said(1, 2), said(3, 4))
    analysis = run(model)
    assert analysis.status is AnalysisStatus.COMPLETE
    assert quotes(analysis) == [sentence.strip() for sentence in SENTENCES]
    assert [TEXT[part.start : part.end] for part in analysis.coverage.passages] == [
        "".join(SENTENCES[:2]),
        "".join(SENTENCES[2:]),
    ]
    assert (analysis.coverage.read, analysis.coverage.sentences) == (4, 4)
    assert analysis.usage.calls == len(model.calls) == CALLS_PER_PASSAGE
    assert [one.code for one in analysis.warnings] == ["repaired_in_parts"]


def test_the_second_half_is_shown_under_its_own_numbers():
    model = ScriptedModel(TOO_LONG, said(1, 2), said(3, 4))
    run(model)
    shown = model.calls[2].messages[-1].content
    assert "[3] The old bridge" in shown
    assert "[1]" not in shown


def test_the_halves_ask_for_no_more_room_than_they_need():
    model = ScriptedModel(TOO_LONG, said(1), said(3))
    run(model)
    assert [call.max_output_tokens for call in model.calls] == [8_000, 1_000, 1_000]


@pytest.mark.parametrize("failed_before", [1, 2])
def test_without_a_call_for_each_half_the_article_is_too_long(failed_before):
    model = ScriptedModel(*[ModelUnavailableError("down")] * failed_before, TOO_LONG)
    patient = RetryingModel(model, CALLS_PER_PASSAGE, sleep=lambda _: None)
    with pytest.raises(ModelContextError):
        run(patient)
    assert len(model.calls) == failed_before + 1


def test_a_single_sentence_cannot_be_cut():
    model = ScriptedModel(TOO_LONG)
    with pytest.raises(ModelContextError):
        run(model, text=SENTENCES[0])


@pytest.mark.parametrize("allow_partial", [False, True])
def test_where_half_of_it_does_not_fit_either_the_other_half_is_not_tried(allow_partial):
    model = ScriptedModel(TOO_LONG, ModelContextError("still"))
    with pytest.raises(ModelContextError) as caught:
        run(model, allow_partial=allow_partial)
    assert caught.value.passage is None


@pytest.mark.parametrize("failure", [ModelBusyError("busy"), ModelTruncatedError("cut off")], ids=repr)
def test_a_half_that_fails_is_not_asked_again_and_named(failure):
    model = ScriptedModel(TOO_LONG, said(1), failure)
    with pytest.raises(type(failure)) as caught:
        run(RetryingModel(model, CALLS_PER_PASSAGE, sleep=lambda _: None))
    assert caught.value.passage == (len("".join(SENTENCES[:2])), len(TEXT))


def test_a_reply_off_its_schema_fails_its_half():
    assert run(ScriptedModel(TOO_LONG, "no", said(3)), allow_partial=True).coverage.passages[0].code == "upstream-schema"


def test_after_a_half_that_failed_the_other_is_not_asked_for_unless_a_part_is_allowed():
    down = ModelUnavailableError("down")
    with pytest.raises(ModelUnavailableError):
        run(ScriptedModel(TOO_LONG, down))
    analysis = run(ScriptedModel(TOO_LONG, down, said(3)), allow_partial=True)
    assert analysis.status is AnalysisStatus.PARTIAL
    assert [part.code for part in analysis.coverage.passages] == ["upstream-unavailable", None]
    assert (analysis.usage.calls, quotes(analysis)) == (2, [SENTENCES[2].strip()])


def test_halves_are_known_again_and_cost_no_call():
    first = run(ScriptedModel(TOO_LONG, said(1, 2), said(3, 4)))
    again = run(ScriptedModel(), previous=Previous(first.memory))
    assert [part.reused for part in again.coverage.passages] == [True, True]
    assert quotes(again) == quotes(first)


def test_one_of_several_passages_is_cut_where_it_does_not_fit():
    traits = replace(TRAITS, passage_chars=len(TEXT) // 2)

    class Small(ScriptedModel):
        """Fits one of these sentences, or the two that it is shown first."""

        def complete(self, call, deadline):
            many = call.messages[-1].content.count("[") > 1
            self._outcomes.insert(0, TOO_LONG if many and "[3]" in call.messages[-1].content else said())
            return super().complete(call, deadline)

    analysis = run(Small(traits=traits))
    assert len(analysis.coverage.passages) == 3
    assert analysis.usage.calls == 4


@examples()
@given(
    st.lists(st.sampled_from(["Short one. ", "A somewhat longer sentence stands here. "]), min_size=1, max_size=9),
    st.integers(20, 200),
)
def test_halves_tile_their_passage_as_planned_passages_do(pieces, passage_chars):
    article = ingest(ArticleInput("".join(pieces), language="en"))
    sentences = segment(article.text, "en")
    for passage in plan(article, sentences, passage_chars):
        cut = halves(passage)
        if len(passage.sentences) == 1:
            assert cut == ()
            continue
        first, second = cut
        assert (*first.sentences, *second.sentences) == passage.sentences
        assert first.lead == passage.lead
        assert second.lead == sentences[: min(second.sentences[0].number - 1, 2)]
        longest = max(len(sentence.text) for sentence in passage.sentences)
        assert abs((first.end - first.start) - (second.end - second.start)) <= longest


@pytest.mark.parametrize(("left", "shares"), [(0, None), (1, None), (2, (1, 1)), (3, (1, 2))])
def test_what_is_left_of_a_budget_goes_to_both_halves_once(left, shares):
    budget = CallBudget(left)
    halved = budget.halves()
    assert (halved and tuple(one.left for one in halved)) == shares
    assert not budget.spend()
