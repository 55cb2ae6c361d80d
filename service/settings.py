"""Everything an operator can set, read once from the environment with every fault told together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError, validate

from service.errors import SetupError

_READ_BY_EVALS = frozenset({"FACTCHECK_DATA"})
_LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Settings:
    """The service's settings. Without `base_url` and `api_key` the embedded model answers.

    `model` is the name asked of a remote endpoint, or a catalogue name or GGUF path of the embedded engine.
    A longer article is read in passages, at most one for each `passage_chars` characters, `parallel_calls` of them at a
    time. `context_tokens` is what prompt and reply may fill together; `max_output_tokens` what a reply may fill.
    An endpoint that asks for no key needs none set. `engine_threads` 0 means one per core.
    Times are seconds, sizes bytes unless the name says characters or tokens.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    context_tokens: int = 32_768
    max_output_tokens: int = 8_192
    passage_chars: int = 6_000
    parallel_calls: int = 8
    attempts: int = 3
    deadline_s: float = 120.0
    max_request_bytes: int = 1_000_000
    max_article_chars: int = 200_000
    model_dir: Path = field(default_factory=lambda: Path.home() / ".cache" / "factcheck" / "models")
    hub_url: str = "https://huggingface.co"
    engine_threads: int = 0
    server_threads: int = 64
    log_level: str = "info"

    @property
    def embedded(self) -> bool:
        """Whether the model runs in a child process of ours."""
        return self.base_url is None and self.api_key is None


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


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables; an empty variable counts as not set.

    Raises: SetupError naming every unknown, missing or malformed one.
    """
    given = {name: value for name, value in environ.items() if value.strip()}
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
        attempts=env.int("FACTCHECK_ATTEMPTS", plain.attempts, validate=validate.Range(min=1, max=3)),
        deadline_s=env.float("FACTCHECK_DEADLINE_S", plain.deadline_s, validate=validate.Range(min=0.1, max=3_600)),
        max_request_bytes=env.int("FACTCHECK_MAX_REQUEST_BYTES", plain.max_request_bytes, validate=positive),
        max_article_chars=env.int(
            "FACTCHECK_MAX_ARTICLE_CHARS", plain.max_article_chars, validate=validate.Range(min=1, max=200_000)
        ),
        model_dir=env.path("FACTCHECK_MODEL_DIR", plain.model_dir),
        hub_url=env.str("FACTCHECK_HUB_URL", plain.hub_url, validate=_http_url),
        engine_threads=env.int("FACTCHECK_ENGINE_THREADS", plain.engine_threads, validate=validate.Range(min=0, max=256)),
        server_threads=env.int("FACTCHECK_SERVER_THREADS", plain.server_threads, validate=validate.Range(min=1, max=1_024)),
        log_level=env.str("FACTCHECK_LOG_LEVEL", plain.log_level, validate=validate.OneOf(_LOG_LEVELS)),
    )
    faults = [
        f"{name}: no such setting"
        for name in sorted(given)
        if name.startswith("FACTCHECK_") and name not in SETTING_NAMES | _READ_BY_EVALS
    ]
    try:
        env.seal()
    except EnvValidationError as error:
        messages: Any = error.error_messages
        faults += [f"{name}: {' '.join(map(str, told))}" for name, told in sorted(messages.items())]
    if faults:
        raise SetupError("these settings are wrong", faults)
    return read


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
        "FACTCHECK_ATTEMPTS",
        "FACTCHECK_DEADLINE_S",
        "FACTCHECK_MAX_REQUEST_BYTES",
        "FACTCHECK_MAX_ARTICLE_CHARS",
        "FACTCHECK_MODEL_DIR",
        "FACTCHECK_HUB_URL",
        "FACTCHECK_ENGINE_THREADS",
        "FACTCHECK_SERVER_THREADS",
        "FACTCHECK_LOG_LEVEL",
    }
)
