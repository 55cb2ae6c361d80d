"""Passages read side by side: each comes to its proved claims, or to the error that stopped it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import suppress
from dataclasses import dataclass

from service.deadline import Deadline
from service.domain import Passage
from service.errors import ArticleTooLongError, DeadlineExceededError, FactCheckError, ModelError
from service.pipeline.extract import Extraction
from service.pipeline.prove import Proof

NO_EXTRACTION = Extraction((), (), (), 0)
"""What a passage took that no model was asked about."""

NO_PROOF = Proof((), ())
"""What is known of a passage that was not read."""


@dataclass(frozen=True)
class Reading:
    """What reading a passage came to. `failure` is set when it was not read."""

    passage: Passage
    extraction: Extraction = NO_EXTRACTION
    proof: Proof = NO_PROOF
    failure: FactCheckError | None = None


def read(
    passages: Sequence[Passage],
    read_one: Callable[[Passage], Reading],
    pool: Executor,
    deadline: Deadline,
    *,
    allow_partial: bool,
) -> tuple[Reading, ...]:
    """The readings of all passages, in their order.

    A passage that fails ends the whole unless `allow_partial`, and then too when none was read. A passage that has not come
    to its end at the deadline, or not to its turn, has failed.
    Raises: ModelError, DeadlineExceededError, ArticleTooLongError, naming the passage where there are several.
    """
    if len(passages) == 1:
        return (read_one(passages[0]),)
    futures = {pool.submit(read_one, passage): passage for passage in passages}
    readings: dict[int, Reading] = {}
    try:
        for future in _until(deadline, futures):
            reading = _outcome(future, futures[future])
            if reading.failure and not allow_partial:
                raise reading.failure
            readings[reading.passage.start] = reading
    finally:
        for future in futures:
            future.cancel()
    ordered = tuple(readings.get(passage.start) or _late(passage) for passage in passages)
    failures = [reading.failure for reading in ordered if reading.failure]
    if failures and (not allow_partial or len(failures) == len(ordered)):
        raise failures[0]
    return ordered


def _until(deadline: Deadline, futures: Iterable[Future[Reading]]) -> Iterator[Future[Reading]]:
    """The futures as they end, until the deadline."""
    with suppress(TimeoutError):
        yield from as_completed(futures, timeout=max(deadline.remaining_s(), 0.0))


def _late(passage: Passage) -> Reading:
    error = DeadlineExceededError("the request's time was spent before this passage was read")
    error.passage = (passage.start, passage.end)
    return Reading(passage, failure=error)


def _outcome(future: Future[Reading], passage: Passage) -> Reading:
    try:
        return future.result()
    except (ArticleTooLongError, ModelError, DeadlineExceededError) as error:
        error.passage = (passage.start, passage.end)
        return Reading(passage, failure=error)
