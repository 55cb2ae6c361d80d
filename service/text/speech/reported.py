"""One sentence: the words in it that report speech, who speaks, and which words are what is said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.domain import StanceLabel
from service.text.speech.contents import FEWEST_WORDS, Content, Contents
from service.text.speech.lexicon import Lexicon
from service.text.speech.sources import Source, Sources
from service.text.speech.tokens import Token

_NEGATED_WITHIN = 4
_ANSWER_WITHIN = 7


@dataclass(frozen=True)
class Report:
    """A piece of reported speech: `content` are the tokens of what is said, `cue` is the reporting word's index.

    `answers` marks an answer to what somebody else said ("denied these allegations"): then `content` names that. `heard`
    marks words about a claim made elsewhere ("a denial of reports that …").
    """

    source: Source | None
    cue: int
    content: Content
    stance: StanceLabel
    answers: bool = False
    heard: bool = False


class SentenceReader:
    """Finds the reports in one sentence's tokens."""

    def __init__(self, tokens: Sequence[Token], lexicon: Lexicon) -> None:
        self._tokens = tokens
        self._lexicon = lexicon
        self._sources = Sources(tokens, lexicon)
        self._contents = Contents(tokens, lexicon)

    def reports(self) -> list[Report]:
        """The reports of the sentence, in order of their reporting words."""
        found: list[Report] = []
        for report in (*self._according(), *self._verbs(), *self._nouns()):
            if report.heard or report.answers or not _within(report, found):
                found.append(report)
        return sorted(found, key=lambda report: report.cue)

    def _verbs(self) -> Iterator[Report]:
        last: Source | None = None
        for at, token in enumerate(self._tokens):
            if token.quoted or token.capital:
                continue
            if token.low in self._lexicon.participles:
                if last:
                    yield from self._continued(at, last)
            elif token.low in self._lexicon.verbs and not self._contents.is_noun(at):
                source, inverted = self._source(at, last)
                if source:
                    last = source
                    yield from self._said_by(source, at, inverted=inverted)

    def _continued(self, at: int, source: Source) -> Iterator[Report]:
        """What a participle adds to words reported before it ("…, adding that …")."""
        before = self._tokens[at - 1]
        if before.text == "," or before.low in self._lexicon.conjunctions:
            content = self._contents.of_participle(at)
            if content and not self._told_of(at, content[0]):
                yield Report(source, at, content, self._lexicon.participles[self._tokens[at].low])

    def _source(self, verb: int, last: Source | None) -> tuple[Source | None, bool]:
        """Who says something with the verb at an index, and whether they stand after it."""
        if source := self._sources.before(verb):
            return source, False
        after_mark = verb and not self._tokens[verb - 1].is_word and verb + 1 < len(self._tokens)
        if after_mark and (source := self._sources.after(verb + 1)):
            return source, True
        return (last if self._sources.shares_subject(verb) else None), False

    def _said_by(self, source: Source, verb: int, *, inverted: bool) -> Iterator[Report]:
        stance = self._lexicon.verbs[self._tokens[verb].low]
        negated = self._negated(verb)
        if answered := self._answered(verb, stance, negated=negated):
            label = StanceLabel.DISCUSSES if negated else stance
            for holder in (source, self._sources.other_of(source)):
                if holder:
                    yield Report(holder, verb, answered, label, answers=True)
        elif not negated or stance is StanceLabel.REFUTES:
            content = self._contents.of_verb(verb, source, inverted=inverted)
            unsaid = self._unsaid(verb, content[0]) if content and not inverted else False
            if content and not unsaid and (inverted or not self._told_of(verb, content[0])):
                yield Report(source, verb, content, StanceLabel.DISCUSSES if negated else stance)

    def _unsaid(self, verb: int, start: int) -> bool:
        """Whether it is not said after all: a negation after the verb ("sagte nicht, dass"), or what could be said."""
        lexicon = self._lexicon
        might = any(token.low in lexicon.modals for token in self._tokens[max(0, verb - 2) : verb])
        return might or any(token.low in lexicon.negations for token in self._tokens[verb + 1 : start])

    def _answered(self, verb: int, stance: StanceLabel, *, negated: bool) -> Content | None:
        """What a denial, or a confirmation that is withheld, answers: "denied these allegations"."""
        lexicon = self._lexicon
        if stance is not StanceLabel.REFUTES and not (negated and self._tokens[verb].low in lexicon.confirming):
            return None
        ahead = self._tokens[verb + 1 : verb + 1 + _ANSWER_WITHIN]
        opens = ahead and (ahead[0].low in lexicon.determiners | lexicon.things or ahead[0].low in lexicon.nouns)
        named = next((at for at, token in enumerate(ahead) if self._names_claim(token, first=at == 0)), None)
        if named is not None and ahead[0].low not in lexicon.pointing:
            beyond = ahead[named + 1 : named + 2]
            if beyond and beyond[0].low in lexicon.specifying:
                return None  # "denied the charges of fraud": claims of their own
        if not opens or named is None or any(token.low in lexicon.that for token in ahead[: named + 2]):
            return None
        return (verb + 1, verb + 1 + named) if all(token.is_word for token in ahead[:named]) else None

    def _names_claim(self, token: Token, *, first: bool) -> bool:
        """Whether a word stands for what was claimed ("allegations", "the alleged …", "it")."""
        lexicon = self._lexicon
        return token.low in lexicon.nouns or (token.low,) in lexicon.hearsay or (first and token.low in lexicon.it)

    def _negated(self, at: int) -> bool:
        lexicon = self._lexicon
        before = self._tokens[max(0, at - _NEGATED_WITHIN) : at]
        return any(token.low in lexicon.negations or token.low.endswith(lexicon.negated_endings) for token in before)

    def _told_of(self, cue: int, start: int) -> bool:
        """Whether what follows a cue is what a noun tells of ("a denial of reports that …"), which is found by that noun."""
        return any(token.low in self._lexicon.nouns for token in self._tokens[cue + 1 : start])

    def _nouns(self) -> Iterator[Report]:
        """Claims told of with a noun: "Tehran's assertions that …", "accusations from …", "a denial of reports that …"."""
        tokens, lexicon = self._tokens, self._lexicon
        for at in range(len(tokens) - FEWEST_WORDS):
            if tokens[at].low not in lexicon.nouns or tokens[at].quoted:
                continue
            if tokens[at].low in lexicon.verbs and not self._contents.is_noun(at):
                continue
            source = self._sources.after(at + 2) if tokens[at + 1].low in lexicon.by_or_from else None
            content = self._told(source.last + 1 if source else at + 1)
            if content is None:
                continue
            if source is None and at and tokens[at - 1].possessive:
                source = self._sources.before(at)
            yield Report(source, at, content, StanceLabel.SUPPORTS, heard=True)
            if denier := self._denied_by(at):
                yield Report(denier, at - 1, content, StanceLabel.REFUTES, heard=True)

    def _told(self, that: int) -> Content | None:
        """What a noun tells of, when a "that" stands at an index, or after the participle there."""
        tokens, lexicon = self._tokens, self._lexicon
        last = len(tokens) - 1
        if that <= last and tokens[that].low in lexicon.participles:
            that += 1
        if that > last - FEWEST_WORDS or tokens[that].low not in lexicon.that:
            return None
        verb, following = tokens[that + 1].low, tokens[that + 2].low
        if verb in lexicon.factive and following in lexicon.that | lexicon.manners:
            return self._contents.between(that + 3, last)  # "reports that detailed how …"
        relative = verb in lexicon.verbs or verb in lexicon.finite
        return None if relative else self._contents.between(that + 1, last)

    def _denied_by(self, noun: int) -> Source | None:
        """Who denies the reports that the noun at an index names: the subject of "… a denial of reports that …"."""
        lexicon, tokens = self._lexicon, self._tokens
        if noun and lexicon.verbs.get(tokens[noun - 1].low) is StanceLabel.REFUTES and not self._negated(noun - 1):
            return self._sources.before(noun - 1)
        if noun > 1 and lexicon.nouns.get(tokens[noun - 2].low) is StanceLabel.REFUTES:
            for at in range(noun - 2, -1, -1):
                if tokens[at].low in lexicon.verbs and (source := self._sources.before(at)):
                    return source
        return None

    def _according(self) -> Iterator[Report]:
        """What is told by "According to X, …" and its like."""
        tokens = self._tokens
        lows = tuple(token.low for token in tokens)
        for phrase in self._lexicon.according:
            for at in range(len(lows) - len(phrase)):
                if lows[at : at + len(phrase)] != phrase or tokens[at].quoted:
                    continue
                if phrase[0] in self._lexicon.after_mark and (not at or tokens[at - 1].is_word):
                    continue
                source = self._sources.after(at + len(phrase))
                content = self._around(at, source.last + 1) if source else None
                if content:
                    yield Report(source, at, content, StanceLabel.SUPPORTS)

    def _around(self, start: int, end: int) -> Content | None:
        """The words before `start`, where they are enough, else those from `end` on."""
        before = self._contents.between(0, start - 1)
        if before and before[1] - before[0] > FEWEST_WORDS:
            return before
        return self._contents.between(end, len(self._tokens) - 1)


def _within(report: Report, found: Sequence[Report]) -> bool:
    """Whether a report is part of what one found before it says."""
    start, end = report.content
    inside = any(start <= other.content[1] and other.content[0] <= end and report.cue > other.cue for other in found)
    return inside and start <= found[-1].cue
