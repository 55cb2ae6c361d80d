"""Who is believed about whom a request comes from, and which host names the service answers to."""

import socket
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import UnknownHostError
from service.gateways import host_faults
from service.web.gateway import behind_gateways, check_host, client_address
from service.web.serving import own_address
from tests.examples import examples

PEER = "198.51.100.7"
CLIENT, FIRST, FORGED = "203.0.113.9", "192.0.2.1", "10.6.6.6"


def seen_behind(hops, **headers):
    """What the application sees of a request from `PEER` with these headers."""
    seen = {}
    environ = {
        "REMOTE_ADDR": PEER,
        "HTTP_HOST": "real.example",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
    }
    behind_gateways(lambda environ, _start: seen.update(environ) or [], hops)(
        environ | {f"HTTP_{name}": value for name, value in headers.items()}, None
    )
    return seen


@pytest.mark.parametrize(
    ("told", "at_0", "at_1", "at_2"),
    [
        pytest.param(None, PEER, PEER, PEER, id="nothing"),
        pytest.param("", PEER, PEER, PEER, id="an empty list"),
        pytest.param(CLIENT, PEER, CLIENT, PEER, id="one address"),
        pytest.param(f"{CLIENT}, {FIRST}", PEER, FIRST, CLIENT, id="two addresses"),
        pytest.param(f"{FORGED}, {CLIENT}, {FIRST}", PEER, FIRST, CLIENT, id="one written by the client before two"),
        pytest.param(f"{CLIENT},, {FIRST}", PEER, FIRST, CLIENT, id="an empty entry"),
        pytest.param(f'{FORGED}, {FORGED}, ", {CLIENT}, {FIRST}', PEER, FIRST, CLIENT, id="a quote that is not closed"),
        pytest.param(f'{FORGED}, "{FORGED}, \\, {CLIENT}, {FIRST}', PEER, FIRST, CLIENT, id="a quote and a backslash"),
        pytest.param("unknown", PEER, PEER, PEER, id="no address"),
        pytest.param("_hidden, unknown", PEER, PEER, PEER, id="names instead of addresses"),
        pytest.param(f"{CLIENT}:4711", PEER, CLIENT, PEER, id="an address with its port"),
        pytest.param("[2001:db8::1]:4711", PEER, "2001:db8::1", PEER, id="an IPv6 address with its port"),
        pytest.param("2001:DB8:0::1", PEER, "2001:db8::1", PEER, id="an IPv6 address in another spelling"),
        pytest.param("::ffff:203.0.113.9", PEER, CLIENT, PEER, id="an IPv4 address in IPv6"),
        pytest.param("fe80::1%eth0\r\nx", PEER, PEER, PEER, id="an address with a scope"),
        pytest.param('"><script>', PEER, PEER, PEER, id="markup"),
        pytest.param(f'"{CLIENT}"', PEER, CLIENT, PEER, id="a quoted address"),
        pytest.param("127.1", PEER, PEER, PEER, id="an address in short"),
        pytest.param("1.2.3.4.5", PEER, PEER, PEER, id="too many numbers"),
    ],
)
def test_as_many_entries_are_believed_as_gateways_are_declared(told, at_0, at_1, at_2):
    headers = {} if told is None else {"X_FORWARDED_FOR": told}
    assert [seen_behind(hops, **headers)["REMOTE_ADDR"] for hops in (0, 1, 2)] == [at_0, at_1, at_2]


@pytest.mark.parametrize("hops", [0, 1, 2])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X_FORWARDED_PROTO", "https"),
        ("X_FORWARDED_HOST", "evil.example"),
        ("X_FORWARDED_PORT", "443"),
        ("X_FORWARDED_PREFIX", "/evil"),
        ("X_FORWARDED_SERVER", "evil.example"),
        ("X_REAL_IP", FORGED),
        ("X_CLIENT_IP", FORGED),
        ("TRUE_CLIENT_IP", FORGED),
        ("CF_CONNECTING_IP", FORGED),
        ("FORWARDED", f"for={FORGED};host=evil.example;proto=https"),
        ("X_ORIGINAL_URL", "/metrics"),
        ("X_REWRITE_URL", "/metrics"),
        ("SCRIPT_NAME", "/evil"),
    ],
)
def test_no_other_forwarding_header_changes_anything(hops, name, value):
    plain, forged = seen_behind(hops), seen_behind(hops, **{name: f"{value}, {value}"})
    del forged[f"HTTP_{name}"]
    assert forged == plain


@examples()
@given(st.text(st.characters(codec="latin-1"), max_size=60))
def test_nothing_a_client_writes_before_it_hides_or_changes_what_gateways_say(told):
    assert seen_behind(1, X_FORWARDED_FOR=f"{told}, {CLIENT}")["REMOTE_ADDR"] == CLIENT
    assert seen_behind(2, X_FORWARDED_FOR=f"{told}, {CLIENT}, {FIRST}")["REMOTE_ADDR"] == CLIENT


@examples()
@given(st.text(st.characters(codec="latin-1"), max_size=60), st.integers(1, 3))
def test_whatever_is_written_there_the_application_sees_an_address(told, hops):
    assert client_address(seen_behind(hops, X_FORWARDED_FOR=told)["REMOTE_ADDR"])


def environ(host, target="/", connection=None):
    given = {"RAW_URI": target} | ({} if host is None else {"HTTP_HOST": host})
    return given | ({} if connection is None else {"gunicorn.socket": connection})


class Connection:
    def __init__(self, address, family=socket.AF_INET):
        self.family = family
        self._address = address

    def getsockname(self):
        return (self._address, 8000)


HOSTS = ("facts.example.org", ".desk.example", "192.0.2.80", "2001:db8::80")


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(environ("facts.example.org"), id="a name"),
        pytest.param(environ("facts.example.org:8443"), id="with a port"),
        pytest.param(environ("FACTS.Example.ORG"), id="in other letters"),
        pytest.param(environ("a.b.desk.example"), id="below a name"),
        pytest.param(environ("desk.example"), id="a name that others may stand below"),
        pytest.param(environ("192.0.2.80:80"), id="an address"),
        pytest.param(environ("[2001:db8:0::80]:80"), id="an IPv6 address"),
        pytest.param(environ("10.0.0.5:8000", connection=Connection("10.0.0.5")), id="the address it was sent to"),
        pytest.param(
            environ("10.0.0.5", connection=Connection("::ffff:10.0.0.5", socket.AF_INET6)), id="of a socket for both kinds"
        ),
        pytest.param(
            environ("[::1]:8000", connection=Connection("::1", socket.AF_INET6)), id="the IPv6 address it was sent to"
        ),
        pytest.param(environ("facts.example.org", "http://facts.example.org:80/healthz"), id="a whole URL"),
        pytest.param(environ("facts.example.org", "*"), id="no path"),
    ],
)
def test_the_names_that_were_declared_are_answered(asked):
    assert check_host(asked, HOSTS) is None


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(environ("evil.example"), id="another name"),
        pytest.param(environ(None), id="no name"),
        pytest.param(environ(""), id="an empty name"),
        pytest.param(environ("facts.example.org.evil.example"), id="a name that begins like ours"),
        pytest.param(environ("evildesk.example"), id="a name that ends like ours"),
        pytest.param(environ("evil.example:80@facts.example.org"), id="a name before ours"),
        pytest.param(environ("facts.example.org:80:evil"), id="no port"),
        pytest.param(environ("facts.example.org:99999"), id="a port that is too large"),
        pytest.param(environ("facts.example.org,evil.example"), id="two names"),
        pytest.param(environ("facts.example.org/evil"), id="a path"),
        pytest.param(environ("10.0.0.6", connection=Connection("10.0.0.5")), id="another address"),
        pytest.param(environ("127.0.0.1"), id="loopback"),
        pytest.param(environ("localhost", connection=Connection("127.0.0.1")), id="a name of the address it was sent to"),
        pytest.param(environ("[::1%eth0]"), id="an address with a scope"),
        pytest.param(environ("[fe80::"), id="half an address"),
        pytest.param(environ("facts.example.org", "http://evil.example/healthz"), id="another name in the target"),
        pytest.param(environ("evil.example", "http://facts.example.org/"), id="our name in the target alone"),
        pytest.param(environ("facts.example.org", "http://u@facts.example.org/"), id="a user in the target"),
        pytest.param(environ("facts.example.org", "evil.example:443"), id="a target for CONNECT"),
    ],
)
def test_any_other_name_is_refused(asked):
    with pytest.raises(UnknownHostError):
        check_host(asked, HOSTS)


def test_no_name_slips_through_a_list_of_addresses_only():
    with pytest.raises(UnknownHostError):
        check_host(environ("evil.example."), ("192.0.2.80",))


def test_every_name_will_do_where_none_was_declared():
    assert check_host(environ("evil.example"), ()) is None


@examples()
@given(st.text(max_size=40))
def test_no_host_header_breaks_the_check(host):
    try:
        check_host(environ(host), HOSTS)
    except UnknownHostError:
        return
    assert any(known.strip(".") in host.lower() for known in HOSTS)


def test_a_socket_in_the_file_system_has_no_address():
    assert own_address(environ("x", connection=Connection("/run/x", socket.AF_UNIX))) is None


@pytest.mark.parametrize(
    "host", ["facts.example.org", ".example.org", "localhost", "10.0.0.1", "::1", "a_b-c.example", "Host-1"]
)
def test_a_host_name_or_an_address_is_taken(host):
    assert host_faults([host]) == []


@pytest.mark.parametrize(
    "host",
    ["http://a.example", "a.example:80", "a.example/x", "[::1]", "*", "*.example", "-a", "a..b", ".", "a b", "ä.example"],
)
def test_anything_else_is_told(host):
    (fault,) = host_faults([host])
    assert repr(host) in fault


@examples()
@given(st.ip_addresses())
def test_every_address_is_taken_and_read_back(address):
    assert host_faults([str(address)]) == []
    told = f"[{address}]:1" if isinstance(address, IPv6Address) else f"{address}:1"
    assert client_address(told) == client_address(str(address)) is not None
