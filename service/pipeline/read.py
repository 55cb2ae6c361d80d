"""Passages read side by side: each comes to its proved claims, or to the error that stopped it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from service.deadline import LONGEST_WAIT_S, Deadline
from service.domain import Passage
from service.earlier import PassageMemory
from service.errors import ArticleTooLongError, ClientGoneError, DeadlineExceededError, FactCheckError, ModelError
from service.pipeline.extract import Extraction
from service.pipeline.following import Account
from service.pipeline.prove import Proof

NO_EXTRACTION = Extraction((), (), (), 0)
"""What a passage took that no model was asked about."""

NO_PROOF = Proof((), ())
"""What is known of a passage that was not read."""


@dataclass(frozen=True)
class Reading:
    """What reading a passage came to. `failure` is set when it was not read, `recalled` when an earlier reply was used."""

    passage: Passage
    extraction: Extraction = NO_EXTRACTION
    proof: Proof = NO_PROOF
    failure: FactCheckError | None = None
    recalled: PassageMemory | None = None


Readings = tuple[Reading, ...]
"""What passages came to, in their order: one reading each, or one for each part that a passage was read in."""


class Reader(Protocol):
    """Where the work of one request is done; a `schedule.Turn`."""

    def submit(self, work: Callable[[Passage], Readings], given: Passage, /) -> Future[Readings]:
        """What comes of `work` done on `given`."""

    def await_start(self) -> None:
        """Nothing, once some of it has begun.

        Raises: OverloadedError, DeadlineExceededError, ClientGoneError.
        """


def read(  # noqa: PLR0913 - what is read, how, where, until when, and who is told
    passages: Sequence[Passage],
    read_one: Callable[[Passage], Readings],
    reader: Reader,
    deadline: Deadline,
    *,
    allow_partial: bool,
    account: Account | None = None,
) -> Readings:
    """The readings of all passages, in their order. `account` is told of the beginning and of each that ends.

    A passage that fails ends the whole unless `allow_partial`, and then too when none was read; what is still being read is
    broken off. A passage that has not come to its end at the deadline, or not to its turn, has failed.
    Raises: ModelError, DeadlineExceededError, ArticleTooLongError, naming the passage where there are several;
    OverloadedError, ClientGoneError.
    """
    account = account or Account()
    try:
        ended = _as_they_end(passages, read_one, reader, deadline, account)
        return _read(passages, ended, account, allow_partial=allow_partial)
    except BaseException:
        deadline.interest.lose()
        raise


def _read(
    passages: Sequence[Passage], ended: Iterator[tuple[Passage, Future[Readings]]], account: Account, *, allow_partial: bool
) -> Readings:
    several = len(passages) > 1
    readings: dict[int, Readings] = {}
    for passage, future in ended:
        came = _outcome(future, passage, several=several)
        failure = next((reading.failure for reading in came if reading.failure), None)
        if failure and not allow_partial:
            raise failure
        if failure:
            account.passage_failed()
        else:
            account.passage_read(tuple(claim for reading in came for claim in reading.proof.claims))
        readings[passage.start] = came
    ordered = tuple(
        reading for passage in passages for reading in readings.get(passage.start) or _late(passage, several=several)
    )
    failures = [reading.failure for reading in ordered if reading.failure]
    if failures and (not allow_partial or len(failures) == len(ordered)):
        raise failures[0]
    return ordered


def _as_they_end(
    passages: Sequence[Passage], read_one: Callable[[Passage], Readings], reader: Reader, deadline: Deadline, account: Account
) -> Iterator[tuple[Passage, Future[Readings]]]:
    """The passages as they end, until the deadline.

    Raises: OverloadedError, ClientGoneError.
    """
    ended: SimpleQueue[tuple[Passage, Future[Readings]] | None] = SimpleQueue()

    def submit(passage: Passage) -> None:
        reader.submit(read_one, passage).add_done_callback(lambda future: ended.put((passage, future)))

    for passage in passages:
        submit(passage)
    reader.await_start()
    account.begin(len(passages))
    with deadline.interest.when_lost(lambda: ended.put(None)):
        for _ in passages:
            try:
                one = ended.get(timeout=min(max(deadline.remaining_s(), 0.0), LONGEST_WAIT_S))
            except Empty:
                return
            if one is None or one[1].cancelled():
                raise ClientGoneError("the client closed its connection")
            yield one


def _late(passage: Passage, *, several: bool) -> Readings:
    error = DeadlineExceededError("the request's time was spent before this passage was read")
    error.passage = (passage.start, passage.end) if several else None
    return (Reading(passage, failure=error),)


def _outcome(future: Future[Readings], passage: Passage, *, several: bool) -> Readings:
    try:
        return future.result()
    except (ArticleTooLongError, ModelError, DeadlineExceededError) as error:
        error.passage = (passage.start, passage.end) if several else None
        return (Reading(passage, failure=error),)
