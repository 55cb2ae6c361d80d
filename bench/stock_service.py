"""The service as it is, but for the model call: the SDK's stock `client.chat.completions.create` and its stock transport."""

import os

import openai

from service.deadline import Deadline
from service.llm.base import ModelCall, ModelTraits, Reply, ResponseFormat
from service.llm.negotiation import Terms
from service.pipeline.analyze import Services
from service.pipeline.gate import Gate
from service.pipeline.schedule import Limits, Schedule
from service.prompt_files import find_prompts, load_prompts
from service.server import serve
from service.settings import Settings, from_environ


class StockModel:
    """A ChatModel as short as the SDK's documentation shows it."""

    def __init__(self) -> None:
        self.traits = ModelTraits("gpt-4.1-mini", "127.0.0.1", 32_768, 8_192)
        self._client = openai.OpenAI(api_key="none", max_retries=0)

    def ready(self) -> str | None:
        return None

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        completion = self._client.chat.completions.create(**Terms().body(self.traits.name, call), timeout=deadline.check())
        return Reply(completion.choices[0].message.content or "", completion.model, ResponseFormat.JSON_SCHEMA)


def build(settings: Settings) -> Services:
    schedule = Schedule(Limits(settings.max_model_calls, settings.parallel_calls))
    return Services(StockModel(), load_prompts(find_prompts()), gate=Gate(settings.server_threads), schedule=schedule)


if __name__ == "__main__":
    serve(from_environ(os.environ), check=lambda _: None, build=build)
