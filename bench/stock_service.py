"""The service as it is, but for the model call: the SDK's stock `client.chat.completions.create` and its stock transport."""

import os

import openai

from service import wiring
from service.deadline import Deadline
from service.llm.base import ModelCall, ModelTraits, Reply, ResponseFormat
from service.llm.negotiation import Terms
from service.server import serve
from service.settings import from_environ


class StockModel:
    """A ChatModel as short as the SDK's documentation shows it."""

    def __init__(self, traits: ModelTraits, base_url: str | None, api_key: str) -> None:
        self.traits = traits
        self._client = openai.OpenAI(base_url=base_url, api_key=api_key or "none", max_retries=0)

    def ready(self) -> str | None:
        return None

    def close(self) -> None:
        self._client.close()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        call.budget.spend()
        body = Terms().body(self.traits.name, call)
        completion = self._client.chat.completions.create(**body, timeout=deadline.check())
        return Reply(completion.choices[0].message.content or "", completion.model, ResponseFormat.JSON_SCHEMA)


if __name__ == "__main__":
    # All else must be what the service does: keeping answers, counting, turns, breaker.
    wiring.OpenAIChatModel = StockModel  # type: ignore[assignment,misc]
    serve(from_environ(os.environ), check=lambda _: None)
