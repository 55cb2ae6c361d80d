"""A claim while rules draft it, and who else stands where on it: denials and answers linked to what they are about."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from service.domain import Sentence, StanceLabel
from service.pipeline.replies import ProposedStance
from service.text.speech.lexicon import Lexicon
from service.text.speech.voices import Voice

_LONGEST_EVIDENCE = 160
_ALIKE = 0.5
"""The share of the shorter claim's words that two claims on the same matter have in common."""

_FEWEST_ALIKE = 3
_STEM_CHARS = 4
_WORD = re.compile(r"\w{3,}")
_FIGURE = re.compile(r"\d+")
_REACH = 100
"""Claims before and after one among which another on the same matter is sought; what is farther off is another matter."""


@dataclass
class Sketch:
    """A claim being drafted: its range in the article, who makes it, and who else stands where on it.

    `hearsay` where the article leaves it to others, `heard` where it tells of a claim made elsewhere, `refuted` where the
    article itself denies it.
    """

    start: int
    end: int
    sentence: Sentence
    claimant: str | None = None
    mention: str = ""
    hearsay: bool = False
    heard: bool = False
    refuted: bool = False
    stances: list[ProposedStance] = field(default_factory=list)

    def hold(self, stances: Sequence[ProposedStance]) -> None:
        """Nothing: these stances are held on it too, but those of holders who have one."""
        held = {stance.holder for stance in self.stances}
        self.stances += [stance for stance in stances if stance.holder not in held]


class Evidence:
    """The words of an article that show a stance."""

    def __init__(self, text: str, sentences: Sequence[Sentence]) -> None:
        self._text = text
        self._sentences = sentences
        self._starts = [sentence.start for sentence in sentences]

    def stance(self, voice: Voice, holder: str, label: StanceLabel, sentence: Sentence) -> ProposedStance:
        """What a holder does to a claim of a sentence, with the naming of them and the reporting word, or what they say."""
        low, high = voice.said
        if voice.cue and voice.mention and not voice.carried:
            low, high = min(voice.mention[0], voice.cue[0]), max(voice.mention[1], voice.cue[1])
            if voice.answers:
                high = max(high, voice.said[1])
        if high - low > _LONGEST_EVIDENCE:
            low, high = voice.mention or (max(voice.said[0], sentence.start), min(voice.said[1], sentence.end))
        number = self._sentences[bisect_right(self._starts, low) - 1].number
        return ProposedStance(holder, label, number, self._text[low:high].strip())


class Linker:
    """Links an article's sketches, given in its order, with one another."""

    def __init__(self, text: str, sketches: Sequence[Sketch], lexicon: Lexicon) -> None:
        self._text = text
        self._sketches = sketches
        self._lexicon = lexicon

    @cached_property
    def _facts(self) -> list[tuple[str, bool, frozenset[str]]]:
        """Of each sketch: the beginning of its first word of weight, whether it negates, and its figures."""
        negations, ending = self._lexicon.negations, self._lexicon.negated_endings
        told = []
        for sketch in self._sketches:
            text = self._text[sketch.start : sketch.end].casefold()
            words = [self._lexicon.metonyms.get(word, word) for word in _WORD.findall(text)]
            first = next((word[:_STEM_CHARS] for word in words if word not in self._lexicon.small_words), "")
            negated = any(word in negations or word.endswith(ending) for word in text.split())
            told.append((first, negated, frozenset(_FIGURE.findall(text))))
        return told

    @cached_property
    def _stems(self) -> list[frozenset[str]]:
        """The beginnings of the words that say what each sketch is about."""
        small = self._lexicon.small_words
        texts = (self._text[sketch.start : sketch.end].casefold() for sketch in self._sketches)
        return [frozenset(word[:_STEM_CHARS] for word in _WORD.findall(text) if word not in small) for text in texts]

    def heard(self) -> None:
        """Nothing: who asserts what is told as heard or denied supports it, and who denies it refutes what is asserted."""
        for at, sketch in enumerate(self._sketches):
            if sketch.heard or any(stance.label is StanceLabel.REFUTES for stance in sketch.stances):
                closest = self._closest(at)
                if closest is not None:
                    sketch.hold(closest.stances)
                    closest.hold(sketch.stances)

    def _closest(self, at: int) -> Sketch | None:
        """The claim somebody else makes on the same matter, None where nobody near does."""
        claimant = self._sketches[at].claimant
        near = range(max(0, at - _REACH), min(len(self._sketches), at + _REACH + 1))
        others = [other for other in near if self._sketches[other].claimant not in {None, claimant} and other != at]
        closest = max(others, key=lambda other: self._alike(at, other), default=None)
        return self._sketches[closest] if closest is not None and self._alike(at, closest) >= _ALIKE else None

    def _alike(self, one: int, other: int) -> float:
        if self._facts[one] != self._facts[other]:
            return 0.0  # another subject, the opposite, or another figure: not the same claim
        first, second = self._stems[one], self._stems[other]
        shared = len(first & second)
        return shared / min(len(first), len(second)) if shared >= _FEWEST_ALIKE else 0.0

    def answers(self, voices: Sequence[Voice], evidence: Evidence) -> list[Voice]:
        """The voices that answer claims told before: who denies "these allegations" holds a stance on them."""
        linked: list[Voice] = []
        places = sorted(range(len(self._sketches)), key=lambda at: self._sketches[at].end)
        ends = [self._sketches[at].end for at in places]
        for voice in voices:
            if voice.answers and voice.name is not None:
                before = sorted(places[max(0, bisect_right(ends, voice.said[0]) - _REACH) : bisect_right(ends, voice.said[0])])
                answered = self._answered(voice, voice.name, [self._sketches[at] for at in before])
                for sketch in answered:
                    sketch.hold([evidence.stance(voice, voice.name, voice.stance, sketch.sentence)])
                if answered:
                    linked.append(voice)
        return linked

    def _answered(self, voice: Voice, name: str, before: Sequence[Sketch]) -> Sequence[Sketch]:
        """The claims an answer is to: all the same speaker made before it, or those of the last sentence that told any."""
        told = [sketch for sketch in before if (sketch.claimant or sketch.heard) and sketch.claimant != name]
        if not told:
            return ()
        if voice.stance is StanceLabel.REFUTES and self._many(self._text[slice(*voice.said)]):
            return [sketch for sketch in told if sketch.claimant == told[-1].claimant]
        return [sketch for sketch in told if sketch.sentence is told[-1].sentence]

    def _many(self, words: str) -> bool:
        """Whether words name more than one claim ("these allegations", "all of this"); "That is false" answers one."""
        if re.fullmatch(self._lexicon.denials, words, re.IGNORECASE):
            return False
        plural = self._lexicon.plural_ending
        lows = words.casefold().split()
        return any(low in self._lexicon.many or bool(plural and low.endswith(plural)) for low in lows)


def by_number(voices: Sequence[Voice], sentences: Sequence[Sentence]) -> dict[int, list[Voice]]:
    """The voices that say something in each sentence, by its number, in order."""
    ends = [sentence.end for sentence in sentences]
    found: dict[int, list[Voice]] = defaultdict(list)
    for voice in voices:
        at = bisect_right(ends, voice.said[0])
        while at < len(sentences) and sentences[at].start < voice.said[1]:
            found[sentences[at].number].append(voice)
            at += 1
    return found
