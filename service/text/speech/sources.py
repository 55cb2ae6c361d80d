"""Who the words beside a reporting verb name."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.text.speech.lexicon import Lexicon
from service.text.speech.tokens import Token

_MOST_WORDS = 16
"""Of a mention: longer ones are clauses."""

_MOST_PLAIN_WORDS = 12
"""Of a mention that is not searched for the name at its end."""

_MOST_ASIDE_WORDS = 14
_MOST_BRACKETED = 8
_FEWEST_NAME_WORDS, _MOST_NAME_WORDS = 2, 5
_TIES = "&-/"


@dataclass(frozen=True)
class Source:
    """Who says something: `first` to `last` are the tokens of the whole mention, `name` those of the name alone.

    `pronoun` is set where the mention is one; then the name must be found elsewhere.
    """

    first: int
    last: int
    name: tuple[int, int]
    pronoun: str = ""


class Sources:
    """Finds sources among the tokens of one sentence."""

    def __init__(self, tokens: Sequence[Token], lexicon: Lexicon) -> None:
        self._tokens = tokens
        self._lexicon = lexicon

    def before(self, verb: int) -> Source | None:
        """Who stands as the subject before the verb at index `verb`; None where nobody does."""
        at = self._skip_back(verb - 1)
        if at < 0 or self._tokens[at].quoted or self._tokens[at].low in self._lexicon.conjunctions:
            return None
        return self._with_aside(at, verb) if self._tokens[at].text == "," else self._ending_at(at)

    def shares_subject(self, verb: int) -> bool:
        """Whether the verb at an index has the subject of one before it ("said A and added that B")."""
        at = self._skip_back(verb - 1)
        return at >= 0 and self._tokens[at].low in self._lexicon.conjunctions

    def other_of(self, source: Source) -> Source | None:
        """The first of two who are named together ("neither Moscow nor Tehran"); `source` is read as the second."""
        lows = [token.low for token in self._tokens[source.first : source.last + 1]]
        if lows[0] != self._lexicon.neither or self._lexicon.nor not in lows[2:]:
            return None
        first, last = source.first + 1, source.first + lows.index(self._lexicon.nor, 2) - 1
        return Source(first, last, (first, last))

    def after(self, first: int) -> Source | None:
        """Who is named from index `first` on ("said John Smith", "according to the ministry")."""
        tokens, lexicon = self._tokens, self._lexicon
        last = first - 1
        while last + 1 < len(tokens) and last - first < _MOST_WORDS and self._goes_on(last + 1, first):
            last += 1
        while last >= first and tokens[last].low in lexicon.name_links | lexicon.determiners:
            last -= 1
        if last < first:
            return None
        if first == last and tokens[first].low in lexicon.pronouns:
            return Source(first, last, (first, last), tokens[first].low)
        if not self._names_somebody(first, last):
            return None
        return self._named_after(first, last) or Source(first, last, self._name(first, last))

    def _named_after(self, first: int, last: int) -> Source | None:
        """A mention whose name follows it between commas ("said the mayor, Jane Roe, on Monday")."""
        tokens = self._tokens
        if tokens[last].capital or last + 2 >= len(tokens) or tokens[last + 1].text != ",":
            return None
        ahead = range(last + 2, min(len(tokens), last + _MOST_BRACKETED))
        closing = next((at for at in ahead if tokens[at].text in {",", "."}), None)
        aside = self._named_run(last + 2, closing - 1) if closing else None
        return Source(first, aside[1], aside) if aside else None

    def _goes_on(self, at: int, first: int) -> bool:
        """Whether a mention that began at `first` still goes on at `at`."""
        token, lexicon = self._tokens[at], self._lexicon
        if token.quoted or not token.is_word:
            return not token.quoted and token.text in _TIES
        low = token.low
        if low in lexicon.auxiliaries or low in lexicon.times or low in lexicon.participles:
            return False
        if (low in lexicon.boundaries and not token.text.isupper()) or (low in lexicon.finite and not token.capital):
            return False
        if low in lexicon.prepositions:
            return at > first and low in lexicon.binding and self._binds(at)
        return at == first or not self._is_verb(token)

    def _is_verb(self, token: Token) -> bool:
        """Whether a word reports, and is no common noun for who does."""
        return token.low in self._lexicon.verbs and token.low not in self._lexicon.speakers and not token.capital

    def _binds(self, at: int) -> bool:
        """Whether the preposition at `at` ties a name to what stands before it ("police in Ohio", "a report by the UN")."""
        following = self._tokens[at + 1 : at + 3]
        if not following or (self._tokens[at - 1].capital and following[0].capital):
            return self._tokens[at].low in self._lexicon.tight
        if any(token.low in self._lexicon.times for token in following):
            return False
        return following[0].capital or (following[0].low in self._lexicon.determiners and following[-1].capital)

    def _skip_back(self, at: int) -> int:
        """The index of the last token up to `at` that is no auxiliary, adverb or time; -1 where there is none."""
        tokens = self._tokens
        while at >= 0 and not tokens[at].quoted:
            before = at - 1 if self._is_adverb(tokens[at]) else self._before_time(at)
            if before == at:
                break
            at = before
        return at

    def _is_adverb(self, token: Token) -> bool:
        ending = self._lexicon.adverb_ending
        return token.low in self._lexicon.auxiliaries or bool(ending and token.low.endswith(ending) and not token.capital)

    def _before_time(self, at: int) -> int:
        """The index before the time that ends at `at` ("earlier on Monday"); `at` itself where none does."""
        tokens, lexicon = self._tokens, self._lexicon
        if not self._is_time(tokens[at]):
            return at
        within = lexicon.time_prepositions | lexicon.determiners
        before = at
        while before >= 0 and (self._is_time(tokens[before]) or tokens[before].low in within):
            before -= 1
        opens = tokens[before + 1].low in lexicon.time_prepositions | lexicon.times
        return before if opens and before >= 0 else at

    def _is_time(self, token: Token) -> bool:
        return token.low in self._lexicon.times or token.low.isdigit()

    def _with_aside(self, comma: int, verb: int) -> Source | None:
        """The mention before the comma at an index, with what stands between that comma and the one before it.

        A comma alone parts a subject from its verb by mistake only ("The firm, has said"); else it ends what is said.
        """
        tokens = self._tokens
        behind = range(comma - 1, max(-1, comma - _MOST_ASIDE_WORDS), -1)
        opening = next((at for at in behind if tokens[at].text == ","), None)
        if opening is None:
            return self._ending_at(comma - 1) if comma < verb - 1 else None
        main = None if tokens[opening].quoted else self._ending_at(opening - 1)
        if main is None:
            return None
        aside = self._named_run(opening + 1, comma - 1)
        if aside and (not tokens[main.name[1]].capital or self._is_office(main)):
            return Source(main.first, comma - 1, aside)
        return Source(main.first, comma - 1, main.name, main.pronoun)

    def _is_office(self, source: Source) -> bool:
        """Whether a mention is an office and no name ("the Prime Minister")."""
        run = self._tokens[source.first : source.last + 1]
        return run[0].low in self._lexicon.determiners and any(token.low in self._lexicon.titles for token in run)

    def _named_run(self, first: int, last: int) -> tuple[int, int] | None:
        """The range of tokens without titles, when all of it is one name of two words or more."""
        run = self._tokens[first : last + 1]
        if not _FEWEST_NAME_WORDS <= len(run) <= _MOST_NAME_WORDS or not run[0].capital:
            return None
        if not all(token.capital or token.low in self._lexicon.name_links for token in run):
            return None
        return first + self._titles(run), last

    def _ending_at(self, last: int) -> Source | None:
        """The mention that ends with the token at `last`."""
        tokens, lexicon = self._tokens, self._lexicon
        last = self._before_brackets(last)
        if last < 0 or not tokens[last].is_word:
            return None
        low = tokens[last].low
        if low in lexicon.pronouns:
            return Source(last, last, (last, last), low)
        if low in lexicon.relative and last > 1 and tokens[last - 1].text == ",":
            return self._ending_at(last - 2)
        first = last + 1
        while first > 0 and last - first < _MOST_WORDS and self._may_stand_in(first - 1, last):
            first -= 1
        first = self._trimmed(first, last)
        if first > last or not self._names_somebody(first, last):
            return None
        return Source(first, last, self._name(first, last))

    def _before_brackets(self, last: int) -> int:
        """The index before the brackets that end at `last` ("Jane Roe (Labour)"); `last` where none do, -1 for nothing."""
        tokens = self._tokens
        if last < 0 or tokens[last].text != ")":
            return last
        behind = range(last, max(-1, last - _MOST_BRACKETED), -1)
        return next((at for at in behind if tokens[at].text == "("), 0) - 1

    def _may_stand_in(self, at: int, last: int) -> bool:
        """Whether the token at `at` may belong to a mention that ends at `last`."""
        token, lexicon = self._tokens[at], self._lexicon
        if token.quoted or not (token.is_word or token.text in _TIES) or token.low in lexicon.pronouns:
            return False
        if token.low in lexicon.boundaries and not token.text.isupper():
            return False
        if token.capital:
            return True
        if token.low in lexicon.auxiliaries:
            return False
        return not self._is_verb(token) and (at == last or token.low not in lexicon.participles)

    def _trimmed(self, first: int, last: int) -> int:
        """Where the mention in the clause from `first` to `last` begins: an adverbial before it is left out."""
        tokens, lexicon = self._tokens, self._lexicon
        while first <= last and (tokens[first].low in lexicon.opening or tokens[first].text in _TIES):
            first += 1
        if first == 0 < last and tokens[0].low in lexicon.auxiliaries - lexicon.finite:
            first = 1  # "Meanwhile Roe said"
        opens_adverbial = first <= last and tokens[first].low in lexicon.adverbial
        if not opens_adverbial and last - first < _MOST_PLAIN_WORDS:
            return first
        # "In a statement the ministry said": the last run of a name, or the last determiner's phrase.
        within = lexicon.particles | lexicon.tight | lexicon.titles
        at = last
        while at > first and ((tokens[at].capital and not self._is_time(tokens[at])) or tokens[at].low in within):
            at -= 1
        if at == last:
            while at > first and tokens[at].low not in lexicon.determiners and not tokens[at].capital:
                at -= 1
            return at
        return at if tokens[at].low in lexicon.determiners | lexicon.speakers else at + 1

    def _names_somebody(self, first: int, last: int) -> bool:
        lexicon = self._lexicon
        if self._tokens[first].low in lexicon.nobody:
            return False
        return any(
            token.low in lexicon.speakers or (token.capital and token.low not in lexicon.determiners | lexicon.times)
            for token in self._tokens[first : last + 1]
        )

    def _titles(self, run: Sequence[Token]) -> int:
        """How many tokens at the start of a capitalised run are the office, not the name."""
        lexicon = self._lexicon
        titles = [at for at, token in enumerate(run[:-1]) if token.low in lexicon.titles]
        together = any(token.low in lexicon.conjunctions for token in run)
        if not titles or together or run[-1].low in lexicon.no_person:
            return 0
        after = titles[-1] + 1
        tied = after < len(run) - 2 and run[after].low in lexicon.name_links  # "Secretary of State Antony Blinken"
        return max(after, len(run) - 2) if tied else after

    def _name(self, first: int, last: int) -> tuple[int, int]:
        """The tokens of the name in a mention: the last run of capitals where it ends in one, else the whole mention."""
        tokens, lexicon = self._tokens, self._lexicon
        if not tokens[last].capital or tokens[last].possessive:
            return first, last
        start = last
        while start > first and self._joins(start - 1, first):
            start -= 1
        run = tokens[start : last + 1]
        if start > first and tokens[start - 1].low in lexicon.prepositions - lexicon.by:
            return first, last  # "police in Ohio", "researchers at Harvard": the place is not who speaks
        return start + self._titles(run), last

    def _joins(self, at: int, first: int) -> bool:
        """Whether the token at `at` belongs to the name that follows it."""
        tokens, lexicon = self._tokens, self._lexicon
        token = tokens[at]
        if token.possessive or token.text == ",":
            return False
        if token.capital and token.low not in lexicon.determiners | lexicon.times:
            return True
        linked = token.low in lexicon.name_links and at > first
        return linked and tokens[at - 1].capital and not tokens[at - 1].possessive
