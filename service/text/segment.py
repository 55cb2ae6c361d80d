"""Sentences of an article: the library says which stops may end one, the rules here say what it does not see.

The library reads a disguise of each paragraph, character for character, in which quotation marks, brackets and every
kind of space are plain spaces. Left to itself it keeps whatever stands between two quotation marks together, so that
one unpaired mark swallows an article, needs quadratic time for many of them, and aborts on spaces beyond ASCII.
"""

# The marks of many scripts stand here as themselves: escapes could not be read against a text.
# ruff: noqa: RUF001

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

import sentencex

from service.domain import Sentence
from service.text.edges import UNSPACED
from service.text.folding import INVISIBLE

MAX_SENTENCE_CHARS = 2_000
"""No sentence has more characters than this, the white space around it not counted."""

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_NEUTRAL_LANGUAGE = "en"

_INVISIBLE = "".join(sorted(INVISIBLE))
_BLANK = _INVISIBLE + "".join(char for char in map(chr, range(0x3001)) if char.isspace())
_LINE_WIDTHS = range(30, 101)
_LONG_LINE_CHARS = 40
_ENOUGH_EVIDENCE = 3
_LIST_ITEM = re.compile(r"[-*+•·◦▪‣●■►]\s|[–—]\s+(?![a-zа-яё])|\(?(?:\d{1,3}|[A-Za-z])[.)]\s|[>#|]")

_STOPS = ".!?…。！？｡．؟۔।॥։።"
_ASCII_STOP = re.compile(r"[.!?]")
_DOTS = frozenset(".…")
_BRACKETS = "([{（［【"
_OPENERS = frozenset("\"'“”„‟‘’‚‛«»‹›「『《〈¿¡-–—•*" + _BRACKETS + _INVISIBLE)
# Marks that open in one language and close in another close where no word follows; [12] is a reference to a note.
_CLOSING = re.compile(rf"(?:[{_STOPS}{_INVISIBLE}”’」』》〉)\]}}）］】]|[\"'“‘«»‹›](?!\w)|\[\d{{1,3}}\]){{0,16}}")
_CLAUSE_END = re.compile(r"[;:,–—]\s+|[，、；：]")
_SPACE = re.compile(r"\s+")

_ORDINAL_DOT_LANGUAGES = frozenset("cs da de et fi hr hu is lv nb no pl sk sl sr".split())
_ORDINAL_DIGITS = 2
_TITLES = frozenset(
    "Adm Capt Cmdr Col Cpl Dr Dra Gen Gov Hon Lt Maj Messrs Mgr Mlle Mme Mr Mrs Ms Msgr Prof Pvt "
    "Rep Reps Rev Sen Sens Sgt Srta им ул просп акад проф ген гр обл см рис ім вул".split()
)
_LONGEST_TITLE = max(map(len, _TITLES))
_NUMBERED = frozenset(
    "abb abs approx art bd est fig inkl kap max min no nos nr num pp rd sec tel vol zzgl гл рис ст стр табл".split()
)
# Words that end sentences, and that the library takes for abbreviations only: of a state, of "number", of a month.
_WHOLE_WORDS = {
    "en": re.compile(r"\b(?:[Mm]ay|me|no|OK)(?=\.\s)"),
    "de": re.compile(r"\bmich(?=\.\s)"),
}
_INITIALS = re.compile(r"(?<=\b[A-ZÄÖÜА-ЯЁ])\.(?=[A-ZÄÖÜА-ЯЁ]\.)")
_ADDRESS = re.compile(r"[/@_=\\:]|www\.")
_CLOCK = re.compile(r"[ap]\.m\.\s+(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|[A-Z]{2,4}|Eastern|Central|Pacific)\b")


_LAST_REMEMBERED = 0xFFFF  # articles of rare characters must not fill the memory


class _Disguise(dict[int, int]):
    """What stands in for each character the library reads; filled as characters turn up."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        category = unicodedata.category(char)
        kept = category[0] in "LMN" or category == "Pd" or (category == "Po" and char not in "\"'*•◦†‡#@\\")
        disguise = ord(".") if char == "…" else code if kept else ord(" ")
        if code <= _LAST_REMEMBERED:
            self[code] = disguise
        return disguise


_DISGUISE = _Disguise()


def segment(text: str, language: str) -> tuple[Sentence, ...]:
    """Sentences that tile `text`: their texts joined give it back; white space belongs to the sentence before it.

    Offsets are code points. A line break ends a sentence unless the lines were wrapped to a width; a sentence inside a
    quotation is a sentence of its own. `language` is an ISO 639-1 code, with or without a region; English serves for
    one that is not known. Linear time. An empty text has no sentences.
    """
    code = language.partition("-")[0].lower()
    code = code if _LANGUAGE.fullmatch(code) else _NEUTRAL_LANGUAGE
    sentences: list[Sentence] = []
    start = 0
    for end in _bounded(text, _worded(text, _ends(text, code))):
        sentences.append(Sentence(number=len(sentences) + 1, start=start, end=end, text=text[start:end]))
        start = end
    return tuple(sentences)


def _ends(text: str, language: str) -> Iterator[int]:
    start = 0
    for paragraph in _paragraphs(text):
        yield from (start + end for end in _stops(paragraph, language))
        start += len(paragraph)
        yield start


def _paragraphs(text: str) -> Iterator[str]:
    """The stretches of `text` that no sentence runs out of, each with the blank lines after it."""
    lines = text.splitlines(keepends=True)
    bare = [line.strip(_BLANK) for line in lines]
    width = _line_width(bare)
    held: list[str] = []
    for line, this, following in zip(lines, bare, [*bare, ""][1:], strict=True):
        held.append(line)
        if following and not (this and _runs_on(this, following, width)):
            yield "".join(held)
            held = []
    yield "".join(held)


def _line_width(lines: Sequence[str]) -> int:
    """How wide the lines are that were broken where they were full; 0 when the breaks have a meaning.

    The evidence is breaks inside a sentence; those before a letter without case count less, as headlines have them too.
    """
    width, weight = 0, 0
    broken: list[tuple[str, str]] = []
    for _, group in groupby(lines, key=bool):
        block = list(group)
        longest = max(map(len, block))
        inside = [pair for pair in pairwise(block) if longest in _LINE_WIDTHS and _inside(*pair)]
        if inside:
            width = max(width, longest)
            weight += sum(_ENOUGH_EVIDENCE if _is_lower(following[0]) else 1 for _, following in inside)
            broken += inside
    full = sum(_is_full(line, following, width) for line, following in broken)
    return width if weight >= _ENOUGH_EVIDENCE and full >= 0.6 * len(broken) else 0


def _inside(line: str, following: str) -> bool:
    return (line[-1].isalnum() or line[-1] in ",-–—،、") and following[0].isalpha() and not following[0].isupper()


def _is_full(line: str, following: str, width: int) -> bool:
    word = 1 if UNSPACED.match(following) else len(following.split(maxsplit=1)[0])
    return len(line) + 1 + word > 0.85 * width


def _runs_on(line: str, following: str, width: int) -> bool:
    if _LIST_ITEM.match(following):
        return False
    if width and len(line) <= width and len(following) <= width and _is_full(line, following, width):
        return True
    return len(line) >= _LONG_LINE_CHARS and _inside(line, following) and _is_lower(following[0])


def _is_lower(char: str) -> bool:
    # Georgian's everyday letters count as lower case and begin its sentences.
    return char.islower() and not "\u10d0" <= char <= "\u10ff"


def _stops(paragraph: str, language: str) -> Iterator[int]:
    if paragraph.isascii() and not _ASCII_STOP.search(paragraph):
        return
    begun = 0
    for found in sentencex.get_sentence_boundaries(language, _disguised(paragraph, language)):
        stop = found["start_index"] + len(found["text"].rstrip())
        end = _end(paragraph, begun, stop, language)
        if end is not None:
            yield end
            begun = end


def _disguised(paragraph: str, language: str) -> str:
    disguise = _INITIALS.sub(" ", paragraph.translate(_DISGUISE))
    if words := _WHOLE_WORDS.get(language):
        disguise = words.sub(lambda found: "x" * len(found[0]), disguise)
    initials = []
    for stop in re.finditer(r"[.!?] +(?=\d(?!\. ))", disguise):
        word = re.search(r"(?:[^\W\d_]{2,}|\b\d{4})[.!?]*\Z", disguise[max(0, stop.start() - 24) : stop.start()])
        if word:
            initials.append(stop.end())
    # The library never ends a sentence before a figure: a capital in its place makes it look at the word before.
    pieces = [disguise[start:end] for start, end in pairwise([0, *initials, len(disguise)])]
    return pieces[0] + "".join("N" + piece[1:] for piece in pieces[1:])


def _end(text: str, begun: int, stop: int, language: str) -> int | None:
    """Where the sentence [begun, stop) ends, closing marks and white space included; None if it goes on."""
    begin = stop
    while begin and text[begin - 1] in _STOPS:
        begin -= 1
    if _DOTS.issuperset(text[begin:stop]) and _is_held(text, begun, begin, stop, language):
        return None
    close = _past(_CLOSING, text, stop)
    end = _past(_SPACE, text, close)
    while end > close and text[end : end + 1] in {"»", "›", '"'} and text[end + 1 : end + 2].strip() == "":
        close = end + 1
        end = _past(_SPACE, text, close)
    if end == close < len(text) and not _may_touch(text, begin, close):
        return None
    if text[end : end + 1] in {",", ";", ":"} or (close > stop and text[end : end + 1] in {"-", "–", "—"}):
        return None
    first = end
    while first < len(text) and (text[first] in _OPENERS or text[first].isspace()):
        first += 1
    return None if _is_lower(text[first : first + 1] or " ") else end


def _is_held(text: str, begun: int, begin: int, stop: int, language: str) -> bool:
    """Whether the dots at [begin, stop) belong to a word, a number or an omission."""
    previous = text[begin - 1 : begin]
    if previous == "" or previous in _BRACKETS:
        return True
    if text[begin:stop] != ".":
        return previous.isspace()
    start = begin
    while start > max(begun, begin - _LONGEST_TITLE) and text[start - 1].isalnum():
        start -= 1
    word = text[start:begin]
    opens = start - begun < _LONGEST_TITLE and not text[begun:start].strip(_BLANK + _BRACKETS)
    if word.isdigit() and len(word) <= _ORDINAL_DIGITS:
        return opens or language in _ORDINAL_DOT_LANGUAGES
    if word.lower() in _NUMBERED and text[stop : stop + 2].strip().isdigit():
        return True
    return word in _TITLES or (opens and len(word) == 1) or _CLOCK.match(text, max(0, stop - 4)) is not None


def _may_touch(text: str, begin: int, close: int) -> bool:
    """Whether a sentence may begin at `close` with no space before it."""
    if text[begin] not in ".!?…":
        return not (text[close - 1] == "」" and text[close] == "と")
    before, after = text[max(0, begin - 40) : begin], text[close : close + 40].split(maxsplit=1)[0]
    if not (before[-1:].islower() and after[0].isupper() and after[1:2].islower()):
        return False
    # What looks like an address is left whole.
    return not _ADDRESS.search(before.rsplit(maxsplit=1)[-1] + after)


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _worded(text: str, ends: Iterable[int]) -> Iterator[int]:
    """The ends without those of fragments that hold no letter or digit: these join the sentence before them."""
    start, held = 0, 0
    for end in ends:
        if held and any(map(str.isalnum, text[start:end])):
            yield held
            held = end
        elif held or any(map(str.isalnum, text[start:end])):
            held = max(held, end)
        start = max(start, end)
    if text:
        yield len(text)


def _bounded(text: str, ends: Iterable[int]) -> Iterator[int]:
    """The ends, and cuts at clauses or spaces where they lie further apart than a sentence may be long."""
    start = 0
    for end in ends:
        while len(text[start:end].strip()) > MAX_SENTENCE_CHARS:
            start = _forced_cut(text, start)
            yield start
        yield end
        start = end


def _forced_cut(text: str, start: int) -> int:
    start = _past(_SPACE, text, start)
    middle, limit = start + MAX_SENTENCE_CHARS // 2, start + MAX_SENTENCE_CHARS
    for pattern in (_CLAUSE_END, _SPACE):
        cuts = [found.end() for found in pattern.finditer(text, middle, limit)]
        if cuts:
            return _past(_SPACE, text, cuts[-1])
    cut = limit
    while cut > middle and (unicodedata.category(text[cut]) in {"Mn", "Mc", "Me", "Cf", "Sk"} or text[cut - 1] == "\u200d"):
        cut -= 1
    return _past(_SPACE, text, cut)
