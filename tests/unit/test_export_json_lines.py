import json

import pytest
from hypothesis import given

from service.export.json_answer import dump_analysis
from service.export.json_lines import dump
from tests.examples import examples
from tests.export_cases import CASES, analyses, analysis, article


@pytest.mark.parametrize("name", CASES)
def test_the_claim_of_a_line_is_that_of_the_json_answer(name):
    answered = json.loads(json.dumps(dump_analysis(CASES[name], return_text=False)))
    assert [json.loads(line)["claim"] for line in dump(CASES[name]).splitlines()] == answered["claims"]


def test_no_claims_are_no_lines():
    assert dump(analysis(article("Nothing."), [])) == ""


@examples(80)
@given(analyses())
def test_every_line_stands_for_itself_however_lines_are_split(case):
    dumped = dump(case)
    lines = dumped.split("\n")
    assert lines.pop() == ""
    assert lines == dumped.splitlines()
    for line, claim in zip(lines, case.claims, strict=True):
        read = json.loads(line)
        assert read["analysis"] == case.id
        assert read["status"] == case.status
        assert read["article"]["sha256"] == case.article.sha256
        assert read["article"]["title"] == case.article.title
        assert read["prompt"] == case.provenance.prompt
        assert read["warnings"] == [caveat.code for caveat in case.warnings]
        assert read["claim"]["id"] == claim.id
        assert read["claim"]["text"] == claim.text
        quote = read["claim"]["quote"]
        assert case.article.text[quote["start"] : quote["end"]] == quote["text"]
