"""Which addresses are fetched from, whatever is tried to be let in."""

import socket
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deadline import Deadline
from service.errors import FactCheckError
from service.fetch.base import NoFetcher
from service.fetch.safe_session import Reach, SafeSession
from service.fetch.web import WebFetcher
from service.url_errors import UrlFetchFailedError, UrlNotAllowedError
from tests.examples import examples
from tests.fakes import FixedClock
from tests.site_double import names

SESSION = SafeSession("tests/1")
SOON = Deadline.after(60, FixedClock())

NOT_ALLOWED = {
    "loopback": "http://127.0.0.1/",
    "another loopback": "http://127.8.8.8/",
    "short loopback": "http://127.1/",
    "decimal": "http://2130706433/",
    "hexadecimal": "http://0x7f000001/",
    "octal": "http://0177.0.0.1/",
    "hexadecimal parts": "http://0x7f.0x0.0x0.0x1/",
    "full-width digits": "http://１２７.０.０.１/",
    "ideographic full stops": "http://127。0。0。1/",
    "localhost": "http://localhost/",
    "localhost with a dot": "http://localhost./",
    "this host": "http://0.0.0.0/",
    "zero": "http://0/",
    "private 10": "http://10.0.0.1/",
    "private 172": "https://172.16.3.4/",
    "private 192": "http://192.168.1.1/",
    "carrier-grade NAT": "http://100.64.0.1/",
    "link-local": "http://169.254.1.1/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "metadata in decimal": "http://2852039166/",
    "metadata of another cloud": "http://168.63.129.16/",
    "metadata over IPv6": "http://[fd00:ec2::254]/",
    "alibaba metadata": "http://100.100.100.200/",
    "documentation": "http://192.0.2.1/",
    "benchmarking": "http://198.18.0.1/",
    "multicast": "http://224.0.0.1/",
    "reserved": "http://240.0.0.1/",
    "broadcast": "http://255.255.255.255/",
    "IPv6 loopback": "http://[::1]/",
    "IPv6 loopback in full": "https://[0:0:0:0:0:0:0:1]/",
    "IPv6 unspecified": "http://[::]/",
    "IPv4-mapped": "http://[::ffff:127.0.0.1]/",
    "IPv4-mapped in hexadecimal": "http://[::ffff:7f00:1]/",
    "IPv4-mapped metadata": "http://[::ffff:a9fe:a9fe]/",
    "IPv4-compatible": "http://[::127.0.0.1]/",
    "IPv4-translated": "http://[::ffff:0:127.0.0.1]/",
    "NAT64": "http://[64:ff9b::7f00:1]/",
    "local NAT64": "http://[64:ff9b:1::7f00:1]/",
    "6to4": "http://[2002:7f00:1::]/",
    "Teredo": "http://[2001:0:7f00:1::1]/",
    "IPv6 link-local": "http://[fe80::1]/",
    "IPv6 link-local with a zone": "http://[fe80::1%25lo]/",
    "IPv6 unique local": "http://[fc00::1]/",
    "IPv6 site-local": "http://[fec0::1]/",
    "IPv6 multicast": "http://[ff02::1]/",
    "IPv6 never given out": "http://[4000::1]/",
    "user name": "http://user@93.184.216.34/",
    "user name and password": "http://user:secret@93.184.216.34/",
    "empty user name": "http://@93.184.216.34/",
    "public name as a user": "http://example.org@127.0.0.1/",
    "backslash before an at": "http://example.org\\@127.0.0.1/",
    "backslash after the host": "http://127.0.0.1\\.example.org/",
    "fragment before an at": "http://example.org#@127.0.0.1:22/@127.0.0.1/\x00",
    "file": "file:///etc/passwd",
    "file with a host": "file://localhost/etc/passwd",
    "gopher": "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp": "ftp://93.184.216.34/",
    "data": "data:text/html,<p>words</p>",
    "javascript": "javascript:alert(1)",
    "unix socket": "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "no scheme": "93.184.216.34/page",
    "scheme only": "http://",
    "no host": "http:///page",
    "one slash": "http:/127.0.0.1/",
    "nothing": "",
    "another port": "http://93.184.216.34:22/",
    "port of a database": "http://93.184.216.34:5432/",
    "port zero": "http://93.184.216.34:0/",
    "port too high": "http://93.184.216.34:99999/",
    "port that is no number": "http://93.184.216.34:http/",
    "space in the host": "http://93.184.216.34 .example.org/",
    "line end in the host": "http://93.184.216.34\r\nHost: inside/",
    "open bracket": "http://[::1",
    "label too long": f"http://{'a' * 64}.example.org/",
    "host too long": f"http://{'a.' * 200}org/",
    "empty label": "http://a..example.org/",
    "leading dot": "http://.example.org/",
    "percent in the host": "http://127.0.0.1%2f.example.org/",
    "half a surrogate pair": "http://\ud800.example.org/",
}


@pytest.fixture
def never_connected():
    def refuse(*_args, **_kwargs):
        attempts.append(_args)
        raise OSError

    attempts = []
    with patch("urllib3.util.connection.create_connection", refuse):
        yield
    assert attempts == []


def inside(name):
    return {"localhost": ["127.0.0.1"], "localhost.": ["127.0.0.1", "::1"]}.get(name) or nowhere(name)


def nowhere(name):
    name.encode("idna")  # as the system's own look-up does, with the errors it has for odd names
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.usefixtures("never_connected")
@pytest.mark.parametrize("url", NOT_ALLOWED.values(), ids=list(NOT_ALLOWED))
def test_no_trick_leads_to_a_connection(url):
    with names(inside), pytest.raises(UrlNotAllowedError), SESSION.open(url, SOON):
        pass


@pytest.mark.usefixtures("never_connected")
@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param(["127.0.0.1"], id="loopback"),
        pytest.param(["169.254.169.254"], id="metadata"),
        pytest.param(["93.184.216.34", "10.0.0.1"], id="public and private"),
        pytest.param(["2606:2800:220:1::1", "::1"], id="public and loopback over IPv6"),
        pytest.param([], id="none"),
    ],
)
def test_a_public_name_for_an_address_inside_is_not_connected_to(addresses):
    with names(lambda _: addresses), pytest.raises(UrlNotAllowedError), SESSION.open("http://news.example.org/", SOON):
        pass


@pytest.mark.usefixtures("never_connected")
def test_a_name_that_is_not_there_is_told_like_one_inside_so_that_nobody_learns_which_names_there_are():
    told = []
    for look_up in (nowhere, lambda _: ["10.0.0.1"]):
        with names(look_up), pytest.raises(UrlNotAllowedError) as caught, SESSION.open("http://wiki.corp/", SOON):
            pass
        told.append((caught.value.message, caught.value.faults))
    assert told[0] == told[1]
    assert "corp" not in told[0][0]


def test_a_look_up_that_may_work_later_is_told_as_such():
    def busy(_):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with names(busy), pytest.raises(UrlFetchFailedError), SESSION.open("http://news.example.org/", SOON):
        pass


@pytest.mark.parametrize("url", ["http://93.184.216.34/a b", "https://[2606:2800:220:1::1]/", "http://Bücher.example/"])
def test_public_addresses_are_connected_to(url):
    reached = []

    def connect(address, *_args, **_kwargs):
        reached.append(address[0])
        raise OSError

    with (
        names(lambda _: ["93.184.216.34"]),
        patch("urllib3.util.connection.create_connection", connect),
        pytest.raises(UrlFetchFailedError),
        SESSION.open(url, SOON),
    ):
        pass
    assert reached in (["93.184.216.34"], ["2606:2800:220:1::1"])


def test_by_itself_a_session_reaches_nothing_but_public_web_ports():
    assert Reach() == Reach(frozenset({80, 443}), ())
    assert not {"127.0.0.1", "::1"} & set(map(str, Reach().policy().allowed_addresses))


def test_who_fetches_nothing_says_so():
    fetcher = NoFetcher()
    with pytest.raises(UrlNotAllowedError):
        fetcher.fetch("http://93.184.216.34/", SOON)
    fetcher.close()


HOSTS = st.sampled_from(
    ["127.0.0.1", "[::1]", "localhost", "0x7f.1", "example.org", "[::ffff:10.0.0.1]", "a" * 64, "", "[", "é"]
)
PARTS = st.text(max_size=8) | st.sampled_from(
    ["@", ":", "\\", "/", "?", "#", "%", "%00", "..", "\r\n", ":80", ":443", "[", "]"]
)
URLS = st.builds(
    lambda scheme, before, host, after: f"{scheme}{before}{host}{''.join(after)}",
    st.sampled_from(["http://", "https://", "HTTP://", "http:", "//", "file://", ""]),
    st.just("") | PARTS,
    HOSTS | st.text(max_size=20),
    st.lists(PARTS, max_size=5),
)


@pytest.fixture(scope="module")
def fetcher():
    made = WebFetcher(workers=1)
    yield made
    made.close()


@given(url=URLS | st.text())
@examples()
def test_whatever_the_address_the_error_is_ours_and_nothing_is_connected_to(fetcher, url):
    with (
        names(inside),
        patch("urllib3.util.connection.create_connection", side_effect=AssertionError("connected")),
        pytest.raises(FactCheckError) as caught,
    ):
        fetcher.fetch(url, SOON)
    assert isinstance(caught.value, UrlNotAllowedError | UrlFetchFailedError)
