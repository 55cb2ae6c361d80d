"""Which words of a sentence are what is said: those after a reporting verb, or those before it."""

from collections.abc import Sequence
from itertools import accumulate, islice

from service.text.speech.lexicon import Lexicon
from service.text.speech.sources import Source
from service.text.speech.tokens import Token

Content = tuple[int, int]
"""The first and the last token of what is said."""

FEWEST_WORDS = 3
"""In what is said; fewer are a title or a nod."""

_THAT_WITHIN = 14
_QUOTE_WITHIN = 8
_VERB_WITHIN = 10
_NUMBER_WITHIN = 6
_FEWEST_BEFORE = 4
"""Words before a comma and its verb that are taken for what is said; fewer are an adverbial."""

_OPENING = frozenset("“\"„«‘'")
_QUOTES = _OPENING | {"”"}
_SKIPPED = _OPENING | {",", ":"}
_CLOSING = frozenset(",?!”\"“»’'—–-")
_LEADING = frozenset("([$€£#@")
_TRAILING = frozenset(")]%")


class Contents:
    """Finds what is said among the tokens of one sentence."""

    def __init__(self, tokens: Sequence[Token], lexicon: Lexicon) -> None:
        self._tokens = tokens
        self._lexicon = lexicon
        self._quoted_before = [0, *accumulate(token.quoted for token in tokens)]

    def of_verb(self, verb: int, source: Source, *, inverted: bool) -> Content | None:
        """What the source says with the verb at an index; `inverted` where the source stands after it."""
        back = self._backward((verb if inverted else source.first) - 1)
        forward = self._forward(source.last if inverted else verb)
        if forward and not inverted:
            quoted = self._tokens[forward[0]].quoted
            if quoted or self._follows_that(verb, forward[0]):
                return forward
            if self._pauses(verb + 1):
                forward = None
        if back and self._is_said_before(verb, back, forward, inverted=inverted):
            return back
        return forward if forward and self._is_said_after(verb, forward, inverted=inverted) else None

    def of_participle(self, participle: int) -> Content | None:
        """What is said with the participle at an index."""
        return self._forward(participle)

    def between(self, first: int, last: int) -> Content | None:
        """What is said between two tokens, without the marks at its ends; None where that is too little."""
        tokens = self._tokens
        while first <= last and not tokens[first].is_word and tokens[first].text not in _LEADING:
            first += 1
        while last >= first and not tokens[last].is_word and tokens[last].text not in _TRAILING:
            last -= 1
        some = islice((at for at in range(first, last + 1) if tokens[at].is_word), FEWEST_WORDS)
        return (first, last) if sum(1 for _ in some) == FEWEST_WORDS else None

    def is_noun(self, at: int) -> bool:
        """Whether a word that may be a reporting verb is none here ("the claims", "was told", "to say")."""
        if not at:
            return True
        before, low, lexicon = self._tokens[at - 1], self._tokens[at].low, self._lexicon
        if before.possessive or before.low == lexicon.infinitive or before.low in lexicon.passive | lexicon.determiners:
            return True
        if low in lexicon.nouns and before.low in lexicon.verbs and not before.capital:
            return True  # "denied reports that …"
        noun_too = low in lexicon.speakers or low in lexicon.nouns_too
        return noun_too and (before.low in lexicon.prepositions or before.text in _QUOTES)

    def holds_quoted(self, content: Content) -> bool:
        """Whether any of these words stands between quotation marks."""
        return self._quoted_before[content[1] + 1] > self._quoted_before[content[0]]

    def _is_said_before(self, verb: int, back: Content, forward: Content | None, *, inverted: bool) -> bool:
        """Whether the words before a source and its verb are what is said, and no adverbial of what follows."""
        tokens, lexicon = self._tokens, self._lexicon
        if tokens[back[1]].quoted:
            return True
        if tokens[verb].low in lexicon.weak_verbs and not inverted:
            return False
        first = tokens[back[0]].low
        adverbial = first in lexicon.adverbial or first in lexicon.boundaries or first in lexicon.auxiliaries
        if adverbial and forward and forward[1] - forward[0] >= FEWEST_WORDS:
            return False
        return inverted or (back[1] - back[0] > _FEWEST_BEFORE and not self._opens_clause(forward))

    def _is_said_after(self, verb: int, forward: Content, *, inverted: bool) -> bool:
        """Whether the words after a verb without "that" are what is said."""
        low, lexicon = self._tokens[verb].low, self._lexicon
        if low in lexicon.counting and self._counts(forward):
            return True
        if low in lexicon.weak_verbs:
            return self.holds_quoted(forward)
        return not inverted and (low in lexicon.bare or self._is_clause(forward))

    def _is_clause(self, content: Content) -> bool:
        """Whether words begin with a clause: a finite verb comes early, before any relative pronoun."""
        lexicon = self._lexicon
        for token in self._tokens[content[0] + 1 : min(content[1] + 1, content[0] + _VERB_WITHIN)]:
            if token.low in lexicon.no_clause or token.low in lexicon.finite:
                return token.low in lexicon.finite
        return False

    def _counts(self, content: Content) -> bool:
        """Whether words begin with a number of things ("a total of five explosions")."""
        ahead = self._tokens[content[0] : content[0] + _NUMBER_WITHIN]
        return any(token.low in self._lexicon.numbers or token.text[0].isdigit() for token in ahead)

    def _opens_clause(self, forward: Content | None) -> bool:
        if forward is None:
            return False
        first, lexicon = self._tokens[forward[0]].low, self._lexicon
        adverbial = first in lexicon.adverbial or first in lexicon.times or first in lexicon.boundaries
        return not adverbial and first not in lexicon.participles and forward[1] - forward[0] >= FEWEST_WORDS

    def _pauses(self, at: int) -> bool:
        """Whether a comma stands at an index that no "that" follows (German sets one before it)."""
        following = self._tokens[at + 1].low if at + 1 < len(self._tokens) else ""
        return self._tokens[at].text == "," and following not in self._lexicon.that

    def _follows_that(self, verb: int, start: int) -> bool:
        return any(token.low in self._lexicon.that for token in self._tokens[verb + 1 : start])

    def _forward(self, verb: int) -> Content | None:
        """The words after a reporting verb that can be what is said."""
        after = self._after_that(verb + 1)
        return self.between(self._after_opening(after) if after == verb + 1 else after, len(self._tokens) - 1)

    def _after_that(self, first: int) -> int:
        """The index after the "that" which comes soon; `first` where none does."""
        tokens, lexicon = self._tokens, self._lexicon
        for at in range(first, min(len(tokens) - 1, first + _THAT_WITHIN)):
            token = tokens[at]
            another = token.low in lexicon.finite or (token.low in lexicon.verbs and not self.is_noun(at))
            if token.quoted or self._pauses(at) or (another and not token.capital):
                break  # "said there is no evidence that": what follows is another verb's
            if token.low in lexicon.that:
                return first if at > first and self._is_pronoun(at) else at + 1
        return first

    def _is_pronoun(self, at: int) -> bool:
        """Whether the "that" at an index refers to the noun before it ("announced a plan that would")."""
        before, lexicon = self._tokens[at - 1], self._lexicon
        refers = before.is_word and not before.capital and before.low not in lexicon.audience | lexicon.times
        return refers and self._tokens[at + 1].low in lexicon.copulas

    def _after_opening(self, first: int) -> int:
        """The index after the marks and the audience that follow a verb; within a quotation that opens soon after."""
        tokens, at = self._tokens, first
        while at < len(tokens):
            heard_by = at == first and tokens[at].low in self._lexicon.audience
            if not heard_by and tokens[at].text not in _SKIPPED:
                break
            at += 1
        ahead = range(at, min(len(tokens), at + _QUOTE_WITHIN))
        opening = next((place for place in ahead if tokens[place].quoted), 0)
        announced = opening > 1 and tokens[opening - 1].text in _OPENING and tokens[opening - 2].text in {",", ":"}
        return opening if announced else at

    def _backward(self, last: int) -> Content | None:
        """The words before a source that can be what it says."""
        if last < FEWEST_WORDS or self._tokens[last].text not in _CLOSING:
            return None
        return self.between(0, last)
