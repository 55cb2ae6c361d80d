"""The page in a real browser: the right characters are marked, and what can be done with them works."""

import json

import pytest
from playwright.sync_api import expect

from tests.api.running import PATIENCE_S, ROOT
from tests.browser.newsroom import ARABIC, CHINESE, EMOJI, HOSTILE, SLOW

pytestmark = pytest.mark.loopback
SEED = (ROOT / "seeds" / "000_5d23d1c23963b52b.txt").read_text(encoding="utf-8")

# The words a DOM range from one UTF-16 offset to another holds, and the ids of all places whose pieces lie in it.
RANGE = """([start, end]) => {
  const walker = document.createTreeWalker(document.getElementById("article-text"), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let at = 0, parts = null;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const next = at + node.length;
    if (start >= at && start < next) range.setStart(node, start - at);
    if (next > start && at < end) {
      const own = (node.parentElement.closest("[data-parts]")?.dataset.parts || "").split(" ");
      parts = parts === null ? own : parts.filter((part) => own.includes(part));
    }
    if (end > at && end <= next) { range.setEnd(node, end - at); break; }
    at = next;
  }
  return [range.toString(), parts];
}"""

KEPT = "[localStorage.length, sessionStorage.length, document.cookie, location.href, document.body.innerHTML]"


def exported(desk, form="JSON"):
    desk.page.select_option("#export", label=form)
    with desk.page.expect_download() as download:
        desk.page.click("#export-go")
    return download.value


def answer_of(desk):
    with exported(desk).path().open(encoding="utf-8") as file:
        return json.load(file)


def check_places(desk, text):
    """Every quote, mention and piece of evidence is marked at its UTF-16 offsets, and the article is there exactly."""
    page, answer = desk.page, answer_of(desk)
    assert page.evaluate("document.getElementById('article-text').textContent") == text
    ranked = sorted(answer["claims"], key=lambda claim: -claim["check_worthiness"])
    assert ranked
    for rank, claim in enumerate(ranked, 1):
        places = {f"q{rank}": claim["quote"]}
        if claim["claimant"]:
            places[f"m{rank}"] = claim["claimant"]["span"]
        places |= {f"e{rank}-{n}": stance["evidence"] for n, stance in enumerate(claim["stances"]) if stance["evidence"]}
        for place, quote in places.items():
            words, parts = page.evaluate(RANGE, [quote["start_utf16"], quote["end_utf16"]])
            assert words == quote["text"]
            assert place in parts
    return answer


@pytest.mark.parametrize("text", [SEED, EMOJI, ARABIC, CHINESE], ids=["seed", "emoji", "arabic", "chinese"])
def test_claims_are_marked_at_the_right_characters(look, text):
    check_places(look().read(text), text)


def test_an_article_is_set_as_its_script_runs(look):
    desk = look().read(ARABIC)
    paragraph = desk.page.locator("#article-text p").first
    assert paragraph.evaluate("node => getComputedStyle(node).direction") == "rtl"
    assert desk.page.get_attribute("#article-text", "lang") == "ar"


def test_overlapping_quotes_are_all_there_and_the_innermost_is_held(look):
    desk = look().read(EMOJI)
    inner = desk.page.locator("mark", has_text="cost 40 million euros").first
    assert inner.get_attribute("data-parts").split() == ["q3", "q1"]
    inner.click()
    assert desk.page.locator("#c1.lit").count() == 1
    assert desk.page.locator("#c1 details").get_attribute("open") is not None


def test_a_claim_its_claimant_and_the_words_of_its_stances_light_up_together(look):
    desk = look().read(EMOJI)
    desk.page.hover("#c1 h3")
    lit = {
        look: desk.page.locator(f"#article-text .{look}").all_text_contents() for look in ("lit-quote", "lit-who", "lit-stance")
    }
    assert "".join(lit["lit-quote"]) == "the bridge 🌉 cost 40 million euros"
    assert "Jane Roe" in "".join(lit["lit-who"])
    assert "Tom Poe denied" in "".join(lit["lit-stance"])


def test_filters_leave_what_was_asked_for(look):
    desk = look().read(EMOJI)
    page = desk.page
    shown = page.locator("#claims .card:visible")
    assert shown.count() == 3
    page.select_option("[name=stance]", "refutes")
    assert [card.get_attribute("data-stance") for card in shown.all()] == ["refutes"]
    assert page.locator("mark:not(.off)").evaluate_all(
        "marks => new Set(marks.flatMap(m => m.dataset.parts.split(' '))).has('q3')"
    )
    page.click("#filters button")
    page.fill("[name=worth]", "0.5")
    assert shown.count() == 2
    assert "2 of 3 shown" in page.inner_text("#filters .count")
    page.click("#filters button")
    page.select_option("[name=claimant]", "Jane Roe")
    assert shown.count() == 1


def test_the_matrix_says_who_stands_where_and_leads_to_the_words(look):
    page = look().read(EMOJI).page
    rows = {
        row.locator("th").inner_text(): [cell.inner_text().split("\n")[0].strip() for cell in row.locator("td").all()]
        for row in page.locator(".matrix tbody tr").all()
    }
    assert [signs[0][:1] for signs in rows.values()] == ["?", "+", "−"]
    assert list(rows) == ["The article", "Jane Roe", "Tom Poe"]
    page.locator(".matrix td a", has_text="−").click()
    assert page.evaluate("location.hash") == "#e1-1"


def test_every_form_can_be_saved(look):
    desk = look().read(EMOJI)
    holds = {
        "A page to keep": "<mark",
        "Markdown": "# ",
        "A table (CSV)": "claim",
        "JSON lines": "{",
        "Web annotations": "@context",
    }
    for form, words in holds.items():
        saved = exported(desk, form).path().read_text(encoding="utf-8")
        assert words in saved
        assert "the bridge 🌉 cost 40 million euros" in saved


def test_hostile_words_are_shown_and_do_nothing(look):
    desk = look().read(HOSTILE, title="<img src=x onerror=alert(7)>", language="en")
    check_places(desk, HOSTILE)
    page = desk.page
    assert page.inner_text("#title-shown") == "<img src=x onerror=alert(7)>"
    assert page.evaluate("window.broken") is None
    assert (
        page.locator(
            "#result script, #result img, #result style, #result base, #result [onmouseover], #result a[href^=java]"
        ).count()
        == 0
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_progress_is_told_until_the_answer_is_there(look, served):
    desk = look()
    desk.ask(SLOW)
    assert served.newsroom.asked.wait(PATIENCE_S)
    expect(desk.page.locator("#progress-words")).to_contain_text("0 of 1 passage read", timeout=30_000)
    served.newsroom.go_on.set()
    desk.page.wait_for_selector("body[data-state=shown] #c1")
    served.newsroom.asked.clear()
    served.newsroom.go_on.clear()


def test_a_slow_reading_can_be_stopped(look, served):
    desk = look()
    desk.ask(f"Again. {SLOW}")
    assert served.newsroom.asked.wait(PATIENCE_S)
    desk.page.keyboard.press("Escape")
    desk.page.wait_for_selector("#ask:not([hidden])")
    assert "Stopped" in desk.page.inner_text("#said")
    assert desk.page.input_value("#text").startswith("Again. SLOW")
    served.newsroom.go_on.set()


def test_a_claim_is_copied_with_its_citation(look):
    desk = look(permissions=["clipboard-read", "clipboard-write"]).read(EMOJI, title="Bridges")
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("c")
    expect(desk.page.locator("#said")).to_contain_text("Copied", timeout=30_000)
    copied = desk.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("“the bridge 🌉 cost 40 million euros”\n— Jane Roe, in: Bridges")
    assert "Characters " in copied


def test_a_stored_analysis_is_there_again_by_its_link_until_it_is_deleted(look):
    desk = look()
    desk.page.evaluate("document.querySelector('.options').open = true")
    desk.page.check("#store")
    desk.read(EMOJI)
    link = desk.page.url.removeprefix(desk.served.url)
    again = look(link)
    again.page.wait_for_selector("body[data-state=shown] #delete")
    assert again.page.evaluate("document.getElementById('article-text').textContent") == EMOJI
    again.page.click("#delete")
    expect(again.page.locator("#said")).to_contain_text("Deleted", timeout=30_000)
    again.expect("dialog: Delete")
    gone = look(link)
    assert "deleted" in gone.page.inner_text("#failure .problem")
    gone.expect("Failed to load resource")


def test_the_form_works_without_scripts(look):
    desk = look(java_script_enabled=False)
    page = desk.page
    page.fill("#text", EMOJI)
    page.click(".options summary")
    page.select_option("#prompt", "extract_claims@1")
    page.click("button.main")
    page.wait_for_selector("#c1")
    assert page.locator("#article-text").text_content() == EMOJI
    page.fill("#text", " ")
    page.click("button.main")
    assert "/article/text" in page.inner_text("#problem-shown")
    desk.expect("Failed to load resource")


def test_everything_can_be_reached_with_keys(look):
    desk = look()
    page = desk.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the form"
    desk.read(EMOJI)
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") == "c2"
    page.keyboard.press("k")
    assert page.locator(".card.lit").get_attribute("id") == "c1"
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.name") == "claimant"
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    assert page.locator("#ask").is_visible()


def test_a_problem_is_told_in_words(look):
    desk = look()
    desk.ask(" ")
    desk.page.wait_for_selector("#failure .problem")
    assert "/article/text" in desk.page.inner_text("#failure")
    desk.expect("Failed to load resource")


def test_a_key_is_asked_for_where_one_is_needed_and_kept_in_the_tab_alone(look):
    desk = look()
    page, keys = desk.page, []
    refusal = {"title": "Who are you?", "detail": "Send a key.", "code": "credential-missing", "status": 401, "request_id": "r"}

    def guard(route):
        keys.append(route.request.headers.get("authorization"))
        if keys[-1]:
            route.continue_()
        else:
            route.fulfill(status=401, content_type="application/problem+json", body=json.dumps(refusal))

    page.route("**/analyze", guard)
    desk.ask(EMOJI)
    page.wait_for_selector("#key-form:not([hidden])")
    desk.expect("Failed to load resource")
    page.fill("#key", "secret-key")
    page.click("#key-form button")
    expect(page.locator("#key-words")).to_contain_text("The key is used", timeout=30_000)
    desk.read(EMOJI)
    assert keys == [None, "Bearer secret-key"]
    kept = page.evaluate(KEPT)
    assert kept[:3] == [0, 0, ""]
    assert "secret-key" not in "".join(kept[3:])
