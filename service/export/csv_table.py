"""CSV for spreadsheets: RFC 4180, a header line, one row for each claim."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

from service.domain import ARTICLE_HOLDER, Analysis, Claim, StanceLabel
from service.export.report import article_stance, change

# What makes a spreadsheet compute a cell, the full-width forms included, which East Asian versions take for the same.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - the full-width forms are meant


@dataclass(frozen=True)
class Column:
    """A column: its name in the header line, what stands in it, and how to read that from a claim."""

    name: str
    meaning: str
    read: Callable[[Analysis, Claim], object]


COLUMNS = (
    Column("analysis_id", "id of the analysis", lambda analysis, _: analysis.id),
    Column(
        "status",
        "complete; partial: not all of the article was read; stand_in: the usual model could not answer",
        lambda analysis, _: analysis.status,
    ),
    Column("article_sha256", "SHA-256 of the text that offsets count in", lambda analysis, _: analysis.article.sha256),
    Column("article_title", "as it was handed over; may be empty", lambda analysis, _: analysis.article.title),
    Column("article_url", "as it was handed over; may be empty", lambda analysis, _: analysis.article.url),
    Column("article_published_at", "ISO 8601, may be empty", lambda analysis, _: analysis.article.published_at),
    Column("article_language", "BCP 47 tag", lambda analysis, _: analysis.article.language),
    Column("claim_id", "the same claim in the same article keeps it", lambda _, claim: claim.id),
    Column("claim", "the proposition, understandable by itself", lambda _, claim: claim.text),
    Column("kind", "event, quantity, causal, rule, prediction or other", lambda _, claim: claim.kind),
    Column("check_worthiness", "0 to 1", lambda _, claim: claim.check_worthiness),
    Column("check_worthiness_reason", "why", lambda _, claim: claim.check_worthiness_reason),
    Column("claimant", "who says it; empty: the article itself", lambda _, claim: claim.claimant and claim.claimant.name),
    Column("claimant_role", "may be empty", lambda _, claim: claim.claimant and claim.claimant.role),
    Column("article_stance", "supports, refutes or discusses", lambda _, claim: article_stance(claim)),
    Column("supported_by", "names, with '; ' between", lambda _, claim: _holders(claim, StanceLabel.SUPPORTS)),
    Column("refuted_by", "names, with '; ' between", lambda _, claim: _holders(claim, StanceLabel.REFUTES)),
    Column("discussed_by", "names, with '; ' between", lambda _, claim: _holders(claim, StanceLabel.DISCUSSES)),
    Column("quote", "the article's words", lambda _, claim: claim.quote.text),
    Column("quote_start", "in code points", lambda _, claim: claim.quote.span.start),
    Column("quote_end", "in code points, exclusive", lambda _, claim: claim.quote.span.end),
    Column("quote_start_utf16", "in UTF-16 units", lambda _, claim: claim.quote.span.start_utf16),
    Column("quote_end_utf16", "in UTF-16 units, exclusive", lambda _, claim: claim.quote.span.end_utf16),
    Column("sentences", "numbers from 1, spaces between", lambda _, claim: " ".join(map(str, claim.quote.sentences))),
    Column("prompt", "name, version and hash", lambda analysis, _: analysis.provenance.prompt),
    Column(
        "model",
        "the name the endpoint gave; empty when it was asked nothing",
        lambda analysis, _: analysis.provenance.model.served or "",
    ),
    Column("service", "our version", lambda analysis, _: analysis.provenance.service),
    Column("warnings", "codes, spaces between", lambda analysis, _: " ".join(caveat.code for caveat in analysis.warnings)),
    Column(
        "article_author",
        "as it was handed over, or as its page says; may be empty",
        lambda analysis, _: analysis.article.author,
    ),
    Column("change", "new or kept since the earlier analysis; empty without one", change),
)
"""Every column, in order. New ones are added at the end."""


def dump(analysis: Analysis) -> str:
    """The header line and a row for each claim in the article's order; lines end with CR LF.

    A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a line break, also after
    apostrophes) gets an apostrophe in front; to read the exact text back, take one apostrophe off such a cell.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows([_cell(column.read(analysis, claim)) for column in COLUMNS] for claim in analysis.claims)
    return table.getvalue()


def without_header(dumped: str) -> str:
    """The rows of what `dump` gave, to stand below those of another analysis."""
    return dumped.partition("\r\n")[2]


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _holders(claim: Claim, label: StanceLabel) -> str:
    return "; ".join(stance.holder for stance in claim.stances if stance.label is label and stance.holder != ARTICLE_HOLDER)
