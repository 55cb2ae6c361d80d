"""What to ask after a failure: the same again, the same in other terms, or nothing."""

from collections.abc import Sequence
from dataclasses import replace

from service.errors import (
    ModelBusyError,
    ModelEmptyError,
    ModelError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
)
from service.llm.base import ModelCall

_ROOM_FACTOR = 2
_WORTH_FACTOR = 1.25
"""A reply that did not fit is not worth asking for again in a room that is hardly larger."""


class Question:
    """A question as it stands: the `call` to make next, and the `failures` of those made before."""

    def __init__(self, call: ModelCall) -> None:
        self.call = call
        self.failures: list[ModelError] = []
        self._changed_for: ModelError | None = None

    def is_worth_repeating_after(self, error: BaseException | None) -> bool:
        """Whether there is a call worth its price, now that this one ended in `error`."""
        return isinstance(error, ModelError) and again(self.call, [*self.failures, error]) is not None

    def learn(self, error: BaseException | None) -> None:
        """Nothing; `call` is the one to make after this failure."""
        if isinstance(error, ModelError):
            self.failures.append(error)
            before, self.call = self.call, again(self.call, self.failures) or self.call
            if self.call != before:
                self._changed_for = error

    def raise_what_it_was_changed_for(self) -> None:
        """Nothing, where the question is still the one that was asked first.

        An endpoint that refuses what we changed says nothing of what the caller asked for.
        Raises: ModelError.
        """
        if self._changed_for is not None:
            raise self._changed_for


def again(call: ModelCall, failures: Sequence[ModelError]) -> ModelCall | None:
    """The call to make after `call` and those before it ended in `failures`, in order; None when none is worth its price."""
    last = failures[-1]
    if not last.may_retry or (last.once and sum(failure.once for failure in failures) > 1):
        return None
    match last:
        case ModelTruncatedError(blank=True):
            return replace(call, schema_mode=False) if call.schema_mode else None
        case ModelTruncatedError():
            return _roomier(call)
        case ModelEmptyError():
            return _roomier(call) or call  # a model that thinks may have spent all its room on that
        case ModelUnavailableError() | ModelBusyError() | ModelReplyError() if not isinstance(last, ModelSchemaError):
            return call  # but a schema fault has had its repair round
        case _:
            return None


def _roomier(call: ModelCall) -> ModelCall | None:
    """The call with more room for its reply, once; None when there is none."""
    room = min(call.most_output_tokens or 0, call.max_output_tokens * _ROOM_FACTOR)
    if room < call.max_output_tokens * _WORTH_FACTOR:
        return None
    return replace(call, max_output_tokens=room, most_output_tokens=None)
