import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import StanceLabel
from service.export.csv_table import COLUMNS, dump
from tests.examples import examples
from tests.export_cases import CASES, analyses, analysis, article, latin

FORMULA = "=+-@\t\r\n＝＋－＠"


def rows(text):
    header, *found = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == [column.name for column in COLUMNS]
    return [dict(zip(header, row, strict=True)) for row in found]


def exact(cell):
    """The text of a cell, by the rule that the docstring of `dump` gives."""
    bare = cell.lstrip("'")
    return cell[1:] if cell.startswith("'") and bare.startswith(tuple(FORMULA)) else cell


@examples(80)
@given(analyses())
def test_it_reads_back_row_by_row(case):
    for row, claim in zip(rows(dump(case)), case.claims, strict=True):
        assert exact(row["analysis_id"]) == case.id
        assert exact(row["article_title"]) == (case.article.title or "")
        assert exact(row["article_url"]) == (case.article.url or "")
        assert exact(row["claim"]) == claim.text
        assert exact(row["quote"]) == claim.quote.text
        assert exact(row["check_worthiness_reason"]) == claim.check_worthiness_reason
        assert exact(row["claimant"]) == (claim.claimant.name if claim.claimant else "")
        assert exact(row["model"]) == (case.provenance.model.served or "")
        assert float(row["check_worthiness"]) == claim.check_worthiness
        span = claim.quote.span
        assert case.article.text[int(row["quote_start"]) : int(row["quote_end"])] == claim.quote.text
        assert (int(row["quote_start_utf16"]), int(row["quote_end_utf16"])) == (span.start_utf16, span.end_utf16)


@examples(80)
@given(analyses())
def test_no_cell_begins_like_a_formula(case):
    cells = [cell for row in rows(dump(case)) for cell in row.values()]
    assert [cell for cell in cells if cell.startswith(tuple(FORMULA))] == []


@pytest.mark.parametrize("start", FORMULA)
@examples(30)
@given(rest=st.text(max_size=3), quotes=st.sampled_from(["", "'", "''"]))
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(start, rest, quotes):
    title = quotes + start + rest
    case = latin()
    (row, *_) = rows(dump(analysis(article(case.article.text, title=title), case.claims)))
    assert row["article_title"] == f"'{title}"


def test_lines_end_as_rfc_4180_has_it():
    dumped = dump(CASES["latin"])
    assert dumped.count("\r\n") == len(CASES["latin"].claims) + 1
    assert "\n" not in dumped.replace("\r\n", "")


def test_no_claims_are_a_header_alone():
    assert rows(dump(analysis(article("Nothing."), []))) == []


def test_holders_stand_under_what_they_do_and_the_article_by_itself():
    first, second, third = rows(dump(latin()))
    assert (first["supported_by"], first["refuted_by"], first["discussed_by"]) == ("Ms Hale", "Her ministry", "")
    assert [row["article_stance"] for row in (first, second, third)] == [
        StanceLabel.DISCUSSES,
        StanceLabel.REFUTES,
        StanceLabel.SUPPORTS,
    ]
    assert third["claimant"] == ""
    assert third["sentences"] == "2 3"


def test_every_column_says_what_it_holds():
    assert all(column.meaning for column in COLUMNS)
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
