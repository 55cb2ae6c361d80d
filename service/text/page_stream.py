"""What a reader of an HTML page sees, block by block, with a plain copy of the page and what its head says.

The page is read as a stream of tags and words, never as a tree: a tree of 100,000 open tags is refused by the parser,
a tag of 100,000 attributes costs it 15 seconds, and every look upwards in a deep tree is one more turn of a loop.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from service.text.folding import INVISIBLE
from service.text.page_copy import BREAK, MAX_DEPTH, Box, Copy, Piece
from service.text.page_head import Head
from service.text.page_tags import BOXES, CELLS, ITEMS, LISTS, PLAIN, copied_as, left_out

MAX_BYTES = 8_000_000
"""The parser gives up, silently, at a text or an attribute of 10,000,000 bytes."""
MAX_BLOCKS = 20_000

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NOT_TEXT = re.compile(r"[\x01-\x08\x0b\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_SPACE = re.compile(r"[ \t\n\f\r\u2028\u2029]+")  # HTML's own, and what ends a line in no browser; not the no-break space
_LINE_END = re.compile(rf"\r\n|[\n\r\f\u2028\u2029{BREAK}]")
_EMPTY_LINES = re.compile(r"\n{3,}")
_BLANK = " \t\n\f\r" + BREAK
_RAISED = str.maketrans("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")
_ALL_RAISED = re.compile(r"[0-9+\-−()n]{1,20}")
_NOTE = re.compile(r"\s*\[[^\[\]]{1,30}\]\s*")


class TooManyBlocksError(ValueError):
    """The page has more paragraphs, headings and list items than one article has."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where words stand, as numbers that are equal for words in the same; 0 is none.

    `group`: the outermost list of lists in lists, or the table. `row`: of a table. `unit`: the list item or the cell.
    `column`: how many cells stand before it in its row. `headline`: the <h1>.
    """

    group: int = 0
    row: int = 0
    column: int = 0
    unit: int = 0
    headline: int = 0
    in_list: bool = False
    in_article: bool = False
    quoted: bool = False
    kept_spaces: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Words that stand together: a paragraph, a heading, a list item's or a cell's own. `linked`: all are links."""

    text: str
    place: Place
    box: Box
    linked: bool


@dataclass(frozen=True)
class Stream:
    """A page that was read. In `copy`, a tree of lxml.html or None, the words of block i begin with page_copy.mark(i)."""

    blocks: tuple[Block, ...]
    head: Head
    copy: Any


def read_stream(page: str) -> Stream:
    """All that a reader sees of the page, in its order, in time that grows with its length.

    Raises: TooManyBlocksError, TooManyTagsError.
    """
    reader = _Reader()
    parser = etree.HTMLParser(target=reader, encoding="utf-8", huge_tree=False, no_network=True)
    # The parser takes no empty page.
    etree.fromstring(_SURROGATE.sub("\ufffd", page.replace("\x00", "")).encode() + b"\n", parser)
    return Stream(tuple(reader.blocks), reader.head, reader.copy.tree)


class _Reader:
    """Takes the parser's events. Open tags are kept on a stack, so that what each began ends where it closes."""

    def __init__(self) -> None:
        self.head = Head()
        self.blocks: list[Block] = []
        self.copy = Copy()
        self._boxes: list[tuple[Box, Place]] = [(Box("html", {}), Place())]
        self._open: list[str] = []
        self._left_out = 0  # how many tags are open, from the first that is left out on
        self._words: list[str] = []  # of the piece that is being read
        self._pieces: list[Piece] = []
        self._raised = 0  # where in the pieces the raised ones begin
        self._told: list[str] | None = None  # takes the words of the tag that stands at this depth, seen or unseen
        self._told_depth, self._told_unseen = 0, False
        self._link = self._times = self._numbers = self._cells = 0
        self._starts = {
            "a": self._link_starts,
            "br": self._break,
            "q": lambda: self._words.append("“"),
            "sup": self._raise_starts,
            "time": self._time_starts,
        }
        self._ends = {
            "a": self._link_ends,
            "q": lambda: self._words.append("”"),
            "sup": self._raise_ends,
            "time": self._time_ends,
        }

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Nothing: a tag was opened."""
        if self._left_out:
            self._left_out += 1
            return
        if tag in PLAIN and not attributes:
            self._open.append(tag)
            return
        if tag in BOXES:
            self._flush()
        unseen = left_out(tag, attributes, quoted=self._boxes[-1][1].quoted)
        if self._told is None and (attributes or tag == "title"):
            self._told = self.head.notice(tag, attributes)
            self._told_depth, self._told_unseen = len(self._open), unseen
        if unseen:
            self._left_out = 1
            return
        self._open.append(tag)
        if tag in BOXES:
            self._enter(tag, attributes)
        elif tag in self._starts:
            self._starts[tag]()

    def end(self, _tag: str) -> None:
        """Nothing: the innermost open tag was closed."""
        if self._left_out > 1:
            self._left_out -= 1
            return
        if self._left_out:
            self._left_out = 0
        else:
            tag = self._open.pop()
            if tag in BOXES:
                self._flush()
                self._boxes.pop()
            elif tag in self._ends:
                self._ends[tag]()
        if self._told is not None and len(self._open) <= self._told_depth:
            self._told = None

    def data(self, words: str) -> None:
        """Nothing: words were read."""
        if self._told is not None and self._told_unseen == bool(self._left_out):
            self._told.append(words)
        if not self._left_out:
            self._words.append(words)

    def close(self) -> None:
        """Nothing: the page is over."""
        self._flush()

    def _enter(self, tag: str, attributes: Mapping[str, str]) -> None:
        box, place = self._boxes[-1]
        if box.depth == MAX_DEPTH:  # what is deeper stands, block after block, in the deepest tag that is copied
            self._boxes.append((box, place))
            return
        box = Box(*copied_as(tag, attributes), parent=box)
        if tag in {"article", "main"} or attributes.get("role") in {"article", "main"}:
            place = replace(place, in_article=True)
        self._boxes.append((box, self._placed(tag, place)))

    def _placed(self, tag: str, place: Place) -> Place:
        self._numbers += 1
        number = self._numbers
        if tag in CELLS:
            self._cells += 1
            place = replace(place, unit=number, column=self._cells - 1)
        elif tag in ITEMS:
            place = replace(place, unit=number)
        elif tag in LISTS and not place.in_list:
            place = replace(place, group=number, row=0, in_list=True)
        elif tag == "table":
            place = replace(place, group=number, row=0, in_list=False)
        elif tag == "tr":
            self._cells = 0
            place = replace(place, row=number)
        elif tag == "h1":
            place = replace(place, headline=number)
        elif tag == "blockquote":
            place = replace(place, quoted=True)
        elif tag == "pre":
            place = replace(place, kept_spaces=True)
        return place

    def _piece_ends(self) -> None:
        """What was read since the last piece is one, in or out of a link or a time as they are now."""
        if self._words:
            words = _NOT_TEXT.sub("", "".join(self._words)).replace("\f", " ")
            self._pieces.append((words, self._link, self._times > 0))
            self._words = []

    def _link_starts(self) -> None:
        self._piece_ends()
        self._numbers += 1
        self._link = self._numbers

    def _link_ends(self) -> None:
        self._piece_ends()
        self._link = 0

    def _time_starts(self) -> None:
        self._piece_ends()
        self._times += 1

    def _time_ends(self) -> None:
        self._piece_ends()
        self._times -= 1

    def _raise_starts(self) -> None:
        self._piece_ends()
        self._raised = len(self._pieces)

    def _raise_ends(self) -> None:
        self._piece_ends()
        # 10<sup>6</sup> must not become 106, nor 2021<sup>1</sup>, with a note, 20211.
        raised = self._pieces[self._raised :]
        words = "".join(words for words, _, _ in raised)
        if _NOTE.fullmatch(words):
            del self._pieces[self._raised :]
        elif _ALL_RAISED.fullmatch(words):
            self._pieces[self._raised :] = [(words.translate(_RAISED), link, timed) for words, link, timed in raised]
        self._raised = len(self._pieces)

    def _break(self) -> None:
        """Two line breaks with nothing between them part paragraphs."""
        self._piece_ends()
        before = BREAK
        if not self._boxes[-1][1].kept_spaces:
            before = next((words for words, _, _ in reversed(self._pieces) if words == BREAK or words.strip(_BLANK)), "")
            if before == BREAK:
                self._flush(parted=True)
                return
        if before:
            self._pieces.append((BREAK, self._link, self._times > 0))
        else:
            self._pieces.clear()

    def _flush(self, *, parted: bool = False) -> None:
        self._piece_ends()
        if not self._pieces:
            return
        pieces, self._pieces, self._raised = self._pieces, [], 0
        box, place = self._boxes[-1]
        text = _shown("".join(words for words, _, _ in pieces), kept_spaces=place.kept_spaces)
        if not text:
            return
        if len(self.blocks) == MAX_BLOCKS:
            raise TooManyBlocksError
        self.copy.put(pieces, box, len(self.blocks), parted=parted)
        linked = not any(any(map(str.isalnum, words)) for words, link, _ in pieces if not link)
        self.blocks.append(Block(text, place, box, linked))


def _shown(words: str, *, kept_spaces: bool) -> str:
    """The words with the white space a browser shows; "" when there is nothing to see."""
    if not any(map(_is_seen, words)):
        return ""
    if kept_spaces:
        lines = [line.rstrip() for line in _LINE_END.split(words)]
        return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")
    return "\n".join(line.strip() for line in _SPACE.sub(" ", words).split(BREAK)).strip("\n")


def _is_seen(char: str) -> bool:
    return not (char.isspace() or char == BREAK or char in INVISIBLE)
