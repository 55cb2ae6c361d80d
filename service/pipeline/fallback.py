"""An article answered by the first model that can: always one model for the whole of it, and the answer says which."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Semaphore

from service.deadline import Deadline
from service.domain import Analysis, AnalysisStatus, Caveat, Usage
from service.errors import (
    ArticleTooLongError,
    DeadlineExceededError,
    FactCheckError,
    ModelBusyError,
    ModelEmptyError,
    ModelError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
    OverloadedError,
)
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply
from service.pipeline.analyze import Fallback, Services, choose
from service.pipeline.answers import FALLBACK
from service.prompting import Prompt

Ask = Callable[[Prompt, Services], Analysis]


def first_answer(ref: str | None, services: Services, ask: Ask) -> Analysis:
    """The analysis by `services.model`, or by the first of its fallbacks that can answer where it cannot.

    `ask` comes to the analysis of the model of the services it is given, asked by the prompt it is given.
    `ref` is the prompt the caller named; with None each model is asked by its own. An answer of a fallback has the warning
    `fallback_model`, that of a stand-in its own status; its usage includes what was asked for nothing.
    Raises: what `ask` raises for the first model, whatever the others failed with; UnknownPromptError.
    """
    if not services.fallbacks:
        return ask(choose(ref, services), services)
    started, wasted = services.clock(), list[_Spent]()

    def by(model: ChatModel, spent: list[_Spent]) -> Analysis:
        view = replace(services, model=_Metered(model, spent))
        return ask(choose(ref, view), view)

    try:
        return by(services.model, wasted)
    except ModelError as error:
        if not _gives_way(error):
            raise
        failure = error
    for fallback in services.fallbacks:
        spent = list[_Spent]()
        try:
            with _place(fallback.slots):
                analysis = by(fallback.model, spent)
        except (ModelError, DeadlineExceededError, ArticleTooLongError, OverloadedError) as error:
            wasted.extend(spent)
            failure.for_all = failure.for_all and error.for_all
            if not _gives_way(error):
                raise failure from error
        else:
            took_ms = round((services.clock() - started) * 1000)
            usage = _with_wasted(analysis.usage, wasted, took_ms)
            return replace(_marked(analysis, fallback, services.model.traits, failure), usage=usage)
    raise failure


def _gives_way(error: FactCheckError) -> bool:
    """Whether another model should be asked: where it is the endpoint that cannot answer, not this article or its reply."""
    match error:
        case ModelRefusedError():
            return error.filtered
        case ModelEmptyError() | ModelTruncatedError() | ModelSchemaError():
            return False
        case ModelUnavailableError() | ModelBusyError() | ModelQuotaError() | ModelMisconfiguredError() | ModelReplyError():
            return True
        case _:
            return False


@contextmanager
def _place(slots: Semaphore | None) -> Iterator[None]:
    """A place among the articles a model takes at a time.

    Raises: ModelBusyError when there is none: waiting for a slow model would keep all from those that answer again.
    """
    if slots is None:
        yield
        return
    if not slots.acquire(blocking=False):
        raise ModelBusyError("as many articles as it takes at a time are being read")
    try:
        yield
    finally:
        slots.release()


def _marked(analysis: Analysis, fallback: Fallback, first: ModelTraits, failure: ModelError) -> Analysis:
    answered = fallback.model.traits
    caveat = Caveat(
        FALLBACK,
        f"{first.name} at {first.endpoint} could not answer ({failure.code}): "
        f"{answered.name} at {answered.endpoint} answered in its place.",
    )
    status = AnalysisStatus.STAND_IN if fallback.stand_in else analysis.status
    return replace(analysis, status=status, warnings=(caveat, *analysis.warnings))


@dataclass(frozen=True)
class _Spent:
    """What one question cost: requests, and the reply if one came."""

    calls: int
    reply: Reply | None


class _Metered:
    """A model whose questions are noted in `spent` with what they cost, also those that failed."""

    def __init__(self, model: ChatModel, spent: list[_Spent]) -> None:
        self._model = model
        self._spent = spent

    @property
    def traits(self) -> ModelTraits:
        return self._model.traits

    def ready(self) -> str | None:
        return self._model.ready()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        before, reply = call.budget.spent, None
        try:
            reply = self._model.complete(call, deadline)
        finally:
            self._spent.append(_Spent(call.budget.spent - before, reply))
        return reply


def _with_wasted(usage: Usage, wasted: Sequence[_Spent], took_ms: int) -> Usage:
    replies = [one.reply for one in wasted if one.reply is not None]
    return replace(
        usage,
        calls=usage.calls + sum(one.calls for one in wasted),
        input_tokens=usage.input_tokens + sum(reply.input_tokens for reply in replies),
        cached_tokens=usage.cached_tokens + sum(reply.cached_tokens for reply in replies),
        output_tokens=usage.output_tokens + sum(reply.output_tokens for reply in replies),
        duration_ms=took_ms,
    )
