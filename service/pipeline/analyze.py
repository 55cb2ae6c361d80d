"""The flow, from an article to its analysis, on one screen: each step takes one type and returns the next."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from service.deadline import Deadline
from service.domain import Analysis, ArticleInput, Options, Passage
from service.llm.base import ChatModel
from service.pipeline.assemble import Outcome, assemble
from service.pipeline.extract import Asking, extract
from service.pipeline.ingest import ingest
from service.pipeline.prove import prove
from service.prompting import Prompt, PromptLibrary
from service.text.segment import segment

EXTRACT_TASK = "extract_claims"
REPAIR_TASK = "repair_claims"


def _nothing_to_close() -> None:
    """Most services hold nothing that must be given back."""


@dataclass(frozen=True)
class Services:
    """What an analysis needs of the outside world. `close` gives back what they hold."""

    model: ChatModel
    prompts: PromptLibrary
    clock: Callable[[], float] = monotonic
    close: Callable[[], None] = _nothing_to_close


def analyze(given: ArticleInput, options: Options, prompt: Prompt, services: Services, deadline: Deadline) -> Analysis:
    """The proved claims of an article.

    Raises: ArticleTooLongError, ModelError, DeadlineExceededError. A failure is never an analysis without claims.
    """
    started = services.clock()
    article = ingest(given)
    passage = Passage(article, segment(article.text, article.language))
    asking = Asking(prompt, services.prompts.select(None, REPAIR_TASK))
    extraction = extract(passage, options, asking, services.model, deadline)
    proof = prove(passage, extraction.proposed, options)
    deadline.check()
    took_ms = round((services.clock() - started) * 1000)
    return assemble(passage, prompt, services.model.traits, Outcome(extraction, proof, took_ms))
