"""The clauses of a sentence that could be true or false apart from one another, and sentences that state nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from service.text.speech.lexicon import ClauseWords

_NO_WORDS = ClauseWords((), frozenset(), (), (), (), (), (), (), (), (), (), (), (), ())
_LONGEST_INSERTION = 120
_STOPS = ".!。।"
_FEWEST_WORDS = 4
_FEWEST_LETTERS = 12
"""Of a statement in a script without spaces, or in a few long words."""

_ENOUGH_BEHIND = re.compile(r"\s*+(?:\S++\s++){3}\S")
_ENOUGH_AHEAD = re.compile(r"\s*+(?:\S++\s++){2}\S")
_ENDS = frozenset(".!…。।؟”\"’'»)]")
_QUESTIONS = frozenset("?？؟")
_CLOSING = "”\"’'»)"
_BULLET = re.compile(r"[•*#]")
_OPENING = "“\"„‘'"
_FIGURE = re.compile(r"\d")
_DEPTH = {"open": 1, "close": -1}


INSERTED, PARTICIPLE = "inserted", "participle"
"""How a clause without a word before it is joined: between two commas, or by its participle."""


@dataclass(frozen=True)
class Clause:
    """The range of a clause (code points), and the word that joins it to the one before it, else how it is joined."""

    start: int
    end: int
    joined_by: str = ""


class ClauseReader:
    """Reads sentences of one language; without words of it, by their marks alone."""

    def __init__(self, words: ClauseWords | None) -> None:
        self._words = words or _NO_WORDS
        self._cut, self._caption, self._wish = _cutter(self._words), _caption(self._words), _wish(self._words)

    def states_something(self, sentence: str) -> bool:
        """Whether a sentence could carry a claim: no headline, dateline, caption, question or mere wish."""
        bare = sentence.strip()
        if bare[-1:] not in _ENDS or bare.rstrip(_CLOSING)[-1:] in _QUESTIONS:
            return False
        if _BULLET.match(bare) or self._caption.search(bare) or (self._wish.match(bare) and not _FIGURE.search(bare)):
            return False
        words = sum(any(map(str.isalnum, word)) for word in bare.split())
        return words >= _FEWEST_WORDS or sum(map(str.isalpha, bare)) >= _FEWEST_LETTERS

    def is_aside(self, clause: Clause) -> bool:
        """Whether it is what the writer adds to somebody else's words ("…, as the war entered its third year")."""
        return clause.joined_by in self._words.asides

    def clauses(self, text: str, start: int, end: int) -> Iterator[Clause]:
        """The clauses between `start` and `end`, without what joins them and without the stop at the end.

        Each holds a letter or a figure. They are in order, but for an inserted one, which comes before the one it stands in.
        """
        found = self._between(text, start, end)
        return (clause for clause in found if any(map(str.isalnum, text[clause.start : clause.end])))

    def _between(self, text: str, start: int, end: int) -> Iterator[Clause]:
        while end > start and (text[end - 1] in _STOPS or text[end - 1].isspace()):
            end -= 1
        at, joiner, closing, depth = start, "", -1, 0
        for cut in self._cut.finditer(text, start, end):
            if cut.lastgroup in _DEPTH:
                depth += _DEPTH[cut.lastgroup]
            elif depth <= 0 and cut.start() >= at and cut.start() > closing and _parts(text, at, cut, end):
                closing = text.find(",", cut.end(), min(end, cut.end() + _LONGEST_INSERTION)) if cut["which"] else -1
                if closing > 0 and _ENOUGH_BEHIND.match(text, closing, end):
                    if _ENOUGH_BEHIND.match(text, cut.end(), closing):
                        yield Clause(cut.end(), closing, INSERTED)
                else:
                    yield Clause(at, cut.start(), joiner)
                    at, joiner, depth = cut.end(), _joiner(cut), 0
        yield Clause(at, end, joiner)


def _joiner(cut: re.Match[str]) -> str:
    """The word between two clauses, "participle" where there is none but the one that opens the second."""
    return PARTICIPLE if cut.lastgroup == PARTICIPLE else cut[0].strip(" ,").casefold()


def _parts(text: str, start: int, cut: re.Match[str], end: int) -> bool:
    """Whether a cut leaves words enough on both sides of it."""
    behind, ahead = _ENOUGH_BEHIND.match(text, start, cut.start()), _ENOUGH_AHEAD.match(text, cut.end(), end)
    return behind is not None and ahead is not None


@cache
def _cutter(words: ClauseWords) -> re.Pattern[str]:
    """What stands between two clauses. Each run of spaces is looked at once, so that many of them cost no more."""
    subject = f"(?:{_any(words.subjects)}|[A-Z]\\w++)"
    finite = f"{_any(words.finite)}\\b"
    few = r"(?:\s++[\w’'-]++){0,5}?\s++"
    participle = f"(?!{_any(words.no_participles)})(?:{_any(words.participles)})"
    return re.compile(
        r"(?P<open>\()|(?P<close>\))|(?P<semicolon>;\s++)"
        rf"|,\s++(?P<clause>{_any(words.adverbial)})\s++"
        rf"|(?P<which>,\s++{_any(words.relative)}\s++)"
        rf"|(?P<with>,\s++{_any(words.with_circumstance)}\s++(?=\w+ \w+ \w+))"
        rf"|(?P<{PARTICIPLE}>,\s++(?={participle}\s++\w++\s++\w))"
        rf"|(?P<conjoined>(?:,|(?<![\s,]))\s++{_any(words.conjunctions)}\s++(?:{_any(words.that)}\s++)?(?={subject}{few}{finite}))"
        rf"|(?P<predicate>(?<!\s)\s++{_any(words.shared_subject)}\s++(?={finite}))"
        rf"|(?P<after>(?<!\s)\s++{_any(words.following)}\s++(?=\w+ \w+ \w+ \w+))"
        r"|(?P<dash>(?<!\s)\s++[—–-]\s++(?=\w+ \w+ \w+))",
    )


@cache
def _caption(words: ClauseWords) -> re.Pattern[str]:
    return re.compile(rf"\b{_any(words.captions)}s?:\s")


@cache
def _wish(words: ClauseWords) -> re.Pattern[str]:
    openers = "|".join(re.escape(wish).replace("'", "['’]") for wish in words.wishes) or "(?!)"
    return re.compile(rf"[{_OPENING}]?(?:But |And |So )?(?:{openers})(?=[\s,])")


def _any(expressions: Sequence[str]) -> str:
    """An expression for any of these; one that nothing meets where there are none."""
    return f"(?:{'|'.join(expressions) or '(?!)'})"
