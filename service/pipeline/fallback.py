"""An article answered by the first model that can: always one model for the whole of it, and the answer says which."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Semaphore
from typing import Final

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

Ask = Callable[[Prompt, Services, Deadline], Analysis]

TIME_SHARE: Final = 2 / 3
"""What a model may take of the time that is left while there is another to ask: one that is silent must not spend all."""


def first_answer(ref: str | None, services: Services, deadline: Deadline, ask: Ask) -> Analysis:
    """The analysis by `services.model`, or by the first of its fallbacks that can answer where it cannot.

    `ask` comes to the analysis of the model of the services it is given, asked by the prompt and within the time it is given:
    two thirds of what is left, for the last model all of it. `ref` is the prompt the caller named; with None each model is
    asked by its own. An answer of a fallback has the warning `fallback_model`, that of a stand-in its own status; its usage
    includes what was asked for nothing. A part that the first model had read by the end of its share is the answer when no
    fallback has one.
    Raises: what `ask` raises for the first model, whatever the others failed with; UnknownPromptError.
    """
    if not services.fallbacks:
        return ask(choose(ref, services), services, deadline)
    started, wasted = services.clock(), list[_Spent]()

    def by(model: ChatModel, spent: list[_Spent], until: Deadline) -> Analysis:
        view = replace(services, model=_Metered(model, spent))
        return ask(choose(ref, view), view, until)

    def told(analysis: Analysis, spent: list[_Spent]) -> Analysis:
        return replace(analysis, usage=_with_wasted(analysis.usage, spent, round((services.clock() - started) * 1000)))

    first = _first(lambda: by(services.model, wasted, deadline.share(TIME_SHARE)), deadline)
    if isinstance(first, Analysis):
        return first
    failure = first.failure
    wasted_on_others = list[_Spent]()
    for fallback in services.fallbacks:
        spent = list[_Spent]()
        until = deadline if fallback is services.fallbacks[-1] else deadline.share(TIME_SHARE)
        try:
            with _place(fallback.slots):
                analysis = by(fallback.model, spent, until)
        except (ModelError, DeadlineExceededError, ArticleTooLongError, OverloadedError) as error:
            wasted_on_others.extend(spent)
            failure.for_all = failure.for_all and error.for_all
            if not _gives_way(error, deadline):
                break
        else:
            return told(_marked(analysis, fallback, services.model.traits, failure), [*wasted, *wasted_on_others])
    if first.part is None:
        raise failure
    return told(first.part, wasted_on_others)


@dataclass(frozen=True)
class _Short:
    """Why another model should be asked, and the part of the article that was read all the same."""

    failure: FactCheckError
    part: Analysis | None = None


def _first(asked: Callable[[], Analysis], deadline: Deadline) -> Analysis | _Short:
    """The first model's answer, where it is one to leave it at.

    Raises: what `asked` raises, where no other model would do better.
    """
    try:
        analysis = asked()
    except (ModelError, DeadlineExceededError) as error:
        if not _gives_way(error, deadline):
            raise
        return _Short(error)
    late = any(passage.code == DeadlineExceededError.code for passage in analysis.coverage.passages)
    if late and deadline.remaining_s() > 0:
        return _Short(DeadlineExceededError("the time that one model may take is spent"), analysis)
    return analysis


def _gives_way(error: FactCheckError, deadline: Deadline) -> bool:
    """Whether another model should be asked: where it is the endpoint that cannot answer, not this article or its reply."""
    match error:
        case DeadlineExceededError():
            return deadline.remaining_s() > 0
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


def _marked(analysis: Analysis, fallback: Fallback, first: ModelTraits, failure: FactCheckError) -> Analysis:
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
