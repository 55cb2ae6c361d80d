"""An answer of the service as a person reads it: on a terminal of any width, in colour or without, piped or not.

It renders the JSON of an answer, so that the command line and a client of the HTTP API show the same.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from service.domain import Mode

ARTICLE = "article"
_BAR_CELLS = 10
_HEADING_CHARS = 100
_INDENT = 5
_LABEL = 10
_MIN_WIDTH = 24
_MS_PER_S = 1_000
_UNDETERMINED = "und"
_WORTH_STYLES = ((0.7, "red"), (0.4, "yellow"), (0.0, "dim"))
_STANCES = {"supports": ("✚", "+", "green"), "refutes": ("✖", "x", "red"), "discusses": ("○", "o", "cyan")}
_OPENING_MARKS = tuple("“„«»‘\"'")
# C1 controls open escape sequences as ESC does; bidirectional overrides reorder what stands beside them.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(text: str) -> str:
    """`text` on one line, without any character that could steer a terminal."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """One line a row, its cells under each other and two spaces apart; never wrapped, so that grep works."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(c + " " * (w - cell_len(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]


def render_analysis(answer: Mapping[str, Any], console: Console, *, text: str = "") -> None:
    """Nothing; `answer`, the JSON of an analysis, is printed. `text` is the article, whose first words serve as a title."""
    page = _Page(console)
    _head(page, answer, text)
    for number, claim in enumerate(answer["claims"], 1):
        _claim(page, number, claim)
    _foot(page, answer)


@dataclass(frozen=True)
class _Page:
    """Prints lines with a hanging indent. Rich's own grids would pad every line with spaces to the full width."""

    console: Console

    @property
    def plain(self) -> bool:
        """Whether only ASCII can be shown."""
        return bool(self.console.options.ascii_only)

    def put(self, body: Text, head: Text | None = None, indent: int = 0) -> None:
        """Print `body` wrapped, `head` in the `indent` columns before its first line."""
        # Assembled, because a style of the head's own would spread over what is added to it.
        first = Text.assemble(head or Text())
        first.pad_right(indent - cell_len(first.plain))
        lines = body.wrap(self.console, max(_MIN_WIDTH, self.console.width - indent))
        for number, line in enumerate(lines):
            whole = (Text(" " * indent) if number else first) + line
            whole.rstrip()
            self.console.print(whole, soft_wrap=True)

    def field(self, label: str, body: Text) -> None:
        """Print one labelled property of a claim."""
        self.put(body, Text(" " * _INDENT).append(label, "dim"), _INDENT + _LABEL)

    def gap(self) -> None:
        """Print an empty line."""
        self.console.print()


def _head(page: _Page, answer: Mapping[str, Any], text: str) -> None:
    article, coverage, model = answer["article"], answer["coverage"], answer["provenance"]["model"]
    page.put(Text(_heading(article, text), "bold"))
    facts = (
        one_line("language unknown" if article["language"] == _UNDETERMINED else article["language"]),
        _count(article["sentences"], "sentence"),
        _count(len(answer["claims"]), "claim"),
        one_line(f"{model['served'] or 'no model'} at {model['endpoint']}"),
        _time(answer["usage"]["duration_ms"]),
    )
    for line in _unbroken(facts, " - " if page.plain else " · ", page.console.width):
        page.put(Text(line, "dim"))
    if coverage["read"] < coverage["sentences"]:
        page.put(Text(f"Only {coverage['read']} of {coverage['sentences']} sentences were read.", "yellow"), Text("! "), 2)
    for caveat in answer["warnings"]:
        page.put(Text(one_line(caveat["detail"]), "yellow"), Text("! ", "yellow"), 2)
    page.gap()
    if not answer["claims"]:
        page.put(Text(f"No claims. Sentences read: {coverage['read']} of {coverage['sentences']}."))
        page.gap()


def _unbroken(parts: Iterable[str], separator: str, width: int) -> list[str]:
    """`parts` on as few lines as hold them, broken between parts only."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(lines[-1] + separator + part) <= width:
            lines[-1] += separator + part
        else:
            lines.append(part)
    return lines


def _heading(article: Mapping[str, Any], text: str) -> str:
    if article["title"]:
        return one_line(article["title"])
    first = (text or article.get("text", "")).strip().partition("\n")[0]
    words = one_line(first[: _HEADING_CHARS + 1])
    if len(first) > _HEADING_CHARS:
        return (words.rpartition(" ")[0] or words) + " …"
    return words or f"article {article['sha256'][:12]}"


def _claim(page: _Page, number: int, claim: Mapping[str, Any]) -> None:
    quote, claimant = claim["quote"], claim["claimant"]
    page.put(_worth(page, claim), Text(f"{number:>3}", "bold"), _INDENT)
    page.put(Text(one_line(claim["text"]), "bold"), None, _INDENT)
    page.field("claimant", _claimant(claimant, claim.get("mode")))
    for at, stance in enumerate(claim["stances"]):
        page.field("" if at else "stances", _stance(page, stance, quote))
    if one_line(claim["text"]) == one_line(quote["text"]):
        page.field("quote", Text("the same words").append(_offsets(quote), "dim"))
    else:
        page.field("quote", _quote(quote))
    page.gap()


def _worth(page: _Page, claim: Mapping[str, Any]) -> Text:
    worth = claim["check_worthiness"]
    style = next(style for least, style in _WORTH_STYLES if worth >= least)
    full, empty = ("#", ".") if page.plain else ("█", "░")
    cells = round(worth * _BAR_CELLS)
    line = Text().append(full * cells, style).append(empty * (_BAR_CELLS - cells), "dim").append(f" {worth:.2f}", style)
    line.append(f"  {one_line(claim['kind'])}")
    if why := one_line(claim["check_worthiness_reason"]):
        line.append(f" ({why})", "dim")
    return line


def _claimant(claimant: Mapping[str, Any] | None, mode: str | None) -> Text:
    if claimant is None and mode not in {None, Mode.OWN_VOICE}:
        return Text("not named", "dim")
    if claimant is None:
        return Text(ARTICLE)
    role = one_line(claimant["role"] or "")
    return Text(one_line(claimant["name"])).append(f", {role}" if role else "", "dim")


def _stance(page: _Page, stance: Mapping[str, Any], quote: Mapping[str, Any]) -> Text:
    sign, plain_sign, style = _STANCES[stance["stance"]]
    line = Text(f"{one_line(stance['holder'])} ").append(f"{plain_sign if page.plain else sign} {stance['stance']}", style)
    evidence = stance["evidence"]
    if evidence and (evidence["start"], evidence["end"]) != (quote["start"], quote["end"]):
        line.append(" ").append_text(_quote(evidence))
    return line


def _quote(quote: Mapping[str, Any]) -> Text:
    words = one_line(quote["text"])
    # Words that open with a quotation mark need no second one.
    shown = words if words.startswith(_OPENING_MARKS) else f"“{words}”"
    return Text().append(shown, "italic").append(_offsets(quote), "dim")


def _offsets(quote: Mapping[str, Any]) -> str:
    return f" [{quote['start']}:{quote['end']}]"


def _foot(page: _Page, answer: Mapping[str, Any]) -> None:
    usage = answer["usage"]
    reasons = Counter(refused["reason"].replace("_", " ") for refused in answer["set_aside"])
    told = ", ".join(f"{many} {reason}" for reason, many in reasons.most_common()) or "nothing"
    tokens = f"{usage['input_tokens']:,} tokens in ({usage['cached_tokens']:,} cached), {usage['output_tokens']:,} out"
    calls = _count(usage["calls"], "call") + (f" ({_count(usage['retries'], 'retry')})" if usage["retries"] else "")
    lines = {
        "set aside": told,
        "usage": f"{calls}, {tokens}, {usage['duration_ms']:,} ms",
        "prompt": answer["provenance"]["prompt"],
    }
    for label, body in lines.items():
        page.put(Text(one_line(body), "dim"), Text(label, "dim"), _LABEL + 1)


def _time(duration_ms: int) -> str:
    return f"{duration_ms / 1000:.1f} s" if duration_ms >= _MS_PER_S else f"{duration_ms} ms"


def _count(many: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{many:,} {noun if many == 1 else plural}"
