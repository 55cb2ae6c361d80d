"""How a page is fetched from a site that answers as it should, and what is said of one that does not."""

import gzip
import re
import threading

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from service.deadline import Deadline
from service.errors import ClientGoneError, DeadlineExceededError
from service.fetch.base import FetchedPage
from service.fetch.charset import UnknownCharsetError, decode
from service.fetch.robots import KEPT_S, MAX_SITES
from service.fetch.web import MAX_PAGE_BYTES, MAX_ROBOTS_BYTES, WebFetcher
from service.url_errors import (
    UrlFetchFailedError,
    UrlForbiddenByRobotsError,
    UrlNotAllowedError,
    UrlNotAnArticleError,
    UrlRefusedError,
)
from tests.examples import examples
from tests.fakes import FixedClock
from tests.site_double import names

URL = "https://news.example.org/bridge"
ROBOTS = "https://news.example.org/robots.txt"
HTML = "<p>Prices rose.</p>"
SOON = Deadline.after(60, FixedClock())


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def fetcher(clock):
    made = WebFetcher(workers=1, clock=clock)
    yield made
    made.close()


@pytest.fixture
def web():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def open_web(web):
    """A web whose sites have no robots.txt."""
    web.get(ROBOTS, status=404)
    return web


def asked(web):
    return [call.request.url for call in web.calls]


def test_a_page_is_fetched_in_our_own_name(fetcher, open_web):
    open_web.get(URL, body=HTML, content_type="text/html; charset=utf-8")
    assert fetcher.fetch(URL, SOON) == FetchedPage(URL, HTML, html=True)
    sent = open_web.calls[-1].request.headers
    assert sent["User-Agent"].startswith("factcheck-service/")
    assert not {"Cookie", "Authorization", "Referer"} & set(sent)


@pytest.mark.parametrize(
    ("content_type", "html"),
    [
        pytest.param("text/html", True, id="html"),
        pytest.param("Text/HTML ; charset=utf-8", True, id="in capitals"),
        pytest.param("application/xhtml+xml", True, id="xhtml"),
        pytest.param("text/plain; charset=utf-8", False, id="plain text"),
    ],
)
def test_html_and_plain_text_are_read(fetcher, open_web, content_type, html):
    open_web.get(URL, body=HTML, content_type=content_type)
    assert fetcher.fetch(URL, SOON).html is html


@pytest.mark.parametrize("content_type", ["application/pdf", "application/json", "image/png", "text/css", "text/htmlx", ""])
def test_nothing_else_is_taken_for_an_article(fetcher, open_web, content_type):
    open_web.get(URL, body=HTML, content_type=content_type)
    with pytest.raises(UrlNotAnArticleError):
        fetcher.fetch(URL, SOON)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_page_that_is_not_given_is_told_with_the_status(fetcher, open_web, status):
    open_web.get(URL, status=status, body="SECRET", content_type="text/html")
    with pytest.raises(UrlRefusedError, match=str(status)) as caught:
        fetcher.fetch(URL, SOON)
    assert "SECRET" not in caught.value.message


@pytest.mark.parametrize("status", [204, 206, 304, 408, 425, 429, 500, 503])
def test_an_answer_without_a_whole_page_is_a_failure_of_the_site(fetcher, open_web, status):
    open_web.get(URL, status=status, body="" if status in {204, 304} else HTML, content_type="text/html")
    with pytest.raises(UrlFetchFailedError):
        fetcher.fetch(URL, SOON)


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ConnectTimeout("inside.corp"),
        requests.exceptions.SSLError("inside.corp"),
        requests.exceptions.ConnectionError("inside.corp"),
        requests.exceptions.ChunkedEncodingError("inside.corp"),
        OSError("inside.corp"),
        ValueError("inside.corp"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failed_exchange_is_told_without_its_words(fetcher, open_web, error):
    open_web.get(URL, body=error)
    with pytest.raises(UrlFetchFailedError) as caught:
        fetcher.fetch(URL, SOON)
    assert "corp" not in str(caught.value)


def test_redirects_are_followed_and_the_last_address_is_told(fetcher, open_web):
    open_web.get(URL, status=301, headers={"Location": "/en/bridge#top"})
    open_web.get("https://news.example.org/en/bridge", status=302, headers={"Location": "//www.example.org/b%C3%BCcher"})
    open_web.get("https://www.example.org/robots.txt", status=404)
    open_web.get("https://www.example.org/b%C3%BCcher", body=HTML, content_type="text/html")
    assert fetcher.fetch(URL, SOON).url == "https://www.example.org/b%C3%BCcher"


def test_no_cookie_goes_along_with_a_redirect(fetcher, open_web):
    open_web.get(URL, status=302, headers={"Location": "/again", "Set-Cookie": "who=me; Path=/"})
    open_web.get("https://news.example.org/again", body=HTML, content_type="text/html")
    fetcher.fetch(URL, SOON)
    assert "Cookie" not in open_web.calls[-1].request.headers


def test_redirects_without_end_are_not_followed(fetcher, open_web):
    open_web.get(URL, status=302, headers={"Location": URL})
    with pytest.raises(UrlRefusedError, match="3 times"):
        fetcher.fetch(URL, SOON)
    assert asked(open_web).count(URL) == 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "gopher://news.example.org/",
        "https://news.example.org:22/",
        "https://me@news.example.org/",
        "javascript:alert(1)",
        "http://[",
    ],
)
def test_a_redirect_is_checked_like_the_address_given(fetcher, open_web, status, location):
    open_web.get(URL, status=status, headers={"Location": location})
    with pytest.raises(UrlNotAllowedError):
        fetcher.fetch(URL, SOON)
    assert asked(open_web) == [ROBOTS, URL]


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        pytest.param("User-agent: *\nDisallow: /", False, id="all robots, everywhere"),
        pytest.param("User-agent: *\nDisallow: /private", True, id="elsewhere"),
        pytest.param("User-agent: factcheck-service\nDisallow: /", False, id="us by name"),
        pytest.param("User-Agent: FactCheck-Service/9 # us\nDisallow: /", False, id="us by name and version"),
        pytest.param("User-agent: other\nUser-agent: factcheck-service\nDisallow: /", False, id="us among others"),
        pytest.param("User-agent: other\nDisallow: /", True, id="others"),
        pytest.param("User-agent: factcheck\nDisallow: /", True, id="half our name"),
        pytest.param("User-agent: *\nDisallow: /\n\nUser-agent: factcheck-service\nAllow: /", True, id="all but us"),
        pytest.param("User-agent: *\nDisallow: /\nAllow: /bridge", True, id="the longer rule wins, not the first"),
        pytest.param("User-agent: *\nDisallow: /*dge$", False, id="wildcard and end"),
        pytest.param("\ufeffUser-agent: *\nDisallow: /", False, id="byte order mark"),
        pytest.param("<html>not found</html>", True, id="no rules at all"),
        pytest.param("", True, id="empty"),
    ],
)
def test_the_wishes_of_a_site_are_obeyed(fetcher, web, rules, allowed):
    web.get(ROBOTS, body=rules.encode(), content_type="text/plain")
    web.get(URL, body=HTML, content_type="text/html")
    if allowed:
        assert fetcher.fetch(URL, SOON).text == HTML
    else:
        with pytest.raises(UrlForbiddenByRobotsError):
            fetcher.fetch(URL, SOON)
        assert asked(web) == [ROBOTS]


def test_the_site_that_a_redirect_leads_to_is_asked_for_its_wishes_too(fetcher, open_web):
    open_web.get(URL, status=302, headers={"Location": "https://other.example.org/"})
    open_web.get("https://other.example.org/robots.txt", body="User-agent: *\nDisallow: /")
    with pytest.raises(UrlForbiddenByRobotsError):
        fetcher.fetch(URL, SOON)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_site_whose_wishes_cannot_be_known_is_left_alone(fetcher, web, status):
    web.get(ROBOTS, status=status)
    with pytest.raises(UrlFetchFailedError):
        fetcher.fetch(URL, SOON)
    assert asked(web) == [ROBOTS]


def test_the_wishes_may_stand_elsewhere(fetcher, web):
    web.get(ROBOTS, status=301, headers={"Location": "https://www.example.org/robots.txt"})
    web.get("https://www.example.org/robots.txt", body="User-agent: *\nDisallow: /")
    with pytest.raises(UrlForbiddenByRobotsError):
        fetcher.fetch(URL, SOON)


def test_wishes_that_are_nowhere_are_none(fetcher, web):
    web.get(ROBOTS, status=301, headers={"Location": ROBOTS})
    web.get(URL, body=HTML, content_type="text/html")
    assert fetcher.fetch(URL, SOON).text == HTML


def test_wishes_without_end_are_read_to_the_limit(fetcher, web):
    web.get(ROBOTS, body="User-agent: *\nDisallow: /\n" + "#" * MAX_ROBOTS_BYTES + "\nAllow: /bridge")
    with pytest.raises(UrlForbiddenByRobotsError):
        fetcher.fetch(URL, SOON)


def test_robots_txt_with_many_robots_and_many_rules_is_read_in_little_space(fetcher, web):
    many = "\n".join([*(f"user agent a{n}" for n in range(15_000)), *(f"Disallow:/{n}" for n in range(15_000))])
    web.get(ROBOTS, body=many)
    web.get(URL, body=HTML, content_type="text/html")
    assert fetcher.fetch(URL, SOON).text == HTML


def test_a_site_is_asked_for_its_wishes_once_an_hour(fetcher, open_web, clock):
    open_web.get(URL, body=HTML, content_type="text/html")
    for seconds, times in ((0, 1), (KEPT_S - 1, 1), (1, 2)):
        clock.advance(seconds)
        fetcher.fetch(URL, SOON)
        assert asked(open_web).count(ROBOTS) == times


def test_the_wishes_of_so_many_sites_are_remembered_and_no_more(fetcher, open_web):
    open_web.get(URL, body=HTML, content_type="text/html")
    fetcher.fetch(URL, SOON)
    others = re.compile(r"https://site\d+\.example\.net/.*")
    open_web.get(others, body=HTML, content_type="text/html")
    for number in range(MAX_SITES):
        fetcher.fetch(f"https://site{number}.example.net/", SOON)
    fetcher.fetch(URL, SOON)
    assert asked(open_web).count(ROBOTS) == 2


@pytest.mark.parametrize("encoding", ["gzip", "identity", ""])
def test_a_body_may_be_compressed(fetcher, open_web, encoding):
    body = gzip.compress(HTML.encode()) if encoding == "gzip" else HTML.encode()
    open_web.get(URL, body=body, content_type="text/html", headers={"Content-Encoding": encoding})
    assert fetcher.fetch(URL, SOON).text == HTML


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_a_body_encoded_in_another_way_is_not_read(fetcher, open_web, encoding):
    open_web.get(URL, body=HTML, content_type="text/html", headers={"Content-Encoding": encoding})
    with pytest.raises(UrlFetchFailedError):
        fetcher.fetch(URL, SOON)


def test_a_body_that_is_not_what_it_says_is_a_failure(fetcher, open_web):
    open_web.get(URL, body=HTML, content_type="text/html", headers={"Content-Encoding": "gzip"})
    with pytest.raises(UrlFetchFailedError):
        fetcher.fetch(URL, SOON)


@pytest.mark.parametrize("more", [0, 1], ids=["the most bytes", "one more"])
def test_a_page_may_be_so_long_and_no_longer(fetcher, open_web, more):
    open_web.get(URL, body="a" * (MAX_PAGE_BYTES + more), content_type="text/plain")
    if not more:
        assert len(fetcher.fetch(URL, SOON).text) == MAX_PAGE_BYTES
    else:
        with pytest.raises(UrlNotAnArticleError, match="3,000,000 bytes"):
            fetcher.fetch(URL, SOON)


def test_a_page_in_no_known_characters_is_not_guessed_at(fetcher, open_web):
    open_web.get(URL, body=b"<p>Verkn\xfcpft.</p>", content_type="text/html")
    with pytest.raises(UrlNotAnArticleError, match="UTF-8"):
        fetcher.fetch(URL, SOON)


@pytest.fixture
def endless_look_up():
    """A look-up of a name that lasts until the test is over."""
    over = threading.Event()

    def look_up(_):
        over.wait()
        return []

    with names(look_up):
        yield
        over.set()


@pytest.mark.usefixtures("endless_look_up")
def test_nobody_waits_longer_for_a_look_up_than_a_fetch_may_take(clock):
    fetcher = WebFetcher(seconds=0.01, workers=1, clock=clock)
    with pytest.raises(UrlFetchFailedError):
        fetcher.fetch(URL, Deadline.after(60, clock))
    fetcher.close()


@pytest.mark.usefixtures("endless_look_up")
def test_a_request_whose_time_is_spent_is_told_so(fetcher):
    with pytest.raises(DeadlineExceededError):
        fetcher.fetch(URL, Deadline.after(0, FixedClock()))


def test_who_has_left_is_not_waited_for(fetcher, clock):
    deadline = Deadline.after(60, clock)
    over = threading.Event()

    def look_up(_):
        deadline.interest.lose()
        over.wait()
        return []

    with names(look_up):
        try:
            with pytest.raises(ClientGoneError):
                fetcher.fetch(URL, deadline)
        finally:
            over.set()


CAFE = "<p>Das Café “Zum Löwen”</p>"


@pytest.mark.parametrize(
    ("data", "content_type", "text"),
    [
        pytest.param(CAFE.encode(), "text/html", CAFE, id="UTF-8, undeclared"),
        pytest.param(b"\xef\xbb\xbf" + CAFE.encode(), "text/html; charset=latin1", CAFE, id="marked UTF-8"),
        pytest.param(b"\xff\xfe" + CAFE.encode("utf-16-le"), "text/html", CAFE, id="marked UTF-16"),
        pytest.param(CAFE.encode("utf-16-le"), "text/html; charset=utf-16", CAFE, id="UTF-16 by its header"),
        pytest.param(CAFE.encode("cp1252"), "text/html; charset=ISO-8859-1", CAFE, id="Latin-1 is what browsers take it for"),
        pytest.param("<p>Мэр</p>".encode("cp1251"), 'text/html; charset="windows-1251"', "<p>Мэр</p>", id="in quotes"),
        pytest.param(
            '<meta charset="shift_jis">橋'.encode("shift_jis"), "text/html", '<meta charset="shift_jis">橋', id="by a tag"
        ),
        pytest.param(
            '<meta charset="utf-16">é'.encode(), "text/html", '<meta charset="utf-16">é', id="a tag that cannot be true"
        ),
        pytest.param(CAFE.encode(), "text/html; charset=no-such", CAFE, id="unknown, but UTF-8"),
        pytest.param(CAFE.encode(), "text/html; charset=punycode", CAFE, id="none of the web's, but UTF-8"),
        pytest.param(b"<p>a\xffb</p>", "text/html; charset=utf-8", "<p>a\ufffdb</p>", id="a byte that is no character"),
    ],
)
def test_characters_are_read_in_the_encoding_that_the_page_says(data, content_type, text):
    assert decode(data, content_type, html=True) == text


@pytest.mark.parametrize("charset", ["", "punycode", "idna", "zlib", "hex", "unicode_escape", "utf-7", "rot13"])
def test_what_is_in_none_of_the_webs_encodings_is_refused(charset):
    with pytest.raises(UnknownCharsetError):
        decode(b"\xfc\xfc", f"text/html; charset={charset}", html=True)


def test_a_tag_in_plain_text_says_nothing_about_it():
    with pytest.raises(UnknownCharsetError):
        decode(b'<meta charset="latin1">\xfc', "text/plain", html=False)


@examples()
@given(data=st.binary(), content_type=st.text() | st.text().map(lambda name: f"text/html; charset={name}"), html=st.booleans())
def test_whatever_the_bytes_there_is_text_or_an_error_of_ours(data, content_type, html):
    try:
        assert isinstance(decode(data, content_type, html=html), str)
    except UnknownCharsetError:
        return


@examples()
@given(
    rules=st.text()
    | st.lists(st.sampled_from(["User-agent:", "*", "Disallow:", "/", "//[", "²", "$", "\n", "Allow:", ":"])).map("".join)
)
def test_whatever_robots_txt_says_it_says_yes_or_no(rules):
    fetcher = WebFetcher(workers=1, clock=FixedClock())
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        web.get(ROBOTS, body=rules.encode("utf-8", "replace"))
        web.get(URL, body=HTML, content_type="text/html")
        try:
            assert fetcher.fetch(URL, SOON).text == HTML
        except UrlForbiddenByRobotsError:
            assert rules.strip()
        finally:
            fetcher.close()
