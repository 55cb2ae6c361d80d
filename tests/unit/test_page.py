import json
import logging
import subprocess
import sys
import unicodedata
from html import escape, unescape
from pathlib import Path
from time import process_time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from lxml.etree import LxmlError

from service.errors import UnreadablePageError
from service.text.page import Page, main_blocks, prepare, read_page
from service.text.page_copy import MAX_TAGS
from service.text.page_stream import MAX_BLOCKS, MAX_BYTES, read_stream
from tests.examples import examples

GOLDEN = Path(__file__).parents[1] / "golden" / "pages"
WORDS = "The council voted on Monday to build the line, which will cost 86 million crowns, the mayor said."

LONG = "It will be twelve kilometres long. " * 20


@pytest.fixture(autouse=True, scope="module")
def _loaded():
    prepare()


def text(html):
    return read_page(html).text


def article(inner, head=""):
    return f"<html><head>{head}</head><body><article>{inner}<p>{WORDS}</p><p>{LONG}</p></article></body></html>"


def told(head="", inner=""):
    return read_page(article(inner, head))


def ld(value):
    return f'<script type="application/ld+json">{value if isinstance(value, str) else json.dumps(value)}</script>'


@pytest.mark.parametrize("page", sorted(GOLDEN.glob("*.html")), ids=lambda path: path.stem)
def test_a_page_gives_the_article_on_it(page):
    expected = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    paragraphs = expected.pop("paragraphs")
    assert read_page(page.read_text(encoding="utf-8")) == Page("\n\n".join(paragraphs), **expected)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        pytest.param("<p>The Earth is flat.</p>", "The Earth is flat.", id="one paragraph"),
        pytest.param("The Earth is flat.", "The Earth is flat.", id="no tags"),
        pytest.param("<p>R&amp;amp;D &lt;b&gt; cost 5&nbsp;&euro;</p>", "R&amp;D <b> cost 5\xa0€", id="entities once"),
        pytest.param("<p>re<b>mark</b>able\r\n\t words</p>", "remarkable words", id="tags within words"),
        pytest.param(
            "<p>e\u0301 \u00e9 \ufb01 Ａ \u00ad\u200d</p>", "e\u0301 \u00e9 \ufb01 Ａ \u00ad\u200d", id="no normalisation"
        ),
        pytest.param("<p>One line<br>and another</p>", "One line\nand another", id="line break"),
        pytest.param("<p>One<br> <br>Two<br><br><br>Three</p>", "One\n\nTwo\n\nThree", id="empty lines"),
        pytest.param("<div><br>One<br><br>Two<p>Three</p>Four</div>", "One\n\nTwo\n\nThree\n\nFour", id="loose words"),
        pytest.param("<p>10<sup>-6</sup> m in 2021<sup>3</sup></p>", "10⁻⁶ m in 2021³", id="raised figures"),
        pytest.param("<p>the 2<sup>nd</sup> time<sup>[<a>a 1</a>]</sup></p>", "the 2nd time", id="raised letters and notes"),
        pytest.param("<p>He said: <q>Never.</q></p>", "He said: “Never.”", id="short quotation"),
        pytest.param("<p>In <del>19</del> <ins>91</ins> cases</p>", "In 91 cases", id="struck out"),
        pytest.param("<p><ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>です。</p>", "東京です。", id="reading aid"),
        pytest.param("<pre>a  b  \n\n\n\n\tc<br><br>d\r\ne</pre>", "a  b\n\n\tc\n\nd\ne", id="kept spaces"),
        pytest.param("<ul><li>One<ul><li>Two</ul><li>Three</ul>", "One\nTwo\nThree", id="list in a list"),
        pytest.param("<ul><li><p>One<p>Two<li>Three</ul>", "One\n\nTwo\n\nThree", id="list of paragraphs"),
        pytest.param("<table><tr><td><th>A<tr><th>b<td>1</table>", "A\nb\t1", id="table with an empty corner"),
        pytest.param(
            "<table><tr><td>a<td>b<td>c<tr><td>1<td><td>3<tr><td><td>2<td></table>", "a\tb\tc\n1\t\t3\n\t2", id="empty cells"
        ),
        pytest.param("<table><tr><td>a<table><tr><td>b<td>c</table></table>", "a\n\nb\tc", id="table in a table"),
        pytest.param("<td>a<td>b", "a\nb", id="cells in no row"),
        pytest.param("<blockquote><p>I did.</p><footer>— Al</footer></blockquote>", "I did.\n\n— Al", id="who is quoted"),
        pytest.param("<p>On <time>3 May</time> he left.</p>", "On 3 May he left.", id="time in a sentence"),
        pytest.param("<p>a\0b\ud800c\x01d\x85e\ufffef&#1;g&#12;h</p>", "ab\ufffdcdefg h", id="what is no text"),
        pytest.param("<p>⠁⠂⠃ is Braille, and ⠁⠂ marks blocks</p>", "⠁⠂⠃ is Braille, and ⠁⠂ marks blocks", id="Braille"),
        pytest.param("<p class='a&#1;&#xfffe;\x02b' id='\x0c'>Odd tag</p>", "Odd tag", id="attributes that are no text"),
        pytest.param("<p>One</p><p>\u200b\u00ad\u3000</p><p>&nbsp;</p><p>Two</p>", "One\n\nTwo", id="nothing to see"),
        pytest.param("<meta charset=koi8-r><?xml encoding='utf-16'?><p>Привет</p>", "Привет", id="false encoding"),
        pytest.param("<a href=x>Home</a><h2><a>One</a></h2><p>Two</p><a>Top</a>", "Two", id="links around"),
        pytest.param("<div role=main aria-hidden=true><p>Behind a dialog</p></div>", "Behind a dialog", id="dialog open"),
        pytest.param("<body hidden style='display:none'><p>Shown by its script</p>", "Shown by its script", id="hidden body"),
    ],
)
def test_the_text_is_what_a_reader_sees(html, expected):
    assert text(html) == expected


@pytest.mark.parametrize(
    "hidden",
    [
        "<nav>HIDDEN</nav>",
        "<div role='navigation'>HIDDEN</div>",
        "<aside>HIDDEN</aside>",
        "<footer>HIDDEN</footer>",
        "<button>HIDDEN</button>",
        "<script>HIDDEN</script>",
        "<style>HIDDEN</style>",
        "<template>HIDDEN</template>",
        "<noscript><p>HIDDEN</p></noscript>",
        "<p hidden>HIDDEN</p>",
        "<p style='color: red; DISPLAY : none'>HIDDEN</p>",
        "<p style='visibility:hidden'>HIDDEN</p>",
        "<span class='x sr-only'>HIDDEN</span>",
        "<svg><title>HIDDEN</title><text>HIDDEN</text></svg>",
        "<iframe>HIDDEN</iframe>",
        "<textarea>HIDDEN</textarea>",
        "<select><option>HIDDEN</select>",
        "<amp-ad><p>HIDDEN</p></amp-ad>",
        "<div class='cookie-consent'><p>HIDDEN</p></div>",
        "<div class='share-bar'><p>HIDDEN</p></div>",
        "<div class='comments'><p>HIDDEN</p></div>",
        "<div class='related-links'><p>HIDDEN</p></div>",
        "<img alt='HIDDEN' title='HIDDEN'>",
        "<!-- HIDDEN -->",
        "<![CDATA[ HIDDEN ]]>",
        "<p>Seen <b hidden>HIDDEN <i>HIDDEN</i></b> words</p>",
    ],
)
def test_what_is_hidden_or_around_the_article_is_left_out(hidden):
    found = text(article(f"<p>{WORDS}</p>{hidden}"))
    assert "HIDDEN" not in found
    assert found.count(WORDS) == 2


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("", id="nothing"),
        pytest.param(" \n\t", id="white space"),
        pytest.param("\0\x01&#2;", id="control characters"),
        pytest.param("<!doctype html><!-- words -->", id="comment"),
        pytest.param("<div id=root></div><noscript>Turn on scripts.</noscript>", id="script does it all"),
        pytest.param("<nav>Words</nav><footer>Words</footer>", id="menus"),
        pytest.param("<a href=/>Home</a> | <a href=/news>News</a>", id="links"),
        pytest.param("<title>Title</title><h1>Title</h1>", id="headline"),
        pytest.param("<h1>Log in</h1><form><label>Name</label><input></form>", id="headings"),
        pytest.param("<p>&#xfe0f;&#8203;&nbsp;</p>", id="invisible"),
        pytest.param("<p>* * *</p>", id="ornament"),
        pytest.param("<div hidden><p>Never closed", id="all hidden"),
    ],
)
def test_a_page_without_main_text_is_unreadable(html):
    with pytest.raises(UnreadablePageError, match="no main text"):
        read_page(html)


@pytest.mark.parametrize(
    ("html", "told"),
    [
        pytest.param("x" * (MAX_BYTES + 1), "longer than 8,000,000 bytes", id="characters"),
        pytest.param("я" * (MAX_BYTES // 2 + 1), "longer than 8,000,000 bytes", id="bytes"),
        pytest.param("<p>secret" * (MAX_BLOCKS + 1), "more parts", id="paragraphs"),
        pytest.param("<p>secret" + "<a>secret</a>" * MAX_TAGS, "more parts", id="links"),
    ],
)
def test_a_page_that_is_too_much_is_unreadable(html, told):
    with pytest.raises(UnreadablePageError, match=told) as raised:
        read_page(html)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "error", [ValueError, AttributeError, IndexError, RecursionError, LxmlError], ids=lambda kind: kind.__name__
)
def test_a_page_that_the_finder_breaks_on_is_unreadable_and_not_quoted(error):
    def broken(_tree, **_options):
        raise error("secret")

    with pytest.raises(UnreadablePageError, match="could not be told") as raised:
        main_blocks(read_stream("<p>secret</p>"), broken)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_finder_that_finds_nothing_finds_no_blocks():
    assert main_blocks(read_stream("<p>words</p>"), lambda _tree, **_options: None) == set()


@pytest.mark.parametrize(("blocks", "fast"), [(2_000, False), (2_001, True)])
def test_a_page_of_many_parts_is_not_read_twice(blocks, fast):
    asked = []
    main_blocks(read_stream("<p>x" * blocks), lambda _tree, **options: asked.append(options))
    assert [options["fast"] for options in asked] == [fast]


@pytest.mark.parametrize(
    ("head", "inner", "title"),
    [
        pytest.param("", "<h1>On&nbsp;the <b>page</b></h1>", "On\xa0the page", id="h1"),
        pytest.param("<title>Told</title>", "<h1>On the page</h1>", "On the page", id="page before title"),
        pytest.param("<title>Real one - Site</title>", "<h1>Site</h1><h1>Real  one</h1>", "Real one", id="the h1 that is told"),
        pytest.param("<title>A headline of some length | Site</title>", "", "A headline of some length", id="site cut off"),
        pytest.param(
            "<meta property=og:site_name content=Site><title>Short – Site</title>", "", "Short", id="site name cut off"
        ),
        pytest.param("<title>Site</title><meta property=og:site_name content=Site>", "", "Site", id="nothing but the site"),
        pytest.param("<title>A - B</title>", "", "A - B", id="too short to cut"),
        pytest.param("<meta property=og:title content='Told &amp; said'><title>x</title>", "", "Told & said", id="og:title"),
        pytest.param(
            ld({"@type": "NewsArticle", "headline": "It&#8217;s told"}) + "<title>x</title>", "", "It’s told", id="JSON-LD"
        ),
        pytest.param(f"<title>{'x' * 501}</title>", "", None, id="too long"),
        pytest.param(f"<meta property=og:title content='{'x' * 501}'><title>Told</title>", "", "Told", id="next one"),
        pytest.param("<title>— \u200b —</title>", "", None, id="no words"),
        pytest.param("", "<svg><title>Picture</title></svg>", None, id="title of a picture"),
        pytest.param("<title>a\x01&#2;\nb</title>", "", "a b", id="control characters"),
    ],
)
def test_the_title_is_the_headline(head, inner, title):
    assert told(head, inner).title == title


@pytest.mark.parametrize(
    ("html", "title", "body"),
    [
        pytest.param("<h1>Us</h1><article><h1>Told</h1><p>Text.</p></article>", "Told", "Us\n\nText.", id="h1 of the article"),
        pytest.param("<div role=main><h1>Told</h1><p>Text.</p></div>", "Told", "Text.", id="h1 of the main part"),
        pytest.param("<h1>Told<br><br>twice</h1><p>Text.</p>", "Told twice", "Text.", id="h1 of two blocks"),
        pytest.param("<title>Told so - Us</title><h1>TOLD SO</h1><p>Text.</p>", "TOLD SO", "Text.", id="other case"),
        pytest.param("<meta property=og:title content=Told><h1>Shown</h1><p>Text.</p>", "Shown", "Text.", id="the only h1"),
        pytest.param("<title>Told - Us</title><h1>Us</h1><p>Text.</p>", "Told - Us", "Us\n\nText.", id="the site's h1"),
        pytest.param(
            "<title>Told</title><h2>Told</h2><p>Text.</p><h2>Told</h2><p>Text.</p>", "Told", "Text.\n\nTold\n\nText.", id="h2"
        ),
        pytest.param("<title>Title</title><p>Text.</p>", "Title", "Text.", id="no h1"),
    ],
)
def test_the_title_is_not_in_the_text_as_well(html, title, body):
    page = read_page(html)
    assert (page.title, page.text) == (title, body)


@pytest.mark.parametrize(
    ("head", "inner", "author"),
    [
        pytest.param("<meta name=author content='By Ada Quill'>", "", "Ada Quill", id="meta"),
        pytest.param("<meta name=author content='Derby Gazette'>", "", "Derby Gazette", id="by within a name"),
        pytest.param("<meta name=author content='A'><meta name=author content='B'>", "", "A, B", id="two"),
        pytest.param("<meta name=author content='A'><meta name=author content='A'>", "", "A", id="twice"),
        pytest.param("<meta property=article:author content='https://a.example/ada'>", "", None, id="address"),
        pytest.param("<meta name=author content='@ada'>", "", None, id="account"),
        pytest.param("<meta name=author content='...'>", "", None, id="no name"),
        pytest.param(f"<meta name=author content='{'x' * 301}'>", "<a rel=author>Ada</a>", "Ada", id="too long"),
        pytest.param("", "<a rel='author nofollow'><i>Ada</i> <b hidden>by</b>Quill</a>", "Ada Quill", id="byline"),
        pytest.param("", "<p itemprop=author><span itemprop=author>Ada</span> Quill</p>", "Ada Quill", id="byline in a byline"),
        pytest.param(ld({"@type": "Article", "author": "Ada"}), "", "Ada", id="JSON-LD text"),
        pytest.param(
            ld([{"@type": ["Thing", "BlogPosting"], "author": [{"name": ["Ada"]}, {"name": "Bo"}]}]), "", "Ada, Bo", id="list"
        ),
        pytest.param(
            ld({"@graph": [{"@type": "WebPage", "mainEntity": {"@type": "Article", "author": "A"}}]}), "", "A", id="graph"
        ),
        pytest.param(ld({"@type": "WebSite", "author": "Ada"}), "", None, id="no article"),
        pytest.param(ld({"@type": "Article"}) + ld({"@type": "Article", "author": "Bo"}), "", "Bo", id="second article"),
        pytest.param(ld({"itemListElement": [{"@type": "Article", "author": "Ada"}]}), "", None, id="article that is listed"),
        pytest.param(ld('{"@type": "Article", "author": "Ada\n"}'), "", "Ada", id="line end in a string"),
        pytest.param(
            ld('{"@type": "Article", "author": Ada}') + ld({"@type": "Article", "author": "Bo"}), "", "Bo", id="no JSON"
        ),
        pytest.param(ld("[" * 90_000), "", None, id="deep JSON"),
        pytest.param(ld([{"@type": "x" * 100}] * 10_000), "", None, id="long JSON"),
        pytest.param(ld(" " * 1_000_000 + "1") + ld({"@type": "Article", "author": "Bo"}), "", None, id="too much JSON"),
        pytest.param(ld({"@type": "Article", "author": {"name": {"name": 5}}}), "", None, id="no text"),
        pytest.param("<script type=text/javascript>{}</script>", "", None, id="other script"),
        pytest.param(ld({"@type": "Report", "author": "<a href='/ada'>Ada</a> Quill"}), "", "Ada Quill", id="markup"),
        pytest.param(ld({"@type": "Report", "author": "x <"}), "", None, id="half of a tag"),
        pytest.param(ld({"@type": "Report", "author": ["ada@a.example", "Bo Wick"]}), "", "Bo Wick", id="mail address"),
        pytest.param("<meta name=author content='www.a.example'>", "", None, id="address of the Web"),
        pytest.param("<meta name=author content='a.example/ada'>", "", None, id="address without its scheme"),
        pytest.param("<meta name=author content='Written by: Ada'>", "", "Ada", id="written by"),
        pytest.param("<meta name=author content=By>", "", None, id="nothing after by"),
        pytest.param("<meta name=author content=admin>", "", None, id="whoever runs the site"),
        pytest.param("<meta name=author content='A\u202eda\x07 Quill'>", "", "Ada Quill", id="turned words"),
        pytest.param(f"<meta name=author content='{'<b>' * 900}'>", "", None, id="too much markup"),
        pytest.param("", "<h1>Told</h1><p>By Jane Roe</p>", "Jane Roe", id="line"),
        pytest.param("", "<h1>Told</h1><p>BY JANE ROE | 3 May</p>", "JANE ROE", id="line with more"),
        pytest.param(
            "",
            "<p>By Jane Roe, Tom van der Poe and Élise O’Hara-Wick</p>",
            "Jane Roe, Tom van der Poe and Élise O’Hara-Wick",
            id="three",
        ),
        pytest.param("", "<div class='article-byline'>Jane Roe</div>", "Jane Roe", id="line that is marked"),
        pytest.param("", "<div>Jane Roe</div>", None, id="line that is not"),
        pytest.param("", "<div class=author>Staff</div>", None, id="one word"),
        pytest.param(
            "", "<div class=byline>By <a rel=author>Jane Roe</a> and Tom Poe</div>", "Jane Roe and Tom Poe", id="fuller"
        ),
        pytest.param("", "<p>By Jane Roe</p><a rel=author>Tom Poe</a>", "Tom Poe", id="link before line"),
        pytest.param("<meta name=author content=Ada>", "<p>By Jane Roe</p>", "Ada", id="told before shown"),
        pytest.param("", "<p>By the time he came it was late.</p>", None, id="sentence"),
        pytest.param("", "<p>By May 2026</p>", None, id="time"),
        pytest.param("", "<p>By The Numbers</p>", None, id="idiom"),
        pytest.param("", "<h2>By Jane Roe</h2>", None, id="heading"),
        pytest.param("", "<blockquote>By Jane Roe</blockquote>", None, id="quotation"),
        pytest.param("", f"<p>{LONG}</p><p>By Jane Roe</p>", None, id="line below a paragraph"),
        pytest.param("", f"<p>By {'Jane Roe, ' * 11}Tom Poe</p>", None, id="line of too many"),
        pytest.param("", f"<p>By {'Jane ' * 45}</p>", None, id="long line"),
    ],
)
def test_the_author_is_a_name(head, inner, author):
    assert told(head, inner).author == author


@pytest.mark.parametrize(
    ("head", "published_at"),
    [
        pytest.param("<meta name=date content='2024-05-03'>", "2024-05-03", id="day"),
        pytest.param("<meta name=date content=' 2024-05-03T23:59:00-11:00'>", "2024-05-03", id="moment"),
        pytest.param("<meta name=date content='20240503'>", "2024-05-03", id="no hyphens"),
        pytest.param("<meta name=date content='2024/05/03 10:00'>", "2024-05-03", id="slashes"),
        pytest.param("<meta name=date content='2024-02-30'>", None, id="no such day"),
        pytest.param("<meta name=date content='0000-01-01'>", None, id="no such year"),
        pytest.param("<meta name=date content='2024-05-031'>", None, id="too many digits"),
        pytest.param("<meta name=date content='٢٠٢٤-٠٥-٠٣'>", None, id="other digits"),
        pytest.param("<meta name=date content='03/05/2024'>", None, id="could be two days"),
        pytest.param(
            "<meta name=date content=x><meta name=DC.Date content=1998-03-14>", "1998-03-14", id="the first that is one"
        ),
        pytest.param(
            "<meta property=article:published_time content=2024-05-03><meta name=date content=2024-05-04>",
            "2024-05-03",
            id="rank",
        ),
        pytest.param(ld({"@type": "NewsArticle", "datePublished": "2024-05-02"}), "2024-05-02", id="JSON-LD"),
        pytest.param("<span itemprop=datePublished content=2024-05-03></span>", "2024-05-03", id="content"),
        pytest.param("<time class=entry-date datetime=2024-05-03>today</time>", "2024-05-03", id="class"),
        pytest.param("<time pubdate datetime=2024-05-03>today</time>", "2024-05-03", id="pubdate"),
        pytest.param("<time datetime=2024-05-03>today</time>", None, id="any time"),
        pytest.param("<p>Published on 3 May 2024</p>", None, id="words"),
    ],
)
def test_the_date_is_a_day_that_the_page_declares(head, published_at):
    assert told(head).published_at == published_at


@pytest.mark.parametrize(
    ("html", "language"),
    [
        pytest.param("<html lang=EN-gb>", "en", id="region"),
        pytest.param("<html lang=pt_BR>", "pt", id="underscore"),
        pytest.param("<html xml:lang=fil>", "fil", id="three letters"),
        pytest.param("<html lang=und><meta property=og:locale content=de_AT>", "de", id="og:locale"),
        pytest.param("<html lang=english>", None, id="name"),
        pytest.param("<html lang=''>", None, id="empty"),
        pytest.param("<html>", None, id="none"),
    ],
)
def test_the_language_is_a_primary_subtag(html, language):
    assert read_page(f"{html}<p>{WORDS}</p>").language == language


@pytest.mark.parametrize(
    ("address", "url"),
    [
        pytest.param("https://a.example/b?c=d&amp;e=%20", "https://a.example/b?c=d&e=%20", id="whole"),
        pytest.param(" http://a.example:8080/ ", "http://a.example:8080/", id="spaces around"),
        pytest.param("/b", None, id="relative"),
        pytest.param("//a.example/b", None, id="no scheme"),
        pytest.param("javascript:alert(1)", None, id="script"),
        pytest.param("ftp://a.example/b", None, id="other scheme"),
        pytest.param("https:///b", None, id="no host"),
        pytest.param("https://me:secret@a.example/", None, id="password"),
        pytest.param("https://a.example:99999/", None, id="no such port"),
        pytest.param("https://[a/", None, id="broken host"),
        pytest.param("https://a.example/b c", None, id="space within"),
        pytest.param(f"https://a.example/{'x' * 1_983}", None, id="too long"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_url_is_a_whole_web_address(address, url):
    assert told(f'<link rel="canonical" href="{address}">').url == url
    assert told(f'<meta property="og:url" content="{address}">').url == url


def test_what_a_page_says_a_thousand_times_is_heard_a_thousand_times():
    page = told(
        "<meta name=author content=Ada>" * 5_000 + "<a rel=author>Bo</a>" * 5_000 + ld("1") * 5_000 + "<title>x</title>" * 5_000
    )
    assert (page.author, page.title) == ("Ada", "x")


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<div>" * 100_000 + WORDS, id="deep"),
        pytest.param("<p>" + "<b>" * 100_000 + WORDS, id="deep in a line"),
        pytest.param("<table><tr><td>" * 20_000 + WORDS, id="deep tables"),
        pytest.param("<p " + " ".join(f"a{i}=1" for i in range(100_000)) + f">{WORDS}</p>", id="attributes"),
        pytest.param(f"<p class='{'a ' * 1_000_000}' style='{';display :' * 10_000}'>{WORDS}</p>", id="long attributes"),
        pytest.param("".join(f"<p>{number} {WORDS * 4}</p>" for number in range(5_000)), id="two megabytes"),
        pytest.param(f"<p>{WORDS * 50_000}</p>", id="five megabytes"),
        pytest.param(f"<p>{WORDS}</p>" + "<p>x y</p>" * 5_000, id="short paragraphs"),
        pytest.param("<pre>x" + "<br>" * 50_000 + WORDS, id="line breaks"),
        pytest.param(f"<p>{WORDS}" + " <i> " * 50_000 + "<br>" * 50_000, id="blank pieces"),
        pytest.param(f"<p>{WORDS}" + "<sup>" * 50_000 + "2" * 500_000, id="raised"),
        pytest.param(
            "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>" + f"<p>{WORDS} {'&b;' * 100_000}</p>",
            id="entities",
        ),
        pytest.param(
            f"<title>{'x' * 300_000}</title>"
            + "<meta property=og:title content=xxxx>" * 3_000
            + f"<h1>x</h1><p>{WORDS}</p>" * 3_000,
            id="headlines",
        ),
        pytest.param("<" * 500_000 + f"<p>{WORDS}", id="brackets"),
        pytest.param("<script>" * 200_000 + f"</script><p>{WORDS}", id="scripts"),
    ],
)
def test_a_hostile_page_takes_no_more_time_than_its_length(html):
    started = process_time()
    assert WORDS in text(html)
    assert process_time() - started < 15


FRAGMENTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from("p div article h1 h2 ul li table tr td a br b span q sup pre time blockquote nav script".split()).flatmap(
        lambda tag: st.sampled_from([f"<{tag}>", f"</{tag}>", f"<{tag} class='share' hidden>", f"<{tag}"])
    ),
    st.sampled_from(
        ["&amp;", "&#0;", "&lt;", "&nbsp;", "<!--", "-->", "\0", "\x0b", "\ud800", "\ufffe", "\u2028", "⠁⠁", WORDS]
    ),
)


PEOPLE = st.one_of(
    FRAGMENTS, st.text(max_size=40), st.sampled_from(["By ", "Jane Roe", " and ", "a@b.example", "https://x.example"])
)
AUTHORS = st.recursive(PEOPLE, lambda inner: st.lists(inner, max_size=3) | st.fixed_dictionaries({"name": inner}), max_leaves=5)


@given(AUTHORS, st.lists(PEOPLE, max_size=5).map("".join))
@examples()
def test_whatever_a_page_says_of_its_author_a_line_of_text_or_nothing_comes_of_it(author, line):
    heads = [
        ld({"@type": "Article", "author": author}),
        f'<meta name=author content="{line}">',
        f"<a rel=author>{line}</a>",
        "",
    ]
    for head in heads:
        try:
            read = told(head, f"<h1>Told</h1><div class=byline>{line}</div>").author
        except UnreadablePageError:  # what is left open may hide the rest
            continue
        if read is not None:
            assert 0 < len(read) <= 300
            assert read == " ".join(read.split(" ")).strip()
            assert not [char for char in read if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or char in "<>@\u202e"]
            assert "://" not in read


def characters(words):
    return [char for char in unicodedata.normalize("NFKC", words) if char.isalnum()]


@given(st.lists(FRAGMENTS, max_size=25).map("".join))
@example("<pre>\ufeff x")
@example("<ul><li>\u3000\u200b<li>x")
@examples(60)
def test_whatever_the_page_its_text_is_clean_and_from_the_page(html):
    try:
        page = read_page(html)
    except UnreadablePageError:
        return
    assert page.text == page.text.strip()
    assert page.text
    assert len(page.text) <= len(html)
    assert not [char for char in page.text if unicodedata.category(char) in {"Cc", "Cs"} and char not in "\t\n"]
    assert all(line == line.rstrip() for line in page.text.split("\n"))
    assert "\n\n\n" not in page.text
    left = iter(characters(unescape(html.replace("\0", ""))))
    assert all(any(char == other for other in left) for char in characters(page.text))
    assert page.author is None or page.author.strip()
    assert page == read_page(html)


WORD = st.text("abcdefghijklmnopqrstuvwxyzäß中", min_size=1, max_size=9)
SEEN = [
    "<p>{}</p>",
    "<div>{}</div>",
    "<ul><li>{}</li></ul>",
    "<h2>{}</h2>",
    "<blockquote>{}</blockquote>",
    "<td>{}</td>",
    "{}<br><br>",
    "<p><b>{}</b> <a href=x>{}</a></p>",
]
HIDDEN = [
    "<p hidden>{}</p>",
    "<script>{}</script>",
    "<!--{}-->",
    "<p style='display:none'>{}</p>",
    "<nav>{}</nav>",
    "<p class='sr-only'>{}</p>",
]
PARTS = st.lists(st.tuples(st.sampled_from(SEEN + HIDDEN), st.lists(WORD, min_size=1, max_size=6).map(" ".join)), max_size=12)


@given(PARTS)
@examples(60)
def test_every_line_is_of_words_that_are_seen(parts):
    html = "".join(shape.replace("{}", escape(words)) for shape, words in parts)
    seen = [words for shape, words in parts if shape in SEEN]
    assume(any(shape == "<p>{}</p>" for shape, _ in parts))
    try:
        lines = text(f"<article>{html}</article>").splitlines()
    except UnreadablePageError:
        return
    shown = {word for words in seen for word in words.split()}
    assert {word for line in lines for word in line.split()} <= shown


def test_nothing_of_a_page_is_logged_or_kept(caplog):
    from trafilatura.utils import line_processing, trim  # noqa: PLC0415 - what is tested is loaded late

    with caplog.at_level(logging.DEBUG):
        read_page((GOLDEN / "classic.html").read_text(encoding="utf-8"))
        with pytest.raises(UnreadablePageError):
            read_page("<a>Home</a>")
    assert caplog.records == []
    assert trim.cache_info().currsize == line_processing.cache_info().currsize == 0


def test_once_prepared_no_file_is_opened_no_address_asked_and_no_program_started():
    program = """
import sys
import service.text.page as page
assert "trafilatura" not in sys.modules
page.prepare()
htmls = [open(path, encoding="utf-8").read() for path in sys.argv[1:]]
def refuse(event, arguments):
    assert not event.startswith(("open", "socket.", "subprocess.", "os.", "urllib.", "import")), (event, arguments)
sys.addaudithook(refuse)
for html in htmls:
    assert page.read_page(html).text
"""
    pages = sorted(map(str, GOLDEN.glob("*.html")))
    subprocess.run([sys.executable, "-c", program, *pages], check=True)  # noqa: S603 - our own program, in an interpreter that is new
