"""The article as HTML: its text exactly, in paragraphs, with the words that claims rest on marked at their places."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape as escape_markup
from itertools import pairwise

from service.domain import Claim, Coverage, Quote
from service.export.report import article_stance

_LINE = re.compile(r"[^\r\n]+")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_DEEPEST = 3
_INTENSITIES = 4


@dataclass(frozen=True)
class _Highlight:
    """Words of the claim with this rank. `anchor` is the id of their place; `quoted` tells its quote from other words."""

    rank: int
    claim: Claim
    words: Quote
    anchor: str
    quoted: bool

    @property
    def start(self) -> int:
        return self.words.span.start

    @property
    def end(self) -> int:
        return self.words.span.end


def escape(text: str) -> str:
    """`text` as HTML character data or inside a quoted attribute.

    A carriage return is written as a reference, because a parser makes a line feed of it; NUL, which HTML cannot hold,
    becomes U+FFFD.
    """
    return escape_markup(text, quote=True).replace("\r", "&#13;").replace("\0", "\ufffd")


def stance_class(claim: Claim) -> str:
    """The CSS class that shows what the article does to `claim`."""
    return f"s-{article_stance(claim) or 'unknown'}"


def intensity(claim: Claim) -> int:
    """How strongly the words of `claim` are coloured, from 1 to 4, by how worth checking it is."""
    return 1 + min(max(int(claim.check_worthiness * _INTENSITIES), 0), _INTENSITIES - 1)


def quote_id(rank: int) -> str:
    """The id of the place of a claim's quote."""
    return f"q{rank}"


def mention_id(rank: int) -> str:
    """The id of the place that names a claim's claimant."""
    return f"m{rank}"


def evidence_id(rank: int, number: int) -> str:
    """The id of the place of the words that show a stance; `number` counts the stances of the claim from 0."""
    return f"e{rank}-{number}"


def claim_id(rank: int) -> str:
    """The id of a claim in the list."""
    return f"c{rank}"


def render(text: str, claims: Sequence[Claim], unread: Sequence[tuple[int, int]] = (), prefix: str = "") -> str:
    """`text` with `claims`, in the order of their rank, marked in it; the text content of the result is `text` exactly.

    Where marked words overlap they are cut into pieces. Each names in its classes and `data-claim` the claims it belongs
    to, and in `data-parts` the ids of the places whose words it is of, without `prefix`. What lies in the ranges `unread`
    was not read, and looks so. `prefix` begins every id, where a page holds more articles than one.
    """
    highlights = list(_highlights(claims))
    starts, ends = defaultdict(list), defaultdict(list)
    for highlight in highlights:
        starts[highlight.start].append(highlight)
        ends[highlight.end].append(highlight)
    paragraphs = _paragraphs(text)
    opens, closes = {start for start, _ in paragraphs}, {end for _, end in paragraphs}
    failing, mended = {start for start, _ in unread}, {end for _, end in unread}
    edges = sorted({0, len(text), *starts, *ends, *opens, *closes, *failing, *mended})
    active: list[_Highlight] = []
    failed = False
    pieces = []
    for edge, following in zip(edges, [*edges[1:], len(text)], strict=True):
        active = [highlight for highlight in active if highlight.end != edge]
        active += [highlight for highlight in starts[edge] if highlight.end > edge]
        failed = edge in failing or (failed and edge not in mended)
        pieces.append("</p>" if edge in closes else "")
        pieces.append('<p dir="auto">' if edge in opens else "")
        # Numbers first: the style sheet lights up what follows the other places.
        first = sorted(starts[edge], key=lambda highlight: not highlight.quoted)
        pieces += [_anchor(highlight, prefix) for highlight in first]
        piece = _piece(text[edge:following], active)
        pieces.append(f'<span class="unread">{piece}</span>' if failed and piece.strip() else piece)
    return "".join(pieces)


def unread(coverage: Coverage) -> list[tuple[int, int]]:
    """The ranges of an article that could not be read, in code points."""
    return [(passage.start, passage.end) for passage in coverage.passages if passage.code]


def _highlights(claims: Sequence[Claim]) -> Iterator[_Highlight]:
    for rank, claim in enumerate(claims, 1):
        yield _Highlight(rank, claim, claim.quote, quote_id(rank), quoted=True)
        if claim.claimant:
            yield _Highlight(rank, claim, claim.claimant.mention, mention_id(rank), quoted=False)
        for number, stance in enumerate(claim.stances):
            if stance.evidence:
                yield _Highlight(rank, claim, stance.evidence, evidence_id(rank, number), quoted=False)


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """Where paragraphs start and end: at blank lines, or at every line when there are none."""
    lines = [line.span() for line in _LINE.finditer(text) if line[0].strip()]
    after_blank = [len(_LINE_BREAK.findall(text, end, start)) > 1 for (_, end), (start, _) in pairwise(lines)]
    if not any(after_blank):
        return lines
    paragraphs: list[tuple[int, int]] = []
    for line, opens in zip(lines, [True, *after_blank], strict=True):
        if opens:
            paragraphs.append(line)
        else:
            paragraphs[-1] = (paragraphs[-1][0], line[1])
    return paragraphs


def _anchor(highlight: _Highlight, prefix: str) -> str:
    """The place of some words. It holds no text: what is seen of it is drawn by the style sheet."""
    if not highlight.quoted:
        return f'<span class="at" id="{prefix}{highlight.anchor}"></span>'
    rank = highlight.rank
    return (
        f'<a class="n {stance_class(highlight.claim)}" id="{prefix}{highlight.anchor}" href="#{prefix}{claim_id(rank)}" '
        f'aria-label="Claim {rank}" data-n="{rank}"></a>'
    )


def _piece(text: str, active: Sequence[_Highlight]) -> str:
    if not text or not active:
        return escape(text)
    of_claims = sorted({highlight.rank: highlight.claim for highlight in active}.items())
    classes = " ".join(claim_id(rank) for rank, _ in of_claims)
    ids = escape(" ".join(claim.id for _, claim in of_claims))
    named = f'data-claim="{ids}" data-parts="{" ".join(highlight.anchor for highlight in active)}"'
    quotes = [highlight for highlight in active if highlight.quoted]
    if not quotes:
        return f'<span class="w {classes}" {named}>{escape(text)}</span>'
    # The shortest quote says most about these words.
    nearest = min(quotes, key=lambda highlight: (highlight.end - highlight.start, highlight.rank))
    look = f"d{min(len(quotes), _DEEPEST)} i{intensity(nearest.claim)} {stance_class(nearest.claim)}"
    return f'<mark class="{look} {classes}" {named}>{escape(text)}</mark>'
