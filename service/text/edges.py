"""Where words and figures begin and end, so that a quote never takes a part of one for the whole.

"5%" is not in "15%" or "-5%", "9" not in "1,900", "can" not in "can't". Scripts that put no space between words have
no edges between their letters.
"""

import re
import unicodedata

from service.text.folding import APOSTROPHES, DASHES, INVISIBLE, completes

_HYPHENS = frozenset("-‐‑")  # noqa: RUF001 - the look-alikes are all hyphens
_LONG_DASHES = frozenset("—―")
_POINTS = frozenset(".,·\u066b")
_INSIDE_FIGURES = _POINTS | {":", "/", "\u066c", "\u2044"} | APOSTROPHES
_GROUP_SPACES = frozenset(" \u00a0\u2007\u2009\u202f")
_SHARES = frozenset("%‰٪")
# Words that French, Italian and Catalan join to the next by an apostrophe; "n'" is left out, as it denies.
_ELISIONS = frozenset("all c coll d dall degl dell gl j jusqu l lorsqu m nell puisqu qu quell quest quoiqu s sull t un".split())
_NAME_PREFIXES = frozenset({"al", "el"})
_LAST_GROUP = re.compile(r"(?<!\d)\d{1,3}\Z")
_LAST_WORD = re.compile(r"[^\W\d_]+\Z")
_GROUP = re.compile(r"\d{3}(?!\d)")
FIRST_UNSPACED = "\u0e00"
"""No character before this is one of `UNSPACED`."""
# Thai to Burmese, Khmer, kana, Han; Hangul has spaces, but its particles hang on the word.
UNSPACED = re.compile(
    r"[\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7fb\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""A letter of a script that puts no space between words, or not between all of them."""
_JOINER = "\u200d"
_REACH = 16
_DROP_INVISIBLE = dict.fromkeys(map(ord, INVISIBLE))


def fits(text: str, start: int, end: int, *, name: bool = False) -> bool:
    """Whether `text[start:end]` begins and ends where a word or figure does.

    A `name` may also stand before a possessive 's, and in a compound joined by hyphens to other names.
    """
    if text[start - 1 : start] == _JOINER or text[end : end + 1] == _JOINER:
        return False
    left = _left_of(text, start)
    if left and not _may_begin(left, _right_of(text, start), name=name):
        return False
    right = _right_of(text, end)
    return not right or _may_end(_left_of(text, end), right, name=name)


def _left_of(text: str, at: int) -> str:
    while at and text[at - 1] in INVISIBLE:
        at -= 1
    return text[max(0, at - _REACH) : at].translate(_DROP_INVISIBLE)


def _right_of(text: str, at: int) -> str:
    while at < len(text) and text[at] in INVISIBLE:
        at += 1
    return text[at : at + _REACH].translate(_DROP_INVISIBLE)


def _may_begin(left: str, words: str, *, name: bool) -> bool:
    before, first = left[-1], words[0]
    if completes(first) or (_in_word(before) and _in_word(first)):
        return _are_apart(before, first)
    if first.isdigit():
        return _figure_may_begin(left, words)
    if first.isalpha():
        return _word_may_begin(left, first, name=name)
    if first in _LONG_DASHES and words[1:2].isalpha():
        return True
    # A sign, a point or a currency belongs to the figure or word behind it, and to the one before it.
    holds = first in _SHARES or (words[1:2].isalnum() and _is_inside(first))
    return not (holds and before.isalnum())


def _figure_may_begin(left: str, words: str) -> bool:
    before, further = left[-1], left[-2:-1]
    if before in DASHES:
        return before in _LONG_DASHES and further.isalpha()
    if before in _INSIDE_FIGURES and further.isdigit():
        return False
    if before in _POINTS:
        return further.isalpha()
    return not (before in _GROUP_SPACES and _LAST_GROUP.search(left[:-1]) and _GROUP.match(words))


def _word_may_begin(left: str, first: str, *, name: bool) -> bool:
    before, further = left[-1], left[-2:-1]
    joined = _LAST_WORD.search(left[:-1])
    if before in _HYPHENS and further.isalnum():
        return name and joined is not None and (joined[0][0].isupper() or joined[0] in _NAME_PREFIXES)
    if before in APOSTROPHES and joined:
        return joined[0].lower() in _ELISIONS
    if before == "." and joined:
        return further.islower() and first.isupper()
    return True


def _may_end(words: str, right: str, *, name: bool) -> bool:
    last, after = words[-1], right[0]
    if completes(after) or (_in_word(last) and _in_word(after)):
        return _are_apart(last, after)
    if last.isdigit():
        return _figure_may_end(words, right)
    if last.isalpha() or completes(last):
        return _word_may_end(last, right, name=name)
    return not (_is_inside(last) and after.isalnum()) or _sign_may_end(words[-2:-1], last, after)


def _sign_may_end(before: str, sign: str, after: str) -> bool:
    if sign == ".":
        return before.islower() and after.isupper()
    if sign in APOSTROPHES or sign in _HYPHENS:
        return not before.isalnum()
    return sign in _LONG_DASHES or not after.isdigit()


def _figure_may_end(words: str, right: str) -> bool:
    after, further = right[0], right[1:2]
    if after in _SHARES or (after in _GROUP_SPACES and further in _SHARES):
        return False
    if after in DASHES:
        return not further.isalnum() or (after in _LONG_DASHES and further.isalpha())
    if after in _INSIDE_FIGURES and further.isdigit():
        return False
    return not (after in _GROUP_SPACES and _LAST_GROUP.search(words) and _GROUP.match(right[1:]))


def _word_may_end(last: str, right: str, *, name: bool) -> bool:
    after, further = right[0], right[1:2]
    if after in _HYPHENS and further.isalnum():
        return name
    if after in APOSTROPHES and further.isalpha():
        return name and further in "sS" and not right[2:3].isalnum()
    if after == "." and further.isalpha():
        return last.islower() and further.isupper()
    return not (after == "@" and further.isalnum())


def _is_inside(char: str) -> bool:
    """Whether this is a mark that stands inside figures, words or sums of money."""
    return char in _INSIDE_FIGURES or char in DASHES or unicodedata.category(char) == "Sc"


def _in_word(char: str) -> bool:
    return char.isalnum() or completes(char)


def _are_apart(one: str, other: str) -> bool:
    if completes(other) or (one.isdigit() and other.isdigit()):
        return False
    return UNSPACED.match(one) is not None or UNSPACED.match(other) is not None
