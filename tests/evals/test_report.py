import json
import re
from html.parser import HTMLParser

import pytest

from evals.report import render_html, summary
from evals.results import load_runs
from tests.evals.miniature import claim, document, write_sets
from tests.evals.runs import keep_run

COST, OPENED = "the bridge cost 40 million euros", "It opened in May"
SETS = ("reference", "newsclaims", "policlaim", "averitec_dce", "semeval2025_t10_ru")
VOID = {"meta", "br", "path", "use", "rect", "circle", "link"}


class Page(HTMLParser):
    """What a page is made of: tags, attributes, and whether every element is closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.ids, self.open = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("runs")
    data = write_sets(tmp_path / "data")
    before = document(claim(COST), set_aside=[{"reason": "quote_not_found", "text": "<b>It</b> fell."}])
    after = document(
        claim(COST, claimant="Mayor Ann Roe", others={"Mayor Ann Roe": "supports", "Tom Poe": "refutes"}, article="discusses"),
        claim(OPENED),
        usage={"input_tokens": 300},
    )
    others = {name: [document()] for name in SETS if name != "reference"}
    paths = [
        keep_run(
            tmp_path / "a", data, {"reference": [before], **others, "policlaim": [document(), "upstream-empty"]}, prompt="p@1"
        ),
        keep_run(tmp_path / "b", data, {"reference": [after], **others, "policlaim": [document(), document()]}, prompt="p@2"),
    ]
    return load_runs(paths, data)


@pytest.fixture(scope="module")
def html(runs):
    return render_html(runs, most_articles=9)


def test_the_page_is_whole_and_its_ids_are_its_own(html):
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_the_page_loads_nothing_and_runs_nothing(html):
    page = Page(html)
    assert not {"script", "img", "image", "link", "iframe", "object", "embed"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    links = [value for name, value in page.attributes if name in {"src", "href", "xlink:href", "data"}]
    assert all(link.startswith("#") for link in links)
    assert all(link[1:] in page.ids for link in links)
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_the_page_names_runs_sets_failures_and_private_sets(html):
    assert "p@1 · scripted" in html
    assert "1 failed (upstream-empty)" in html
    assert re.search(r"must not be passed on \(newsclaims, policlaim", html)
    assert all(f'id="{name}"' in html for name in SETS)


def test_the_page_tells_what_changed(html):
    changes = html[html.index('id="changes"') : html.index("<section>")]
    assert "Claims: Recall" in changes
    assert "+50.0" in changes
    assert "no clear change in" in changes


def test_the_page_shows_answers_beside_each_other_and_what_was_set_aside(html):
    assert "Tom Poe: refutes" in html
    assert "&lt;b&gt;It&lt;/b&gt; fell." in html
    assert "quote not found" in html


def test_the_same_runs_give_the_same_page(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [document(claim(COST))]})
    assert len({render_html(load_runs([path], data), most_articles=9) for _ in range(2)}) == 1


def test_text_from_outside_cannot_become_markup(data, tmp_path):
    evil = '<script>alert("x")</script>'
    said = claim(COST, text=evil, kind="event", check_worthiness_reason=evil)
    path = keep_run(tmp_path / "a", data, {"reference": [document(said)]}, label=evil)
    html = render_html(load_runs([path], data), most_articles=9)
    assert "script" not in Page(html).tags
    assert "&lt;script&gt;" in html


def test_a_page_of_one_run_compares_nothing(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [document(claim(COST))]})
    html = render_html(load_runs([path], data), most_articles=9)
    assert 'id="changes"' not in html
    assert "Those with the lowest Claim F1 come first." in html
    assert "must not be passed on" not in html


def test_articles_that_are_not_listed_are_counted(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"policlaim": [document(), document()]})
    html = render_html(load_runs([path], data), most_articles=1)
    assert "1 more articles are in the figures but not listed here." in html


def test_a_page_of_three_runs_compares_the_first_with_the_last(data, tmp_path):
    paths = [
        keep_run(tmp_path / str(number), data, {"reference": [document(*[claim(COST)] * (number % 2))]}, prompt=f"p@{number}")
        for number in (1, 2, 3)
    ]
    html = render_html(load_runs(paths, data), most_articles=9)
    assert "From <b>A</b> (p@1 · scripted) to <b>C</b> (p@3 · scripted)" in html


def test_a_run_in_which_everything_failed_is_told_without_figures(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": ["upstream-empty"]})
    html = render_html(load_runs([path], data), most_articles=9)
    assert "0 answered, 1 failed (upstream-empty)" in html
    assert "failed: upstream-empty" in html
    assert Page(html).open == []


def test_the_summary_holds_the_pages_figures_for_programs(runs):
    found = json.loads(json.dumps(summary(runs), allow_nan=False))
    assert [run["label"] for run in found["runs"]] == ["p@1 · scripted", "p@2 · scripted"]
    reference = found["sets"]["reference"]
    assert reference["systems"][0]["figures"]["claim_recall"]["value"] == 0.5
    assert [system["run"] for system in reference["systems"]][:3] == ["A", "B", None]
    assert reference["comparison"]["figures"]["claim_recall"]["verdict"] == "better"
    assert reference["units"]["seconds"] == "seconds"
    assert found["sets"]["policlaim"]["systems"][0]["failed"] == {"upstream-empty": 1}


def test_the_summary_of_one_run_has_no_comparison(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [document()]})
    assert summary(load_runs([path], data))["sets"]["reference"]["comparison"] is None
