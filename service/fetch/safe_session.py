"""HTTP to public web servers only, bounded in time and size, whatever an address or a server tries.

The address a name stands for is looked up once, checked, and then connected to, so that a name that changes between the
look and the connection gains nothing. No proxy, cookie, password or redirect is ever followed or sent by itself.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from ipaddress import IPv6Network
from pathlib import Path
from socket import EAI_AGAIN, gaierror
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions
from requests import PreparedRequest, Request, Response
from requests.exceptions import InvalidURL
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from service.deadline import Deadline
from service.url_errors import UrlFetchFailedError, UrlNotAllowedError

WAIT_S = 5.0
"""The longest wait for a connection, a TLS handshake, or the next bytes."""

_CHUNK_BYTES = 65_536
_PAGES = "text/html, application/xhtml+xml, text/plain;q=0.5"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PLAIN = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_ODD = re.compile(r"[\\\s\x00-\x20\x7f]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Of IPv6, 2000::/3 alone is given out as public; IPv4 is compared as ::ffff:0:0/96.
_NEVER_PUBLIC = (
    *map(str, IPv6Network("::/3").address_exclude(IPv6Network("::ffff:0:0/96"))),
    "4000::/2",
    "8000::/1",
)
EVERYWHERE = ("0.0.0.0/0", "::/0")
_UNTIL: ContextVar[Deadline] = ContextVar("until")


@dataclass(frozen=True)
class Reach:
    """Where a session connects to: public addresses at these `ports`.

    `networks` (CIDR) are reached though they are not public: where the operator names the address. No caller's leads there.
    """

    ports: frozenset[int] = frozenset({80, 443})
    networks: tuple[str, ...] = ()

    def policy(self) -> AntiSSRFPolicy:
        """These rules, as the library checks them."""
        policy = AntiSSRFPolicy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
        policy.add_denied_addresses(list(_NEVER_PUBLIC))
        if self.networks:
            policy.add_allowed_addresses(list(self.networks))
        policy.allow_plain_text_http = True
        policy.add_xff_header = False  # its value is no address, which some sites refuse
        return policy


class TooManyBytesError(Exception):
    """A body is longer than was asked for."""


@dataclass(frozen=True)
class Answer:
    """A server's answer at `url`. `location` is where it redirects to, as a whole address; its body is not read yet."""

    url: str
    status: int
    content_type: str
    location: str | None
    _response: Response = field(repr=False)

    @property
    def media_type(self) -> str:
        """Its type without parameters, in lower case; empty when there is none."""
        return self.content_type.partition(";")[0].strip().lower()

    def read(self, max_bytes: int, *, cut: bool = False) -> bytes:
        """The body, decompressed. With `cut`, a longer one is cut off.

        Raises: TooManyBytesError when it is longer; UrlFetchFailedError for an encoding that was not asked for.
        """
        if self._response.headers.get("Content-Encoding", "").strip().lower() not in _PLAIN:
            raise UrlFetchFailedError("the body is encoded in a way that was not asked for")
        body = bytearray()
        # Each piece is decompressed to this many bytes at most, so a body that swells is never whole in memory.
        for piece in self._response.iter_content(_CHUNK_BYTES):
            _check(_UNTIL.get())
            body += piece
            if len(body) > max_bytes:
                if cut:
                    break
                raise TooManyBytesError
        return bytes(body[:max_bytes])


class SafeSession:
    """GET requests to where `reach` allows, in the name of `user_agent`. Nothing is kept from one to the next. Thread-safe.

    `authorities` is a file of certificate authorities to believe instead of the usual ones.
    """

    def __init__(
        self, user_agent: str, reach: Reach | None = None, *, accept: str = _PAGES, authorities: Path | None = None
    ) -> None:
        self._verify = True if authorities is None else str(authorities)
        self._reach = reach or Reach()
        self._policy = self._reach.policy()
        self._headers = {
            "User-Agent": user_agent,
            "Accept": accept,
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }

    def checked(self, url: str) -> SplitResult:
        """The parts of `url` in its usual spelling. The address behind its host is not looked at yet.

        Raises: UrlNotAllowedError.
        """
        return urlsplit(self._prepared(url).url or "")._replace(fragment="")

    @contextmanager
    def open(self, url: str, until: Deadline) -> Iterator[Answer]:
        """The answer to a GET of `url`; its body can be read until the block ends.

        Raises: UrlNotAllowedError, UrlFetchFailedError; also within the block, for what happens while the body is read.
        """
        token = _UNTIL.set(until)
        try:
            with _ours(), self._policy.get_antissrf_session() as session:
                prepared = self._prepared(url)
                adapter = session.get_adapter(prepared.url)
                adapter.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
                # Not the session's own `send`: it reads the whole body of a redirect, and takes cookies.
                wait_s = min(WAIT_S, _check(until))
                response = adapter.send(prepared, stream=True, timeout=wait_s, verify=self._verify)
                with response:
                    yield _answer(response, prepared.url or "")
        finally:
            _UNTIL.reset(token)

    def _prepared(self, url: str) -> PreparedRequest:
        try:
            given = urlsplit(url)
            prepared = Request("GET", url, self._headers).prepare()
            # Of what will be connected to, not of what was given: the two need not be read alike.
            parts = urlsplit(prepared.url or "")
            ports = {given.port, parts.port}
        except ValueError as error:
            raise _unreadable() from error
        if given.scheme not in _DEFAULT_PORTS or parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise UrlNotAllowedError("The address must begin with http:// or https:// and name a web server.")
        if "@" in given.netloc or "@" in parts.netloc or _ODD.search(given.netloc):
            raise UrlNotAllowedError("The address must not hold a user name, a password, spaces or backslashes.")
        if not {_DEFAULT_PORTS[parts.scheme] if port is None else port for port in ports} <= self._reach.ports:
            raise UrlNotAllowedError("The address names another port than 80 or 443, the only ones that are fetched from.")
        return prepared


def _answer(response: Response, url: str) -> Answer:
    location = None
    if response.status_code in _REDIRECTS and (told := response.headers.get("Location")):
        # Header fields are read as Latin-1, and written as UTF-8.
        try:
            location = urljoin(url, told.encode("latin-1", "replace").decode("utf-8", "replace"))
        except ValueError as error:
            raise _unreadable() from error
    return Answer(url, response.status_code, response.headers.get("Content-Type", ""), location, response)


@contextmanager
def _ours() -> Iterator[None]:
    """Foreign errors go in, ours come out, with nothing of an address or an answer in their words."""
    try:
        yield
    except AntiSSRFError as error:
        raise _no_server() from error
    except gaierror as error:
        if error.errno == EAI_AGAIN:
            raise UrlFetchFailedError("the name of the server could not be looked up") from error
        # As for a name inside: whoever asks must not learn which names there are.
        raise _no_server() from error
    except (InvalidURL, UnicodeError) as error:  # the second for a host that cannot be looked up
        raise _unreadable() from error
    except (OSError, HTTPError, ValueError) as error:
        raise UrlFetchFailedError(f"the exchange failed: {type(error).__name__}") from error


def _unreadable() -> UrlNotAllowedError:
    return UrlNotAllowedError("The address cannot be read as one of a web page.")


def _no_server() -> UrlNotAllowedError:
    return UrlNotAllowedError("The address does not lead to a public web server.")


def _check(until: Deadline) -> float:
    remaining_s = until.remaining_s()
    if remaining_s <= 0 or until.interest.lost:
        raise TimeoutError
    return remaining_s


class _TimedReader(RawIOBase):
    """What a socket receives, until the time is over, however slowly it comes."""

    def __init__(self, raw: Any, until: Deadline) -> None:
        self._raw = raw
        self._until = until

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """How many bytes were received."""
        _check(self._until)
        received: int = self._raw.readinto(buffer)
        return received

    def close(self) -> None:
        """Nothing: the socket is let go."""
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        received: Any = self.fp
        self.fp = BufferedReader(_TimedReader(received.detach(), _UNTIL.get()))


class _HttpConnection(HTTPConnection):
    response_class = _TimedResponse


class _HttpsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
