"""A whole article: which of its words are reported, and whose they are; speakers carried from sentence to sentence."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from service.domain import Sentence, StanceLabel
from service.text.quotation import quotations
from service.text.speech.lexicon import Lexicon
from service.text.speech.names import Names
from service.text.speech.reported import Report, SentenceReader
from service.text.speech.sources import Source
from service.text.speech.tokens import Token, tokens_of

FEWEST_QUOTED_WORDS = 5
"""In a quotation that is somebody's statement; fewer are a term, a title or an irony."""

_CARRIED_CHARS = 400
"""Between somebody's words and a quotation that is taken for theirs."""

_LOOKED_BACK = 4
"""Sentences in which the person is sought whom a pronoun names."""


@dataclass(frozen=True)
class Voice:
    """Whose words a range of the article holds.

    Ranges are of code points: `said` of the words, `mention` of what names the speaker (None where nobody is named), `cue`
    of the reporting word. `name` is the fullest the article has. `direct` where some of it is quoted; `carried` where
    nothing beside it names the speaker; `answers` and `heard` as in `Report`.
    """

    said: tuple[int, int]
    mention: tuple[int, int] | None
    name: str | None
    cue: tuple[int, int] | None
    stance: StanceLabel
    direct: bool
    carried: bool = False
    answers: bool = False
    heard: bool = False

    @property
    def end(self) -> int:
        """Where the last of its ranges ends; what names a carried voice stands elsewhere."""
        ranges = (self.said,) if self.carried else (self.said, self.cue, self.mention)
        return max(one[1] for one in ranges if one)


@dataclass
class _Heard:
    """Who spoke last: the person each pronoun can stand for, any person, and the institution an "it" can."""

    persons: dict[str, Voice] = field(default_factory=dict)
    person: Voice | None = None
    thing: Voice | None = None


@dataclass
class _Latest:
    """The voices in order of what they say, and the one that ends last of those that begin before a place."""

    voices: Sequence[Voice]
    best: Voice | None = field(default=None, init=False)
    _next: int = field(default=0, init=False)

    def before(self, place: int) -> Voice | None:
        """That voice; places must be asked in order."""
        while self._next < len(self.voices) and self.voices[self._next].said[0] < place:
            self.add(self.voices[self._next])
            self._next += 1
        return self.best

    def add(self, voice: Voice) -> None:
        """Nothing: a voice that begins before the next place asked for is one of them."""
        if self.best is None or voice.end > self.best.end:
            self.best = voice


class VoiceReader:
    """Reads the voices of one article. What a sentence takes grows with its square; segments are short."""

    def __init__(self, text: str, sentences: Sequence[Sentence], lexicon: Lexicon) -> None:
        self._text = text
        self._sentences = sentences
        self._lexicon = lexicon
        self._denial = re.compile(lexicon.denials, re.IGNORECASE)
        self._starts = [sentence.start for sentence in sentences]
        self._breaks = [at for at, char in enumerate(text) if char == "\n"]
        self._quotations = quotations(text)
        self._names = Names(text, lexicon)

    def named_near(self, start: int, end: int) -> tuple[str, ...]:
        """The persons named in a range of the article, each once, in order."""
        return self._names.near(start, end)

    def voices(self) -> list[Voice]:
        """All voices, in order of what they say."""
        heard = _Heard()
        reported = [list(self._of_sentence(sentence, heard)) for sentence in self._sentences]
        carried = list(self._carried(reported))
        return sorted((voice for voices in (*reported, carried) for voice in voices), key=lambda voice: voice.said)

    def _of_sentence(self, sentence: Sentence, heard: _Heard) -> Iterator[Voice]:
        tokens = tokens_of(self._text, sentence.start, sentence.end, self._quotations)
        for report in SentenceReader(tokens, self._lexicon).reports():
            voice = self._voice(tokens, report, heard)
            if voice is None:
                continue
            if voice.name and self._denial.fullmatch(self._text, *voice.said):
                voice = replace(voice, stance=StanceLabel.REFUTES, answers=True)
            yield voice
            if voice.name and self._names.is_person(voice.name):
                heard.person = voice
                fitting = [word for word in self._lexicon.persons if self._names.fits(voice.name, word)]
                heard.persons.update(dict.fromkeys(fitting, voice))
            elif voice.name:
                heard.thing = voice

    def _voice(self, tokens: Sequence[Token], report: Report, heard: _Heard) -> Voice | None:
        first, last = report.content
        source, mention, name = report.source, None, None
        if source:
            mention = tokens[source.first].start, tokens[source.last].end
            name = self._name(tokens, source, heard)
            if name is None and source.pronoun in self._lexicon.own_pronouns:
                return None
        return Voice(
            said=(tokens[first].start, tokens[last].end),
            mention=mention,
            name=name,
            cue=(tokens[report.cue].start, tokens[report.cue].end),
            stance=report.stance,
            direct=any(token.quoted for token in tokens[first : last + 1]) if source else False,
            answers=report.answers,
            heard=report.heard,
        )

    def _name(self, tokens: Sequence[Token], source: Source, heard: _Heard) -> str | None:
        """The fullest name of a source, None where nobody can tell whom a pronoun names."""
        if source.pronoun in self._lexicon.own_pronouns:
            return None
        if not source.pronoun:
            address = next(
                (one.low for one in tokens[source.first : source.name[0]] if one.low.rstrip(".") in self._lexicon.unfit), ""
            )
            return self._names.fullest(self._text[tokens[source.name[0]].start : tokens[source.name[1]].end], address)
        if source.pronoun not in self._lexicon.persons:
            holder = heard.thing or heard.person
            return holder.name if holder else None
        place, person = tokens[source.first].start, heard.persons.get(source.pronoun)
        near = self._subject_before(place, source.pronoun)
        if person and person.cue and self._others_since(person, person.cue[1], place, source.pronoun):
            return None  # either may be meant
        if person is None or (near and self._paragraphs_apart(person, place)):
            return near
        return person.name

    def _others_since(self, voice: Voice, cue: int, place: int, pronoun: str) -> bool:
        """Whether a sentence after the one that holds `cue` and before `place` begins with somebody else's name that fits."""
        between = self._sentences[bisect_right(self._starts, cue) : bisect_right(self._starts, place) - 1]
        named = (self._names.first_person(one.start, one.end) for one in between[-_LOOKED_BACK:])
        return any(name != voice.name and self._names.fits(name, pronoun) for name in named if name)

    def _paragraphs_apart(self, voice: Voice, place: int) -> bool:
        """Whether more than one line ends between a voice's reporting word and a place."""
        return voice.cue is not None and bisect_left(self._breaks, place) - bisect_left(self._breaks, voice.cue[1]) > 1

    def _subject_before(self, place: int, pronoun: str) -> str | None:
        """The person named first in the nearest of the sentences before a place that names any, where the pronoun fits."""
        at = bisect_right(self._starts, place) - 1
        before = reversed(self._sentences[max(0, at - _LOOKED_BACK) : at])
        nearest = next((name for one in before if (name := self._names.first_person(one.start, one.end))), None)
        fits = nearest and self._names.is_known(nearest) and self._names.fits(nearest, pronoun)
        return nearest if fits else None

    def _carried(self, reported: Sequence[Sequence[Voice]]) -> Iterator[Voice]:
        """Voices of quotations that no reporting word stands beside: those of whoever spoke around them."""
        named = (voice for voices in reported for voice in voices if voice.name)
        latest = _Latest(sorted(named, key=lambda voice: voice.said[0]))
        for low, high in self._quotations:
            if len(self._text[low:high].split()) < FEWEST_QUOTED_WORDS:
                continue
            around = slice(bisect_right(self._starts, low) - 1, bisect_left(self._starts, high))
            inside = (voice for voices in reported[around] for voice in voices if voice.said[0] < high and voice.said[1] > low)
            owner = next(inside, None)
            if owner is None:
                before = None if self._framed(low, high) else self._speaker_before(latest.before(low), low)
                carried = before and replace(before, said=(low, high), cue=None, stance=StanceLabel.SUPPORTS)
            else:
                partly = owner.said[0] > low or owner.said[1] < high
                carried = replace(owner, said=(low, high)) if partly else None
            if carried:
                latest.add(voice := replace(carried, direct=True, carried=True))
                yield voice

    def _framed(self, low: int, high: int) -> bool:
        """Whether other words stand in the sentences of a quotation: then they say whose it is, known or not."""
        first, last = self._sentences[bisect_right(self._starts, low) - 1], self._sentences[bisect_left(self._starts, high) - 1]
        outside = (*tokens_of(self._text, first.start, low, ()), *tokens_of(self._text, high, max(high, last.end), ()))
        quoted = self._quotations
        return any(
            token.is_word
            and not any(
                start <= token.start < end for start, end in quoted[bisect_left(quoted, (token.start - 3_000, 0)) :][:64]
            )
            for token in outside
        )

    def _speaker_before(self, last: Voice | None, low: int) -> Voice | None:
        """Whose words come last before `low`, in the same paragraph or, where the quotation opens one, in the one before."""
        if last is None:
            return None
        end = last.said[1] if last.carried or not last.mention else max(last.said[1], last.mention[1])
        between = self._text[end:low] if low - end <= _CARRIED_CHARS else None
        if between is None or between.count("\n\n") > 1 or ("\n" in between and not last.direct):
            return None
        return last
