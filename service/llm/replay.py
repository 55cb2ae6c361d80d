"""A chat model's replies kept in files, and a chat model that gives them again, bit for bit.

One JSON file for each call, named by the hash of what was asked. Neither the messages nor any key is in it, only their
hash; the reply's text is. The model's traits are kept beside them, because calls depend on them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from service.deadline import Deadline
from service.errors import ModelUnavailableError, SetupError
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply, ResponseFormat
from service.wholefile import write_json

TRAITS_FILE = "traits.json"
_FORMAT = 1


@dataclass(frozen=True)
class _Request:
    """What tells one call from another, the article and the prompt by hash only."""

    model: str
    messages_sha256: str
    schema: str
    schema_sha256: str
    temperature: float
    max_output_tokens: int

    @property
    def key(self) -> str:
        return _digest(asdict(self))


def recording_key(call: ModelCall, model: str) -> str:
    """The key of a call's recording: a hash of the model's name, the messages, the schema and the parameters."""
    return _request(call, model).key


class RecordingModel:
    """A model that answers as `model` does and keeps each reply in `folder`; the latest reply to a call stands.

    Failures are not kept. Thread-safe when `model` is.
    Raises: SetupError when the folder cannot be written.
    """

    def __init__(self, model: ChatModel, folder: Path) -> None:
        self._model = model
        self._folder = folder
        _write(folder / TRAITS_FILE, {"format": _FORMAT, "traits": asdict(model.traits)})

    @property
    def traits(self) -> ModelTraits:
        """What is known of the recorded model."""
        return self._model.traits

    def ready(self) -> str | None:
        """None when a call could be made now, else a short reason."""
        return self._model.ready()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """The model's answer to `call`.

        Raises: ModelError, DeadlineExceededError; SetupError when the answer cannot be kept.
        """
        reply = self._model.complete(call, deadline)
        request = _request(call, self.traits.name)
        _write(
            self._folder / f"{request.key}.json",
            {"format": _FORMAT, "key": request.key, "request": asdict(request), "reply": asdict(reply)},
        )
        return reply


class ReplayModel:
    """A model that gives the replies recorded in `folder`, each as often as it is asked. Thread-safe.

    `traits` must be those of the recorded model, see `recorded_traits`.
    """

    def __init__(self, folder: Path, traits: ModelTraits) -> None:
        self._folder = folder
        self._traits = traits

    @property
    def traits(self) -> ModelTraits:
        """What is known of the recorded model."""
        return self._traits

    def ready(self) -> str | None:
        """None when there are recordings, else a short reason."""
        return None if self._folder.is_dir() else "the folder of recordings is missing"

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """The recorded answer to `call`.

        Raises: ModelUnavailableError naming the key when there is none; SetupError when its file is damaged;
        DeadlineExceededError.
        """
        deadline.check()
        key = recording_key(call, self._traits.name)
        path = self._folder / f"{key}.json"
        if not path.is_file():
            raise ModelUnavailableError(f"there is no recording of call {key}", may_retry=False)
        document = _read(path)
        try:
            if document["key"] != key:
                raise SetupError(f"the recording {path.name} is of another call")
            reply = dict(document["reply"])
            return Reply(**{**reply, "response_format": ResponseFormat(reply["response_format"])})
        except (KeyError, TypeError, ValueError) as error:
            raise SetupError(f"the recording {path.name} is damaged ({type(error).__name__})") from None


def recorded_traits(folder: Path) -> ModelTraits:
    """The traits of the model whose replies are in `folder`.

    Raises: SetupError when nothing was recorded there, or the file is damaged.
    """
    path = folder / TRAITS_FILE
    if not path.is_file():
        raise SetupError(f"{folder} holds no recordings: {TRAITS_FILE} is missing")
    try:
        return ModelTraits(**_read(path)["traits"])
    except (KeyError, TypeError) as error:
        raise SetupError(f"the recording {path.name} is damaged ({type(error).__name__})") from None


def _request(call: ModelCall, model: str) -> _Request:
    return _Request(
        model=model,
        messages_sha256=_digest([[message.role, message.content] for message in call.messages]),
        schema=call.schema.name,
        schema_sha256=call.schema.sha256,
        temperature=call.temperature,
        max_output_tokens=call.max_output_tokens,
    )


def _digest(document: Any) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return sha256(text.encode("ascii")).hexdigest()


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise SetupError(f"the recording {path.name} cannot be read")
    return document


def _write(path: Path, document: Mapping[str, Any]) -> None:
    try:
        write_json(path, document)
    except OSError as error:
        raise SetupError(f"the recording {path.name} cannot be written: {error.strerror}") from error
