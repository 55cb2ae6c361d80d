"""How far the reading of an article has come, told to whoever follows it while it goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.domain import Claim, Coverage, Options
from service.pipeline.merge import Namer


class Stage(StrEnum):
    """What is being done: passages are read, or the claims of all of them made one list."""

    READING = "reading"
    MERGING = "merging"


@dataclass(frozen=True)
class Progress:
    """How far it is: of so many `passages`, so many `read` and `failed`; `claims` are those told so far, not yet merged.

    One with nothing read yet is a beginning: what was told before it, by a model that gave up, no longer counts.
    """

    passages: int
    read: int
    failed: int
    claims: int
    stage: Stage

    @classmethod
    def of_a_whole(cls, coverage: Coverage, claims: int) -> "Progress":
        """That of an answer which was there already."""
        failed = sum(passage.code is not None for passage in coverage.passages)
        return cls(len(coverage.passages), len(coverage.passages) - failed, failed, claims, Stage.MERGING)


@dataclass(frozen=True)
class Proved:
    """A claim of one passage, proved. Merging may still join it with others, change its id, or drop it for a limit."""

    claim: Claim


Follower = Callable[[Progress | Proved], None]
"""Who is told, in the thread that waits for the passages; never raises."""


def nobody(_: Progress | Proved) -> None:
    """Nothing: most analyses are followed by nobody."""


class Account:
    """What one reading has come to so far. Used by one thread."""

    def __init__(self, follow: Follower = nobody, options: Options | None = None) -> None:
        self._follow = follow
        self._least = options.min_check_worthiness if options else 0.0
        self._name = Namer()
        self._passages = self._read = self._failed = self._claims = 0

    def begin(self, passages: int) -> None:
        """Nothing; the first of so many passages is being read."""
        self._passages = passages
        self._tell(Stage.READING)

    def passage_read(self, claims: Sequence[Claim]) -> None:
        """Nothing; these are the claims of one more passage. Those worth less than the caller asks for are not told."""
        for claim in claims:
            if claim.check_worthiness >= self._least:
                self._claims += 1
                self._follow(Proved(self._name(claim)))
        self._read += 1
        self._tell(Stage.READING)

    def passage_failed(self) -> None:
        """Nothing; one more passage was not read."""
        self._failed += 1
        self._tell(Stage.READING)

    def merging(self) -> None:
        """Nothing; what has not been read by now will not be."""
        self._failed = self._passages - self._read
        self._tell(Stage.MERGING)

    def _tell(self, stage: Stage) -> None:
        self._follow(Progress(self._passages, self._read, self._failed, self._claims, stage))
