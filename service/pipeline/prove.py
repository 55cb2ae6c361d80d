"""The model proposes, this step disposes: a claim leaves it with every quote proved, or is set aside with the reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256

from service.domain import (
    ARTICLE_HOLDER,
    Claim,
    Claimant,
    Options,
    Passage,
    Quote,
    SetAside,
    SetAsideReason,
    Stance,
    StanceLabel,
)
from service.pipeline.replies import ProposedClaim, ProposedStance
from service.text.ground import Grounder

_NUMBER = re.compile(r"\d[\d.,]*\d|\d")


@dataclass(frozen=True)
class Proof:
    """The claims that stand, in the article's order, and what was refused."""

    claims: tuple[Claim, ...]
    set_aside: tuple[SetAside, ...]


class _Refused(Exception):  # noqa: N818 - control flow inside this step, not an error anyone sees
    def __init__(self, reason: SetAsideReason, text: str) -> None:
        super().__init__(reason)
        self.entry = SetAside(reason, text)


def prove(passage: Passage, proposed: Sequence[ProposedClaim], options: Options) -> Proof:
    """The proposed claims whose words are in the article."""
    prover = _Prover(passage)
    claims: list[Claim] = []
    for candidate in proposed:
        try:
            claims.append(prover.claim(candidate))
        except _Refused as refused:
            prover.set_aside.append(refused.entry)
    kept = _within(options, _distinct(claims, prover.set_aside), prover.set_aside)
    ordered = sorted(kept, key=lambda claim: (claim.quote.span.start, claim.quote.span.end))
    return Proof(_with_ids(ordered), tuple(prover.set_aside))


class _Prover:
    """Proves proposals against one article and collects what it refuses."""

    def __init__(self, passage: Passage) -> None:
        self._by_number = {sentence.number: sentence for sentence in passage.sentences}
        grounder = Grounder(passage.article.text, passage.sentences)
        # A claim's claimant holds a stance on it too, and one sentence carries several claims: the same words, asked again.
        self._ground, self._ground_name = cache(grounder.ground), cache(grounder.ground_name)
        self._numbers = frozenset(_NUMBER.findall(passage.article.text))
        self.set_aside: list[SetAside] = []

    def claim(self, proposed: ProposedClaim) -> Claim:
        quote = self._quote(proposed.quote, proposed.sentence, SetAsideReason.QUOTE_NOT_FOUND)
        claimant = self._claimant(proposed.claimant, quote)
        return Claim(
            id="",
            text=self._claim_text(proposed.text, quote),
            quote=quote,
            claimant=claimant,
            stances=(*self._stances(proposed, claimant, quote), Stance(ARTICLE_HOLDER, proposed.article, None)),
            kind=proposed.kind,
            check_worthiness=proposed.worth,
            check_worthiness_reason=proposed.why.strip(),
        )

    def _quote(self, words: str, number: int, reason: SetAsideReason) -> Quote:
        """The proved words, or the whole sentence where none are given."""
        sentence = self._by_number.get(number)
        if not words.strip():
            if sentence is None:
                raise _Refused(SetAsideReason.UNKNOWN_SENTENCE, f"[{number}]")
            words = sentence.text.strip()
        quote = self._ground(words, (number,) if sentence else ())
        if quote is None:
            raise _Refused(reason, words)
        return quote

    def _claim_text(self, proposed: str, quote: Quote) -> str:
        """The model's wording, or the quote's where it has none or brings a number that the article does not hold."""
        text = proposed.strip()
        if not text:
            return quote.text
        if not self._numbers.issuperset(_NUMBER.findall(text)):
            self.set_aside.append(SetAside(SetAsideReason.NUMBER_NOT_FOUND, text))
            return quote.text
        return text

    def _claimant(self, name: str | None, quote: Quote) -> Claimant | None:
        if name is None:
            return None
        mention = self._ground_name(name, quote.sentences)
        if mention is None:
            raise _Refused(SetAsideReason.CLAIMANT_NOT_FOUND, name)
        return Claimant(name=mention.text, mention=mention)

    def _stances(self, proposed: ProposedClaim, claimant: Claimant | None, quote: Quote) -> list[Stance]:
        stances: list[Stance] = []
        for candidate in proposed.stances:
            try:
                stance = self._stance(candidate, quote)
            except _Refused as refused:
                self.set_aside.append(refused.entry)
                continue
            if any((stance.holder, stance.label) == (other.holder, other.label) for other in stances):
                self.set_aside.append(SetAside(SetAsideReason.DUPLICATE, f"{stance.holder}: {stance.label}"))
            else:
                stances.append(stance)
        if claimant and not any(_same_person(stance.holder, claimant.name) for stance in stances):
            # Who puts a claim forward supports it: that is what the word means.
            stances.insert(0, Stance(claimant.name, StanceLabel.SUPPORTS, quote))
        return stances

    def _stance(self, proposed: ProposedStance, quote: Quote) -> Stance:
        near = tuple(dict.fromkeys((proposed.sentence, *quote.sentences)))
        holder = self._ground_name(proposed.holder, near)
        if holder is None:
            raise _Refused(SetAsideReason.HOLDER_NOT_FOUND, proposed.holder)
        evidence = self._quote(proposed.words, proposed.sentence, SetAsideReason.EVIDENCE_NOT_FOUND)
        return Stance(holder.text, proposed.label, evidence)


def _same_person(one: str, other: str) -> bool:
    """Whether one name is the other or a shorter form of it: "Peskov" and "Dmitry Peskov"."""
    words, others = set(one.casefold().split()), set(other.casefold().split())
    return words <= others or others <= words


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _distinct(claims: Sequence[Claim], set_aside: list[SetAside]) -> list[Claim]:
    """The claims without those that say again what an earlier one by the same claimant said."""
    kept: dict[tuple[str, str | None], Claim] = {}
    for claim in claims:
        key = (_folded(claim.text), claim.claimant.name if claim.claimant else None)
        if key in kept:
            set_aside.append(SetAside(SetAsideReason.DUPLICATE, claim.text))
        else:
            kept[key] = claim
    return list(kept.values())


def _within(options: Options, claims: Sequence[Claim], set_aside: list[SetAside]) -> list[Claim]:
    """The claims the caller's limits leave: those most worth checking, each one cut told."""
    worthy = [claim for claim in claims if claim.check_worthiness >= options.min_check_worthiness]
    set_aside += [
        SetAside(SetAsideReason.BELOW_CHECK_WORTHINESS, claim.text)
        for claim in claims
        if claim.check_worthiness < options.min_check_worthiness
    ]
    if options.max_claims is None or len(worthy) <= options.max_claims:
        return worthy
    best = sorted(worthy, key=lambda claim: -claim.check_worthiness)
    set_aside += [SetAside(SetAsideReason.OVER_MAX_CLAIMS, claim.text) for claim in best[options.max_claims :]]
    return best[: options.max_claims]


def _with_ids(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims with ids that depend on nothing but their quote's words, and on the order of claims that share them."""
    seen: dict[str, int] = {}
    named = []
    for claim in claims:
        words = _folded(claim.quote.text)
        turn = seen[words] = seen.get(words, 0) + 1
        digest = sha256(f"{words}\n{turn}".encode()).hexdigest()[:16]
        named.append(replace(claim, id=f"c_{digest}"))
    return tuple(named)
