"""A plain copy of an HTML page: shallow, of known tags, holding only what a reader sees, each block of words marked.

What looks for the main text among it may rewrite and rearrange the copy as it likes: the marks that are left tell
which blocks it took, and the words themselves are read from the page.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from lxml import etree, html

from service.text.page_tags import ONE_PARAGRAPH

BREAK = "\x00"
"""A line break within a block: the one character that no page can hold."""
MAX_DEPTH = 100
MAX_TAGS = 40_000

# Braille patterns: printed, no letters, no spaces, and in no newspaper.
_FIRST_SIGN, _SIGNS = 0x2801, 255
_MARK = re.compile("[\u2801-\u28ff]{2}")
_SIGN = re.compile("[\u2801-\u28ff]")
_BLANK = " \t\n\f\r" + BREAK

Piece = tuple[str, int, bool]
"""Words, the number of the link they are in (0: none), and whether they are a time."""


class TooManyTagsError(ValueError):
    """The page has more tags with words in them than an article has."""


def mark(number: int) -> str:
    """The two characters that stand for a block's number, from 0 to 65,024."""
    return chr(_FIRST_SIGN + number // _SIGNS) + chr(_FIRST_SIGN + number % _SIGNS)


def marked(words: str) -> set[int]:
    """The numbers of the blocks whose marks are in `words`."""
    return {(ord(high) - _FIRST_SIGN) * _SIGNS + ord(low) - _FIRST_SIGN for high, low in map(tuple, _MARK.findall(words))}


class Box:
    """A tag that words stand in. It is copied when the first words come, so that what is empty is never copied."""

    __slots__ = ("attributes", "copied", "depth", "parent", "parted", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], parent: "Box | None" = None) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.copied: Any = None
        self.parted = False  # whether its words are parted into paragraphs by empty lines


class Copy:
    """A copy that grows. `tree` is None as long as there are no words in it."""

    def __init__(self) -> None:
        self.tree: Any = None
        self._tags = 0

    def put(self, pieces: Sequence[Piece], box: Box, number: int, *, parted: bool) -> None:
        """Nothing: the words of block `number` stand in `box`, behind its mark, with their links.

        `parted`: an empty line follows them. Raises: TooManyTagsError.
        """
        place = self._place(box, parted=parted)
        # What is nothing but a time is a date line; a time among other words is one of them.
        if all(timed for words, _, timed in pieces if words.strip(_BLANK)):
            place = self._add(place, "time", {})
        sign, last = mark(number), None
        for link, linked in groupby(pieces, key=itemgetter(1)):
            words = _SIGN.sub("·", "".join(map(itemgetter(0), linked))).replace(BREAK, " ")
            if sign and words.strip(_BLANK):
                words, sign = sign + words.lstrip(_BLANK), ""
            if link:
                last = self._add(place, "a", {})
                last.text = words
            elif last is None:
                place.text = words
            else:
                last.tail = words

    def _place(self, box: Box, *, parted: bool) -> Any:
        """The tag for the next block's words.

        Words are never put behind a tag that holds a block: whoever then removes that tag moves all the words behind
        it, again and again, and a page of two megabytes takes minutes.
        """
        element = self._copied(box)
        first = element.text is None and not len(element)
        box.parted |= parted
        if box.tag in ONE_PARAGRAPH and not first:
            box.copied = None
            return self._copied(box)
        if first and (box.tag in ONE_PARAGRAPH or not box.parted):
            return element
        return self._add(element, "p" if box.parted else "div", {})

    def _copied(self, box: Box) -> Any:
        """The tag that `box` is copied as, made now if it was not yet, with all that it is in."""
        missing: list[Box] = []
        upward: Box | None = box
        while upward is not None and upward.copied is None:
            missing.append(upward)
            upward = upward.parent
        for down in reversed(missing):
            down.copied = self._add(None if down.parent is None else down.parent.copied, down.tag, down.attributes)
        return box.copied

    def _add(self, parent: Any, tag: str, attributes: dict[str, str]) -> Any:
        self._tags += 1
        if self._tags > MAX_TAGS:
            raise TooManyTagsError
        if parent is not None:
            return etree.SubElement(parent, tag, attributes)
        self.tree = html.html_parser.makeelement(tag, attributes)
        return self.tree
