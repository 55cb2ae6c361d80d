"""The flow, from an article to its analysis, on one screen: each step takes one type and returns the next."""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic

from service.deadline import Deadline
from service.domain import Analysis, ArticleInput, Options, Passage
from service.llm.base import ChatModel
from service.pipeline.assemble import Outcome, assemble
from service.pipeline.extract import Asking, extract
from service.pipeline.ingest import ingest
from service.pipeline.merge import merge
from service.pipeline.plan import plan
from service.pipeline.prove import Prover
from service.pipeline.read import Reading, read
from service.prompting import Prompt, PromptLibrary
from service.text.segment import segment

EXTRACT_TASK = "extract_claims"
REPAIR_TASK = "repair_claims"
PARALLEL_CALLS = 8
_ASSEMBLY_S = 0.25


def _nothing_to_close() -> None:
    """Most services hold nothing that must be given back."""


@dataclass(frozen=True)
class Services:
    """What an analysis needs of the outside world. `pool` reads passages side by side; `close` gives back what is held."""

    model: ChatModel
    prompts: PromptLibrary
    clock: Callable[[], float] = monotonic
    close: Callable[[], None] = _nothing_to_close
    pool: Executor = field(default_factory=lambda: ThreadPoolExecutor(PARALLEL_CALLS, thread_name_prefix="passage"))


def choose(ref: str | None, services: Services) -> Prompt:
    """The prompt a request names, else the one written for the model, else the active one.

    Raises: UnknownPromptError.
    """
    return services.prompts.select(services.model.traits.prompt if ref is None else ref, EXTRACT_TASK)


def analyze(given: ArticleInput, options: Options, prompt: Prompt, services: Services, deadline: Deadline) -> Analysis:
    """The proved claims of an article.

    Raises: ArticleTooLongError, ModelError, DeadlineExceededError. A failure is never an analysis without claims.
    """
    started, model = services.clock(), services.model
    article = ingest(given)
    sentences = segment(article.text, article.language)
    passages = plan(article, sentences, model.traits.passage_chars)
    prover = Prover(article.text, sentences)
    asking = Asking(prompt, services.prompts.select(None, REPAIR_TASK))
    # Where a part is enough, the passages must end in time for the rest to be put together.
    reading_deadline = deadline.sooner(_ASSEMBLY_S) if options.allow_partial and len(passages) > 1 else deadline

    def read_one(passage: Passage) -> Reading:
        extraction = extract(passage, options, asking, model, reading_deadline)
        reading_deadline.check()
        return Reading(passage, extraction, prover.prove(extraction.proposed))

    readings = read(passages, read_one, services.pool, reading_deadline, allow_partial=options.allow_partial)
    merged = merge((claim for reading in readings for claim in reading.proof.claims), options)
    deadline.check()
    took_ms = round((services.clock() - started) * 1000)
    return assemble(article, prompt, model.traits, Outcome(readings, merged, took_ms))
