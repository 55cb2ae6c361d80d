"""What asking models for one article takes: an upper estimate before, and a count of all that was used after."""

from collections.abc import Callable
from dataclasses import replace

from service.deadline import Deadline
from service.domain import ArticleInput
from service.errors import ClientGoneError, DeadlineExceededError
from service.limits.limiter import Admission
from service.llm.base import CALLS_PER_PASSAGE, NO_TOKENS, ChatModel, ModelCall, ModelTraits, Reply, Tokens
from service.pipeline.analyze import Services, choose
from service.pipeline.extract import OUTPUT_TOKENS_PER_CHAR, estimate_tokens, estimate_tokens_of
from service.pipeline.ways import SPEAKER_TASK
from service.prompting import Prompt

Count = Callable[[str, Tokens], None]
"""Is told the name of a model and the tokens it took. Called from many threads, and late by work that was broken off."""

_LEAD_CHARS = 1_000
_FRAME_TOKENS = 64
"""What stands around title, lead, limits and sentences."""
_NUMBERING = 1.25
"""Each sentence is sent with its number; the shorter sentences are, the more that adds."""


def most_tokens(given: ArticleInput, ref: str | None, services: Services) -> dict[str, Tokens]:
    """For each model that may answer, by name, an upper estimate of what it takes when nothing has to be asked again.

    `ref` is the prompt the caller named.
    Raises: UnknownPromptError.
    """
    models = (services.model, *(fallback.model for fallback in services.fallbacks))
    return {model.traits.name: _most(given, choose(ref, replace(services, model=model)), model.traits) for model in models}


def afford(admission: Admission, given: ArticleInput, ref: str | None, services: Services) -> Services:
    """`services` for one article of whoever was admitted: what it may take is set aside, and what it takes is counted.

    Raises: BudgetExhaustedError, LimitsUnavailableError, UnknownPromptError; ArticleTooLongError when it is more than they
    may have in a whole day.
    """
    if not admission.meters:
        admission.reserve(len(given.text), {})
        return services
    admission.reserve(len(given.text), most_tokens(given, ref, services))
    return metered(services, admission.count)


def metered(services: Services, count: Count) -> Services:
    """`services` whose models have what they take counted."""
    return replace(
        services,
        model=MeteredModel(services.model, count),
        fallbacks=tuple(replace(fallback, model=MeteredModel(fallback.model, count)) for fallback in services.fallbacks),
    )


class MeteredModel:
    """`model` as it is, with all that its endpoint counted told to `count`, also for calls that came to nothing.

    Where an endpoint does not count, the tokens are estimated. Of a call that was broken off while it was being answered
    nobody tells what it took: its prompt counts.
    """

    def __init__(self, model: ChatModel, count: Count) -> None:
        self._model = model
        self._count = count

    @property
    def traits(self) -> ModelTraits:
        """What is known of the model before it is asked."""
        return self._model.traits

    def ready(self) -> str | None:
        """None when a call could be made now, else a short reason."""
        return self._model.ready()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """A whole answer to `call`.

        Raises: ModelError, DeadlineExceededError, ClientGoneError.
        """
        counted, sent = call.budget.tokens, call.budget.spent
        used = NO_TOKENS
        try:
            reply = self._model.complete(call, deadline)
            if call.budget.tokens == counted:
                used = _tokens_of(call, reply)
        except (DeadlineExceededError, ClientGoneError):
            if call.budget.spent > sent:
                used = Tokens(input=estimate_tokens(call.messages))
            raise
        finally:
            used += call.budget.tokens - counted
            if used != NO_TOKENS:
                self._count(self.traits.name, used)
        return reply


def _tokens_of(call: ModelCall, reply: Reply) -> Tokens:
    if reply.input_tokens or reply.output_tokens:
        return Tokens(reply.input_tokens, reply.cached_tokens, reply.output_tokens)
    return Tokens(input=estimate_tokens(call.messages), output=estimate_tokens_of(reply.text))


def _most(given: ArticleInput, prompt: Prompt, traits: ModelTraits) -> Tokens:
    chars = len(given.text)
    passages = max(1, -(-chars // traits.passage_chars))
    constant = estimate_tokens(prompt.render(dict.fromkeys(prompt.inputs, "")))
    if prompt.task == SPEAKER_TASK:
        if not traits.asks_speakers:
            return NO_TOKENS
        questions = passages * CALLS_PER_PASSAGE
        return Tokens(questions * (constant + _LEAD_CHARS), 0, questions * prompt.max_output_tokens)
    beside = constant + _FRAME_TOKENS + estimate_tokens_of((given.title or "") + given.text[:_LEAD_CHARS])
    needed = int(OUTPUT_TOKENS_PER_CHAR * -(-chars // passages))
    output = min(max(prompt.max_output_tokens, needed), traits.max_output_tokens)
    return Tokens(passages * beside + int(_NUMBERING * estimate_tokens_of(given.text)), 0, passages * output)
