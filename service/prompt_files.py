"""The folder of prompts: read and checked whole at start-up, sealed one version at a time.

    <task>/v<n>.md        one file per version, kept for ever
    schemas/<name>.json   what a reply must look like
    index.toml            [active] task = n; [sha256] "task@n" = "<64 hex>"

Names come from listing the folder and must match a pattern, so none can lead out of it.
"""

import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from service.errors import SetupError
from service.llm.base import ReplySchema
from service.prompting import NAME, VERSION, Prompt, PromptLibrary, parse_prompt, parse_schema, unknown_prompt
from service.wholefile import write_whole

_PACKAGE = Path(__file__).parent
_INDEX = "index.toml"
_SCHEMAS = "schemas"
_SEALS_HEADER = re.compile(r"\s*\[\s*sha256\s*\]\s*(?:#.*)?")
_TABLE_HEADER = re.compile(r"\s*\[.*")
_SETTING = re.compile(r"\s*[^#\s].*")


@dataclass(frozen=True)
class _Index:
    active: Mapping[str, int] = field(default_factory=dict)
    seals: Mapping[str, str] = field(default_factory=dict)


def find_prompts(package: Path = _PACKAGE) -> Path:
    """The folder of prompts: the one shipped inside `package` when it is installed, else the checkout's.

    Raises: SetupError when there is neither.
    """
    for folder in (package / "_prompts", package.parent / "prompts"):
        if folder.is_dir():
            return folder
    raise SetupError(f"no prompts beside {package}: the installation is incomplete")


def load_prompts(root: Path, *, drafts: bool = False) -> PromptLibrary:
    """Every prompt under `root`. With `drafts` a version without a seal is taken too, and a task may have none active.

    Raises: SetupError with every fault of every file.
    """
    faults: list[str] = []
    index = _Index()
    files = _list_versions(root, faults)
    with _telling(_INDEX, faults):
        index = _read_index(root)
        faults += _cross_check(index, files, drafts=drafts)
    schemas = _read_schemas(root, faults)
    prompts: list[Prompt] = []
    for (task, version), path in sorted(files.items()):
        with _telling(_shown(path), faults):
            text = _read_text(path).replace("\r\n", "\n")
            prompt = parse_prompt(text, task=task, version=version, schemas=schemas)
            prompts.append(_stamp(prompt, index))
    if not files:
        faults.append("there is no <task>/v<n>.md")
    if faults:
        raise SetupError(f"the prompts under {root} cannot be used", faults)
    return PromptLibrary(tuple(prompts))


def seal(root: Path, name: str) -> Prompt:
    """The prompt `name` (`task@n`), sealed: a draft's hash is added to index.toml, whose other text stays as it is.

    Does nothing when it is sealed already.
    Raises: UnknownPromptError; SetupError when any file is at fault, a changed sealed one included, or on a failed write.
    """
    library = load_prompts(root, drafts=True)
    found = next((prompt for prompt in library if prompt.name == name), None)
    if found is None:
        raise unknown_prompt(name, library)
    if not found.sealed:
        _add_seal(root / _INDEX, found)
    return replace(found, sealed=True)


@contextmanager
def _telling(name: str, faults: list[str]) -> Iterator[None]:
    """Gathers what is wrong with one file instead of stopping at it."""
    try:
        yield
    except SetupError as error:
        faults.extend(f"{name}: {fault}" for fault in error.faults)


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, except what editors and operating systems hide there (`.v1.md.swp`, `.DS_Store`)."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise SetupError(f"the prompts under {folder} cannot be used", [f"cannot be read: {error.strerror}"]) from error


def _list_versions(root: Path, faults: list[str]) -> dict[tuple[str, int], Path]:
    files: dict[tuple[str, int], Path] = {}
    for folder in _entries(root):
        if folder.name == _SCHEMAS or not folder.is_dir():
            continue
        if not re.fullmatch(NAME, folder.name):
            faults.append(f"{folder.name!r}: a task is named [a-z][a-z0-9_]*")
            continue
        for path in _entries(folder):
            if named := re.fullmatch(rf"v({VERSION})\.md", path.name):
                files[folder.name, int(named[1])] = path
            else:
                faults.append(f"{_shown(path)!r}: a version is named v1.md, v2.md and so on")
    return files


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(str(path), [f"cannot be read: {error.strerror}"]) from error
    if data.startswith(BOM_UTF8):
        raise SetupError(str(path), ["begins with a byte order mark: save it as UTF-8 without one"])
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise SetupError(str(path), [f"not UTF-8 at byte {error.start}"]) from error


def _read_schemas(root: Path, faults: list[str]) -> dict[str, ReplySchema]:
    schemas: dict[str, ReplySchema] = {}
    paths: list[Path] = []
    with _telling(_SCHEMAS, faults):
        paths = _entries(root / _SCHEMAS)
    for path in paths:
        with _telling(_shown(path), faults):
            if not re.fullmatch(rf"{NAME}\.v{VERSION}\.json", path.name):
                raise SetupError(str(path), ["a schema is named like claim_list.v1.json"])
            schemas[path.stem] = parse_schema(path.stem, _read_text(path))
    return schemas


def _read_index(root: Path) -> _Index:
    try:
        index = tomllib.loads(_read_text(root / _INDEX))
    except (ValueError, RecursionError) as error:
        raise SetupError(_INDEX, [f"not TOML: {error}"]) from error
    faults = [f"{key!r}: no such table" for key in sorted(index.keys() - {"active", "sha256"})]
    active, seals = index.get("active", {}), index.get("sha256", {})
    if isinstance(active, dict) and isinstance(seals, dict):
        faults += [
            f"active: {task!r} must name a task and give its version, an integer"
            for task, version in active.items()
            # `type(...) is` because True is an int to isinstance.
            if not re.fullmatch(NAME, task) or type(version) is not int or version < 1
        ]
        faults += [
            f"sha256: {name!r} must be like extract_claims@1 and have 64 lower-case hex digits"
            for name, digest in seals.items()
            if not re.fullmatch(rf"{NAME}@{VERSION}", name)
            or not isinstance(digest, str)
            or not re.fullmatch(r"[0-9a-f]{64}", digest)
        ]
    else:
        faults.append("[active] and [sha256] must be tables")
    if faults:
        raise SetupError(_INDEX, faults)
    return _Index(active, seals)


def _cross_check(index: _Index, files: Iterable[tuple[str, int]], *, drafts: bool) -> Iterator[str]:
    """What the index says that the folder does not have, and the other way round."""
    names = {f"{task}@{version}" for task, version in files}
    for task, version in index.active.items():
        if f"{task}@{version}" not in names:
            yield f"{_INDEX}: active: {task} = {version}, but there is no {task}/v{version}.md"
    for name in index.seals:
        if name not in names:
            yield f"{_INDEX}: sha256: {name} has no file any more; a sealed version is kept for ever"
    if not drafts:
        for name in sorted(names - index.seals.keys()):
            yield f"{name.replace('@', '/v')}.md: not sealed: `factcheck prompts seal {name}` does it"
        for task in sorted({task for task, _ in files} - index.active.keys()):
            yield f"{_INDEX}: active: {task} has no active version"


def _stamp(prompt: Prompt, index: _Index) -> Prompt:
    digest = index.seals.get(prompt.name)
    if digest not in {None, prompt.sha256}:
        told = f"it or its schema {prompt.output.name} was changed after sealing: restore it and write the next version"
        raise SetupError(prompt.name, [told])
    return replace(prompt, sealed=digest is not None, active=index.active.get(prompt.task) == prompt.version)


def _add_seal(path: Path, prompt: Prompt) -> None:
    # Bytes, not `_read_text`: line ends are kept as they are.
    old = path.read_bytes().decode()
    new = _with_line(old, f'"{prompt.name}" = "{prompt.sha256}"')
    expected = tomllib.loads(old)
    expected.setdefault("sha256", {})[prompt.name] = prompt.sha256
    try:
        right = tomllib.loads(new) == expected
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise SetupError(f"{_INDEX} is written in a way that cannot be added to: give it a plain [sha256] table")
    try:
        write_whole(path, new.encode())
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from error


def _with_line(text: str, line: str) -> str:
    """`text` with `line` after the last one of its [sha256] table, which is added at the end when it has none."""
    lines = text.split("\n")
    # A line read from a CRLF file still ends in CR, and so shall the new one.
    end = "\r" if lines[0].endswith("\r") else ""
    at = next((number for number, found in enumerate(lines) if _SEALS_HEADER.fullmatch(found)), None)
    if at is None:
        return "\n".join([*lines[:-1], *([lines[-1] + end] if lines[-1] else []), f"[sha256]{end}", f"{line}{end}", ""])
    for number, found in enumerate(lines[at + 1 :], at + 1):
        if _TABLE_HEADER.fullmatch(found):
            break
        if _SETTING.fullmatch(found):
            at = number
    if at == len(lines) - 1:
        lines = [*lines[:-1], lines[-1] + end, ""]
    lines.insert(at + 1, line + end)
    return "\n".join(lines)
