"""The model proposes, this step disposes: a claim leaves it with every quote proved, or is set aside with the reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from service.domain import (
    ARTICLE_HOLDER,
    Claim,
    Claimant,
    Mode,
    Quote,
    Sentence,
    SetAside,
    SetAsideReason,
    Stance,
    StanceLabel,
)
from service.pipeline.replies import ProposedClaim, ProposedStance
from service.text.ground import Grounder
from service.text.quotation import quotations, quoted_share
from service.text.references import reference
from service.text.wording import Vocabulary

_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_MOST_PLACES = 20
"""Places of a quote that are listed; words as common as that need no more."""

_MOST_CHOICES = 200
"""Words that stand in more places show nothing, and an article written to be slow would hold them everywhere."""

_MOST_OF_IT = 0.5
_ALL_OF_IT = 0.9
"""The share of a claim's quote that must stand between quotation marks for it to be the claimant's own words."""


@dataclass(frozen=True)
class Proof:
    """The claims that stand and what was refused, both in the order proposed. Ids are given once all passages are in."""

    claims: tuple[Claim, ...]
    set_aside: tuple[SetAside, ...]


class _Refused(Exception):  # noqa: N818 - control flow inside this step, not an error anyone sees
    def __init__(self, reason: SetAsideReason, text: str) -> None:
        super().__init__(reason)
        self.entry = SetAside(reason, text)


class Prover:
    """Proves proposals against one article in a language (ISO 639-1). Thread-safe: passages may be proved side by side."""

    def __init__(self, text: str, sentences: Sequence[Sentence], language: str = "") -> None:
        self._by_number = {sentence.number: sentence for sentence in sentences}
        grounder = Grounder(text, sentences)
        # A claim's claimant holds a stance on it too, and one sentence carries several claims: the same words, asked again.
        self._ground, self._ground_name = cache(grounder.ground), cache(grounder.ground_name)
        self._occurrences, self._quote_at = cache(grounder.occurrences), grounder.quote_at
        self._naming, self._referring = cache(self._sentences_naming), cache(self._refers)
        self._numbers = frozenset(_NUMBER.findall(text))
        self._vocabulary = Vocabulary(text, language)
        self._quotations = quotations(text)

    def prove(self, proposed: Sequence[ProposedClaim]) -> Proof:
        """The proposed claims whose words are in the article."""
        claims: list[Claim] = []
        set_aside: list[SetAside] = []
        for candidate in proposed:
            try:
                claims.append(self._claim(candidate, set_aside))
            except _Refused as refused:
                set_aside.append(refused.entry)
        return Proof(tuple(claims), tuple(set_aside))

    def _claim(self, proposed: ProposedClaim, set_aside: list[SetAside]) -> Claim:
        quote = self._quote(proposed.quote, proposed.sentence, SetAsideReason.QUOTE_NOT_FOUND)
        claimant = self._claimant(proposed, quote, set_aside)
        quoted = quoted_share(quote.span.start, quote.span.end, self._quotations)
        article = proposed.article
        if claimant is None and article is StanceLabel.SUPPORTS and quoted >= _MOST_OF_IT:
            # Between quotation marks somebody else speaks, also where the model does not say who.
            article = StanceLabel.DISCUSSES
        return Claim(
            id="",
            text=self._claim_text(proposed.text, quote, set_aside),
            quote=quote,
            occurrences=self._places(quote),
            claimant=claimant,
            mode=_mode(quoted, own_voice=claimant is None and article is not StanceLabel.DISCUSSES),
            stances=(*self._stances(proposed, claimant, quote, set_aside), Stance(ARTICLE_HOLDER, article, None)),
            kind=proposed.kind,
            check_worthiness=proposed.worth,
            check_worthiness_reason=proposed.why.strip(),
        )

    def _places(self, quote: Quote) -> tuple[Quote, ...]:
        """The first places where the words of a quote stand, and its own among them."""
        places = self._occurrences(quote.text)[:_MOST_PLACES]
        return places if quote in places else (*places, quote)

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

    def _claim_text(self, proposed: str, quote: Quote, set_aside: list[SetAside]) -> str:
        """The model's wording, or the quote's where it has none, or brings a number or words that the article does not hold."""
        text = proposed.strip()
        if not text:
            return quote.text
        if not self._numbers.issuperset(_NUMBER.findall(text)):
            set_aside.append(SetAside(SetAsideReason.NUMBER_NOT_FOUND, text))
            return quote.text
        if not self._vocabulary.covers(text):
            set_aside.append(SetAside(SetAsideReason.WORDING_NOT_FOUND, text))
            return quote.text
        return text

    def _claimant(self, proposed: ProposedClaim, quote: Quote, set_aside: list[SetAside]) -> Claimant | None:
        if proposed.claimant is None:
            return None
        named = self._named(proposed.claimant, quote.sentences)
        if named is None:
            raise _Refused(SetAsideReason.CLAIMANT_NOT_FOUND, proposed.claimant)
        return Claimant(
            name=named.text,
            mention=self._mention(proposed.mention, quote) or self._reference(proposed, named, quote),
            role=self._role(proposed.role, named, set_aside),
            cites=self._cited(proposed.cites, quote, set_aside),
        )

    def _named(self, name: str, near: tuple[int, ...]) -> Quote | None:
        """Where the article names someone. "Will" is nobody in an article that only says "will"."""
        found = self._ground_name(name, near)
        if found and " " not in name.strip() and name.strip()[:1].isupper() and found.text[:1].islower():
            return None
        return found

    def _mention(self, words: str, quote: Quote) -> Quote | None:
        """Where the words that refer to the claimant stand: in the sentences of the quote or beside them, or not at all."""
        if not words.strip():
            return None
        near = (*quote.sentences, quote.sentences[0] - 1, quote.sentences[-1] + 1)
        mention = self._ground_name(words, near)
        return mention if mention and set(mention.sentences) & set(near) else None

    def _reference(self, proposed: ProposedClaim, named: Quote, quote: Quote) -> Quote:
        """The words nearest a quote that refer to its claimant: in its sentences, else beside them, else the name itself."""
        for number in (*quote.sentences, quote.sentences[0] - 1, quote.sentences[-1] + 1):
            if number in named.sentences:
                return named
            if found := self._referring(named.text, proposed.role, number):
                return found
        return named

    def _refers(self, name: str, role: str, number: int) -> Quote | None:
        """The words of a sentence that refer to somebody it does not name, if there are such words and such a sentence."""
        sentence = self._by_number.get(number)
        found = reference(name, role, sentence.text) if sentence else None
        return self._quote_at(sentence.start + found[0], sentence.start + found[1]) if sentence and found else None

    def _role(self, words: str, named: Quote, set_aside: list[SetAside]) -> str | None:
        """The article's words for an office that it gives somebody in a sentence that names them, wherever that stands."""
        if not words.strip():
            return None
        role = self._ground(words, named.sentences)
        if role and not set(role.sentences) & set(named.sentences):
            # Who has an office is told so at an early mention; the first ones bound what a long article can cost.
            naming = tuple(sorted(self._naming(named.text, _MOST_CHOICES))[:_MOST_CHOICES])
            role = self._ground(words, naming)
            role = role if role and set(role.sentences) & set(naming) else None
        if role is None:
            set_aside.append(SetAside(SetAsideReason.ROLE_NOT_FOUND, words))
            return None
        return role.text

    def _cited(self, name: str | None, quote: Quote, set_aside: list[SetAside]) -> Quote | None:
        if name is None:
            return None
        cited = self._named(name, quote.sentences)
        if cited is None:
            set_aside.append(SetAside(SetAsideReason.CITED_NOT_FOUND, name))
        return cited

    def _stances(
        self, proposed: ProposedClaim, claimant: Claimant | None, quote: Quote, set_aside: list[SetAside]
    ) -> list[Stance]:
        stances: list[Stance] = []
        for candidate in proposed.stances:
            try:
                stance = self._stance(candidate, quote)
            except _Refused as refused:
                set_aside.append(refused.entry)
                continue
            if any((stance.holder, stance.label) == (other.holder, other.label) for other in stances):
                set_aside.append(SetAside(SetAsideReason.DUPLICATE, f"{stance.holder}: {stance.label}"))
            else:
                stances.append(stance)
        if claimant and not any(_same_person(stance.holder, claimant.name) for stance in stances):
            # Who puts a claim forward supports it: that is what the word means.
            stances.insert(0, Stance(claimant.name, StanceLabel.SUPPORTS, quote))
        return stances

    def _stance(self, proposed: ProposedStance, quote: Quote) -> Stance:
        near = quote.sentences if proposed.sentence is None else tuple(dict.fromkeys((proposed.sentence, *quote.sentences)))
        holder = self._named(proposed.holder, near)
        if holder is None or holder.text.casefold() == ARTICLE_HOLDER:  # whose stance has a place of its own
            raise _Refused(SetAsideReason.HOLDER_NOT_FOUND, proposed.holder)
        if proposed.sentence is None:
            return Stance(holder.text, proposed.label, self._evidence(proposed.words, holder.text, quote))
        # Words that stand in one place only need no sentence; of several places, any would be a guess.
        if proposed.sentence not in self._by_number and len(self._occurrences(proposed.words)) > 1:
            raise _Refused(SetAsideReason.UNKNOWN_SENTENCE, f"[{proposed.sentence}]")
        evidence = self._quote(proposed.words, proposed.sentence, SetAsideReason.EVIDENCE_NOT_FOUND)
        return Stance(holder.text, proposed.label, evidence)

    def _evidence(self, words: str, holder: str, quote: Quote) -> Quote:
        """Where the article says words that no sentence is named for: of several places, only one that speaks of the holder."""
        places = self._occurrences(words)
        if len(places) > 1:
            named = self._naming(holder) if len(places) <= _MOST_CHOICES else frozenset()
            places = tuple(place for place in places if named.intersection(place.sentences))
        if not places:
            raise _Refused(SetAsideReason.EVIDENCE_NOT_FOUND, words)
        return min(places, key=lambda place: abs(place.sentences[0] - quote.sentences[0]))

    def _sentences_naming(self, name: str, most: int | None = None) -> frozenset[int]:
        """The numbers of the sentences that hold a name or its last word; of each, the first `most` places."""
        words = {name, name.rsplit(maxsplit=1)[-1]}
        return frozenset(number for one in words for place in self._occurrences(one, most) for number in place.sentences)


def _mode(quoted: float, *, own_voice: bool) -> Mode:
    """Whose words a claim is in, by the share of its quote that stands between quotation marks."""
    if own_voice:
        return Mode.OWN_VOICE
    if quoted >= _ALL_OF_IT:
        return Mode.DIRECT
    return Mode.MIXED if quoted else Mode.INDIRECT


def _same_person(one: str, other: str) -> bool:
    """Whether one name is the other or its end: "Peskov" and "Dmitry Peskov", but not "Police" and "Police Union"."""
    words, others = sorted((one.casefold().split(), other.casefold().split()), key=len)
    return others[-len(words) :] == words
