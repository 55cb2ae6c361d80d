import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from time import perf_counter

import pytest
from hypothesis import given

from service.domain import Claimant, Kind, Stance, StanceLabel
from service.export.html_article import escape, intensity, render
from service.export.html_page import CONTENT_SECURITY_POLICY, dump
from service.export.html_style import DARK, LIGHT, STYLE
from service.export.report import ranked
from tests.examples import examples
from tests.export_cases import HOSTILE, Words, analyses, analysis, article, latin, made_claim, scripts

TAGS = set(
    "html head meta title style body header p h1 ul ol li section h2 code nav a main article div span mark h3 svg rect b "
    "blockquote dl dt dd q bdi footer details summary small".split()
)
ATTRIBUTES = set(
    "lang charset http-equiv content name class id dir aria-labelledby aria-label aria-hidden href data-n data-claim "
    "data-parts viewbox preserveaspectratio width height".split()
)
EMPTY = {"meta"}


class Page(HTMLParser):
    """A page as a parser sees it: its tags, and the article with what marks each of its characters."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text, self.title = [], [], "", ""
        self.places, self.claims = {}, {}
        self.feed(page)
        self.close()
        assert self.open == []

    @property
    def in_article(self):
        return any(attributes.get("id") == "article-text" for _, attributes in self.open)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs)
        self.tags.append((tag, attributes))
        if self.in_article and "id" in attributes:
            self.places[attributes["id"]] = len(self.text)
        if tag not in EMPTY:
            self.open.append((tag, attributes))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1][0] == "title":
            self.title += data
        if not self.in_article:
            return
        for claim in self.open[-1][1].get("data-claim", "").split():
            self.claims.setdefault(claim, set()).update(range(len(self.text), len(self.text) + len(data)))
        self.text += data


@examples(100)
@given(analyses())
def test_whatever_the_strings_the_article_is_there_exactly_and_nothing_else_got_in(case):
    dumped = dump(case)
    page = Page(dumped)
    assert page.text == case.article.text
    assert "\r" not in dumped
    assert {tag for tag, _ in page.tags} <= TAGS
    for tag, attributes in page.tags:
        assert set(attributes) <= ATTRIBUTES
        assert re.fullmatch(r"#[a-z0-9-]+", attributes.get("href", "#a"))
        assert tag != "meta" or attributes.get("http-equiv") in {None, "Content-Security-Policy"}
    assert sum(tag == "style" for tag, _ in page.tags) == 1
    assert f"<style>{STYLE}</style>" in dumped


@examples(70)
@given(analyses())
def test_every_claim_is_marked_where_its_words_are(case):
    page = Page(dump(case))
    for rank, claim in enumerate(ranked(case), 1):
        quotes = {f"q{rank}": claim.quote}
        if claim.claimant:
            quotes[f"m{rank}"] = claim.claimant.mention
        quotes |= {f"e{rank}-{number}": stance.evidence for number, stance in enumerate(claim.stances) if stance.evidence}
        for place, quote in quotes.items():
            assert page.places[place] == quote.span.start
        covered = (range(quote.span.start, quote.span.end) for quote in quotes.values())
        assert page.claims[claim.id] == {offset for offsets in covered for offset in offsets}


@examples(50)
@given(analyses())
def test_every_link_leads_somewhere_and_every_id_is_there_once(case):
    tags = Page(dump(case)).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {attributes["href"][1:] for _, attributes in tags if "href" in attributes} <= set(ids)
    assert {attributes["aria-labelledby"] for _, attributes in tags if "aria-labelledby" in attributes} <= set(ids)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_title_is_shown_as_it_is(text):
    shown = text.replace("\0", "\ufffd") or "Untitled article"
    assert Page(dump(replace(latin(), article=replace(latin().article, title=text)))).title == f"Claims in: {shown}"


def test_carriage_returns_survive_a_parser_and_nul_is_replaced():
    assert escape("a\r\nb\0<") == "a&#13;\nb\ufffd&lt;"


def test_the_policy_lets_in_this_style_sheet_and_nothing_else():
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    policy = [attributes for tag, attributes in Page(dump(latin())).tags if tag == "meta" and "http-equiv" in attributes]
    assert policy == [{"http-equiv": "Content-Security-Policy", "content": CONTENT_SECURITY_POLICY}]


def test_the_style_sheet_asks_for_nothing_from_anywhere():
    assert not re.search(r"url\(|@import|@font-face|expression|//", STYLE)
    assert "<" not in STYLE


def marks(case):
    return re.findall(r'<mark class="([^"]*)" data-claim="([^"]*)" data-parts="[^"]*">([^<]*)</mark>', dump(case))


def test_overlapping_quotes_are_cut_and_the_shorter_one_shows_its_stance():
    assert marks(latin())[:3] == [
        ("d1 i4 s-discusses c1", "c_0a1b2c", "Prices "),
        ("d2 i4 s-discusses c1 c2", "c_0a1b2c c_3d4e5f", "rose by 5 %"),
        ("d1 i3 s-refutes c2", "c_3d4e5f", " – the most since 1998"),
    ]


def test_where_quotes_lie_three_deep_and_more_they_look_the_same():
    text = "One two three four five."
    claims = [
        made_claim(f"c_{number}", "x", Words(text).at(0, number), None, (), Kind.OTHER, 0.5, "")
        for number in (3, 7, 13, 18, 23)
    ]
    assert [mark[0].split()[0] for mark in marks(analysis(article(text), claims))] == ["d3", "d3", "d3", "d2", "d1"]


def test_a_piece_names_the_places_it_is_of_and_ids_begin_with_the_prefix():
    text = "Hale said five."
    words = Words(text)
    stance = Stance("Hale", StanceLabel.SUPPORTS, words("Hale said"))
    claim = made_claim("c_1", "x", words("five"), Claimant("Hale", words("Hale")), (stance,), Kind.OTHER, 0.5, "")
    rendered = render(text, [claim], prefix="right-")
    assert re.findall(r'data-parts="([^"]*)">([^<]*)<', rendered) == [("m1 e1-0", "Hale"), ("e1-0", " said"), ("q1", "five")]
    assert re.findall(r' id="([^"]*)"', rendered) == ["right-m1", "right-e1-0", "right-q1"]
    assert re.findall(r'href="([^"]*)"', rendered) == ["#right-c1"]


@pytest.mark.parametrize(("worth", "told"), [(-1, 1), (0, 1), (0.24, 1), (0.25, 2), (0.5, 3), (0.75, 4), (1, 4), (9, 4)])
def test_the_colour_is_the_stronger_the_more_a_claim_is_worth_checking(worth, told):
    assert intensity(replace(latin().claims[0], check_worthiness=worth)) == told


def test_what_was_not_read_looks_so_also_where_words_in_it_are_marked():
    text = "One two. Three four."
    claim = made_claim("c_1", "x", Words(text)("two. Three"), None, (), Kind.OTHER, 0.5, "")
    rendered = render(text, [claim], [(9, 20)])
    assert re.findall(r'<span class="unread">(.*?)</span>', rendered) == [
        '<mark class="d1 i3 s-unknown c1" data-claim="c_1" data-parts="q1">Three</mark>',
        " four.",
    ]


def test_a_claim_whose_stance_is_not_known_has_a_line_of_its_own():
    text = "One two."
    claim = made_claim("c_1", "x", Words(text)("One"), None, (), Kind.OTHER, 0.5, "")
    assert marks(analysis(article(text), [claim])) == [("d1 i3 s-unknown c1", "c_1", "One")]


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        pytest.param("a\nb", ["a", "b"], id="every line when none is blank"),
        pytest.param("a\r\nb\rc", ["a", "b", "c"], id="any line end"),
        pytest.param("a\nb\n\nc", ["a\nb", "c"], id="blank lines when there are some"),
        pytest.param("a\r\n \t\r\nb\r\nc", ["a", "b\r\nc"], id="a line of spaces is blank"),
        pytest.param("\n\n  a\n\n\n\nb \n", ["  a", "b "], id="blank lines around"),
    ],
)
def test_the_article_is_set_in_paragraphs(text, paragraphs):
    body = dump(analysis(article(text), [])).partition('<div id="article-text"')[2].partition("</div>")[0]
    assert [part.replace("&#13;", "\r") for part in re.findall(r'<p dir="auto">([^<]*)</p>', body)] == paragraphs


def test_an_article_without_claims_says_so_and_has_no_legend():
    dumped = dump(analysis(article("Nothing."), []))
    assert dumped.count("No claims: the article was read and none were found") == 2
    assert 'class="legend"' not in dumped
    assert '<ol class="cards">' not in dumped
    assert 'id="set-aside"' not in dumped
    assert 'class="warnings"' not in dumped


def test_what_was_not_read_is_told_before_the_article():
    head = dump(scripts()).partition("<main>")[0]
    assert "Only 2 of 3 sentences were read" in head
    assert "upstream-truncated" in head


def test_a_score_outside_its_range_does_not_break_the_drawing():
    claim = replace(latin().claims[0], check_worthiness=1.5)
    assert '<rect width="100" height="8">' in dump(replace(latin(), claims=(claim,)))


def test_a_long_article_with_many_claims_is_written_quickly():
    text = "The minister said prices rose by five percent. " * 4_000
    words = Words(text)
    claims = [
        made_claim(
            f"c_{number}",
            "Prices rose.",
            words.at(number * 47, number * 47 + 400),
            None,
            tuple(Stance("x", label, words.at(number * 47, number * 47 + 300)) for label in StanceLabel),
            Kind.EVENT,
            0.5,
            "",
        )
        for number in range(200)
    ]
    started = perf_counter()
    assert Page(dump(analysis(article(text), claims))).text == text
    assert perf_counter() - started < 20


def luminance(colour):
    channels = [channel / 255 for channel in colour]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def rgb(colour):
    return tuple(int(colour[index : index + 2], 16) for index in (1, 3, 5))


def mixed(one, other, share):
    return tuple(round(a * share + b * (1 - share)) for a, b in zip(rgb(one), rgb(other), strict=True))


@pytest.mark.parametrize("palette", [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")])
def test_everything_written_can_be_read(palette):
    stances = ["supports", "refutes", "discusses", "unknown"]
    pairs = [("ink", "page"), ("ink", "sheet"), ("soft", "page"), ("soft", "sheet"), ("link", "page"), ("link", "sheet")]
    pairs += [("lit-ink", "lit"), ("warn", "warn-wash"), ("ink", "warn-wash")]
    pairs += [pair for name in stances for pair in ((name, "sheet"), (name, f"{name}-wash"), ("ink", f"{name}-wash"))]
    faint = {pair: contrast(rgb(palette[pair[0]]), rgb(palette[pair[1]])) for pair in pairs}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 4.5} == {}
    for name in stances:
        deepest = mixed(palette[name], palette[f"{name}-wash"], 0.28)
        assert contrast(rgb(palette["ink"]), deepest) >= 4.5
        # A line under words is no text: 3 to 1 is enough (WCAG 2.2, 1.4.11).
        assert contrast(rgb(palette[name]), deepest) >= 3
        assert contrast(rgb(palette[name]), rgb(palette["lit"])) >= 3
