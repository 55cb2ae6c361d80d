import json
from dataclasses import replace
from hashlib import sha256

import pytest

from service.deadline import Deadline
from service.domain import Article, Options, Passage
from service.errors import ArticleTooLongError, ModelBusyError, ModelSchemaError
from service.fencing import Fencing, PromptLeakedError
from service.llm.base import ModelTraits
from service.pipeline.analyze import REPAIR_TASK
from service.pipeline.extract import Allowance, Asking, extract, surroundings
from service.prompt_files import find_prompts, load_prompts
from service.text.segment import segment
from tests.fakes import TRAITS, FixedClock, ScriptedModel, claim

LIBRARY = load_prompts(find_prompts())
ASKING = Asking(LIBRARY.select("extract_claims@1", "extract_claims"), LIBRARY.select(None, REPAIR_TASK))
TEXT = "The bridge opened\tin 2019, they say.  It cost 40 million euros."
GOOD = json.dumps({"claims": [claim()]})


FENCED = replace(ASKING, prompt=LIBRARY.select("extract_claims@4", "extract_claims"), fencing=Fencing(b"k" * 32))
GOOD_V3 = json.dumps({"sources": [], "claims": []})


def passage_of(text=TEXT, title=None):
    article = Article(text=text, sha256=sha256(text.encode()).hexdigest(), language="en", title=title)
    return Passage(article, segment(text, "en"))


def run(model, text=TEXT, options=None, title=None, *, asking=ASKING, allowance=None):  # noqa: PLR0913 - what tests vary
    passage, deadline = passage_of(text, title), Deadline.after(60, FixedClock())
    return extract(passage, options or Options(), asking, model, deadline, allowance=allowance or Allowance())


def test_a_good_reply_costs_one_call():
    model = ScriptedModel(GOOD)
    extraction = run(model)
    assert len(model.calls) == len(extraction.replies) == 1
    assert (len(extraction.proposed), extraction.repairs) == (1, ())


def test_the_model_sees_numbered_sentences_one_a_line():
    model = ScriptedModel(GOOD)
    run(model, title="Bridge\nnews")
    assert model.calls[0].messages[-1].content == (
        "Title: Bridge news\n\n\n[1] The bridge opened in 2019, they say.\n[2] It cost 40 million euros."
    )


def test_the_limits_of_the_caller_reach_the_prompt():
    model = ScriptedModel(GOOD)
    run(model, options=Options(max_claims=5, min_check_worthiness=0.25))
    assert (
        'List at most 5 claims: those most worth checking.\nLeave out claims whose "worth" is below 0.25.'
        in model.calls[0].messages[-1].content
    )


def test_a_bad_reply_is_told_back_once_with_its_faults():
    model = ScriptedModel('{"claims": [{"sentence": "1"}]}', GOOD)
    extraction = run(model)
    first, second = model.calls
    assert second.messages[: len(first.messages)] == first.messages
    reply, told = second.messages[len(first.messages) :]
    assert (reply.role, reply.content) == ("assistant", '{"claims": [{"sentence": "1"}]}')
    assert told.role == "user"
    assert "- claims/0/sentence: Not a valid integer." in told.content
    assert extraction.repairs == ("asked_again",)
    assert len(extraction.replies) == 2


def test_a_second_bad_reply_is_an_error_and_never_an_empty_list():
    model = ScriptedModel("no", "still no")
    with pytest.raises(ModelSchemaError):
        run(model)


class Costly(ScriptedModel):
    """A model each of whose answers cost three requests."""

    def complete(self, call, deadline):
        for _ in range(2):
            call.budget.spend()
        return super().complete(call, deadline)


def test_a_bad_reply_is_not_told_back_when_the_calls_are_spent():
    model = Costly("no", GOOD)
    with pytest.raises(ModelSchemaError, match="no call is left"):
        run(model)
    assert len(model.calls) == 1


def test_the_repair_round_spends_from_the_same_budget():
    model = ScriptedModel("no", GOOD)
    run(model)
    first, second = model.calls
    assert first.budget is second.budget
    assert first.budget.left == 1


def test_an_error_of_the_model_passes_through():
    with pytest.raises(ModelBusyError):
        run(ScriptedModel(ModelBusyError("busy")))


def test_an_article_whose_claims_would_not_fit_the_reply_is_refused_before_any_call():
    model = ScriptedModel()
    with pytest.raises(ArticleTooLongError):
        run(model, text="The bridge opened in 2019. " * 1000)
    assert model.calls == []


def test_an_article_that_does_not_fit_the_context_is_refused_before_any_call():
    model = ScriptedModel(traits=ModelTraits("small", "nowhere", context_tokens=1_300, max_output_tokens=8_192))
    with pytest.raises(ArticleTooLongError):
        run(model, text="The bridge opened in 2019. " * 40)
    assert model.calls == []


def test_the_reply_never_gets_more_room_than_the_context_leaves():
    model = ScriptedModel(GOOD, traits=ModelTraits("m", "nowhere", context_tokens=3_000, max_output_tokens=8_192))
    run(model)
    assert 1_000 < model.calls[0].max_output_tokens < 2_000


def test_a_remote_model_gets_the_sealed_schema():
    model = ScriptedModel(GOOD)
    run(model)
    assert model.calls[0].schema is ASKING.prompt.output


def test_a_small_model_gets_a_narrowed_schema():
    model = ScriptedModel(GOOD, traits=ModelTraits(**{**TRAITS.__dict__, "narrow_schema": True}))
    run(model)
    assert "prefixItems" in model.calls[0].schema.document["properties"]["claims"]


@pytest.mark.parametrize(
    ("chars", "allowed", "asked"),
    [
        pytest.param(60, 3_000, 3_000, id="less than the prompt names"),
        pytest.param(60, 9_000, 8_000, id="what the prompt names"),
        pytest.param(15_000, 12_000, 9_000, id="what the passage needs"),
    ],
)
def test_a_reply_gets_the_room_its_prompt_names_or_its_passage_needs_and_no_more_than_the_model_has(chars, allowed, asked):
    model = ScriptedModel(GOOD, traits=replace(TRAITS, max_output_tokens=allowed))
    run(model, text="The bridge opened in 2019 in town. " * (chars // 35) + "." * (chars % 35))
    (call,) = model.calls
    assert (call.max_output_tokens, call.most_output_tokens) == (asked, allowed)


def test_the_same_article_is_asked_about_in_the_same_words_and_another_behind_the_same_beginning():
    model = ScriptedModel(GOOD_V3, GOOD_V3, GOOD_V3)
    run(model, asking=FENCED)
    run(model, asking=FENCED)
    run(model, text="Another bridge opened.", asking=FENCED)
    first, again, other = (call.messages for call in model.calls)
    assert first == again
    assert first[0] == other[0]
    assert FENCED.fencing.canary in first[0].content
    assert FENCED.fencing.fence(passage_of().article) in first[1].content
    assert FENCED.fencing.fence(passage_of().article) not in other[1].content


def test_a_reply_with_the_mark_of_the_instructions_is_not_used_and_not_asked_for_again():
    model = ScriptedModel(json.dumps({"sources": [], "claims": [], "leak": " ".join(FENCED.fencing.canary)}))
    with pytest.raises(PromptLeakedError) as caught:
        run(model, asking=FENCED)
    assert not caught.value.may_retry
    assert FENCED.fencing.canary not in str(caught.value)


def test_the_repaired_reply_is_searched_too():
    model = ScriptedModel("no", FENCED.fencing.canary)
    with pytest.raises(PromptLeakedError):
        run(model, asking=FENCED)


def test_an_earlier_answer_is_known_again_whatever_the_fence():
    prompt = FENCED.prompt
    edited = passage_of(TEXT + " More was said.")
    assert surroundings(passage_of(), Options(), prompt) == surroundings(edited, Options(), prompt)
    assert surroundings(passage_of(), Options(), prompt) != surroundings(passage_of(title="A title"), Options(), prompt)


@pytest.mark.parametrize(
    ("chars", "asked"), [pytest.param(60, 1_000, id="hardly any"), pytest.param(3_500, 2_100, id="what the passage needs")]
)
def test_where_the_context_is_small_a_reply_gets_no_more_room_than_it_needs(chars, asked):
    model = ScriptedModel(GOOD)
    run(model, text="The bridge opened in 2019 in town. " * (chars // 35), allowance=Allowance(tight=True))
    assert model.calls[0].max_output_tokens == asked
