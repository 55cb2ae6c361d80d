"""Passages read side by side: each comes to its proved claims, or to the error that stopped it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass

from service.domain import Passage
from service.errors import DeadlineExceededError, FactCheckError, ModelError
from service.pipeline.extract import Extraction
from service.pipeline.prove import Proof

NO_EXTRACTION = Extraction((), (), (), 0)
"""What a passage took that no model was asked about."""

NO_PROOF = Proof((), ())
"""What is known of a passage that was not read."""


@dataclass(frozen=True)
class Reading:
    """What reading a passage came to. `failure` is set when it was not read; `kept` when an earlier reading stands."""

    passage: Passage
    extraction: Extraction = NO_EXTRACTION
    proof: Proof = NO_PROOF
    failure: FactCheckError | None = None
    kept: bool = False


def read(
    passages: Sequence[Passage], read_one: Callable[[Passage], Reading], pool: Executor, *, allow_partial: bool
) -> tuple[Reading, ...]:
    """The readings of all passages, in their order.

    A passage that fails ends the whole unless `allow_partial`, and then too when none was read.
    Raises: ModelError, DeadlineExceededError, naming the passage where there are several.
    """
    if len(passages) == 1:
        return (read_one(passages[0]),)
    futures = {pool.submit(read_one, passage): passage for passage in passages}
    readings: dict[int, Reading] = {}
    try:
        for future in as_completed(futures):
            reading = _outcome(future, futures[future])
            if reading.failure and not allow_partial:
                raise reading.failure
            readings[reading.passage.start] = reading
    finally:
        for future in futures:
            future.cancel()
    ordered = tuple(readings[passage.start] for passage in passages)
    if ordered[0].failure and all(reading.failure for reading in ordered):
        raise ordered[0].failure
    return ordered


def _outcome(future: Future[Reading], passage: Passage) -> Reading:
    try:
        return future.result()
    except (ModelError, DeadlineExceededError) as error:
        error.passage = (passage.start, passage.end)
        return Reading(passage, failure=error)
