"""Comparing and marking in a real browser."""

import json

import pytest

from evals.readers.marks import marked
from tests.browser.newsroom import ARABIC, EMOJI
from tests.browser.test_reading import answer_of

pytestmark = pytest.mark.loopback


def test_two_prompts_are_laid_beside_each_other(look):
    desk = look().read(EMOJI)
    page = desk.page
    page.click("#compare")
    page.select_option("#other-prompt", "extract_claims@3")
    page.click("#other-go")
    page.wait_for_selector("#back")
    assert page.inner_text(".kicker").lower() == "the same article, asked twice"
    assert (
        page.locator("#only-one > li").count() + page.locator("#only-other > li").count() + page.locator(".differ").count() > 0
    )
    assert page.locator("tr[data-cost=output_tokens] td").first.inner_text() == "120"
    page.fill("[name=in]", "2")
    page.fill("[name=out]", "10")
    assert page.locator("#money td").first.inner_text() == "0.0030"
    assert page.evaluate("[...document.querySelectorAll('.sheet')].map((sheet) => sheet.textContent)") == [EMOJI, EMOJI]
    page.click("#back")
    page.wait_for_selector("#c1")


def test_two_versions_of_an_article_are_laid_beside_each_other(look):
    desk = look().read(EMOJI)
    page = desk.page
    page.click("#compare")
    page.click("#ways summary")
    changed = EMOJI.replace("The bridge 🌉 opened in May 2026", "The bridge 🌉 stayed closed in May 2026")
    page.fill("#other-text", changed)
    page.click("#version-go")
    page.wait_for_selector("#back")
    assert page.inner_text(".kicker").lower() == "two versions of an article"
    assert "opened in May 2026" in page.inner_text("#only-one")


def test_a_saved_answer_can_be_opened_and_compared(look, tmp_path):
    first = look().read(ARABIC)
    saved = tmp_path / "answer.json"
    saved.write_text(json.dumps(answer_of(first)), encoding="utf-8")
    desk = look()
    desk.page.set_input_files("#open", saved)
    desk.page.wait_for_selector("#c1")
    desk.page.click("#compare")
    desk.page.set_input_files("#other-file", saved)
    desk.page.wait_for_selector("#back")
    assert desk.page.locator(".pair").count() == 1
    assert desk.page.locator(".differ").count() == 0


def marks_of(desk):
    with desk.page.expect_download() as download:
        desk.page.click("#marks-save")
    return json.loads(download.value.path().read_text(encoding="utf-8"))


SELECT = """(words) => {
  const node = [...document.querySelectorAll("#article-text p")].at(-1).lastChild;
  const at = node.textContent.indexOf(words);
  getSelection().setBaseAndExtent(node, at, node, at + words.length);
}"""


def test_marks_are_made_and_saved_as_labels_that_evals_read(look, tmp_path):
    desk = look().read(EMOJI, language="en")
    page = desk.page
    page.click("#c3 h3 span")
    page.click("[data-act=wrong]")
    page.keyboard.press("k")
    page.keyboard.press("r")
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.fill("#c1 .mend input", "Mayor Roe")
    page.select_option("#c1 .mend select", "supports")
    page.evaluate(SELECT, "nobody” paid for it")
    page.evaluate("document.activeElement.blur()")
    page.evaluate(SELECT, "nobody” paid for it")
    page.keyboard.press("a")
    assert page.inner_text("#marks-save") == "Save 4 marks"
    page.check("#marks-complete")
    told = marks_of(desk)
    file = tmp_path / "marks.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    [labelled] = marked(file)
    assert labelled.text == EMOJI
    assert [claim.claimant for claim in labelled.gold.claims].count("Mayor Roe") == 1
    assert len(labelled.gold.claims) == 3
    assert [one["mark"] for one in told["marks"]] == ["wrong", "right", "right", "missing"]
    assert told["marks"][2]["corrected"] == {"claimant": "Mayor Roe", "article": "supports"}
    quote = told["marks"][3]["quote"]
    assert told["article"]["text"][quote["start"] : quote["end"]] == quote["text"] == "nobody” paid for it"
    assert page.evaluate("localStorage.length") == 0


def test_marks_are_kept_in_the_browser_only_where_that_is_asked(look):
    desk = look().read(EMOJI)
    page = desk.page
    page.keyboard.press("j")
    page.keyboard.press("w")
    page.check("#marks-keep")
    assert page.evaluate("localStorage.length") == 1
    page.click("#again")
    desk.read(EMOJI)
    assert "wrong" in page.inner_text("#c1 .verdict")
    page.uncheck("#marks-keep")
    assert page.evaluate("localStorage.length") == 0
