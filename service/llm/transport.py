"""HTTP to one model endpoint, bounded in time and size whatever the other side does.

The stock transport bounds each read, not the exchange: an endpoint that sends a byte now and then holds a call for ever.
Here every wait, from the connection to the last byte, is cut when the whole exchange must be over, or when nobody wants
its answer any more. The stock pool also searches all its connections under one lock for each call; here each call in
flight has a connection to itself.
"""

import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any

import httpcore2
import httpx2

from service.deadline import Interest
from service.errors import ModelReplyError
from service.llm.proxies import proxy_for

MAX_ANSWER_BYTES = 8_000_000
"""A completion of the longest article is a hundredth of this."""

MAX_COMPLAINT_BYTES = 65_536
"""What is read of an error's body; the rest is left unread."""

LONGEST_EXCHANGE_S = 600.0
"""For a request that comes without a read timeout of its own."""

MAX_IDLE = 100
KEEP_ALIVE_S = 30.0

_FOREIGN = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


_interest: ContextVar[Interest | None] = ContextVar("interest", default=None)


@contextmanager
def for_the_sake_of(interest: Interest) -> Iterator[None]:
    """Within this, exchanges of this thread end with an httpx2.TransportError as soon as `interest` is lost."""
    token = _interest.set(interest)
    try:
        yield
    finally:
        _interest.reset(token)


class BoundedTransport(httpx2.BaseTransport):
    """A transport for one `base_url` that ends every exchange within its request's read timeout.

    An answer must be plain bytes of at most `max_answer_bytes`; one that is compressed or longer raises ModelReplyError.
    The body of an error is cut at `MAX_COMPLAINT_BYTES`. A proxy is taken from the environment as the stock client does,
    except for the loopback interface. Thread-safe; up to `max_idle` connections rest between calls, for `keep_alive_s` each.
    Raises: SetupError when that proxy is of a kind not spoken here.
    """

    def __init__(
        self,
        base_url: str,
        *,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        max_idle: int = MAX_IDLE,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        url = httpx2.URL(base_url)
        self._proxy = proxy_for(url)
        self._ssl_context = httpx2.create_ssl_context() if url.scheme == "https" else None
        self._max_answer_bytes = max_answer_bytes
        self._max_idle = max_idle
        self._keep_alive_s = keep_alive_s
        self._idle: deque[_Lane] = deque()
        self._lock = Lock()
        self._closed = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer to `request`, its body not yet read.

        Raises: httpx2.TransportError, ModelReplyError.
        """
        lane = self._take()
        limit_s = request.extensions.get("timeout", {}).get("read") or LONGEST_EXCHANGE_S
        lane.begin(monotonic() + limit_s, _interest.get() or Interest())
        try:
            with _as_httpx():
                answer = lane.pool.handle_request(_as_httpcore(request))
        except BaseException:
            self._give_back(lane)
            raise
        succeeded = httpx2.codes.is_success(answer.status)
        body = _Body(answer, self._max_answer_bytes if succeeded else None, lambda: self._give_back(lane))
        headers, compressed = _plain_headers(answer.headers)
        if compressed and succeeded:
            # Inflating what nobody asked for would let 300 kB become 300 MB.
            body.close()
            raise ModelReplyError("the endpoint compressed an answer it was asked to send plain", may_retry=False)
        return httpx2.Response(answer.status, headers=headers, stream=body, extensions=answer.extensions)

    def close(self) -> None:
        """Nothing; connections at rest are closed, those in use when their exchange is over."""
        with self._lock:
            self._closed = True
            lanes = tuple(self._idle)
            self._idle.clear()
        for lane in lanes:
            lane.pool.close()

    def _take(self) -> "_Lane":
        with self._lock:
            return self._idle.pop() if self._idle else _Lane(self._ssl_context, self._proxy, self._keep_alive_s)

    def _give_back(self, lane: "_Lane") -> None:
        lane.end()
        stale: list[_Lane] = []
        with self._lock:
            if self._closed:
                stale.append(lane)
            else:
                lane.rested_at = monotonic()
                self._idle.append(lane)
                oldest = lane.rested_at - self._keep_alive_s
                while self._idle and (len(self._idle) > self._max_idle or self._idle[0].rested_at < oldest):
                    stale.append(self._idle.popleft())
        for old in stale:
            old.pool.close()


class _Lane:
    """One connection, used by one call at a time, and the moment by which that call must be over."""

    def __init__(self, ssl_context: ssl.SSLContext | None, proxy: httpcore2.Proxy | None, keep_alive_s: float) -> None:
        self.rested_at = 0.0
        self.pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context,
            proxy=proxy,
            max_connections=1,
            keepalive_expiry=keep_alive_s,
            network_backend=_BoundedBackend(self),
        )
        self._until = 0.0
        self._interest: Interest | None = None
        self._deaf: Callable[[], None] = _nothing
        self._stream: httpcore2.NetworkStream | None = None
        self._lock = Lock()

    def begin(self, until: float, interest: Interest) -> None:
        """Nothing; an exchange begins that must be over at `until`, and is broken off when `interest` is lost."""
        self._until = until
        self._interest = interest
        self._deaf = interest.listen(partial(self._break_off, interest))

    def end(self) -> None:
        """Nothing; the exchange is over."""
        self._deaf()
        with self._lock:
            self._interest = None

    def opened(self, stream: httpcore2.NetworkStream) -> None:
        """Nothing; from now on `stream` is what this lane's bytes go through."""
        with self._lock:
            self._stream = stream

    def left(self, timeout: float | None) -> float:
        """Seconds the next wait may take, more than zero. Raises: httpcore2.ReadTimeout when there is no reason to wait."""
        left = self._until - monotonic()
        if left <= 0 or (self._interest is not None and self._interest.lost):
            raise httpcore2.ReadTimeout
        return left if timeout is None else min(timeout, left)

    def _break_off(self, interest: Interest) -> None:
        with self._lock:
            # The lane may serve another call by now.
            if self._interest is interest and self._stream is not None:
                connection = self._stream.get_extra_info("socket")
                with suppress(OSError):  # the other side may have been quicker
                    # Not that of an SSLSocket, which takes its session away from the thread that reads.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _nothing() -> None:
    """No exchange has begun yet that could be broken off."""


class _BoundedBackend(httpcore2.SyncBackend):
    def __init__(self, lane: _Lane) -> None:
        self._lane = lane

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        stream = super().connect_tcp(host, port, self._lane.left(timeout), local_address, socket_options)
        return _BoundedStream(stream, self._lane)


class _BoundedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, lane: _Lane) -> None:
        self._stream = stream
        self._lane = lane
        lane.opened(stream)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._lane.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._lane.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, self._lane.left(timeout)), self._lane)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Body(httpx2.SyncByteStream):
    """The bytes of an answer. More than `refuse_over` is an error; None means: stop quietly at `MAX_COMPLAINT_BYTES`."""

    def __init__(self, answer: httpcore2.Response, refuse_over: int | None, give_back: Callable[[], None]) -> None:
        self._answer = answer
        self._refuse_over = refuse_over
        self._give_back: Callable[[], None] | None = give_back

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        with _as_httpx():
            for chunk in self._answer.iter_stream():
                read += len(chunk)
                if self._refuse_over is None and read > MAX_COMPLAINT_BYTES:
                    return
                if self._refuse_over is not None and read > self._refuse_over:
                    raise ModelReplyError(f"the endpoint's answer has more than {self._refuse_over} bytes", may_retry=False)
                yield chunk

    def close(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            self._answer.close()
            give_back()


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except _FOREIGN as error:
        # Its text may hold a header's value; both libraries name their errors alike.
        raise getattr(httpx2, type(error).__name__)("the exchange broke off") from error


def _as_httpcore(request: httpx2.Request) -> httpcore2.Request:
    url = request.url
    return httpcore2.Request(
        request.method,
        httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.read(),
        extensions=dict(request.extensions),
    )


def _plain_headers(raw: list[tuple[bytes, bytes]]) -> tuple[httpx2.Headers, bool]:
    """The headers without the codings a body could be decoded by, and whether it was compressed."""
    headers = httpx2.Headers(raw)
    coding = headers.pop("content-encoding", "identity").strip().lower()
    # JSON is UTF-8; a made-up charset would send the SDK's reading of an error body through any codec Python knows.
    headers["content-type"] = headers.get("content-type", "").partition(";")[0].strip()
    return headers, coding not in {"", "identity"}
