"""The words and marks of a sentence, each with its place in the article."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\w+(?:[.’'&@-]\w+)*+\.?(?<=\b[A-Za-z]\.)|\w+(?:[.,’'&@-]\w+)*+|[^\w\s]")
_ABBREVIATION = re.compile(r"(?:Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Sgt|Col|Capt|Maj|Cmdr|Amb|Rev|Del|St|Jr|Sr)\Z")
_POSSESSIVE = re.compile(r"[’']s?\Z")


@dataclass(frozen=True)
class Token:
    """A word or a mark: its place in the article (code points), and whether it stands in a quotation."""

    text: str
    start: int
    end: int
    quoted: bool
    low: str
    """The word in lower case."""

    @property
    def is_word(self) -> bool:
        """Whether it is a word or a number."""
        return self.text[0].isalnum()

    @property
    def capital(self) -> bool:
        """Whether it is written like a name."""
        return self.text[0].isupper() or (self.text[0].isdigit() and self.text != self.low)

    @property
    def possessive(self) -> bool:
        """Whether it ends as what owns something."""
        return self.text != self.bare

    @property
    def bare(self) -> str:
        """The word without a possessive's ending."""
        return bare(self.text)


def bare(word: str) -> str:
    """A word without a possessive's ending; a mark as it is."""
    return _POSSESSIVE.sub("", word) or word


def tokens_of(text: str, start: int, end: int, quotations: Sequence[tuple[int, int]]) -> list[Token]:
    """The tokens of `text` between `start` and `end`; those in one of the `quotations` (ranges, in order) know it."""
    found: list[Token] = []
    near = max(0, bisect_right(quotations, (start, start)) - 1)
    for match in _TOKEN.finditer(text, start, end):
        at = match.start()
        while near < len(quotations) and quotations[near][1] <= at:
            near += 1
        quoted = near < len(quotations) and quotations[near][0] <= at
        word = match[0]
        if word == "." and found and found[-1].end == at and _ABBREVIATION.match(found[-1].text):
            at, word = found[-1].start, f"{found.pop().text}."
        found.append(Token(word, at, match.end(), quoted, word.lower()))
    return found
