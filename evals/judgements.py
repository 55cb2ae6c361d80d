"""What a judge said of a run, kept beside its answers: one file for each article, named by all that a judgement depends on.

`judge.json` in the run's folder says who judged last; what others said before stays, and is not read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from evals.items import Item
from evals.run import Outcome, canonical, keep_outcome, read_outcome, read_part, write_part
from evals.scores.scorer import Tally, Wordings
from service.errors import SetupError

JUDGE_FILE = "judge.json"
_FOLDER = "judgements"


@dataclass(frozen=True)
class Judge:
    """Who judges: a version of the prompt, on a model at an endpoint."""

    prompt: str
    schema_sha256: str
    model: str
    endpoint: str

    def key(self, pairs: Sequence[Wordings]) -> str:
        """The hash of this judge and of what it is asked."""
        who = {name: value for name, value in asdict(self).items() if name != "endpoint"}
        return sha256(canonical({**who, "pairs": [list(pair) for pair in pairs]})).hexdigest()


def judge_of(path: Path) -> Judge | None:
    """Who judged the run in the folder `path`, or None when nobody did.

    Raises: SetupError when the file is damaged.
    """
    file = path / JUDGE_FILE
    if not file.exists():
        return None
    try:
        return Judge(**read_part(file)["judge"])
    except (KeyError, TypeError) as error:
        raise SetupError(f"{file} is damaged") from error


def to_ask(pairs: Sequence[Wordings]) -> tuple[Wordings, ...]:
    """The pairs that need a judge: those that are not the same words."""
    return tuple((ours, theirs) for ours, theirs in pairs if not _same_words(ours, theirs))


class Judgements:
    """The judgements of the run in the folder `path`. `pairs` are those of each set's articles, by name and id.

    Several threads may keep outcomes at once.
    """

    def __init__(self, path: Path, judge: Judge, pairs: Mapping[str, Mapping[str, Sequence[Wordings]]]) -> None:
        self._path = path
        self._judge = judge
        self._pairs = pairs

    def begin(self) -> None:
        """Nothing; the run says who judges it.

        Raises: SetupError.
        """
        write_part(self._path / JUDGE_FILE, {"judge": asdict(self._judge)})

    def outcome(self, set_name: str, item: Item[Any]) -> Outcome | None:
        """What became of the item's pairs, or None when they were not judged yet.

        Raises: SetupError naming a damaged file.
        """
        return read_outcome(self._path / _FOLDER / set_name, self._key(set_name, item))

    def keep(self, set_name: str, item: Item[Any], outcome: Outcome) -> None:
        """Nothing; the outcome is on disk, whole."""
        keep_outcome(self._path / _FOLDER / set_name, self._key(set_name, item), outcome)

    def count(self, set_name: str, item: Item[Any]) -> Tally:
        """The counts of one article's pairs; none when a judge is still to be asked.

        After a failure all of them count as failed, those of the same words too: to count these alone would flatter.
        Raises: SetupError naming a damaged file.
        """
        pairs, tally = self._pairs[set_name][item.id], Tally()
        asked = to_ask(pairs)
        outcome = self.outcome(set_name, item) if asked else Outcome(item.id, {"same": []}, None, 0.0)
        if outcome is None:
            return tally
        if outcome.answer is None:
            tally.add("judge_failed", len(pairs))
            return tally
        same = outcome.answer.get("same")
        if not isinstance(same, list) or len(same) != len(asked):
            raise SetupError(f"the judgement of {set_name}/{item.id} in {self._path} is damaged")
        tally.add("judged", len(pairs))
        tally.add("judged_same", len(pairs) - len(asked) + sum(verdict is True for verdict in same))
        return tally

    def _key(self, set_name: str, item: Item[Any]) -> str:
        return self._judge.key(to_ask(self._pairs[set_name][item.id]))


def _same_words(one: str, other: str) -> bool:
    return one.split() == other.split()
