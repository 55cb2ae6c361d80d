"""Doubles that record what they were given and fail when they are asked for more than they were told."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.deadline import Deadline
from service.llm.base import ModelCall, ModelTraits, Reply, ResponseFormat

TRAITS = ModelTraits(
    name="scripted", endpoint="nowhere", context_tokens=32_768, max_output_tokens=8_192, prompt="extract_claims@1"
)


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class ScriptedModel:
    """A ChatModel that gives its outcomes in order: text or a Reply is answered, an exception raised."""

    def __init__(self, *outcomes: str | Reply | Exception, traits: ModelTraits = TRAITS, not_ready: str | None = None) -> None:
        self._outcomes = list(outcomes)
        self._not_ready = not_ready
        self.traits = traits
        self.calls: list[ModelCall] = []

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        deadline.check()
        call.budget.spend()
        self.calls.append(call)
        assert self._outcomes, "the model was asked more often than the test scripted"
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Reply):
            return outcome
        return Reply(outcome, "scripted-1", ResponseFormat.JSON_SCHEMA, input_tokens=100, cached_tokens=40, output_tokens=20)

    def ready(self) -> str | None:
        return self._not_ready


def stance(holder: str, label: str, sentence: int, words: str) -> dict[str, Any]:
    """A stance as a model replies it."""
    return {"holder": holder, "stance": label, "sentence": sentence, "words": words}


def claim(sentence: int = 1, quote: str = "", *, stances: Sequence[Mapping[str, Any]] = (), **changes: Any) -> dict[str, Any]:
    """A claim as a model replies it: by default the whole first sentence in the article's own voice."""
    return {
        "sentence": sentence,
        "quote": quote,
        "text": "",
        "claimant": None,
        "stances": list(stances),
        "article": "supports",
        "kind": "event",
        "worth": 0.5,
        "why": "a fact",
        **changes,
    }
