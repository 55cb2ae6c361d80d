"""Articles sent as an address: what becomes of the page there, and what no site can do to the service."""

import gzip
import json
import tracemalloc
from contextlib import contextmanager
from dataclasses import replace
from threading import Event

import pytest

from service.deadline import Deadline
from service.fetch.base import FetchedPage
from service.fetch.safe_session import Reach
from service.fetch.web import MAX_PAGE_BYTES, WebFetcher
from service.pipeline.analyze import Services
from service.settings import Settings
from service.store.memory import MemoryStore
from service.url_errors import UrlFetchFailedError, UrlNotAllowedError, UrlNotAnArticleError
from service.web.routes import ANSWER_SHARE
from tests.api.conftest import PROMPTS, NeverTired, Service, problem, start_service
from tests.api.test_pages import MORE, PAGE, REPLY, WORDS
from tests.described import create_app
from tests.fakes import FixedClock, ScriptedModel
from tests.site_double import answer, endlessly, names, site

loopback = pytest.mark.loopback

URL = "https://news.example.org/bridge?token=SECRET"


class ScriptedFetcher:
    """Gives its pages in order, or raises its errors; keeps the addresses it was asked for and the seconds it had."""

    def __init__(self, *outcomes):
        self._outcomes = list(outcomes)
        self.asked = []
        self.seconds = []

    def fetch(self, url, deadline):
        self.asked.append(url)
        self.seconds.append(deadline.remaining_s())
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self):
        """Nothing."""


def start(fetcher, model=None, **more):
    clock = FixedClock()
    model = model or ScriptedModel(REPLY)
    services = replace(Services(model=model, prompts=PROMPTS, clock=clock, fetcher=fetcher), **more)
    return Service(create_app(Settings(fetch_urls=True), services).test_client(), model, clock)


def page(text=PAGE, *, url=URL, html=True):
    return FetchedPage(url, text, html)


def test_unless_the_operator_says_so_an_address_is_not_fetched():
    document = problem(start_service(ScriptedModel()).post({"article": {"url": URL}}), 422, "invalid-request")
    assert [fault["pointer"] for fault in document["errors"]] == ["/article/url"]


def test_the_article_on_the_page_is_analysed_and_its_text_and_addresses_are_told():
    fetched = PAGE.replace("</head>", '<link rel="canonical" href="https://news.example.org/bridge"></head>')
    fetcher = ScriptedFetcher(page(fetched, url="https://www.example.org/bridge"))
    told = start(fetcher).post({"article": {"url": URL}}).get_json()
    assert fetcher.asked == [URL]
    article = told["article"]
    assert article["text"] == f"{WORDS}\n\n{MORE}"
    assert [article[name] for name in ("title", "author", "language")] == ["Bridge bill", "Ada Quill", "en"]
    assert article["fetched"] == {"url": "https://www.example.org/bridge", "canonical_url": "https://news.example.org/bridge"}
    assert told["claims"][0]["quote"]["text"] == WORDS


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "//inside/", "http://me:word@inside/"])
def test_an_address_that_a_page_gives_as_its_own_is_told_only_if_it_is_one_of_the_web(address):
    fetcher = ScriptedFetcher(page(PAGE.replace("</head>", f'<link rel="canonical" href="{address}"></head>')))
    assert start(fetcher).post({"article": {"url": URL}}).get_json()["article"]["fetched"]["canonical_url"] is None
    assert fetcher.asked == [URL]


def test_what_the_caller_says_of_the_article_wins_over_the_page():
    article = {"url": URL, "title": "Another title", "author": "Jane Roe", "language": "fr"}
    told = start(ScriptedFetcher(page())).post({"article": article}).get_json()["article"]
    assert [told[name] for name in ("title", "author", "language")] == ["Another title", "Jane Roe", "fr"]


def test_an_article_sent_whole_is_not_fetched():
    fetcher = ScriptedFetcher()
    for article in ({"text": WORDS}, {"html": PAGE}):
        told = start(fetcher).post({"article": {**article, "url": URL}}).get_json()
        assert "fetched" not in told["article"]
    assert fetcher.asked == []


def test_plain_text_is_taken_as_it_is():
    told = start(ScriptedFetcher(page(WORDS + "\r\n", html=False))).post({"article": {"url": URL}}).get_json()["article"]
    assert told["text"] == WORDS + "\r\n"
    assert told["fetched"] == {"url": URL, "canonical_url": None}


@pytest.mark.parametrize(
    "fetched",
    [
        pytest.param(page("<nav><a href='/'>Home</a></nav>"), id="no main text"),
        pytest.param(page(" \n", html=False), id="blank"),
        pytest.param(page("a\x00b", html=False), id="control character"),
    ],
)
def test_a_page_without_an_article_is_told(fetched):
    problem(start(ScriptedFetcher(fetched), ScriptedModel()).post({"article": {"url": URL}}), 422, "url-not-an-article")


def test_an_article_that_is_too_long_is_told():
    fetched = page("word " * 50_000, html=False)
    problem(start(ScriptedFetcher(fetched), ScriptedModel()).post({"article": {"url": URL}}), 413, "article-too-long")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(UrlNotAllowedError("No."), 422, "url-not-allowed", id="not allowed"),
        pytest.param(UrlFetchFailedError("from inside.corp"), 502, "url-fetch-failed", id="failed"),
    ],
)
def test_a_fetch_that_fails_is_a_problem_report_without_its_reason(error, status, code):
    response = start(ScriptedFetcher(error), ScriptedModel()).post({"article": {"url": URL}})
    problem(response, status, code)
    assert "inside" not in response.get_data(as_text=True)


def test_a_fetch_gets_no_more_time_than_its_request():
    fetcher = ScriptedFetcher(page())
    start(fetcher).post({"article": {"url": URL}, "options": {"deadline_s": 3}})
    assert fetcher.seconds == [pytest.approx(3 * (1 - ANSWER_SHARE))]


def test_every_fault_of_a_request_comes_before_any_fetch():
    fetcher = ScriptedFetcher()
    service = start(fetcher, ScriptedModel())
    problem(service.post({"article": {"url": "gopher://x/"}}), 422, "invalid-request")
    problem(service.post({"article": {"url": URL}, "prompt": "none@1"}), 422, "unknown-prompt")
    problem(service.post({"article": {"title": "Only a title"}}), 422, "invalid-request")
    assert fetcher.asked == []


def test_a_request_sent_again_with_its_key_is_not_fetched_again():
    fetcher = ScriptedFetcher(page())
    service = start(fetcher, store=MemoryStore(1_000_000))
    first, second = (service.post({"article": {"url": URL}}, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.get_json() == second.get_json()
    assert len(fetcher.asked) == 1


def test_of_an_address_only_the_host_is_logged(log):
    start(ScriptedFetcher(page())).post({"article": {"url": URL}})
    (line,) = log()
    assert line["host"] == "news.example.org"
    assert not any(word in json.dumps(line) for word in ("SECRET", "bridge", "Bridge"))


def test_of_a_failed_fetch_the_reason_is_logged_and_told_to_nobody_else(log):
    error = UrlFetchFailedError("the exchange failed: SSLError")
    response = start(ScriptedFetcher(error), ScriptedModel()).post({"article": {"url": URL}})
    assert log()[0]["reason"] == "the exchange failed: SSLError"
    assert "SSL" not in response.get_data(as_text=True)


class Ticking(FixedClock):
    """A clock that moves by a tenth of a second whenever it is looked at."""

    def __call__(self):
        self.advance(0.1)
        return self.now


@contextmanager
def fetching(served, **more):
    fetcher = WebFetcher(served.reach, workers=1, **more)
    try:
        yield fetcher
    finally:
        fetcher.close()


def fetch(served, path="/page", url=None):
    with fetching(served) as fetcher:
        return fetcher.fetch(url or served.url + path, Deadline.after(60, FixedClock()))


@loopback
def test_a_page_comes_over_the_wire_and_its_claims_out():
    with site({"/page": answer(body=PAGE.encode())}) as served, fetching(served) as fetcher:
        told = start(fetcher).post({"article": {"url": f"{served.url}/page#top"}}).get_json()
    assert told["claims"][0]["quote"]["text"] == WORDS
    assert told["article"]["fetched"]["url"] == f"{served.url}/page"
    assert served.paths == ["/robots.txt", "/page"]
    assert "\r\nUser-Agent: factcheck-service/" in served.heads[-1]
    assert "X-Forwarded-For" not in served.heads[-1]


@loopback
def test_the_service_as_it_is_set_up_reaches_no_site_on_loopback():
    with site({"/page": answer(body=PAGE.encode())}) as served:
        fetcher = WebFetcher(Reach(frozenset({served.port})))
        service = start(fetcher, NeverTired())
        problem(service.post({"article": {"url": f"{served.url}/page"}}), 422, "url-not-allowed")
        fetcher.close()
    assert served.paths == []


@loopback
@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://127.0.0.2/",
        "http://10.0.0.1/",
        "//localhost./",
        "https://2130706434/",
    ],
)
def test_a_redirect_into_the_network_is_not_followed(location):
    inside = {"localhost.": ["127.0.0.3"], "2130706434": ["127.0.0.2"]}
    with (
        site({"/page": answer(302, Location=location)}) as served,
        names(inside.__getitem__),
        pytest.raises(UrlNotAllowedError) as caught,
    ):
        fetch(served)
    assert caught.value.message == "The address does not lead to a public web server."


@loopback
def test_robots_txt_that_redirects_into_the_network_is_not_followed():
    with site({"/robots.txt": answer(302, Location="http://169.254.169.254/")}) as served, pytest.raises(UrlNotAllowedError):
        fetch(served)


@loopback
def test_a_name_that_changes_after_it_was_checked_gains_nothing():
    answers = []

    def rebinding(_):
        answers.append("127.0.0.1" if not answers else "127.0.0.9")
        return answers[-1:]

    with site({}) as served, names(rebinding) as asked, pytest.raises(UrlNotAllowedError):
        fetch(served, url=f"http://rebind.example.org:{served.port}/page")
    # One look-up for each connection, and what it gave was connected to: no third one that could have given another.
    assert asked == ["rebind.example.org"] * 2
    assert served.paths == ["/robots.txt"]
    assert "\r\nHost: rebind.example.org" in served.heads[0]


@loopback
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_in_the_environment_is_not_asked(monkeypatch, name):
    with site({"/page": answer(body=b"proxied")}) as proxy, site({"/page": answer(body=PAGE.encode())}) as served:
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv(name, proxy.url)
        assert fetch(served).text == PAGE
    assert proxy.paths == []


@loopback
def test_passwords_kept_for_a_site_are_not_sent(monkeypatch, tmp_path):
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login me password SECRET\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    with site({"/page": answer(body=PAGE.encode())}) as served:
        fetch(served)
    assert "authorization" not in "".join(served.heads).lower()


@loopback
def test_a_server_that_cannot_prove_its_name_is_not_read():
    with site({"/page": answer(body=PAGE.encode())}) as served, pytest.raises(UrlFetchFailedError):
        fetch(served, url=f"https://127.0.0.1:{served.port}/page")
    assert served.paths == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@loopback
@pytest.mark.parametrize(
    "slow",
    [
        pytest.param(endlessly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="interim answers"),
        pytest.param(endlessly(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"), id="tiny chunks"),
        pytest.param(endlessly(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"), id="trailers"),
        pytest.param(endlessly(HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"")), id="empty members of gzip"),
    ],
)
def test_a_site_that_never_comes_to_an_end_is_left_when_the_time_is_over(slow):
    clock = Ticking()
    with site({"/page": slow}) as served, fetching(served, clock=clock) as fetcher, pytest.raises(UrlFetchFailedError):
        fetcher.fetch(f"{served.url}/page", Deadline.after(600, clock))


@loopback
@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200", HEAD + b"\r\n", HEAD + b"Content-Length: 9\r\n\r\nabc"], ids=repr)
def test_a_site_that_falls_silent_is_left_when_the_time_is_over(start):
    over = Event()

    def silent(send):
        send(start)
        over.wait()

    with site({"/page": silent}) as served:
        try:
            with fetching(served, seconds=0.2) as fetcher, pytest.raises(UrlFetchFailedError):
                fetcher.fetch(f"{served.url}/page", Deadline.after(60))
        finally:
            over.set()


@loopback
@pytest.mark.parametrize(
    "long",
    [
        pytest.param(endlessly(HEAD + b"\r\n", b"a" * 65_536), id="endless"),
        pytest.param(
            endlessly(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"a" * 32_768 + b"\r\n"), id="chunks"
        ),
        pytest.param(answer(body=gzip.compress(b"a" * 50_000_000), Content_Encoding="gzip"), id="swells a thousandfold"),
    ],
)
def test_a_page_without_end_is_read_to_the_limit_and_no_further(long):
    tracemalloc.start()
    try:
        with site({"/page": long}) as served, pytest.raises(UrlNotAnArticleError):
            fetch(served)
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_PAGE_BYTES
    finally:
        tracemalloc.stop()


@loopback
def test_the_body_of_a_redirect_is_not_read():
    endless = endlessly(
        b"HTTP/1.1 302 Found\r\nLocation: /page\r\nContent-Encoding: gzip\r\n\r\n", gzip.compress(b"a" * 99_999)
    )
    with site({"/old": endless, "/page": answer(body=PAGE.encode())}) as served:
        assert fetch(served, "/old").text == PAGE


@loopback
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", id="too many headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_999 + b"\r\n\r\n", id="a header too long"),
        pytest.param(HEAD + b"Content-Length: 99\r\n\r\ncut", id="cut off"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="no chunk"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", id="cut within a chunk"),
        pytest.param(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", id="no gzip"),
    ],
)
def test_what_is_no_whole_answer_is_a_failure_of_the_site(broken):
    with site({"/page": broken}) as served, pytest.raises(UrlFetchFailedError):
        fetch(served)
