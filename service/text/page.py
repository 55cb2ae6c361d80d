"""The article on an HTML page: its main text, and what the page says about it."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise, takewhile
from threading import Lock
from typing import Any

from lxml.etree import LxmlError

from service.errors import UnreadablePageError
from service.text.page_author import Line
from service.text.page_copy import TooManyTagsError, marked
from service.text.page_head import masthead, same
from service.text.page_stream import MAX_BLOCKS, MAX_BYTES, Block, Stream, TooManyBlocksError, read_stream
from service.text.page_tags import HEADINGS

_MOST_BLOCKS_READ_THOROUGHLY = 2_000
_MAX_LINES_ABOVE = 12
_PARAGRAPH_CHARS = 250
_BYLINE = re.compile(r"(?:^|[\s_-])byline|(?:^|\s)(?:article|entry|post)?[_-]*author(?:[_-]+names?)?(?:\s|$)", re.IGNORECASE)
_LOADING = Lock()

_NO_CLOCK = {"max_date": "1970-01-01"}  # unused, but without it today's date is looked up
_SAMPLE = "<p>Short, so that all that it has is tried, and is loaded.</p>"

Extractor = Callable[..., Any]
"""trafilatura.bare_extraction: takes a tree, gives a document whose `body` is a tree, or None."""


@dataclass(frozen=True)
class Page:
    """An article as its page shows it. `text` is what all offsets refer to; the headline is in `title` only.

    Paragraphs, headings and quotations are parted by one empty line, list items and table rows by a line end, cells by
    a tab. `published_at` is a day, ISO 8601; `language` a primary subtag, such as "en"; `url` the page's canonical one.
    """

    text: str
    title: str | None
    author: str | None
    published_at: str | None
    language: str | None
    url: str | None


def read_page(html: str) -> Page:
    """The article on the page: what its reader sees of it, in its order and its own characters, and who says it is whose.

    Left out are menus, banners, comments, advertisements, what is hidden, and what only search engines are told: the
    words of an article behind a paywall are not on its page. Same page, same text; never longer than the page.
    Raises: UnreadablePageError.
    """
    if len(html) > MAX_BYTES or len(html.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise UnreadablePageError(f"The page is longer than {MAX_BYTES:,} bytes.")
    try:
        stream = read_stream(html)
    except (TooManyBlocksError, TooManyTagsError):
        raise UnreadablePageError(f"The page has more parts than one article has, over {MAX_BLOCKS:,}.") from None
    told = masthead(stream.head, list(_headlines(stream.blocks)), _opening(stream.blocks))
    blocks = _without_title(_whole(stream.blocks, main_blocks(stream)), told.title)
    if all(block.linked or block.box.tag in HEADINGS for block in blocks):
        raise UnreadablePageError("The page has no main text: nothing but headlines, menus, links or hidden words is on it.")
    return Page(_joined(blocks), told.title, told.author, told.published_at, told.language, told.url)


def prepare() -> None:
    """Nothing: what finds the main text is loaded, so that no request waits half a second for it."""
    with _LOADING:
        _loaded()


def main_blocks(stream: Stream, extract: Extractor | None = None) -> set[int]:
    """The numbers of the blocks that are the article, as `extract` finds them; trafilatura's finder when it is None.

    Raises: UnreadablePageError when it fails.
    """
    if extract is None:
        with _LOADING:
            extract = _loaded()
    found: set[int] = set()
    if stream.copy is not None:
        # Its second opinion takes a time that grows with the square of the number of short paragraphs.
        fast = len(stream.blocks) > _MOST_BLOCKS_READ_THOROUGHLY
        try:
            document = extract(stream.copy, fast=fast, include_comments=False, date_extraction_params=_NO_CLOCK)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, LxmlError):
            # Not chained: what it says may quote the page.
            raise UnreadablePageError("The page's main text could not be told from what is around it.") from None
        if document is not None:
            found = marked(" ".join(document.body.itertext()))
    return found


@cache
def _loaded() -> Extractor:
    # 45 MB and half a second to a second and a half of imports: a command that reads no page never pays for them.
    from trafilatura import bare_extraction  # noqa: PLC0415 - loaded at first use, see above
    from trafilatura.utils import line_processing, trim  # noqa: PLC0415 - as above

    for name in ("trafilatura", "courlan", "htmldate"):
        # They write down the text that they read.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def extract(tree: Any, **options: Any) -> Any:
        try:
            return bare_extraction(tree, **options)
        finally:
            # They keep the last thousand texts, each of which may be a whole article.
            trim.cache_clear()
            line_processing.cache_clear()

    extract(read_stream(_SAMPLE).copy)
    return extract


def _opening(blocks: Sequence[Block]) -> list[Line]:
    """The lines from the first <h1> on, or from the start where there is none, that come before the first paragraph."""
    start = next((number for number, block in enumerate(blocks) if block.place.headline), 0)
    lines = takewhile(lambda block: len(block.text) < _PARAGRAPH_CHARS, blocks[start : start + _MAX_LINES_ABOVE])
    return [
        Line(block.text, _BYLINE.search(block.box.attributes.get("class", "")) is not None)
        for block in lines
        if block.box.tag not in HEADINGS and not block.place.quoted
    ]


def _headlines(blocks: Iterable[Block]) -> Iterator[tuple[str, bool]]:
    """The words of each <h1>, and whether an article holds it."""
    for number, parts in groupby(blocks, key=lambda block: block.place.headline):
        if number:
            headline = list(parts)
            yield " ".join(block.text for block in headline), headline[0].place.in_article


def _whole(blocks: Sequence[Block], found: set[int]) -> list[Block]:
    """The blocks found, with the headings that were lost between them, less the links before and after them."""
    wanted = set(found)
    for number in found:
        above, block = blocks[number - 1], blocks[number]
        if number and above.box.tag in HEADINGS and above.box.parent in {block.box, block.box.parent}:
            wanted.add(number - 1)
    sure = sorted(number for number in wanted if not blocks[number].linked)
    return [blocks[number] for number in sorted(wanted) if sure and sure[0] <= number <= sure[-1]]


def _without_title(blocks: Sequence[Block], title: str | None) -> list[Block]:
    """The blocks without the <h1> that is the title, and without a title in any other tag that comes first."""
    left: list[Block] = []
    for headline, parts in groupby(blocks, key=lambda block: block.place.headline):
        together = list(parts)
        words = " ".join(block.text for block in together) if headline else together[0].text
        if title is None or (left and not headline) or not same(words, title):
            left += together
        elif not headline:
            left += together[1:]
    return left


def _joined(blocks: Sequence[Block]) -> str:
    units = Counter(block.place.unit for block in blocks if block.place.unit)
    text = [blocks[0].text]
    for before, block in pairwise(blocks):
        last, place = before.place, block.place
        # An item or a cell of several paragraphs is no line but a layout.
        in_line = units[place.unit] == 1
        if last.group != place.group or units[last.unit] != 1 or not in_line:
            text.append("\n\n")
        elif not place.row or last.row != place.row:
            text.append("\n")
        if in_line and place.row:
            # A cell without words keeps its column, or figures come to stand under the wrong year.
            text.append("\t" * (place.column - (last.column if last.row == place.row else 0)))
        text.append(block.text)
    return "".join(text).strip()
