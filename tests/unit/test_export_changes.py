"""What every form says where an earlier answer came with the article."""

import csv
import io
import json
from dataclasses import replace

import pytest

from service.domain import PassageCoverage
from service.earlier import Changes, ClaimMemory
from service.export import csv_table, html_page, json_lines, markdown, web_annotation
from service.export.json_answer import dump_analysis
from tests.export_cases import latin

CASE = latin()
CHANGES = Changes(
    since="an_before",
    new=("c_3d4e5f", "c_6a7b8c"),
    gone=(ClaimMemory("c_gone", "Prices *fell* <b>.", "fell"),),
    kept=("c_0a1b2c",),
    unlisted=(ClaimMemory("c_cut", "1. Nobody knows.", "knows"),),
)
CHANGED = replace(CASE, changes=CHANGES)
FIRST = replace(CASE, changes=replace(CHANGES, new=CHANGES.kept + CHANGES.new, kept=(), gone=(), unlisted=()))


def test_the_answer_names_new_and_kept_claims_and_tells_those_that_are_not_there():
    assert dump_analysis(CHANGED, return_text=False)["changes"] == {
        "since": "an_before",
        "new": ["c_3d4e5f", "c_6a7b8c"],
        "gone": [{"id": "c_gone", "text": "Prices *fell* <b>."}],
        "kept": ["c_0a1b2c"],
        "unlisted": [{"id": "c_cut", "text": "1. Nobody knows."}],
    }


def test_the_answer_marks_reused_passages_and_carries_its_seal():
    passages = (PassageCoverage(0, 5, "a", reused=True), PassageCoverage(5, 9, "b"))
    dumped = dump_analysis(replace(CASE, coverage=replace(CASE.coverage, passages=passages)), return_text=False, seal="sealed")
    assert dumped["coverage"]["passages"] == [
        {"start": 0, "end": 5, "sha256": "a", "status": "ok", "reused": True},
        {"start": 5, "end": 9, "sha256": "b", "status": "ok"},
    ]
    assert dumped["seal"] == "sealed"


def test_csv_has_a_column_for_it():
    rows = list(csv.DictReader(io.StringIO(csv_table.dump(CHANGED), newline="")))
    assert [row["change"] for row in rows] == ["kept", "new", "new"]
    assert {row["change"] for row in csv.DictReader(io.StringIO(csv_table.dump(CASE), newline=""))} == {""}


def test_json_lines_say_it_of_each_claim():
    assert [json.loads(line)["change"] for line in json_lines.dump(CHANGED).splitlines()] == ["kept", "new", "new"]
    assert "change" not in json.loads(json_lines.dump(CASE).splitlines()[0])


def test_markdown_lists_what_is_new_and_what_is_gone():
    page = markdown.dump(CHANGED)
    section = page.split("## What changed\n\n")[1].split("\n\n## ")[0]
    assert section.splitlines() == [
        "Since analysis an\\_before: 1 claim is still there.",
        "",
        "New:",
        "",
        "- The rise in prices is the largest since 1998.",
        "- The ministry’s figures say 3 %.",
        "",
        "Gone, not found again:",
        "",
        "- Prices \\*fell\\* \\<b\\>.",
        "",
        "Not listed now, though not known to be gone (a limit leaves them out, or their part of the article was not read):",
        "",
        "- 1\\. Nobody knows.",
    ]
    assert page.count("- Since the earlier analysis: new") == 2
    assert page.count("- Since the earlier analysis: kept") == 1


def test_the_page_lists_what_is_new_and_what_is_gone():
    page = html_page.dump(CHANGED)
    section = page.split('<section class="changes"')[1].split("</section>")[0]
    assert "<h3>New</h3><ul><li><bdi>The rise in prices is the largest since 1998.</bdi></li>" in section
    assert "<h3>Gone, not found again</h3><ul><li><bdi>Prices *fell* &lt;b&gt;.</bdi></li></ul>" in section
    assert "though not known to be gone" in section
    assert page.count('<span class="kind">new</span>') == 2


def test_annotations_tell_it_of_the_collection():
    comments = json.loads(web_annotation.dump(CHANGED))["rdfs:comment"]
    assert "Since analysis an_before: 1 claim is still there." in comments
    assert "Gone, not found again: Prices *fell* <b>." in comments


@pytest.mark.parametrize("dump", [markdown.dump, html_page.dump], ids=["Markdown", "HTML"])
def test_nothing_is_headed_that_did_not_happen(dump):
    page = dump(FIRST)
    assert "0 claims are still there" in page
    assert "Gone" not in page
    assert "Not listed now" not in page


@pytest.mark.parametrize(
    "dump", [markdown.dump, html_page.dump, web_annotation.dump], ids=["Markdown", "HTML", "Web Annotation"]
)
def test_without_an_earlier_answer_nothing_is_said_of_changes(dump):
    page = dump(CASE)
    assert "Since" not in page
    assert "What changed" not in page
