from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deadline import Deadline
from service.domain import ArticleInput, Options
from service.errors import ClientGoneError, DeadlineExceededError, ModelBusyError, ModelError, ModelTruncatedError
from service.limits.allowances import Allowances
from service.limits.base import Allowance
from service.limits.limiter import Admission, Limiter
from service.llm.base import NO_TOKENS, Message, ModelCall, Reply, ReplySchema, ResponseFormat, Tokens
from service.llm.retrying import RetryingModel
from service.pipeline.analyze import Fallback, Services, analyze, choose
from service.pipeline.extract import estimate_tokens
from service.pipeline.metering import MeteredModel, afford, metered, most_tokens
from service.prompt_files import find_prompts, load_prompts
from tests.examples import examples
from tests.fakes import TRAITS, ScriptedModel

PROMPTS = load_prompts(find_prompts())
NO_CLAIMS = '{"claims": []}'


class Billing(ScriptedModel):
    """Notes with each question what an endpoint would count for it, also where there is no reply."""

    def __init__(self, *outcomes, counts=Tokens(100, 40, 20)):  # noqa: B008 - a constant
        super().__init__(*outcomes)
        self.counts = counts

    def complete(self, call, deadline):
        call.budget.note(self.counts)
        return super().complete(call, deadline)


class Counted(list):
    def __call__(self, model, tokens):
        self.append((model, tokens))

    @property
    def total(self):
        return sum((tokens for _, tokens in self), NO_TOKENS)


def call():
    return ModelCall((Message("user", "hello" * 30),), ReplySchema("s.v1", "0", {}), temperature=0.0, max_output_tokens=10)


def ask(model, counted, error=None):
    model = MeteredModel(model, counted)
    if error is None:
        return model.complete(call(), Deadline.after(5))
    with pytest.raises(error):
        model.complete(call(), Deadline.after(5))
    return None


def test_what_the_endpoint_counted_is_counted():
    counted = Counted()
    assert ask(Billing("{}"), counted).text == "{}"
    assert counted == [(TRAITS.name, Tokens(100, 40, 20))]


def test_a_reply_nobody_can_use_is_paid_for():
    counted = Counted()
    ask(Billing(ModelTruncatedError("cut off")), counted, ModelTruncatedError)
    assert counted.total == Tokens(100, 40, 20)


def test_each_repeat_is_counted():
    counted = Counted()
    model = RetryingModel(Billing(ModelTruncatedError("cut off"), "{}"), 3, sleep=lambda _: None)
    MeteredModel(model, counted).complete(replace(call(), most_output_tokens=100), Deadline.after(5))
    assert counted.total == Tokens(200, 80, 40)


def test_an_endpoint_that_took_nothing_costs_nothing():
    counted = Counted()
    ask(ScriptedModel(ModelBusyError("busy")), counted, ModelError)
    assert counted == []


def test_where_an_endpoint_does_not_count_the_tokens_are_estimated():
    counted = Counted()
    ask(ScriptedModel(Reply("x" * 90, "m", ResponseFormat.TEXT)), counted)
    assert counted.total == Tokens(estimate_tokens(call().messages), 0, 30)


def test_what_a_model_tells_with_its_reply_counts_where_nobody_noted_it():
    counted = Counted()
    ask(ScriptedModel("{}"), counted)
    assert counted.total == Tokens(100, 40, 20)


@pytest.mark.parametrize("error", [DeadlineExceededError, ClientGoneError])
def test_of_a_call_that_was_broken_off_the_prompt_counts(error):
    counted = Counted()
    ask(ScriptedModel(error("over")), counted, error)
    assert counted.total == Tokens(input=estimate_tokens(call().messages))


def test_a_call_that_was_never_sent_costs_nothing():
    counted = Counted()
    with pytest.raises(DeadlineExceededError):
        MeteredModel(ScriptedModel("{}"), counted).complete(call(), Deadline.after(-1))
    assert counted == []


def test_a_metered_model_is_the_model_it_was():
    model = MeteredModel(ScriptedModel(not_ready="starting"), Counted())
    assert (model.traits, model.ready()) == (TRAITS, "starting")


def test_fallbacks_are_metered_too():
    counted = Counted()
    services = metered(Services(ScriptedModel(), PROMPTS, fallbacks=(Fallback(Billing("{}")),)), counted)
    services.fallbacks[0].model.complete(call(), Deadline.after(5))
    assert counted.total == Tokens(100, 40, 20)


@examples(50)
@given(st.text("Ab c.é漢", min_size=1, max_size=3_000), st.text(max_size=50), st.sampled_from([200, 1_000, 6_000]))
def test_the_estimate_is_an_upper_one_while_nothing_is_asked_again(text, title, passage_chars):
    traits = replace(TRAITS, passage_chars=passage_chars)
    model = ScriptedModel(*[NO_CLAIMS] * 100, traits=traits)
    services, given = Services(model, PROMPTS), ArticleInput(text.replace(" ", ". Abc defgh ijklmno pqrst "), title=title)
    (most,) = most_tokens(given, None, services).values()
    analyze(given, Options(), choose(None, services), services, Deadline.after(60))
    assert sum(estimate_tokens(asked.messages) for asked in model.calls) <= most.input
    assert sum(asked.max_output_tokens for asked in model.calls) <= most.output


def test_rules_that_ask_no_model_need_no_tokens():
    alone = replace(TRAITS, prompt="name_speaker@1", asks_speakers=False)
    services = Services(ScriptedModel(traits=alone), PROMPTS)
    assert most_tokens(ArticleInput("He said no."), None, services) == {"scripted": NO_TOKENS}
    asked = Services(ScriptedModel(traits=replace(alone, asks_speakers=True)), PROMPTS)
    assert most_tokens(ArticleInput("He said no."), None, asked)["scripted"].input > 0
    assert most_tokens(ArticleInput("He said no."), "extract_claims@1", services)["scripted"].input > 0


def test_each_model_that_may_answer_is_estimated_with_its_own_prompt():
    other = ScriptedModel(traits=replace(TRAITS, name="other", prompt="extract_claims@2"))
    services = Services(ScriptedModel(), PROMPTS, fallbacks=(Fallback(other),))
    assert set(most_tokens(ArticleInput("He said no."), None, services)) == {"scripted", "other"}


@pytest.mark.parametrize("allowance", [Allowance(), Allowance(requests=1, concurrent=1, characters=10)])
def test_models_are_left_as_they_are_where_nobody_counts_tokens(allowance):
    services = Services(ScriptedModel(), PROMPTS)
    admission = Admission(Limiter(Allowances(allowance)), "desk")
    assert afford(admission, ArticleInput("Short."), None, services) is services
