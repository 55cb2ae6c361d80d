"""Whom a request comes from and which host it asks for, where gateways may stand in front of the service.

A gateway writes the address a request came from at the end of `X-Forwarded-For`; what stands before it was there already,
and whoever sent the request may have written that. So as many are believed as there are gateways, counted from the end.
The service needs nothing else a gateway could tell, and believes nothing else: no other `X-Forwarded-` header, and no
`Forwarded`. The host asked for is that of the request itself, which a gateway must leave as it came.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from service.errors import UnknownHostError
from service.web.serving import own_address

_DIRECT = "werkzeug.proxy_fix.orig"
_LIST = "HTTP_X_FORWARDED_FOR"
_QUOTING = str.maketrans("", "", '"\\')


def behind_gateways(app: WSGIApplication, hops: int) -> WSGIApplication:
    """`app`, whose `REMOTE_ADDR` is the address of the client that `hops` gateways speak for.

    Where they do not name one, it stays that of the nearest gateway.
    """
    if not hops:
        return app

    def believing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        told = client_address(environ["REMOTE_ADDR"])
        environ["REMOTE_ADDR"] = environ[_DIRECT]["REMOTE_ADDR"] if told is None else told
        return app(environ, start_response)

    fix = ProxyFix(believing, x_for=hops, x_proto=0)

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if told := environ.get(_LIST):
            # ProxyFix reads quoted strings: one that a client opens would swallow the entries that gateways write behind it.
            environ[_LIST] = told.translate(_QUOTING)
        return fix(environ, start_response)

    return call


def client_address(told: str) -> str | None:
    """The IP address a gateway named, without the port that some add; None when it is none."""
    address = _address(told) or _address(_without_port(told))
    return None if address is None else str(address)


def check_host(environ: WSGIEnvironment, hosts: tuple[str, ...]) -> None:
    """Nothing, when the request asks for one of `hosts`, or for the very address it was sent to, as probes do.

    Raises: UnknownHostError.
    """
    if not hosts:
        return
    addresses = {_address(host) for host in (*hosts, own_address(environ) or "")}
    names = [host.lower() for host in hosts if _address(host) is None]
    for asked in _asked_for(environ):
        address = _address(_without_port(asked))
        known = address in addresses if address else bool(names) and host_is_trusted(asked, names)
        if not known:
            raise UnknownHostError("this service is not reached under the host name that the request asks for")


def _asked_for(environ: WSGIEnvironment) -> Iterator[str]:
    """The hosts that a request names: its header, and its target where that is a whole URL, which then goes first."""
    yield environ.get("HTTP_HOST", "").lower()
    target: str = environ.get("RAW_URI", "/")
    if not target.startswith("/") and target != "*":
        yield target.partition("//")[2].partition("/")[0].lower()


def _without_port(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that `text` is; an IPv4 one that is written as IPv6 is the same one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address
