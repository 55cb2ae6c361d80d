"""The whole service over a fault server, everything real but the waits between attempts, and what came of one request."""

import io
import json
import logging
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Condition
from time import monotonic
from typing import Any

import structlog

from service.app import create_app
from service.deadline import Deadline
from service.domain import ArticleInput
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply
from service.llm.openai_chat import OpenAIChatModel
from service.llm.retry_tokens import EARNED_BY_A_QUESTION, MOST, RetryTokens
from service.llm.retrying import RetryingModel
from service.logs import configure_logs
from service.pipeline.analyze import Services
from service.pipeline.ingest import ingest
from service.pipeline.plan import plan
from service.pipeline.schedule import Limits, Schedule
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from service.text.segment import segment
from tests.faultserver import UPSTREAM_WORDS, FaultServer, Plan

KEY = "sk-canary-key-4711-quillon"
ARTICLE_WORD = "Quillfeather"
"""Stands in every sentence of these articles."""

LIMIT_S = 10.0
SHORT_LIMIT_S = 1.5
PART_FACTOR = 3
"""A part is put together after the rest has been given up, and a busy machine needs time for that."""

MOST_CALLS = 3

ONE = " ".join(
    f"Minister {ARTICLE_WORD} {number} told the house that bridge {number} cost {number * 3} million." for number in range(1, 7)
)
FIVE = " ".join(
    f"Minister {ARTICLE_WORD} {number} told the house that bridge {number} cost {number * 3} million."
    for number in range(1, 61)
)
FAULTY = "bridge 30 cost"
"""Words in one passage of five."""

_LIBRARY = load_prompts(find_prompts())


@dataclass(frozen=True)
class Outcome:
    """What one request came to: the answer, and what was seen on both sides while it was made.

    `log` is the fault server's, `said` everything the service logged, `slept` the seconds it would have waited. `starts` are
    the numbers of the sentences that passages begin with.
    """

    status: int
    body: str
    headers: Mapping[str, str]
    took_s: float
    log: list[dict[str, Any]]
    said: str
    slept: list[float]
    server: FaultServer
    starts: tuple[int, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def code(self) -> str:
        """The problem's code; of an answer, its status and what its reader is warned of."""
        if self.status != 200:
            return str(self.document["code"])
        return ", ".join([self.document["status"], *(one["code"] for one in self.document["warnings"])])

    @property
    def calls(self) -> int:
        """The most calls that any passage cost, in whatever parts it was read."""
        counts = Counter(bisect_right(self.starts, int(entry["first_sentence"] or 0)) for entry in self.log)
        return max(counts.values(), default=0)


def request(plan: Plan, text: str, *, passages: int = 1, limit_s: float = LIMIT_S, **options: Any) -> Outcome:
    """What an article came to, sent to the service over an endpoint that keeps to `plan`."""
    slept: list[float] = []
    with FaultServer(plan) as server, _logged() as said, closing(Schedule(Limits(calls=passages))) as schedule:
        traits = ModelTraits("asked-model", "double", 32_768, 16_384, passage_chars=len(text) // passages)
        with closing(OpenAIChatModel(traits, server.base_url, KEY)) as model:
            patient = RetryingModel(model, MOST_CALLS, tokens=_full(), sleep=slept.append, random=lambda: 0.5)
            awaited = Awaited(patient)
            app = create_app(Settings(deadline_s=limit_s), Services(awaited, _LIBRARY, schedule=schedule))
            began = monotonic()
            response = app.test_client().post("/analyze", json={"article": {"text": text}, "options": options})
            took_s = monotonic() - began
            awaited.wait_until_idle()
        body, headers = response.get_data(as_text=True), dict(response.headers)
        log = [dict(entry) for entry in server.log]
        return Outcome(response.status_code, body, headers, took_s, log, said.getvalue(), slept, server, _starts(text, traits))


def _starts(text: str, traits: ModelTraits) -> tuple[int, ...]:
    article = ingest(ArticleInput(text))
    planned = plan(article, segment(text, article.language), traits.passage_chars)
    return tuple(passage.sentences[0].number for passage in planned)


class Awaited:
    """A model that can be waited for: a passage may still be read when its request has been answered."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._changed = Condition()
        self._calls = 0

    @property
    def traits(self) -> ModelTraits:
        return self._model.traits

    def ready(self) -> str | None:
        return self._model.ready()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        with self._changed:
            self._calls += 1
        try:
            return self._model.complete(call, deadline)
        finally:
            with self._changed:
                self._calls -= 1
                self._changed.notify_all()

    def wait_until_idle(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._calls == 0, 2 * LIMIT_S)


def _full() -> RetryTokens:
    """As many repeats as are ever saved up: enough for every passage of these articles."""
    tokens = RetryTokens()
    for _ in range(round(MOST / EARNED_BY_A_QUESTION)):
        tokens.earn()
    return tokens


@contextmanager
def _logged() -> Iterator[io.StringIO]:
    """Everything logged at the most talkative level; both logging systems are put back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("debug", stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        root.handlers = handlers
        root.setLevel(level)


@cache
def measured(mode: str, shape: str, limit_s: float = LIMIT_S) -> Outcome:
    """What a mode of the fault server comes to, measured once in a process.

    `shape` is "one" passage, "five" passages, "part" (a fault in one of five, and a part allowed), "whole" (the same, and
    no part allowed) or "once" (one passage, the fault not repeated).
    """
    if shape in {"one", "once"}:
        return request(Plan(mode, times=1 if shape == "once" else None), ONE, limit_s=limit_s)
    plan = Plan(mode) if shape == "five" else Plan(mode, only=FAULTY)
    if shape == "part":
        limit_s = min(limit_s * PART_FACTOR, LIMIT_S)
    # With a part allowed every passage comes to its own end, so that what each cost can be told.
    return request(plan, FIVE, passages=5, limit_s=limit_s, allow_partial=shape != "whole")


@cache
def claims_in_good_weather(text: str, passages: int) -> list[Any]:
    """The claims an endpoint without faults finds: what any whole answer must be."""
    claims: list[Any] = request(Plan(), text, passages=passages).document["claims"]
    return claims


def leaks(outcome: Outcome) -> list[str]:
    """What came out that must not: the key, the endpoint's words, markup; of an article that is not answered, anything."""
    told = outcome.body + json.dumps(dict(outcome.headers)) + outcome.said
    secret = [KEY, KEY[-8:], UPSTREAM_WORDS, "<html", "<h1>", "Traceback"]
    found = [word for word in secret if word in told]
    if ARTICLE_WORD in (outcome.said if outcome.status == 200 else told):
        found.append(ARTICLE_WORD)
    return found
