"""Which models the embedded engine can serve, and where their weights come from: `models.toml`, checked as it is read."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from service.errors import SetupError

PACKAGED: Final = Path(__file__).with_name("models.toml")
_LOCAL_CONTEXT_TOKENS: Final = 8_192
_LOCAL_MAX_OUTPUT_TOKENS: Final = 2_048
_LOCAL_PASSAGE_CHARS: Final = 1_200
_LOCAL_PROMPT: Final = "extract_claims@1"  # the one whose replies can be narrowed, which helps a model of unknown size


@dataclass(frozen=True)
class HubSource:
    """One file of a repository on a model hub."""

    path: str
    revision: str
    file: str

    def url(self, hub_url: str) -> str:
        """Where the hub at `hub_url` serves the file."""
        return f"{hub_url.rstrip('/')}/{self.path}/resolve/{self.revision}/{self.file}"


@dataclass(frozen=True)
class WheelSource:
    """A file cut into members of wheels: `members[i]` lies in `packages[i]` (`name==version`); joined in this order."""

    packages: tuple[str, ...]
    members: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A model the engine can serve. `local` is set for an operator's own file, which has no size, digest or sources.

    `context_tokens` is what one request may fill, prompt and reply together; `memory_bytes` what the engine takes with
    that context full (0: not known).
    """

    name: str
    title: str
    licence: str
    file: str
    size_bytes: int
    sha256: str
    context_tokens: int
    max_output_tokens: int
    memory_bytes: int
    trial: bool
    narrow_schema: bool
    passage_chars: int
    prompt: str
    asks_speakers: bool
    sources: tuple[HubSource | WheelSource, ...]
    local: Path | None = None


@dataclass(frozen=True)
class Catalogue:
    """The known models by name, and the name of the one that serves when none is asked for."""

    entries: Mapping[str, Entry]
    default: str


def load(path: Path = PACKAGED) -> Catalogue:
    """The catalogue in the TOML file at `path`.

    Raises: SetupError naming everything that is wrong with it.
    """
    try:
        read = _CatalogueSchema().load(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"the model catalogue {path.name} cannot be read", [str(error)]) from error
    except ValidationError as error:
        raise SetupError(f"the model catalogue {path.name} is wrong", _faults(error.messages_dict)) from error
    return Catalogue(entries={entry.name: entry for entry in read["models"]}, default=read["default"])


def resolve(model: str | None, catalogue: Catalogue, model_dir: Path) -> Entry:
    """The entry `model` names: a catalogue name, a path to a GGUF file, or the default when it is None.

    A path holds a slash or ends in `.gguf`; one that is not absolute is also looked for in `model_dir`.
    Raises: SetupError for a name or file that does not exist.
    """
    name = catalogue.default if model is None else model
    if "/" in name or name.lower().endswith(".gguf"):
        return _local(name, model_dir)
    if name not in catalogue.entries:
        raise SetupError(
            f"no model is named {name!r}; there are {', '.join(catalogue.entries)}, or give a path to a .gguf file"
        )
    return catalogue.entries[name]


def _local(name: str, model_dir: Path) -> Entry:
    try:
        asked = Path(name).expanduser()
        found = next((path for path in (asked, model_dir / asked) if path.is_file()), None)
    except (OSError, RuntimeError) as error:
        raise SetupError(f"the model file {name} cannot be found") from error
    if found is None:
        raise SetupError(f"the model file {name} does not exist")
    return Entry(
        name=found.stem,
        title=found.name,
        licence="as its owner says",
        file=found.name,
        size_bytes=0,
        sha256="",
        context_tokens=_LOCAL_CONTEXT_TOKENS,
        max_output_tokens=_LOCAL_MAX_OUTPUT_TOKENS,
        memory_bytes=0,
        trial=False,
        narrow_schema=True,
        passage_chars=_LOCAL_PASSAGE_CHARS,
        prompt=_LOCAL_PROMPT,
        asks_speakers=True,
        sources=(),
        local=found.resolve(),
    )


def _faults(messages: Mapping[Any, Any], at: str = "") -> list[str]:
    """Every message of marshmallow's nested report, with the place it is about."""
    faults: list[str] = []
    for key, told in messages.items():
        place = at if key == "_schema" else f"{at}.{key}" if at else str(key)
        faults += _faults(told, place) if isinstance(told, Mapping) else [f"{place}: {' '.join(map(str, told))}"]
    return faults


def _inside(value: str) -> None:
    """Refuse what could lead out of a folder or an archive."""
    parts = PurePosixPath(value).parts
    if not parts or value.startswith("/") or "\\" in value or ".." in parts:
        raise ValidationError("must be a relative path without '..'")


def _true_or_false(value: object) -> None:
    if not isinstance(value, bool):
        raise ValidationError("must be true or false")


_file_name = validate.Regexp(re.compile(r"[\w-][\w.-]*\.gguf\Z", re.ASCII), error="must be the plain name of a .gguf file")
_package = validate.Regexp(
    re.compile(r"[A-Za-z0-9][\w.-]*==[0-9][\w.]*\Z", re.ASCII),
    error="must be name==version",
)


class _Source(fields.Field[HubSource | WheelSource]):
    """A source, read by the schema its `kind` names."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> HubSource | WheelSource:  # noqa: ARG002 - marshmallow's signature
        schemas = {"hub": _HubSchema, "wheel": _WheelSchema}
        kind = value.get("kind") if isinstance(value, Mapping) else None
        if kind not in schemas:
            raise ValidationError({"kind": ["Must be one of: hub, wheel."]})
        source: HubSource | WheelSource = schemas[kind]().load(value)
        return source


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _HubSchema(_Strict):
    kind = fields.String(required=True)
    path = fields.String(required=True, validate=validate.Regexp(r"[\w.-]+/[\w.-]+\Z", error="must be owner/repository"))
    revision = fields.String(required=True, validate=validate.Regexp(r"[\w.-]+\Z"))
    file = fields.String(required=True, validate=_inside)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> HubSource:
        return HubSource(path=data["path"], revision=data["revision"], file=data["file"])


class _WheelSchema(_Strict):
    kind = fields.String(required=True)
    packages = fields.List(fields.String(validate=_package), required=True, validate=validate.Length(min=1))
    members = fields.List(fields.String(validate=_inside), required=True)

    @validates_schema
    def _one_member_each(self, data: Mapping[str, Any], **_: Any) -> None:
        if len(data["members"]) != len(data["packages"]):
            raise ValidationError("must have one entry for each package", "members")

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> WheelSource:
        return WheelSource(packages=tuple(data["packages"]), members=tuple(data["members"]))


def _count() -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=validate.Range(min=1))


def _flag() -> fields.Raw:
    return fields.Raw(required=True, validate=_true_or_false)


class _EntrySchema(_Strict):
    name = fields.String(required=True, validate=validate.Regexp(r"[a-z0-9][a-z0-9._-]*(?<!\.gguf)\Z"))
    title = fields.String(required=True, validate=validate.Length(min=1))
    licence = fields.String(required=True, validate=validate.Length(min=1))
    file = fields.String(required=True, validate=_file_name)
    size_bytes = _count()
    sha256 = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z", error="must be 64 hexadecimal digits"))
    context_tokens = _count()
    max_output_tokens = _count()
    memory_bytes = _count()
    trial = _flag()
    narrow_schema = _flag()
    passage_chars = _count()
    prompt = fields.String(required=True, validate=validate.Length(min=1))
    asks_speakers = _flag()
    sources = fields.List(_Source(), required=True, validate=validate.Length(min=1))

    @validates_schema
    def _reply_leaves_room(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["max_output_tokens"] >= data["context_tokens"]:
            raise ValidationError("must be less than context_tokens", "max_output_tokens")

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Entry:
        return Entry(**(data | {"sources": tuple(data["sources"])}))


class _CatalogueSchema(_Strict):
    default = fields.String(required=True)
    models = fields.List(fields.Nested(_EntrySchema), required=True, validate=validate.Length(min=1))

    @validates_schema
    def _names_agree(self, data: Mapping[str, Any], **_: Any) -> None:
        names = [entry.name for entry in data["models"]]
        files = [entry.file for entry in data["models"]]
        if len(set(names)) < len(names) or len(set(files)) < len(files):
            raise ValidationError("names and files must differ from each other", "models")
        if data["default"] not in names:
            raise ValidationError("must be the name of a model", "default")
