"""The only place that picks concrete classes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread
from urllib.parse import urlsplit

from service.deadline import Deadline
from service.errors import FactCheckError, SetupError
from service.llm.base import ChatModel, ModelCall, ModelTraits
from service.llm.catalogue import load, resolve
from service.llm.download import fetch
from service.llm.embedded import EmbeddedModel
from service.llm.engine import Engine, EngineAddress, EngineConfig
from service.llm.openai_chat import DEFAULT_BASE_URL, OpenAIChatModel
from service.llm.retrying import RetryingModel
from service.llm.sources import Progress, SilentProgress
from service.pipeline.analyze import EXTRACT_TASK, Services
from service.pipeline.extract import INPUTS, OUTPUT_TOKENS_PER_CHAR
from service.pipeline.replies import READABLE
from service.prompt_files import find_prompts, load_prompts
from service.prompting import PromptLibrary
from service.settings import Settings
from service.text.language import prepare

DEFAULT_REMOTE_MODEL = "gpt-4.1-mini"
_WARM_UP_S = 60.0
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
    if settings.embedded:
        return _embedded(settings, prompts, progress or SilentProgress())
    remote = _remote(settings)
    return _services(remote, prompts, settings, remote.close)


def _services(model: ChatModel, prompts: PromptLibrary, settings: Settings, close_model: Callable[[], None]) -> Services:
    pool = ThreadPoolExecutor(settings.parallel_calls, thread_name_prefix="passage")

    def close() -> None:
        pool.shutdown(wait=False, cancel_futures=True)
        close_model()

    return Services(RetryingModel(model, settings.attempts), prompts, close=close, pool=pool)


def _check_usable(prompts: PromptLibrary) -> None:
    """Nothing, when every extraction prompt asks only for what can be filled in and gets replies that can be read."""
    faults = []
    for prompt in prompts:
        if prompt.task == EXTRACT_TASK:
            faults += [f"{prompt.name}: no such input: {name}" for name in sorted(prompt.inputs - INPUTS)]
            if prompt.output.name not in READABLE:
                faults.append(f"{prompt.name}: replies in {prompt.output.name} cannot be read")
    if faults:
        raise SetupError("these prompts cannot be used", faults)


def fetch_weights(settings: Settings, progress: Progress | None = None) -> None:
    """Nothing: the embedded model's weights, where these settings need them, are there and verified.

    Raises: SetupError.
    """
    if settings.embedded:
        entry = resolve(settings.model, load(), settings.model_dir)
        fetch(entry, settings.model_dir, settings.hub_url, progress or SilentProgress())


def _remote(settings: Settings) -> OpenAIChatModel:
    address = settings.base_url or DEFAULT_BASE_URL
    traits = ModelTraits(
        name=settings.model or DEFAULT_REMOTE_MODEL,
        endpoint=urlsplit(address).hostname or "",
        context_tokens=settings.context_tokens,
        max_output_tokens=settings.max_output_tokens,
        passage_chars=_passage_chars(settings),
    )
    return OpenAIChatModel(traits, address, settings.api_key or "")


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


def _embedded(settings: Settings, prompts: PromptLibrary, progress: Progress) -> Services:
    entry = resolve(settings.model, load(), settings.model_dir)
    weights = fetch(entry, settings.model_dir, settings.hub_url, progress)
    engine = Engine(EngineConfig(weights, entry.name, entry.context_tokens, threads=settings.engine_threads))

    def connect(address: EngineAddress) -> OpenAIChatModel:
        return OpenAIChatModel(model.traits, address.base_url, address.api_key)

    model = EmbeddedModel(engine, entry, connect)
    Thread(target=_warm_up, args=(model, prompts), name="warm-up", daemon=True).start()
    return _services(model, prompts, settings, model.close)


def _warm_up(model: ChatModel, prompts: PromptLibrary) -> None:
    """Nothing: the engine runs and has read the constant part of the prompt, so that the first article need not wait for it."""
    prompt = prompts.select(model.traits.prompt, EXTRACT_TASK)
    messages = prompt.render(dict.fromkeys(prompt.inputs, ""))
    with suppress(FactCheckError):  # a request will meet the same fault and tell it; the one token asked for is cut off
        model.complete(ModelCall(messages, prompt.output, 0.0, 1), Deadline.after(_WARM_UP_S))
