"""The flow, from an article to its analysis, on one screen: each step takes one type and returns the next."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Semaphore
from time import monotonic

from service.codec import canonical
from service.deadline import Deadline
from service.domain import Analysis, ArticleInput, Options, Passage
from service.earlier import Previous
from service.errors import AnswerShapeError
from service.fencing import Fencing
from service.fetch.base import NoFetcher, PageFetcher
from service.limits.limiter import Limiter
from service.llm.base import ChatModel, ModelTraits, UpstreamState
from service.observing import Observer, Steps, Unobserved
from service.pipeline.answers import Answers
from service.pipeline.assemble import Outcome, assemble
from service.pipeline.extract import Allowance, Asking, Extraction
from service.pipeline.following import Account, Follower, nobody
from service.pipeline.gate import Gate
from service.pipeline.ingest import ingest
from service.pipeline.merge import merge
from service.pipeline.parts import read_in_parts
from service.pipeline.plan import plan
from service.pipeline.previous import Recall
from service.pipeline.prove import Prover
from service.pipeline.read import Readings, read
from service.pipeline.schedule import Schedule
from service.pipeline.suspect import suspect
from service.pipeline.ways import SPEAKER_TASK, way
from service.prompting import Prompt, PromptLibrary
from service.store.base import NoStore, Store
from service.text.segment import segment
from service.text.worth import CheckWorthiness

EXTRACT_TASK = "extract_claims"
REPAIR_TASK = "repair_claims"
_ASSEMBLY_S = 0.25


def _nothing_to_close() -> None:
    """Most services hold nothing that must be given back."""


def _nothing_known() -> tuple[UpstreamState, ...]:
    """Most models are not watched."""
    return ()


def _nothing_measured() -> bytes:
    """Most services are not measured."""
    return b""


@dataclass(frozen=True)
class Fallback:
    """A model to ask when those before it cannot answer.

    `stand_in` marks its answers by their status: they are not what the service is trusted for. `slots` is how many articles
    it takes at a time; None means any number.
    """

    model: ChatModel
    stand_in: bool = False
    slots: Semaphore | None = None


@dataclass(frozen=True)
class Services:
    """What an analysis needs of the outside world.

    `gate` bounds the requests taken in, `schedule` what is asked of the models at a time; `close` gives back what is held.
    `fallbacks` are asked in their order when `model` cannot answer, by `pipeline.fallback` only. `upstreams` tells how the
    models' endpoints have done lately. `answers` are those kept and those being made; `store` is where they and the replies
    to requests with a key are; `history` where analyses are that callers wanted stored: the one store whose failures are
    theirs to know. `worth` judges what is worth checking where no model does; None leaves it open.
    `limits` holds each tenant to what they may have.
    `observer` is told of the work done; `metrics` is what came of that, as `/metrics` shows it. `fencing` keeps articles apart
    from instructions. With `traced`, a trace that begins here is recorded.
    """

    model: ChatModel
    prompts: PromptLibrary
    clock: Callable[[], float] = monotonic
    close: Callable[[], None] = _nothing_to_close
    gate: Gate = field(default_factory=Gate)
    schedule: Schedule = field(default_factory=Schedule)
    store: Store = field(default_factory=NoStore)
    answers: Answers = field(default_factory=Answers)
    history: Store = field(default_factory=NoStore)
    fallbacks: tuple[Fallback, ...] = ()
    upstreams: Callable[[], tuple[UpstreamState, ...]] = _nothing_known
    fetcher: PageFetcher = field(default_factory=NoFetcher)
    worth: CheckWorthiness | None = None
    limits: Limiter = field(default_factory=Limiter)
    observer: Observer = field(default_factory=Unobserved)
    metrics: Callable[[], bytes] = _nothing_measured
    fencing: Fencing = field(default_factory=Fencing)
    traced: bool = False


def choose(ref: str | None, services: Services) -> Prompt:
    """The prompt a request names, else the one written for the model, else the active one.

    Raises: UnknownPromptError.
    """
    return prompt_for(ref, services.model.traits, services.prompts)


def prompt_for(ref: str | None, traits: ModelTraits, prompts: PromptLibrary) -> Prompt:
    """That prompt, of a model with these traits.

    Raises: UnknownPromptError.
    """
    chosen = traits.prompt if ref is None else ref
    task = SPEAKER_TASK if chosen and chosen.partition("@")[0] == SPEAKER_TASK else EXTRACT_TASK
    return prompts.select(chosen, task)


def analyze(  # noqa: PLR0913 - the parts of a request, each of a type of its own, and whose it is
    given: ArticleInput,
    options: Options,
    prompt: Prompt,
    services: Services,
    deadline: Deadline,
    *,
    previous: Previous | None = None,
    caller: str = "",
    in_vain_s: float = 0.0,
    follow: Follower = nobody,
) -> Analysis:
    """The proved claims of an article; what a `previous` answer shows to have been asked already is not asked again.

    Callers have their turns at the model one after another; `in_vain_s` is how long this one has waited for a place before.
    `follow` is told how far it is, and each claim as it is proved.

    Raises: ArticleTooLongError, ModelError, DeadlineExceededError, OverloadedError, ClientGoneError, AnswerShapeError. A
    failure is never an analysis without claims.
    """
    deadline.check()
    started, model = services.clock(), services.model
    steps = Steps(services.observer, services.clock)
    article = steps.take("ingest", ingest, given)
    sentences = steps.take("segment", segment, article.text, article.language)
    asking = Asking(prompt, services.prompts.select(None, REPAIR_TASK), services.fencing)
    recall = Recall(previous, article, options, asking, model.traits)
    passages = steps.take("plan", plan, article, sentences, model.traits.passage_chars, recall.known)
    prover, account = Prover(article.text, sentences, article.language), Account(follow, options)
    proposing = way(article, sentences, options, asking, model, worth=services.worth)
    # Where a part is enough, the passages must end in time for the rest to be put together.
    until = deadline.sooner(_ASSEMBLY_S) if options.allow_partial and len(passages) > 1 else deadline
    with until.branch() as reading_deadline, services.schedule.turn(caller, reading_deadline, in_vain_s) as turn:

        def propose(passage: Passage, allowance: Allowance) -> Extraction:
            return steps.take("extract", proposing.propose, passage, reading_deadline, allowance)

        def read_one(passage: Passage) -> Readings:
            recalled = recall.reading(passage)
            came = (recalled,) if recalled else read_in_parts(passage, propose, allow_partial=options.allow_partial)
            reading_deadline.check()
            return tuple(
                replace(reading, proof=steps.take("prove", prover.prove, reading.extraction.proposed)) for reading in came
            )

        readings = read(passages, read_one, turn, reading_deadline, allow_partial=options.allow_partial, account=account)
    suspected = steps.take("suspect", suspect, article)
    account.merging()
    merged = steps.take("merge", merge, (claim for reading in readings for claim in reading.proof.claims), options)
    deadline.check()
    took_ms = round((services.clock() - started) * 1000)
    outcome = Outcome(readings, merged, took_ms, proposing.decided_by, (*proposing.caveats, *suspected))
    analysis = steps.take("assemble", assemble, article, prompt, model.traits, outcome)
    return recall.noted(_unleaked(analysis, services.fencing), readings, merged)


def _unleaked(analysis: Analysis, fencing: Fencing) -> Analysis:
    """The analysis, which says nothing of the instructions; each reply it is made of was searched before it was read.

    Raises: AnswerShapeError.
    """
    if fencing.canary in canonical([analysis.claims, analysis.set_aside]):
        raise AnswerShapeError("the answer holds the canary of the instructions")
    return analysis
