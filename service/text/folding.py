"""A text with its typography folded away, and the way back to the text's own offsets.

Folded are the kinds of quotation marks, dashes and spaces, runs of dashes and of spaces, … and ..., composed and
decomposed characters, full-width forms and ligatures. Invisible characters vanish. Case is kept, and so is whatever
could change a figure: ² is not 2, and the marks after a digit keep inches and feet apart.
"""

import re
import unicodedata
from array import array
from bisect import bisect_left
from itertools import groupby

INVISIBLE = frozenset(
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
).union(map(chr, range(0xFE00, 0xFE10)))
"""Soft hyphen, joiners, direction marks, byte order mark, variation selectors: nothing a reader sees."""

# Marks that look alike are what is folded here.
DOUBLE_QUOTES = frozenset('"“”„‟«»〝〞「」『』《》')
APOSTROPHES = frozenset("'‘’‚‛‹›`´ʼ〈〉")  # noqa: RUF001 - see above
DASHES = frozenset("-‐‑‒–—―−")  # noqa: RUF001 - see above

_RUNS = frozenset({" ", "-"})
# Most of most articles: what folds to itself, with single spaces between.
_PLAIN = re.compile(r"[!#-&(-,./0-9:-_a-z{-~]+(?: [!#-&(-,./0-9:-_a-z{-~]+)*")
_LAST_BEFORE_MARKS = "\u02ff"
_LAST_REMEMBERED = "\uffff"  # articles of rare characters must not fill the memory
# Vowels and final consonants of Hangul typed letter by letter, and skin tones.
_COMPLETING = (("\u1160", "\u11ff"), ("\ud7b0", "\ud7fb"), ("\U0001f3fb", "\U0001f3ff"))
# Unicode's kinds of compatible forms whose words, or even figures, read the same.
_KEEPS_FIGURES = frozenset({"<wide>", "<narrow>", "<font>"})
_KEEPS_WORDS = _KEEPS_FIGURES | {
    "<compat>",
    "<small>",
    "<vertical>",
    "<square>",
    "<initial>",
    "<medial>",
    "<final>",
    "<isolated>",
}


def completes(char: str) -> bool:
    """Whether `char` is written onto the one before it: an accent, a vowel sign, the rest of a syllable, a skin tone."""
    if char <= _LAST_BEFORE_MARKS:
        return False
    return unicodedata.category(char)[0] == "M" or any(low <= char <= high for low, high in _COMPLETING)


class Folded:
    """The folded text, `chars`, with the range of the original that each of its characters stands for.

    What cannot be taken apart shares one range: a letter and its accents, the letters of a ligature. Linear time.
    """

    def __init__(self, text: str) -> None:
        self._starts, self._ends = array("I"), array("I")
        self._pieces: list[str] = []
        self._last = ""
        self._disordered = False
        offsets = array("I", range(len(text) + 1))
        at = 0
        for plain in _PLAIN.finditer(text):
            start, end = plain.span()
            self._fold(text, at, start)
            self._pieces.append(plain[0])
            self._last = text[end - 1]
            self._starts.extend(offsets[start:end])
            self._ends.extend(offsets[start + 1 : end + 1])
            at = end
        self._fold(text, at, len(text))
        chars = "".join(self._pieces)
        self.chars = "".join(_in_order(chars)) if self._disordered else chars

    def _fold(self, text: str, begin: int, end: int) -> None:
        """Fold these characters, one by one, and add them."""
        for index in range(begin, end):
            char, last = text[index], self._last
            folded, joins = _FOLDS[char]
            if folded in _RUNS and last == folded:
                self._ends[-1] = index + 1
                continue
            if char in DOUBLE_QUOTES and last.isdigit():
                folded = '"'
            if joins and last:
                self._disordered |= unicodedata.combining(last) > unicodedata.combining(char) > 0
            start = self._starts[-1] if joins and last else index
            for piece in folded:
                self._pieces.append(piece)
                self._last = piece
                self._starts.append(start)
                self._ends.append(index + 1)

    def index(self, offset: int) -> int:
        """Where in `chars` the characters from `offset` of the original on begin."""
        return bisect_left(self._starts, offset)

    def source(self, low: int, high: int) -> tuple[int, int] | None:
        """The range of the original that `chars[low:high]` stands for; None when that would take a character apart."""
        starts = self._starts
        if (low and starts[low - 1] == starts[low]) or (high < len(starts) and starts[high - 1] == starts[high]):
            return None
        return starts[low], self._ends[high - 1]


def _in_order(chars: str) -> list[str]:
    """The characters with the accents on each letter sorted: those of different classes may be typed in any order."""
    ordered: list[str] = []
    for _, run in groupby(chars, key=lambda char: unicodedata.combining(char) > 0):
        ordered += sorted(run, key=unicodedata.combining)
    return ordered


class _Folds(dict[str, tuple[str, bool]]):
    """What each character folds to, and whether it belongs to the one before it; filled as characters turn up."""

    def __missing__(self, char: str) -> tuple[str, bool]:
        fold = "".join(map(_plain, _decomposed(char))), completes(char)
        if char <= _LAST_REMEMBERED:
            self[char] = fold
        return fold


_FOLDS = _Folds()


def _decomposed(char: str) -> str:
    kind = unicodedata.decomposition(char).partition(" ")[0]
    if not kind.startswith("<"):
        return unicodedata.normalize("NFD", char)
    whole = unicodedata.normalize("NFKD", char)
    changes_figures = kind not in _KEEPS_FIGURES and any(map(str.isdigit, whole))
    return char if kind not in _KEEPS_WORDS or changes_figures or " " in whole else whole


def _plain(char: str) -> str:
    if char in INVISIBLE:
        return ""
    if char.isspace():
        return " "
    if char in DOUBLE_QUOTES or char in APOSTROPHES:
        return "'"
    return "-" if char in DASHES else char
