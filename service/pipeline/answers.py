"""The answers of a while ago, and those being worked out: what makes two questions the same, and what may be kept."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from time import monotonic
from uuid import uuid4

from service.codec import Codec, CodecError, canonical
from service.deadline import Deadline
from service.domain import Analysis, AnalysisStatus, ArticleInput, Claim, Options, Quote
from service.earlier import Previous
from service.pipeline.flights import Flights
from service.store.base import NoStore, Shelf, Store

MADE, KEPT, SHARED = "miss", "hit", "shared"
"""What `Usage.cache` says: this request did the work, an earlier one did, or one at the same time."""

FALLBACK = "fallback_model"
"""The warning on the answer of another model than the one that was to be asked: it is given once, and not kept."""

POLL_S = 0.1
LEASE_S = 30.0
"""How long other processes leave a question to the one that took it up. Should that one die, they wait no longer."""


@dataclass(frozen=True)
class Question:
    """Everything that an answer depends on but the service itself. `prompts` are the hashes of all that may be used."""

    article: ArticleInput
    options: Options
    prompts: tuple[str, ...]
    previous: Previous | None = None
    tenant: str = ""


@dataclass(frozen=True)
class Caching:
    """What a caller allows: to `read` an answer made earlier, and to `keep` this one for others."""

    read: bool = True
    keep: bool = True


Make = Callable[[float], Analysis]


@dataclass(frozen=True)
class _Work:
    """What is to be done for a question with this `key` about this `text`; `may_find` tells whether a kept answer will do."""

    key: str
    text: str
    make: Make
    deadline: Deadline
    may_find: bool


_ANSWERS = Codec(Analysis)


class Answers:
    """Answers kept in `store` for `ttl_s` seconds (0: not at all); the same question asked twice at once is answered once.

    `origin` stands for what else answers depend on: the code, the model and where it is asked.
    """

    def __init__(
        self,
        store: Store | None = None,
        ttl_s: float = 0,
        origin: str = "",
        *,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store or NoStore()
        self._ttl_s = ttl_s
        self._origin = origin
        self._clock = clock
        self._sleep = sleep
        self._flights = Flights[Analysis]()

    def key(self, question: Question) -> str:
        """What the answer to `question` is kept under: a hash, different as soon as anything differs that it depends on."""
        return sha256("\n".join([self._origin, _ANSWERS.shape, canonical(question)]).encode()).hexdigest()

    def find_or_make(self, question: Question, make: Make, deadline: Deadline, caching: Caching) -> Analysis:
        """The answer to `question`: one kept, one being made for another request, or what `make` comes to.

        `make` is told how many seconds this request has waited in vain for a place.

        `usage` is that of the making; its `cache` tells which of the three it was (`KEPT`, `SHARED`, `MADE`), and its
        `duration_ms` is this request's.
        Raises: what `make` raises, DeadlineExceededError.
        """
        if not caching.keep:
            return make(0.0)
        started = self._clock()
        work = _Work(self.key(question), question.article.text, make, deadline, caching.read)

        def told(answer: Analysis, cache: str) -> Analysis:
            took_ms = round((self._clock() - started) * 1000)
            return replace(answer, usage=replace(answer.usage, cache=cache, duration_ms=took_ms))

        if work.may_find and (found := self._find(work)):
            return told(found, KEPT)
        # Who asks for new work is not served with what another found among the kept.
        answer, shared = self._flights.once((work.key, work.may_find), partial(self._do, work), deadline, _may_share)
        return told(answer, SHARED) if shared or answer.usage.cache == SHARED else answer

    def _do(self, work: _Work, in_vain_s: float) -> Analysis:
        claim = uuid4().hex if work.may_find and self._ttl_s and self._store.shared else None
        try:
            if work.may_find and (found := self._await(work, claim)):
                return found
            answer = work.make(in_vain_s)
            if self._ttl_s and _may_keep(answer):
                self._store.put(Shelf.ANSWERS, work.key, _ANSWERS.dump(answer), self._ttl_s)
            return answer
        finally:
            if claim:
                self._store.remove(Shelf.FLIGHTS, work.key, claim)

    def _await(self, work: _Work, claim: str | None) -> Analysis | None:
        """The answer that came while this request was on its way here, or that another process is working on; else None."""
        while True:
            lease_s = min(LEASE_S, work.deadline.check())
            theirs = claim and self._store.claim(Shelf.FLIGHTS, work.key, claim, lease_s)
            if found := self._find(work):
                return replace(found, usage=replace(found.usage, cache=SHARED))
            if not theirs:
                return None
            self._sleep(min(POLL_S, lease_s))

    def _find(self, work: _Work) -> Analysis | None:
        """The answer that is kept, if it is one to this article: whoever can write to the store cannot invent a quote."""
        text = self._store.get(Shelf.ANSWERS, work.key) if self._ttl_s else None
        try:
            found = None if text is None else _ANSWERS.load(text)
        except CodecError:
            return None
        return found if found and found.article.text == work.text and _is_proved(found) else None


def _is_proved(answer: Analysis) -> bool:
    """Whether every quote in `answer` stands in its article where it says."""
    text = answer.article.text
    return all(text[quote.span.start : quote.span.end] == quote.text for claim in answer.claims for quote in _quotes(claim))


def _quotes(claim: Claim) -> Iterator[Quote]:
    yield claim.quote
    yield from claim.occurrences
    if claim.claimant:
        yield claim.claimant.mention
        if claim.claimant.cites:
            yield claim.claimant.cites
    yield from (stance.evidence for stance in claim.stances if stance.evidence)


def _may_keep(answer: Analysis) -> bool:
    """Whether `answer` is a whole one, with nothing of the article unread, and of the model it was asked of."""
    if answer.status != AnalysisStatus.COMPLETE or any(passage.code for passage in answer.coverage.passages):
        return False
    return not any(caveat.code == FALLBACK for caveat in answer.warnings)


def _may_share(answer: Analysis) -> bool:
    """Whether `answer` would have been the same had the others made it: no passage failed by one request's own time alone."""
    return all(passage.for_all for passage in answer.coverage.passages)
