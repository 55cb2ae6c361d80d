"""Everything an operator can set, read once from the environment with every fault told together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError, validate

from service.access.settings import ACCESS_SETTING_NAMES, AccessSettings, access_faults, read_access
from service.errors import SetupError
from service.gateways import Gateways, host_faults
from service.history_settings import HISTORY_SETTING_NAMES, HistorySettings, read_history
from service.limits.settings import LIMIT_SETTING_NAMES, LimitSettings, read_limits
from service.secret_files import SECRET_FILES, read_secrets

EMBEDDED = "embedded"
"""The fallback that needs no endpoint."""

USUAL, NONE = "usual", "none"
"""What is kept: what the other settings say, or nothing."""

_READ_BY_EVALS = frozenset({"FACTCHECK_DATA"})
_FALLBACKS = ("1", "2", EMBEDDED)
_LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint, its key if it asks for one, and the model to ask of it."""

    base_url: str
    api_key: str | None = field(repr=False)
    model: str


@dataclass(frozen=True)
class Settings:
    """The service's settings. Without `base_url` and `api_key` the embedded model answers.

    `model` is the name asked of a remote endpoint, or a catalogue name or GGUF path of the embedded engine.
    A longer article is read in passages, at most one for each `passage_chars` characters, `parallel_calls` of them at a
    time; `max_model_calls` is how many the model is asked at a time for all articles, `server_threads` how many articles
    are being read or wait for it. `context_tokens` is what prompt and reply may fill together; `max_output_tokens` what a
    reply may fill.
    An endpoint that asks for no key needs none set. `engine_threads` 0 means one per core. Answers are sealed with `seal_key`,
    so that they can be built upon; without it, only until the process ends.
    Answers are kept for `cache_ttl_s` (0: not at all): in memory, or in `cache_file`, or in the Redis at `redis_url`.
    `fallback` names who answers, in this order, when the model cannot: `1` and `2` are the endpoints of that number, and
    `embedded` the default model of the embedded engine.
    `heartbeat_s` is the longest an event stream is silent; `history` is about answers that are stored for their callers.
    With `audit` a log line tells who had which article analysed. `gateways` holds settings of its own.
    `traces` is the OTLP collector that spans are sent to.
    With the `retention` `none` nothing of an article or an answer is kept, whatever else is set.
    Times are seconds, sizes bytes unless the name says characters or tokens.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    context_tokens: int = 32_768
    max_output_tokens: int = 16_384
    passage_chars: int = 6_000
    parallel_calls: int = 8
    max_model_calls: int = 64
    attempts: int = 3
    deadline_s: float = 120.0
    max_request_bytes: int = 1_000_000
    max_article_chars: int = 200_000
    model_dir: Path = field(default_factory=lambda: Path.home() / ".cache" / "factcheck" / "models")
    hub_url: str = "https://huggingface.co"
    fallback: tuple[str, ...] = ()
    fallback_1_base_url: str | None = None
    fallback_1_api_key: str | None = field(default=None, repr=False)
    fallback_1_model: str | None = None
    fallback_2_base_url: str | None = None
    fallback_2_api_key: str | None = field(default=None, repr=False)
    fallback_2_model: str | None = None
    engine_threads: int = 0
    server_threads: int = 96
    seal_key: str | None = field(default=None, repr=False)
    cache_ttl_s: float = 86_400.0
    cache_bytes: int = 64_000_000
    cache_file: Path | None = None
    redis_url: str | None = field(default=None, repr=False)
    fetch_urls: bool = False
    heartbeat_s: float = 15.0
    history: HistorySettings = field(default_factory=HistorySettings)
    log_level: str = "info"
    audit: bool = False
    identity: AccessSettings = field(default_factory=AccessSettings)
    gateways: Gateways = field(default_factory=Gateways)
    limits: LimitSettings = field(default_factory=LimitSettings)
    traces: str | None = None
    retention: str = USUAL

    @property
    def embedded(self) -> bool:
        """Whether the model runs in a child process of ours."""
        return self.base_url is None and self.api_key is None

    @property
    def keeps_nothing(self) -> bool:
        """Whether nothing of a request outlives its answer."""
        return self.retention == NONE

    @property
    def fallbacks(self) -> tuple[Endpoint | None, ...]:
        """Who is listed in `fallback`, in order; None is the embedded model."""
        known = {
            EMBEDDED: None,
            "1": Endpoint(self.fallback_1_base_url or "", self.fallback_1_api_key, self.fallback_1_model or ""),
            "2": Endpoint(self.fallback_2_base_url or "", self.fallback_2_api_key, self.fallback_2_model or ""),
        }
        return tuple(known[entry] for entry in self.fallback)


class _MappingEnv(Env):
    """environs reading a mapping it is given instead of the process environment."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._given = values

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key, default)


def _http_url(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValidationError("must be an http or https URL")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValidationError("must not carry credentials, a query or a fragment")


def _redis_url(value: str) -> None:
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment:
        raise ValidationError("must be like redis://host:6379/0, or rediss:// for TLS, without a query")


def _header_value(value: str) -> None:
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise ValidationError("holds characters that no HTTP header can carry")


def _fallback_faults(read: Settings, given: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the fallbacks taken together."""
    listed = read.fallback
    if not set(listed) <= set(_FALLBACKS):
        # What was put there instead may be a key.
        yield f"FACTCHECK_FALLBACK: each entry must be one of {', '.join(_FALLBACKS)}"
    if len(set(listed)) < len(listed):
        yield "FACTCHECK_FALLBACK: lists an entry twice"
    if EMBEDDED in listed and read.embedded:
        yield f"FACTCHECK_FALLBACK: {EMBEDDED} cannot stand in for itself; set OPENAI_BASE_URL or OPENAI_API_KEY"
    for number in ("1", "2"):
        names = {name: f"FACTCHECK_FALLBACK_{number}_{name}" for name in ("BASE_URL", "MODEL", "API_KEY")}
        if number in listed:
            yield from (
                f"{names[needed]}: must be set, because FACTCHECK_FALLBACK lists {number}"
                for needed in ("BASE_URL", "MODEL")
                if names[needed] not in given
            )
        else:
            yield from (f"{name}: FACTCHECK_FALLBACK does not list {number}" for name in names.values() if name in given)


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables; an empty variable counts as not set.

    Raises: SetupError naming every unknown, missing or malformed one, and every secret whose file cannot be read.
    """
    given, faults = read_secrets({name: value for name, value in environ.items() if value.strip()})
    env = _MappingEnv(given)
    positive = validate.Range(min=1)
    plain = Settings()
    read = Settings(
        host=env.str("FACTCHECK_HOST", plain.host),
        port=env.int("FACTCHECK_PORT", plain.port, validate=validate.Range(min=0, max=65_535)),
        base_url=env.str("OPENAI_BASE_URL", None, validate=_http_url),
        api_key=env.str("OPENAI_API_KEY", None),
        model=env.str("FACTCHECK_MODEL", None),
        context_tokens=env.int("FACTCHECK_CONTEXT_TOKENS", plain.context_tokens, validate=validate.Range(min=1_024)),
        max_output_tokens=env.int("FACTCHECK_MAX_OUTPUT_TOKENS", plain.max_output_tokens, validate=validate.Range(min=64)),
        passage_chars=env.int("FACTCHECK_PASSAGE_CHARS", plain.passage_chars, validate=validate.Range(min=200)),
        parallel_calls=env.int("FACTCHECK_PARALLEL_CALLS", plain.parallel_calls, validate=validate.Range(min=1, max=256)),
        max_model_calls=env.int("FACTCHECK_MAX_MODEL_CALLS", plain.max_model_calls, validate=validate.Range(min=1, max=1_024)),
        attempts=env.int("FACTCHECK_ATTEMPTS", plain.attempts, validate=validate.Range(min=1, max=3)),
        deadline_s=env.float("FACTCHECK_DEADLINE_S", plain.deadline_s, validate=validate.Range(min=0.1, max=3_600)),
        max_request_bytes=env.int("FACTCHECK_MAX_REQUEST_BYTES", plain.max_request_bytes, validate=positive),
        max_article_chars=env.int(
            "FACTCHECK_MAX_ARTICLE_CHARS", plain.max_article_chars, validate=validate.Range(min=1, max=200_000)
        ),
        model_dir=env.path("FACTCHECK_MODEL_DIR", plain.model_dir),
        hub_url=env.str("FACTCHECK_HUB_URL", plain.hub_url, validate=_http_url),
        fallback=tuple(entry.strip() for entry in given.get("FACTCHECK_FALLBACK", "").split(",") if entry.strip()),
        fallback_1_base_url=env.str("FACTCHECK_FALLBACK_1_BASE_URL", None, validate=_http_url),
        fallback_1_api_key=env.str("FACTCHECK_FALLBACK_1_API_KEY", None, validate=_header_value),
        fallback_1_model=env.str("FACTCHECK_FALLBACK_1_MODEL", None),
        fallback_2_base_url=env.str("FACTCHECK_FALLBACK_2_BASE_URL", None, validate=_http_url),
        fallback_2_api_key=env.str("FACTCHECK_FALLBACK_2_API_KEY", None, validate=_header_value),
        fallback_2_model=env.str("FACTCHECK_FALLBACK_2_MODEL", None),
        engine_threads=env.int("FACTCHECK_ENGINE_THREADS", plain.engine_threads, validate=validate.Range(min=0, max=256)),
        server_threads=env.int("FACTCHECK_SERVER_THREADS", plain.server_threads, validate=validate.Range(min=1, max=1_024)),
        seal_key=env.str("FACTCHECK_SEAL_KEY", None, validate=validate.Length(min=32)),
        cache_ttl_s=env.float("FACTCHECK_CACHE_TTL_S", plain.cache_ttl_s, validate=validate.Range(min=0, max=31_536_000)),
        cache_bytes=env.int("FACTCHECK_CACHE_BYTES", plain.cache_bytes, validate=validate.Range(min=1_000_000)),
        cache_file=env.path("FACTCHECK_CACHE_FILE", None),
        redis_url=env.str("FACTCHECK_REDIS_URL", None, validate=_redis_url),
        fetch_urls=env.bool("FACTCHECK_FETCH_URLS", plain.fetch_urls),
        heartbeat_s=env.float("FACTCHECK_HEARTBEAT_S", plain.heartbeat_s, validate=validate.Range(min=0.1, max=3_600)),
        history=read_history(env),
        log_level=env.str("FACTCHECK_LOG_LEVEL", plain.log_level, validate=validate.OneOf(_LOG_LEVELS)),
        audit=env.bool("FACTCHECK_AUDIT", plain.audit),
        identity=read_access(env),
        gateways=Gateways(
            proxy_hops=env.int("FACTCHECK_PROXY_HOPS", 0, validate=validate.Range(min=0, max=16)),
            hosts=tuple(entry.strip() for entry in given.get("FACTCHECK_HOSTS", "").split(",") if entry.strip()),
        ),
        limits=read_limits(env),
        traces=env.str("FACTCHECK_TRACES", None, validate=_http_url),
        retention=env.str("FACTCHECK_RETENTION", plain.retention, validate=validate.OneOf((USUAL, NONE))),
    )
    faults += [
        f"{name}: no such setting"
        for name in sorted(given)
        if name.startswith("FACTCHECK_") and name not in SETTING_NAMES | SECRET_FILES | _READ_BY_EVALS
    ]
    try:
        env.seal()
    except EnvValidationError as error:
        messages: Any = error.error_messages
        faults += [f"{name}: {' '.join(map(str, told))}" for name, told in sorted(messages.items())]
    if read.audit and read.log_level not in {"debug", "info"}:
        faults.append("FACTCHECK_LOG_LEVEL: must be info or debug, because FACTCHECK_AUDIT writes lines of level info")
    if read.cache_file is not None and read.redis_url is not None:
        faults.append("FACTCHECK_REDIS_URL: set either this or FACTCHECK_CACHE_FILE, not both")
    faults += [*_fallback_faults(read, given), *access_faults(read.identity.access, given)]
    faults += [f"FACTCHECK_HOSTS: {fault}" for fault in host_faults(read.gateways.hosts)]
    if faults:
        raise SetupError("these settings are wrong", faults)
    # Whoever wants nothing kept wants nothing stored either, whatever else is set.
    return replace(read, history=HistorySettings()) if read.keeps_nothing else read


SETTING_NAMES = frozenset(
    {
        "FACTCHECK_HOST",
        "FACTCHECK_PORT",
        "OPENAI_BASE_URL",
        "OPENAI_API_KEY",
        "FACTCHECK_MODEL",
        "FACTCHECK_CONTEXT_TOKENS",
        "FACTCHECK_MAX_OUTPUT_TOKENS",
        "FACTCHECK_PASSAGE_CHARS",
        "FACTCHECK_PARALLEL_CALLS",
        "FACTCHECK_MAX_MODEL_CALLS",
        "FACTCHECK_ATTEMPTS",
        "FACTCHECK_DEADLINE_S",
        "FACTCHECK_MAX_REQUEST_BYTES",
        "FACTCHECK_MAX_ARTICLE_CHARS",
        "FACTCHECK_MODEL_DIR",
        "FACTCHECK_HUB_URL",
        "FACTCHECK_FALLBACK",
        "FACTCHECK_FALLBACK_1_BASE_URL",
        "FACTCHECK_FALLBACK_1_API_KEY",
        "FACTCHECK_FALLBACK_1_MODEL",
        "FACTCHECK_FALLBACK_2_BASE_URL",
        "FACTCHECK_FALLBACK_2_API_KEY",
        "FACTCHECK_FALLBACK_2_MODEL",
        "FACTCHECK_ENGINE_THREADS",
        "FACTCHECK_SERVER_THREADS",
        "FACTCHECK_SEAL_KEY",
        "FACTCHECK_CACHE_TTL_S",
        "FACTCHECK_CACHE_BYTES",
        "FACTCHECK_CACHE_FILE",
        "FACTCHECK_REDIS_URL",
        "FACTCHECK_FETCH_URLS",
        "FACTCHECK_HEARTBEAT_S",
        "FACTCHECK_LOG_LEVEL",
        "FACTCHECK_AUDIT",
        "FACTCHECK_PROXY_HOPS",
        "FACTCHECK_HOSTS",
        "FACTCHECK_TRACES",
        "FACTCHECK_RETENTION",
    }
    | ACCESS_SETTING_NAMES
    | HISTORY_SETTING_NAMES
    | LIMIT_SETTING_NAMES
)
