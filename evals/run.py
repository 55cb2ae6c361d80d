"""A run: one prompt and model over labelled sets, kept in a folder so that a killed run goes on where it stopped.

`run.json` says what was asked and of whom; `answers/<set>/<key>.json` holds one article's outcome each, the answer or the
code of the failure. The key hashes everything an answer depends on, so a changed article or prompt is asked anew.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from evals.answers import AnswerJson
from evals.items import Item
from service.errors import FactCheckError, ModelMisconfiguredError, ModelQuotaError, SetupError
from service.wholefile import write_json

RUN_FILE = "run.json"
BASELINE_PREFIX = "baseline:"
"""What the `prompt` of a baseline's run begins with; no prompt's ref does."""

_FORMAT = 1
_STOPPING = (SetupError, ModelMisconfiguredError, ModelQuotaError)
"""What would befall every article alike: the run stops, for an operator to mend it."""

Answering = Callable[[Item[Any]], AnswerJson]


@dataclass(frozen=True)
class Asked:
    """What is asked, and of whom: everything but the article that an answer depends on."""

    prompt: str
    schema_sha256: str
    model: str
    options: Mapping[str, Any]

    def key(self, item: Item[Any]) -> str:
        """The hash of this and of the item's article."""
        article = {"text": item.text, "title": item.title, "language": item.language}
        return sha256(canonical({"article": article, **asdict(self)})).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What became of one article: an answer, or the code of the error that came instead."""

    item: str
    answer: AnswerJson | None
    failure: str | None
    seconds: float


@dataclass(frozen=True)
class RunInfo:
    """What a run folder says of itself. `sets` gives each set's file where it was not the usual one."""

    label: str
    asked: Asked
    endpoint: str
    service: str
    sets: Mapping[str, str | None]

    @property
    def is_baseline(self) -> bool:
        """Whether no model was asked."""
        return self.asked.prompt.startswith(BASELINE_PREFIX)


class RunFolder:
    """The files of one run. Several threads may write outcomes at once."""

    def __init__(self, path: Path, info: RunInfo) -> None:
        self.path = path
        self.info = info

    @classmethod
    def begin(cls, path: Path, info: RunInfo) -> "RunFolder":
        """The folder at `path`, new or gone on with; the sets it knows are added to.

        Raises: SetupError when it holds a run that asked something else, or cannot be written.
        """
        if (path / RUN_FILE).exists():
            earlier = cls.load(path).info
            if earlier.asked != info.asked:
                raise SetupError(
                    f"{path} holds a run of {earlier.asked.prompt} on {earlier.asked.model}; choose another folder"
                )
            info = replace(info, sets={**earlier.sets, **info.sets})
        write_part(path / RUN_FILE, asdict(info))
        return cls(path, info)

    @classmethod
    def load(cls, path: Path) -> "RunFolder":
        """The run at `path`.

        Raises: SetupError when there is none.
        """
        document = read_part(path / RUN_FILE)
        try:
            info = {name: document[name] for name in ("label", "endpoint", "service", "sets")}
            return cls(path, RunInfo(asked=Asked(**document["asked"]), **info))
        except (KeyError, TypeError) as error:
            raise SetupError(f"{path / RUN_FILE} is damaged") from error

    def outcome(self, set_name: str, item: Item[Any]) -> Outcome | None:
        """What became of the item, or None when it was not asked yet.

        Raises: SetupError naming a damaged file.
        """
        return read_outcome(self.path / "answers" / set_name, self.info.asked.key(item))

    def keep(self, set_name: str, item: Item[Any], outcome: Outcome) -> None:
        """Nothing; the outcome is on disk, whole."""
        keep_outcome(self.path / "answers" / set_name, self.info.asked.key(item), outcome)


class KeepsOutcomes(Protocol):
    """Where outcomes are kept, by set and item."""

    def outcome(self, set_name: str, item: Item[Any]) -> Outcome | None:
        """What became of the item, or None when it was not asked yet.

        Raises: SetupError naming a damaged file.
        """

    def keep(self, set_name: str, item: Item[Any], outcome: Outcome) -> None:
        """Nothing; the outcome is kept. Several threads may call this at once."""


def read_outcome(folder: Path, key: str) -> Outcome | None:
    """The outcome kept in `folder` under `key`, or None when there is none.

    Raises: SetupError naming a damaged file.
    """
    path = folder / f"{key}.json"
    if not path.exists():
        return None
    document = read_part(path)
    try:
        return Outcome(**document["outcome"])
    except (KeyError, TypeError) as error:
        raise SetupError(f"{path} is damaged") from error


def keep_outcome(folder: Path, key: str, outcome: Outcome) -> None:
    """Nothing; the outcome is in `folder` under `key`, whole."""
    write_part(folder / f"{key}.json", {"key": key, "outcome": asdict(outcome)})


def _nobody(_: Outcome) -> None:
    """Nothing: most callers wait for the end."""


@dataclass(frozen=True)
class Working:
    """How a set is worked through: by how many threads, whether what failed before is tried again, and who is told.

    `tell` hears of each outcome as it is known, in the caller's thread.
    """

    workers: int = 1
    retry_failed: bool = True
    tell: Callable[[Outcome], None] = _nobody
    clock: Callable[[], float] = monotonic


def first_items(items: Sequence[Item[Any]], limit: int | None) -> list[Item[Any]]:
    """At most `limit` of the items, in their order; chosen by the hash of their ids, so a larger limit only adds some."""
    if limit is None or limit >= len(items):
        return list(items)
    chosen = sorted(range(len(items)), key=lambda at: sha256(items[at].id.encode("utf-8")).hexdigest())[:limit]
    return [items[at] for at in sorted(chosen)]


def answer_items(
    run: KeepsOutcomes, set_name: str, items: Sequence[Item[Any]], answer: Answering, working: Working
) -> list[Outcome]:
    """The outcomes of the items, in their order: those on disk, and the new ones, which are kept as they come.

    Raises: SetupError, ModelMisconfiguredError, ModelQuotaError: what would befall every article ends the run.
    """
    outcomes: dict[int, Outcome] = {}
    for at, item in enumerate(items):
        known = run.outcome(set_name, item)
        if known and not (known.failure and working.retry_failed):
            outcomes[at] = known
            working.tell(known)

    def one(at: int) -> Outcome:
        outcome = _outcome(items[at], answer, working.clock)
        run.keep(set_name, items[at], outcome)
        return outcome

    pool = ThreadPoolExecutor(working.workers, thread_name_prefix="eval")
    try:
        futures = {pool.submit(one, at): at for at in range(len(items)) if at not in outcomes}
        for future in as_completed(futures):
            outcomes[futures[future]] = future.result()
            working.tell(future.result())
    finally:
        pool.shutdown(cancel_futures=True)
    return [outcomes[at] for at in range(len(items))]


def _outcome(item: Item[Any], answer: Answering, clock: Callable[[], float]) -> Outcome:
    started = clock()
    document, failure = None, None
    try:
        document = answer(item)
    except _STOPPING:
        raise
    except FactCheckError as error:
        failure = error.code
    return Outcome(item.id, document, failure, round(clock() - started, 3))


def canonical(document: Any) -> bytes:
    """The document as bytes that are the same for the same document, to be hashed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def read_part(path: Path) -> Mapping[str, Any]:
    """A file of a run.

    Raises: SetupError when it cannot be read, or is in another format.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise SetupError(f"{path} cannot be read as part of a run")
    return document


def write_part(path: Path, document: Mapping[str, Any]) -> None:
    """Nothing; `document` is at `path`, whole: a killed run leaves no half of a file.

    Raises: SetupError.
    """
    try:
        write_json(path, {"format": _FORMAT, **document})
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from error
