"""Whether a sentence is put together from an article's words: what a model may write freely must still be of the article."""

import re
import unicodedata
from collections.abc import Iterator

LEAST = 0.5
"""The share of a wording's words that its article must hold. Of 318 claims of good models, none was below two thirds."""

MOST_CHARS = 500
"""A claim's wording is one short sentence; the longest of those 318 had 193 characters."""

_SHORTEST = 4  # shorter words are those of the language, not of the article
_STEM = 5  # letters: endings, and in some languages beginnings, change with the grammar
# Thai, Lao, Burmese, Khmer, Chinese, Japanese and Korean: words without spaces between them, or that hardly end alike.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


_NOUNS_LIKE_NAMES = frozenset({"de", "lb"})
"""Languages that write every noun with a capital letter."""


class Vocabulary:
    """The words of a text in a language (ISO 639-1). Linear time."""

    def __init__(self, text: str, language: str) -> None:
        self._known = {piece for word in _words(text) for piece in _pieces(word)}
        self._tells_names = language not in _NOUNS_LIKE_NAMES

    def share(self, wording: str) -> float:
        """How many of the words of `wording`, from 0 to 1, begin or end like one of the text; 1 when it has none that count."""
        words = list(_words(wording))
        return sum(map(self._knows, words)) / len(words) if words else 1.0

    def covers(self, wording: str) -> bool:
        """Whether `wording` is short, has enough words of the text to speak of the same thing, and brings no other name."""
        return len(wording) <= MOST_CHARS and self.share(wording) >= LEAST and all(map(self._knows, self._names(wording)))

    def _knows(self, word: str) -> bool:
        return any(piece in self._known for piece in _pieces(word))

    def _names(self, wording: str) -> Iterator[str]:
        """The words with a capital letter but the first, where those are names."""
        _, _, after_the_first = wording.strip().partition(" ")
        for found in _WORD.finditer(after_the_first if self._tells_names else ""):
            if found[0][0].isupper():
                yield from _words(found[0])


def _words(text: str) -> Iterator[str]:
    for found in _WORD.finditer(unicodedata.normalize("NFKC", text).casefold()):
        word = found[0]
        if len(word) >= _SHORTEST or word >= "\u0e00":
            yield word


def _pieces(word: str) -> tuple[str, str]:
    """How a word begins, and how it ends where that is told apart from a beginning."""
    return word[:_STEM], f"-{word[-_STEM:]}"
