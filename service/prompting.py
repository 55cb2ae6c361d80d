"""What a prompt is: parsed, checked and rendered from text alone. `service.prompt_files` reads and seals the files.

A prompt file is TOML front matter between `+++` lines, then blocks that begin `=== system ===`, `=== user ===` or
`=== assistant ===`. Blocks are split before anything is rendered, so no value can open a message or change a role. The system
block may hold `{{ canary }}`, a mark of the service's own, and nothing else that is filled in.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import Any, TypeGuard

from service import strictjson
from service.errors import SetupError, UnknownPromptError
from service.llm.base import Message, ReplySchema, Role
from service.strictjson import StrictJsonError

NAME = r"[a-z][a-z0-9_]*"
VERSION = r"[1-9][0-9]{0,5}"

_ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
_BLOCK_LINE = re.compile(r"=== (\S+) ===")
_PLACEHOLDER = re.compile(rf"\{{\{{ ({NAME}) \}}\}}")
# JSON never holds `{{` nor a bare word in braces, so examples in a prompt need no escaping; a lone `}}` is theirs.
_MALFORMED = re.compile(rf"{_PLACEHOLDER.pattern}|\{{\{{|\{{\s*\w+\s*\}}\}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_REF = re.compile(rf"({NAME})(?:@({VERSION})(?:#([0-9a-f]{{8,64}}))?)?")
_CANARY = "canary"
_MAX_ECHO_CHARS = 80
_MAX_TEMPERATURE = 2.0


@dataclass(frozen=True)
class Block:
    """One message of a prompt before its placeholders are filled."""

    role: Role
    template: str


@dataclass(frozen=True)
class Prompt:
    """One version of a task's prompt. `sha256` covers its file and its reply schema; a draft is not `sealed`.

    `source` is the file's text with LF line ends.
    """

    task: str
    version: int
    sha256: str
    sealed: bool
    active: bool
    summary: str
    inputs: frozenset[str]
    output: ReplySchema
    temperature: float
    max_output_tokens: int
    blocks: tuple[Block, ...] = field(repr=False)
    source: str = field(repr=False)

    @property
    def name(self) -> str:
        """Task and version, e.g. `extract_claims@1`."""
        return f"{self.task}@{self.version}"

    @property
    def ref(self) -> str:
        """Name and the first 12 hex digits of the hash, e.g. `extract_claims@1#87ff312e9e44`."""
        return f"{self.name}#{self.sha256[:12]}"

    def render(self, values: Mapping[str, str], canary: str = "") -> tuple[Message, ...]:
        """The messages to send: one per block, in order, with its role. Values go in as they are, never expanded again.

        `canary` goes into the system block of a prompt that has a place for it.
        Raises: ValueError when `values` are not exactly the declared inputs.
        """
        if values.keys() != self.inputs:
            raise ValueError(f"{self.name} takes exactly {sorted(self.inputs)}, was given {sorted(values)}")
        filled = {**values, _CANARY: canary}
        return tuple(
            Message(block.role, _PLACEHOLDER.sub(lambda found: filled[found[1]], block.template)) for block in self.blocks
        )


@dataclass(frozen=True)
class PromptLibrary:
    """Every prompt the service has, in order of task and version."""

    prompts: tuple[Prompt, ...]

    def __iter__(self) -> Iterator[Prompt]:
        return iter(self.prompts)

    def select(self, ref: str | None, task: str) -> Prompt:
        """The prompt of `task` that `ref` names: `task`, `task@1` or `task@1#87ff312e`; no version, the active one.

        A hash is the first 8 to 64 hex digits of the prompt's.
        Raises: UnknownPromptError, which lists the refs that exist.
        """
        known = [prompt for prompt in self.prompts if prompt.task == task]
        named = _REF.fullmatch(task if ref is None else ref)
        if named and named[1] == task:
            for prompt in known:
                wanted = prompt.active if named[2] is None else prompt.version == int(named[2])
                if wanted and prompt.sha256.startswith(named[3] or ""):
                    return prompt
        raise unknown_prompt(task if ref is None else ref, known)


def unknown_prompt(ref: str, known: Iterable[Prompt]) -> UnknownPromptError:
    """The error for a `ref` that none of `known` has. It quotes at most 80 characters of `ref`, escaped."""
    echo = repr(ref[:_MAX_ECHO_CHARS]) + ("…" if len(ref) > _MAX_ECHO_CHARS else "")
    refs = ", ".join(f"{prompt.ref} (active)" if prompt.active else prompt.ref for prompt in known)
    return UnknownPromptError(f"no prompt {echo}; there is: {refs or 'none'}")


def diff(a: Prompt, b: Prompt) -> str:
    """A unified diff from `a` to `b`, first of their files, then of their schemas; empty when both are the same."""
    pairs = ((a.ref, a.source, b.ref, b.source), (a.output.name, _pretty(a.output), b.output.name, _pretty(b.output)))
    return "".join(
        f"{line}\n"
        for old_name, old, new_name, new in pairs
        for line in difflib.unified_diff(old.split("\n"), new.split("\n"), old_name, new_name, lineterm="")
    )


def _pretty(schema: ReplySchema) -> str:
    return json.dumps(schema.document, indent=2, sort_keys=True, ensure_ascii=False)


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _seal(source: str, schema: ReplySchema) -> str:
    # A prompt file holds no NUL, so the two parts cannot trade bytes under one hash.
    return sha256(source.encode() + b"\0" + _canonical(schema.document)).hexdigest()


def parse_schema(name: str, text: str) -> ReplySchema:
    """The reply schema written in `text`.

    Raises: SetupError when it is not strict JSON (duplicate keys and NaN are refused) or no schema of an object.
    """
    try:
        document = strictjson.loads(text)
    except StrictJsonError as error:
        raise SetupError(f"schema {name}", [f"not strict JSON: {error}"]) from error
    if not isinstance(document, dict) or document.get("type") != "object":
        raise SetupError(f"schema {name}", ['must be a JSON object with "type": "object"'])
    return ReplySchema(name, sha256(_canonical(document)).hexdigest(), document)


def parse_prompt(text: str, *, task: str, version: int, schemas: Mapping[str, ReplySchema]) -> Prompt:
    """The prompt written in `text`, whose line ends are LF, as a draft: neither sealed nor active.

    Raises: SetupError with everything that is wrong with it; prompt text is never quoted, lines are numbered instead.
    """
    faults = [f"line {_line(text, found)}: control character U+{ord(found[0]):04X}" for found in _CONTROL.finditer(text)]
    head, body = _split(text)
    front = _read_front_matter(head, faults)
    # Body lines are told by their number in the file: two fences and the head come before them.
    blocks, used = _read_blocks(body, len(head) + 3, faults)
    if _is_names(inputs := front.get("inputs")):
        faults += [f"inputs: {name!r} is declared but not used" for name in sorted(set(inputs) - used)]
        faults += [f"inputs: {name!r} is used but not declared" for name in sorted(used - set(inputs))]
    if _is_schema_name(output := front.get("output")) and output not in schemas:
        faults.append(f"output: there is no usable schemas/{output}.json")
    if faults:
        raise SetupError(f"prompt {task}@{version}", faults)
    return Prompt(
        task=task,
        version=version,
        sha256=_seal(text, schemas[front["output"]]),
        sealed=False,
        active=False,
        summary=front["summary"],
        inputs=frozenset(front["inputs"]),
        output=schemas[front["output"]],
        temperature=front["params"]["temperature"],
        max_output_tokens=front["params"]["max_output_tokens"],
        blocks=blocks,
        source=text,
    )


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1


def _split(text: str) -> tuple[list[str], list[str]]:
    lines = text.split("\n")
    if lines[0] != "+++" or "+++" not in lines[1:]:
        raise SetupError("prompt file", ["must begin with front matter between two lines `+++`"])
    end = lines.index("+++", 1)
    return lines[1:end], lines[end + 1 :]


def _is_names(value: Any) -> TypeGuard[list[str]]:
    return (
        isinstance(value, list)
        and all(isinstance(name, str) and re.fullmatch(NAME, name) for name in value)
        and len(set(value)) == len(value)
    )


def _is_schema_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(rf"{NAME}\.v{VERSION}", value) is not None


# `type(...) is` because True is an int to isinstance.
_Rules = Mapping[str, tuple[str, Callable[[Any], bool]]]
_FRONT_MATTER: _Rules = {
    "format": ("must be 1", lambda value: type(value) is int and value == 1),
    "summary": ("must be one line of text", lambda value: isinstance(value, str) and bool(value.strip()) and "\n" not in value),
    "inputs": ("must be a list of different names, [a-z][a-z0-9_]*", _is_names),
    "output": ('must be the name of a schema, such as "claim_list.v1"', _is_schema_name),
    "params": ("must be a table", lambda value: isinstance(value, dict)),
}
_PARAMS: _Rules = {
    "temperature": (
        "must be a float from 0.0 to 2.0",
        lambda value: isinstance(value, float) and 0 <= value <= _MAX_TEMPERATURE,
    ),
    "max_output_tokens": ("must be an integer of 1 or more", lambda value: type(value) is int and value >= 1),
}


def _read_front_matter(lines: Sequence[str], faults: list[str]) -> dict[str, Any]:
    try:
        # The line before stands for the opening fence, so that the parser's line numbers are the file's.
        front = tomllib.loads("\n".join(["", *lines, ""]))
    except (ValueError, RecursionError) as error:
        faults.append(f"front matter is not TOML: {error}")
        return {}
    faults += _check(front, _FRONT_MATTER, "")
    if isinstance(params := front.get("params"), dict):
        faults += _check(params, _PARAMS, "params.")
    return front


def _check(table: Mapping[str, Any], rules: _Rules, prefix: str) -> Iterator[str]:
    for key in sorted(table.keys() - rules.keys()):
        yield f"{prefix}{key!r}: no such key"
    for key, (rule, holds) in rules.items():
        if key not in table:
            yield f"{prefix}{key}: missing"
        elif not holds(table[key]):
            yield f"{prefix}{key}: {rule}"


def _read_blocks(lines: Sequence[str], first: int, faults: list[str]) -> tuple[tuple[Block, ...], set[str]]:
    """The blocks and the input names used in them; `first` is the number of the first line in its file."""
    opened: list[tuple[int, str, list[str]]] = []
    stray: list[int] = []
    for number, line in enumerate(lines, first):
        if header := _BLOCK_LINE.fullmatch(line):
            opened.append((number, header[1], []))
        elif line.lstrip().startswith("===") and line.strip("= \t"):
            faults.append(f"line {number}: a block begins with `=== role ===`, exactly so")
        elif opened:
            opened[-1][2].append(line)
        elif line.strip():
            stray.append(number)
    faults += [f"line {number}: text before the first block" for number in stray[:1]]
    faults += chain.from_iterable(_block_faults(*block) for block in opened)
    roles = [role for _, role, _ in opened]
    # A prompt that continues a conversation (a repair round) has no system block of its own.
    if roles[-1:] != ["user"] or "system" in roles[1:]:
        faults.append("the last block must be `=== user ===`, and only the first may be `=== system ===`")
    blocks = tuple(Block(_ROLES[role], "\n".join(text).strip("\n")) for _, role, text in opened if role in _ROLES)
    return blocks, {found[1] for block in blocks for found in _PLACEHOLDER.finditer(block.template)} - {_CANARY}


def _block_faults(number: int, role: str, lines: Sequence[str]) -> Iterator[str]:
    if role not in _ROLES:
        yield f"line {number}: no such role: {role!r}"
    if not any(line.strip() for line in lines):
        yield f"line {number}: this block is empty"
    for at, line in enumerate(lines, number + 1):
        for found in _MALFORMED.finditer(line):
            if role == "system" and found[1] != _CANARY:
                yield f"line {at}: a system block takes no placeholder but `{{{{ {_CANARY} }}}}`"
            elif role != "system" and found[1] == _CANARY:
                yield f"line {at}: `{{{{ {_CANARY} }}}}` stands in a system block only"
            elif found[1] is None:
                yield f"line {at}: a placeholder is written `{{{{ name }}}}`, exactly so"
