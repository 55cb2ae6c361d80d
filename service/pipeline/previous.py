"""What of an earlier analysis still stands: a passage that would be put to the model in the same words is not put again.

What is kept of a passage is the model's reply, not the claims made of it. They are proved anew against the article as it
is now, together with all others, so a kept claim's places, its names and its merging are those of a whole new reading.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

from service.domain import Analysis, Article, Caveat, Options, Passage
from service.earlier import Changes, Circumstances, ClaimMemory, Memory, PassageMemory, Previous
from service.llm.base import ModelTraits, Reply, ResponseFormat
from service.pipeline.assemble import SERVICE_VERSION
from service.pipeline.extract import Asking, Extraction, surroundings
from service.pipeline.merge import Merged, same_words
from service.pipeline.plan import fingerprint
from service.pipeline.read import Reading
from service.pipeline.replies import ProposedClaim, UnreadableReplyError, read_reply

_NOT_REUSED = "previous_not_reused"
_NOT_OURS = (
    "The whole article was read: the earlier answer carries no seal of this service as it runs now. It was changed, comes from "
    "another installation, or from before a restart without FACTCHECK_SEAL_KEY."
)

_SERVED_OTHERWISE = Caveat(
    "previous_served_otherwise",
    "Passages of the earlier answer were read by another model than those read now, although the same was asked for; "
    "provenance names all of them.",
)


class Recall:
    """The replies of an earlier analysis that may stand in for asking again, for one article; thread-safe."""

    def __init__(
        self, previous: Previous | None, article: Article, options: Options, asking: Asking, traits: ModelTraits
    ) -> None:
        self._previous = previous
        self._options = options
        self._asking = asking
        self._circumstances = _circumstances(article, options, asking, traits)
        memory = previous.memory if previous else None
        self._other = _differences(memory.circumstances, self._circumstances) if memory else ()
        self.known: tuple[PassageMemory, ...] = memory.passages if memory and not self._other else ()
        self._fingerprints = {one.fingerprint for one in self.known}
        self._by_question = {(one.fingerprint, one.surroundings): one for one in self.known}

    def reading(self, passage: Passage) -> Reading | None:
        """The reading of a passage by its earlier reply, nothing of it proved; None when it must be asked about."""
        if not self.known:
            return None
        memory = self._by_question.get((fingerprint(passage.sentences), self._surroundings(passage)))
        if memory is None:
            return None
        try:
            proposed, _ = read_reply(memory.reply, self._asking.prompt.output.name)
        except UnreadableReplyError:
            return None
        shift = passage.sentences[0].number - memory.first
        numbers = {sentence.number for sentence in passage.sentences}
        moved = tuple(_moved(claim, shift) for claim in proposed)
        if not all(numbers.issuperset(_sentences(claim)) for claim in moved):
            # A number of a sentence the model was not shown points somewhere else in a text that has changed.
            return None
        reply = Reply(memory.reply, memory.served, ResponseFormat(memory.response_format), calls=0)
        return Reading(passage, Extraction(moved, (reply,), memory.repairs, memory.left_out, memory.reply), recalled=memory)

    def noted(self, analysis: Analysis, readings: Sequence[Reading], merged: Merged) -> Analysis:
        """The analysis with what a later one needs of it, and with what became of the earlier one's claims."""
        claims = tuple(ClaimMemory(claim.id, claim.text, claim.quote.text) for claim in analysis.claims)
        passages = tuple(reading.recalled or self._memory(reading) for reading in readings if reading.extraction.body)
        earlier = self._previous.memory if self._previous else None
        return replace(
            analysis,
            memory=Memory(analysis.id, self._circumstances, claims, passages),
            changes=_changes(earlier, merged, readings) if earlier else None,
            warnings=(*analysis.warnings, *self._warnings(readings)),
        )

    def _memory(self, reading: Reading) -> PassageMemory:
        passage, extraction = reading.passage, reading.extraction
        return PassageMemory(
            fingerprint=fingerprint(passage.sentences),
            opening=fingerprint(passage.sentences[:1]),
            sentences=len(passage.sentences),
            chars=passage.end - passage.start,
            surroundings=self._surroundings(passage),
            first=passage.sentences[0].number,
            left_out=extraction.left_out,
            repairs=extraction.repairs,
            reply=extraction.body,
            served=extraction.replies[-1].served_model,
            response_format=extraction.replies[-1].response_format.value,
        )

    def _surroundings(self, passage: Passage) -> str:
        return surroundings(passage, self._options, self._asking.prompt)

    def _warnings(self, readings: Sequence[Reading]) -> list[Caveat]:
        if self._previous is None or self._previous.memory is None:
            return [Caveat(_NOT_REUSED, _NOT_OURS)] if self._previous else []
        if self._other:
            told = ", ".join(self._other)
            return [Caveat(_NOT_REUSED, f"The whole article was read: the earlier answer was made with another {told}.")]
        if not self._previous.memory.passages:
            return [
                Caveat(_NOT_REUSED, "The whole article was read: its claims are drafted by rules, which look at all of it.")
            ]
        anew = [reading for reading in readings if not reading.recalled and not reading.failure]
        if stale := sum(fingerprint(reading.passage.sentences) in self._fingerprints for reading in anew):
            return [
                Caveat(
                    _NOT_REUSED,
                    f"{stale} of {len(readings)} passages were read again although their own words stand unchanged: what the "
                    "model is shown with them (the article's first sentences) has changed, or its reply cannot be placed.",
                )
            ]
        if not any(reading.recalled for reading in readings):
            reason = (
                "no passage of the earlier answer stands unchanged"
                if self.known
                else "rules that draft claims look at all of it"
            )
            return [Caveat(_NOT_REUSED, f"The whole article was read: {reason}.")]
        return [_SERVED_OTHERWISE] if _served_otherwise(readings, anew) else []


def _served_otherwise(readings: Sequence[Reading], anew: Sequence[Reading]) -> bool:
    now = {reply.served_model for reading in anew for reply in reading.extraction.replies}
    return bool(now) and now != {reading.recalled.served for reading in readings if reading.recalled}


def _circumstances(article: Article, options: Options, asking: Asking, traits: ModelTraits) -> Circumstances:
    return Circumstances(
        service=SERVICE_VERSION,
        prompt=asking.prompt.ref,
        repair_prompt=asking.repair.ref,
        reply_schema=f"{asking.prompt.output.name}#{asking.prompt.output.sha256}",
        model=traits.name,
        endpoint=traits.endpoint,
        passage_chars=traits.passage_chars,
        title=article.title,
        language=article.language,
        max_claims=options.max_claims,
        min_check_worthiness=options.min_check_worthiness,
    )


def _differences(one: Circumstances, other: Circumstances) -> tuple[str, ...]:
    """The names of what differs."""
    values = asdict(other)
    return tuple(name for name, value in asdict(one).items() if value != values[name])


def _sentences(claim: ProposedClaim) -> list[int]:
    """The numbers of the sentences that a claim and its stances name."""
    return [claim.sentence, *(stance.sentence for stance in claim.stances if stance.sentence is not None)]


def _moved(claim: ProposedClaim, shift: int) -> ProposedClaim:
    """The claim with the numbers its sentences have now; words that no sentence is named for are looked for anew."""
    stances = tuple(
        stance if stance.sentence is None else replace(stance, sentence=stance.sentence + shift) for stance in claim.stances
    )
    return replace(claim, sentence=claim.sentence + shift, stances=stances)


def _changes(earlier: Memory, merged: Merged, readings: Sequence[Reading]) -> Changes:
    known = {claim.id for claim in earlier.claims}
    now = {claim.id for claim in merged.claims}
    unread = [
        same_words(reading.passage.article.text[reading.passage.start : reading.passage.end])
        for reading in readings
        if reading.failure
    ]
    missing = [claim for claim in earlier.claims if claim.id not in now]
    unlisted = {
        claim.id for claim in missing if claim.id in merged.cut or any(same_words(claim.quote) in words for words in unread)
    }
    return Changes(
        since=earlier.analysis,
        new=tuple(claim.id for claim in merged.claims if claim.id not in known),
        gone=tuple(claim for claim in missing if claim.id not in unlisted),
        kept=tuple(claim.id for claim in merged.claims if claim.id in known),
        unlisted=tuple(claim for claim in missing if claim.id in unlisted),
    )
