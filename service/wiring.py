"""The only place that picks concrete classes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from threading import Semaphore, Thread, active_count
from urllib.parse import urlsplit

import structlog

from service.codec import canonical
from service.deadline import Deadline
from service.errors import FactCheckError, SetupError
from service.fencing import Fencing
from service.fetch.base import NoFetcher, PageFetcher
from service.limits.chosen import build_limiter
from service.llm.base import ChatModel, Circuit, ModelCall, ModelTraits, UpstreamState
from service.llm.breaker import CircuitBreaker
from service.llm.catalogue import load, resolve
from service.llm.download import fetch
from service.llm.embedded import Connection, EmbeddedModel
from service.llm.engine import Engine, EngineAddress, EngineConfig
from service.llm.guarded import GuardedModel
from service.llm.observed import ObservedModel
from service.llm.openai_chat import DEFAULT_BASE_URL, OpenAIChatModel
from service.llm.retry_tokens import RetryTokens
from service.llm.retrying import RetryingModel
from service.llm.sources import Progress, SilentProgress
from service.metrics import Gauge
from service.observing import ModelRepeated, Observer
from service.pipeline.analyze import EXTRACT_TASK, Fallback, Services, prompt_for
from service.pipeline.answers import Answers
from service.pipeline.extract import INPUTS, OUTPUT_TOKENS_PER_CHAR
from service.pipeline.gate import Gate
from service.pipeline.inquire import QUESTION_INPUTS
from service.pipeline.replies import READABLE
from service.pipeline.schedule import Limits, Schedule
from service.pipeline.speaker_reply import SPEAKER_SCHEMAS
from service.pipeline.ways import SPEAKER_TASK
from service.prompt_files import find_prompts, load_prompts
from service.prompting import PromptLibrary
from service.settings import Endpoint, Settings
from service.store.base import NoStore, Store
from service.store.guarded import GuardedStore
from service.store.memory import MemoryStore
from service.store.redis import RedisStore
from service.store.sqlite import SqliteStore
from service.text.language import prepare
from service.text.worth import CheckWorthiness, load_weights
from service.watchers import Watchers
from service.web.seal import Sealer

DEFAULT_REMOTE_MODEL = "gpt-4.1-mini"
_WARM_UP_S = 60.0
_PATIENCE = 0.5  # of the usual deadline: a call that waited so long has been given its chance
_STAND_IN_ARTICLES = 2  # the embedded engine reads one passage at a time; more would only wait for each other
_ENGINE_QUEUE = 8
_ENGINE_RETRY_AFTER_S = 10.0
_INSTRUCTION_TOKENS = 2_000
_INPUT_TOKENS_PER_CHAR = 0.7  # of a script whose letters take two bytes
_SHORTEST_PASSAGE_CHARS = 200


def build_services(settings: Settings, *, progress: Progress | None = None, drafts: bool = False) -> Services:
    """The services these settings describe; fetches the embedded model's weights when they are not there yet.

    Raises: SetupError for prompt files, catalogue, weights, key and temporary folder; nothing is left for a request to find.
    """
    prompts = load_prompts(find_prompts(), drafts=drafts)
    _check_usable(prompts)
    try:
        prepare()
    except OSError as error:
        raise SetupError("the temporary folder has no room to unpack the language classifier: 65 MB are needed") from error
    progress = progress or SilentProgress()
    first = _embedded(settings.model, settings, progress) if settings.embedded else _remote(_first_endpoint(settings), settings)
    others = [
        _embedded(None, settings, progress) if endpoint is None else _remote(endpoint, settings)
        for endpoint in settings.fallbacks
    ]
    fencing = Fencing.of(settings.seal_key)
    if settings.embedded and not first.traits.left_alone:
        Thread(target=_warm_up, args=(first, prompts, fencing), name="warm-up", daemon=True).start()
    watchers = Watchers(settings)
    services = _services(
        [_Upstream(model, settings, watchers.observer) for model in (first, *others)], prompts, settings, watchers
    )
    return replace(services, fencing=fencing)


def build_sealer(settings: Settings) -> Sealer:
    """What seals answers and knows them again; without a key in the settings, those of this process only."""
    return Sealer(settings.seal_key)


class _Upstream:
    """A model as it is asked: behind its own circuit breaker, with its own repeats."""

    def __init__(self, connection: Connection, settings: Settings, observer: Observer) -> None:
        self.connection = connection
        self._breaker = CircuitBreaker(on_change=self._log)
        self._tokens = RetryTokens()
        guarded = GuardedModel(connection, self._breaker, settings.deadline_s * _PATIENCE)
        self.model = RetryingModel(
            ObservedModel(guarded, observer),
            settings.attempts,
            tokens=self._tokens,
            on_repeat=lambda: observer.tell(ModelRepeated(connection.traits.name)),
        )

    def state(self) -> UpstreamState:
        """How its endpoint has done lately."""
        traits, breaker = self.connection.traits, self._breaker.state
        return UpstreamState(traits.name, traits.endpoint, **asdict(breaker), retry_tokens=self._tokens.balance)

    def _log(self, circuit: Circuit, reason: str) -> None:
        traits = self.connection.traits
        structlog.get_logger().warning(
            "circuit breaker", status=circuit, model=traits.name, endpoint=traits.endpoint, reason=reason
        )


def _services(upstreams: Sequence[_Upstream], prompts: PromptLibrary, settings: Settings, watchers: Watchers) -> Services:
    # Two articles in turns on one engine would both be late; who waits for it knows that it is slow, and few can.
    limits = Limits(settings.max_model_calls, settings.parallel_calls)
    gate = Gate(settings.server_threads)
    if settings.embedded:
        limits = Limits(calls=1, articles=1, patience_s=None)
        gate = Gate(min(settings.server_threads, _ENGINE_QUEUE), retry_after_s=_ENGINE_RETRY_AFTER_S)
    schedule = Schedule(limits)
    bare_store = build_store(settings)
    store = GuardedStore(bare_store)
    fetcher = build_fetcher(settings)
    paid = [upstream.connection.traits.name for upstream in upstreams if not isinstance(upstream.connection, EmbeddedModel)]
    limiter = build_limiter(settings.limits, settings.redis_url, paid, watchers.observer, longest_s=settings.deadline_s)

    def close() -> None:
        schedule.close()
        for upstream in upstreams:
            upstream.connection.close()
        fetcher.close()
        store.close()
        limiter.close()
        watchers.close()

    fallbacks = tuple(
        Fallback(upstream.model) if endpoint else Fallback(upstream.model, stand_in=True, slots=Semaphore(_STAND_IN_ARTICLES))
        for upstream, endpoint in zip(upstreams[1:], settings.fallbacks, strict=True)
    )

    def states() -> tuple[UpstreamState, ...]:
        return tuple(upstream.state() for upstream in upstreams)

    watchers.metrics.watch(_gauges(gate, schedule), states)
    return Services(
        upstreams[0].model,
        prompts,
        close=close,
        gate=gate,
        schedule=schedule,
        store=store,
        history=NoStore() if settings.keeps_nothing or not settings.history.enabled else bare_store,
        answers=Answers(
            store, 0 if settings.keeps_nothing else settings.cache_ttl_s, _origin(upstreams[0].connection.traits, settings)
        ),
        fallbacks=fallbacks,
        upstreams=states,
        fetcher=fetcher,
        worth=CheckWorthiness(load_weights()),
        limits=limiter,
        observer=watchers.observer,
        metrics=watchers.metrics.text,
        traced=watchers.traced,
    )


def _gauges(gate: Gate, schedule: Schedule) -> tuple[Gauge, ...]:
    return (
        ("requests_inside", "Requests for an analysis that are being served.", lambda: gate.inside),
        ("requests_most", "Requests for an analysis that can be served at a time.", lambda: gate.capacity),
        ("passages_running", "Passages being read.", lambda: schedule.running),
        ("passages_most", "Passages that can be read at a time.", lambda: schedule.limits.calls),
        ("passages_waiting", "Passages that wait for their turn.", lambda: schedule.waiting),
        ("threads", "Threads of the process.", active_count),
    )


def build_fetcher(settings: Settings) -> PageFetcher:
    """What fetches articles by their addresses; nothing does unless the settings say so."""
    if not settings.fetch_urls:
        return NoFetcher()
    from service.fetch.web import WebFetcher  # noqa: PLC0415 - an HTTP client that most services never need

    return WebFetcher()


def build_store(settings: Settings) -> Store:
    """Where answers are kept; nothing is opened before it is used, and nothing that is wrong with it stops the service."""
    if settings.keeps_nothing:
        return NoStore()
    if settings.redis_url is not None:
        return RedisStore(settings.redis_url)
    if settings.cache_file is not None:
        return SqliteStore(settings.cache_file.expanduser(), settings.cache_bytes)
    return MemoryStore(settings.cache_bytes)


def _origin(traits: ModelTraits, settings: Settings) -> str:
    """What an answer depends on besides its question, as a hash: the model, where it is asked, and every line of our code."""
    code = sha256()
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        code.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    weights = None
    if settings.embedded:
        entry = resolve(settings.model, load(), settings.model_dir)
        file = entry.local and entry.local.stat()
        weights = [entry.sha256, file and [str(entry.local), file.st_size, file.st_mtime_ns]]
    return sha256(canonical([traits, settings.base_url, weights, code.hexdigest()]).encode()).hexdigest()


def _check_usable(prompts: PromptLibrary) -> None:
    """Nothing, when every prompt a request may name asks only for what can be filled in and gets replies that can be read."""
    faults = []
    usable = {EXTRACT_TASK: (INPUTS, READABLE), SPEAKER_TASK: (QUESTION_INPUTS, SPEAKER_SCHEMAS)}
    for prompt in prompts:
        if prompt.task in usable:
            inputs, readable = usable[prompt.task]
            faults += [f"{prompt.name}: no such input: {name}" for name in sorted(prompt.inputs - inputs)]
            if prompt.output.name not in readable:
                faults.append(f"{prompt.name}: replies in {prompt.output.name} cannot be read")
    if faults:
        raise SetupError("these prompts cannot be used", faults)


def fetch_weights(settings: Settings, progress: Progress | None = None) -> None:
    """Nothing: the embedded model's weights, where these settings need them, are there and verified.

    Raises: SetupError.
    """
    wanted = [settings.model] if settings.embedded else [None] * settings.fallbacks.count(None)
    for model in wanted:
        fetch(resolve(model, load(), settings.model_dir), settings.model_dir, settings.hub_url, progress or SilentProgress())


def _first_endpoint(settings: Settings) -> Endpoint:
    return Endpoint(settings.base_url or DEFAULT_BASE_URL, settings.api_key, settings.model or DEFAULT_REMOTE_MODEL)


def _remote(endpoint: Endpoint, settings: Settings) -> OpenAIChatModel:
    traits = ModelTraits(
        name=endpoint.model,
        endpoint=urlsplit(endpoint.base_url).hostname or "",
        context_tokens=settings.context_tokens,
        max_output_tokens=settings.max_output_tokens,
        passage_chars=_passage_chars(settings),
    )
    return OpenAIChatModel(traits, endpoint.base_url, endpoint.api_key or "")


def _passage_chars(settings: Settings) -> int:
    """How long a passage may be planned: half of what a call can take, because passages run up to twice that length.

    Raises: SetupError when that is too little to be of use.
    """
    room = min(
        settings.max_output_tokens / OUTPUT_TOKENS_PER_CHAR,
        (settings.context_tokens - _INSTRUCTION_TOKENS) / (OUTPUT_TOKENS_PER_CHAR + _INPUT_TOKENS_PER_CHAR),
    )
    if room / 2 < _SHORTEST_PASSAGE_CHARS:
        raise SetupError("FACTCHECK_MAX_OUTPUT_TOKENS or FACTCHECK_CONTEXT_TOKENS leave no room for a passage of an article")
    return min(settings.passage_chars, int(room / 2))


def _embedded(name: str | None, settings: Settings, progress: Progress) -> EmbeddedModel:
    """The embedded model of that name, or the default one; its engine is started when it is first asked."""
    entry = resolve(name, load(), settings.model_dir)
    weights = fetch(entry, settings.model_dir, settings.hub_url, progress)
    engine = Engine(EngineConfig(weights, entry.name, entry.context_tokens, threads=settings.engine_threads))

    def connect(address: EngineAddress) -> OpenAIChatModel:
        return OpenAIChatModel(model.traits, address.base_url, address.api_key)

    model = EmbeddedModel(engine, entry, connect)
    return model


def _warm_up(model: ChatModel, prompts: PromptLibrary, fencing: Fencing) -> None:
    """Nothing: the engine runs and has read the constant part of the prompt, so that the first article need not wait for it."""
    prompt = prompt_for(None, model.traits, prompts)
    messages = prompt.render(dict.fromkeys(prompt.inputs, ""), fencing.canary)
    with suppress(FactCheckError):  # a request will meet the same fault and tell it; the one token asked for is cut off
        model.complete(ModelCall(messages, prompt.output, 0.0, 1), Deadline.after(_WARM_UP_S))
