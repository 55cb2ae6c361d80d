"""What rules alone make of an article: the claims each sentence carries, whose they are, and who answers them.

It proposes as a model does, and what it proposes is proved in the same way. What it cannot tell it leaves open.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from service.domain import Article, Kind, Sentence, StanceLabel
from service.pipeline.replies import ProposedClaim
from service.pipeline.sketch import Evidence, Linker, Sketch, by_number
from service.text.kinds import kind_of
from service.text.quotation import quotations, quoted_share
from service.text.speech.clauses import PARTICIPLE, ClauseReader
from service.text.speech.languages import lexicon_of
from service.text.speech.lexicon import Lexicon
from service.text.speech.voices import FEWEST_QUOTED_WORDS, Voice, VoiceReader
from service.text.worth import CheckWorthiness, Worth

_SHORTEST_CHARS = 12
"""Of what is said, to be a claim."""

_MOST_OF_IT = 0.5
_CHARS_BEFORE, _CHARS_AFTER = 600, 300
"""Around a quotation, where those are named who may have said it."""

_MOST_SPEAKERS = 8
_MOST_ROLE_WORDS = 8
_NOT_JUDGED = Worth(0.5, "not judged")


@dataclass(frozen=True)
class Drafted:
    """A claim as rules propose it. `quotation` marks one of nobody known, `speakers` those who may have said it."""

    proposed: ProposedClaim
    quotation: bool = False
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """The drafted claims by number of their sentence, and whether the rules know the article's language."""

    claims: Mapping[int, tuple[Drafted, ...]]
    known_language: bool

    @property
    def asks(self) -> bool:
        """Whether it leaves open who says something that somebody named could have said."""
        return any(drafted.speakers for claims in self.claims.values() for drafted in claims)


def draft(article: Article, sentences: Sequence[Sentence], worth: CheckWorthiness | None = None) -> Draft:
    """The claims of an article as rules see them, as worth checking as `worth` says; None judges none of them.

    Where the rules do not know the article's language, they leave open whose the claims are.
    """
    lexicon, judge = lexicon_of(article.language), _Judge(article.language, worth)
    if lexicon is None:
        return _undecided(article.text, sentences, judge)
    return _Drafter(article.text, sentences, lexicon, judge).draft()


class _Judge:
    """What is said of a claim by its words alone."""

    def __init__(self, language: str, worth: CheckWorthiness | None) -> None:
        self._language = language
        self._worth = worth

    def kind(self, words: str) -> Kind:
        return kind_of(words, self._language)

    def worth(self, words: str) -> Worth:
        return self._worth.score(words, self._language) if self._worth else _NOT_JUDGED


def _undecided(text: str, sentences: Sequence[Sentence], judge: _Judge) -> Draft:
    reader = ClauseReader(None)
    claims: dict[int, tuple[Drafted, ...]] = {}
    for sentence in sentences:
        if reader.states_something(sentence.text):
            clauses = reader.clauses(text, *_bare(sentence))
            sketches = (Sketch(clause.start, clause.end, sentence, hearsay=True) for clause in clauses)
            claims[sentence.number] = tuple(Drafted(_proposed(text, sketch, "", judge)) for sketch in sketches)
    return Draft(claims, known_language=False)


class _Drafter:
    def __init__(self, text: str, sentences: Sequence[Sentence], lexicon: Lexicon, judge: _Judge) -> None:
        self._text = text
        self._judge = judge
        self._sentences = sentences
        self._lexicon = lexicon
        self._clauses = ClauseReader(lexicon.clauses)
        self._reader = VoiceReader(text, sentences, lexicon)
        self._evidence = Evidence(text, sentences)
        self._quotations = quotations(text)
        hearsay = "|".join(" ".join(phrase) for phrase in lexicon.hearsay)
        self._hearsay = re.compile(rf"\b(?:{hearsay})\b", re.IGNORECASE)
        self._unproven = re.compile(lexicon.unproven, re.IGNORECASE)

    def draft(self) -> Draft:
        voices = self._reader.voices()
        spoken = by_number([voice for voice in voices if not voice.answers], self._sentences)
        found = {
            one.number: self._of_sentence(one, spoken.get(one.number, ()))
            for one in self._sentences
            if self._clauses.states_something(one.text)
        }
        linker = Linker(self._text, [sketch for sketches in found.values() for sketch in sketches], self._lexicon)
        linker.heard()
        for number in by_number(linker.answers(voices, self._evidence), self._sentences):
            # That somebody answers a claim is a stance on that claim, and not a claim of the article's.
            found[number] = [sketch for sketch in found.get(number, ()) if sketch.stances]
        drafted = {number: tuple(self._drafted(sketch) for sketch in sketches) for number, sketches in found.items()}
        return Draft(drafted, known_language=True)

    def _of_sentence(self, sentence: Sentence, voices: Sequence[Voice]) -> list[Sketch]:
        start, end = _bare(sentence)
        sketches: list[Sketch] = []
        for voice in voices:
            low, high = max(voice.said[0], start), min(voice.said[1], end)
            if high - low < _SHORTEST_CHARS:
                continue
            same = next((sketch for sketch in sketches if low < sketch.end and sketch.start < high), None)
            if same is None:
                sketches += self._said(sentence, voice, low, high)
            elif voice.heard or same.heard:
                self._attribute(same, voice)
        return [self._turned(sketch) for sketch in sketches or self._own_words(sentence, start, end)]

    def _said(self, sentence: Sentence, voice: Voice, low: int, high: int) -> Iterator[Sketch]:
        for at, clause in enumerate(self._clauses.clauses(self._text, low, high)):
            if not voice.direct and (self._clauses.is_aside(clause) or (at and self._reports(clause.start, clause.end))):
                yield self._own(sentence, clause.start, clause.end)
            else:
                sketch = Sketch(clause.start, clause.end, sentence, heard=voice.heard, hearsay=True)
                self._attribute(sketch, voice)
                yield sketch

    def _attribute(self, sketch: Sketch, voice: Voice) -> None:
        if voice.name is None:
            return
        if voice.stance is StanceLabel.SUPPORTS and sketch.claimant is None:
            sketch.claimant = voice.name
            sketch.mention = self._text[slice(*voice.mention)] if voice.mention else ""
        sketch.stances.append(self._evidence.stance(voice, voice.name, voice.stance, sketch.sentence))

    def _own_words(self, sentence: Sentence, start: int, end: int) -> Iterator[Sketch]:
        """What the article says itself."""
        doubtful = False
        for clause in self._clauses.clauses(self._text, start, end):
            sketch = self._own(sentence, clause.start, clause.end)
            # "… was reportedly hit, setting off an explosion": the doubt goes with what follows from it.
            sketch.hearsay = doubtful = sketch.hearsay or (doubtful and clause.joined_by == PARTICIPLE)
            yield sketch

    def _own(self, sentence: Sentence, start: int, end: int) -> Sketch:
        hearsay = self._hearsay.search(self._text, start, end) is not None or self._reports(start, end)
        return Sketch(start, end, sentence, hearsay=hearsay)

    def _reports(self, start: int, end: int) -> bool:
        """Whether words tell what somebody says, known or not: then the article does not say it itself."""
        lexicon = self._lexicon
        said = lexicon.verbs.keys() - lexicon.weak_verbs
        return any(word in said for word in self._text[start:end].split())

    def _turned(self, sketch: Sketch) -> Sketch:
        """A claim of which it is said that there is no evidence for it, made the positive one that is refuted.

        Who only has no evidence of their own leaves it open.
        """
        found = self._unproven.search(self._text, sketch.start, sketch.end)
        if sketch.stances and not sketch.claimant:
            return sketch  # who denies that there is no evidence does not say that it is false
        if found is None or sketch.end - found.end() < _SHORTEST_CHARS:
            return sketch
        sketch.start = found.end()
        lacking = found.groupdict().get("lacking") is not None
        if sketch.claimant:
            sketch.claimant = None
            label = StanceLabel.DISCUSSES if lacking else StanceLabel.REFUTES
            sketch.stances = [replace(stance, label=label) for stance in sketch.stances]
        elif not sketch.stances:
            sketch.refuted, sketch.hearsay = not lacking, lacking
        return sketch

    def _drafted(self, sketch: Sketch) -> Drafted:
        role = _role(sketch.mention, sketch.claimant, self._lexicon) if sketch.claimant else ""
        proposed = _proposed(self._text, sketch, role, self._judge)
        quoted = quoted_share(sketch.start, sketch.end, self._quotations) >= _MOST_OF_IT
        if sketch.stances or not quoted or len(proposed.quote.split()) < FEWEST_QUOTED_WORDS:
            return Drafted(proposed)
        named = self._reader.named_near(sketch.start - _CHARS_BEFORE, sketch.end + _CHARS_AFTER)
        return Drafted(proposed, quotation=True, speakers=named[-_MOST_SPEAKERS:])


def _bare(sentence: Sentence) -> tuple[int, int]:
    """The range of a sentence without the space around it."""
    return sentence.end - len(sentence.text.lstrip()), sentence.start + len(sentence.text.rstrip())


def _proposed(text: str, sketch: Sketch, role: str, judge: _Judge) -> ProposedClaim:
    words = text[sketch.start : sketch.end].strip()
    worth = judge.worth(words)
    return ProposedClaim(
        sentence=sketch.sentence.number,
        quote=words,
        text="",
        claimant=sketch.claimant,
        stances=tuple(sketch.stances),
        article=_article_stance(sketch),
        kind=judge.kind(words),
        worth=worth.value,
        why=worth.reason,
        mention=sketch.mention if sketch.claimant else "",
        role=role,
    )


def _article_stance(sketch: Sketch) -> StanceLabel:
    """What the article does to a claim: it refutes what it denies, states what nobody else does, and reports the rest."""
    if sketch.refuted:
        return StanceLabel.REFUTES
    reported = sketch.claimant or sketch.stances or sketch.hearsay
    return StanceLabel.DISCUSSES if reported else StanceLabel.SUPPORTS


def _role(mention: str, name: str, lexicon: Lexicon) -> str:
    """The words of a mention that say what somebody is: "Kremlin spokesman" of "Kremlin spokesman Dmitry Peskov"."""
    before, found, after = mention.partition(name if name in mention else name.rsplit(maxsplit=1)[-1])
    if not found:
        return ""
    words = before.strip(" ,")
    while words and words.partition(" ")[0].casefold() in lexicon.determiners:
        words = words.partition(" ")[2].strip()
    if words in name:
        words = ""  # "Jane" of "Jane Roe", told as "Roe"
    described = after.startswith(",") and len(after.split()) <= _MOST_ROLE_WORDS
    return words or (after.strip(" ,") if described else "")
