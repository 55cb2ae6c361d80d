"""A gunicorn thread worker that speaks problem+json about broken HTTP, too, and does not wait for ever for slow clients.

gunicorn's own worker answers a malformed request with HTML, logs what was malformed (a body whose length was told wrong is
read as the next request, so that may be article text), and lets a client that sends a byte now and then keep a thread.
"""

import json
import select
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from time import monotonic
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from gunicorn import util
from gunicorn.http import errors as http_errors
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from service.connections import LINGER_S, ConnectionWatch, Paced, Partings
from service.export.formats import EVENT_STREAM
from service.logs import frames
from service.receiving import Reception
from service.web.failures import PROBLEM_JSON, problem_document
from service.web.problems import problem_of_status
from service.web.request_id import request_id_from
from service.web.security import SECURITY_HEADERS
from service.web.serving import ARRIVED, DRAINING

READ_LIMIT_S = 30.0
"""How long a client may take over sending one request, unless the application says otherwise."""

_BODY_NOT_READ = ("408", "413")
_MOST_WAITING = 1_000  # more than the queue of a listener holds; else new ones could keep a stopping server up
_SEND_BUFFER_BYTES = 1_000_000  # what most answers fit in, so that no thread waits for a slow reader
_SEND_LIMIT = struct.pack("ll", 30, 0)  # seconds and microseconds that one send may wait for a client to read
_STATUS_OF_ERROR: dict[type[Exception], int] = {
    http_errors.LimitRequestLine: 414,
    http_errors.LimitRequestHeaders: 431,
    http_errors.ExpectationFailed: 417,
    http_errors.UnsupportedTransferCoding: 501,
    http_errors.ConfigurationProblem: 500,
}


class Body:
    """A request body whose every fault is an OSError: broken framing, or TimeoutError when it was cut off."""

    def __init__(self, body: Any, connection: socket.socket, watch: ConnectionWatch) -> None:
        self._body = body
        self._connection = connection
        self._watch = watch
        self.broken = False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end. Who asks for none has all there is.

        Raises: OSError.
        """
        try:
            data: bytes = self._body.read(size)
        except http_errors.ParseException as error:
            self.broken = True
            raise OSError("the body's framing is broken") from error
        if len(data) < size or not size:
            if self._watch.was_cut(self._connection):
                raise TimeoutError
            self._watch.rest(self._connection)
        return data


def watched(app: WSGIApplication, watch: ConnectionWatch, draining: Callable[[], bool]) -> WSGIApplication:
    """`app`, with its clients under `watch`, told when a request arrived and whether the server is being stopped."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ["gunicorn.socket"]
        if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
            watch.rest(connection)
        body = environ["wsgi.input"] = Body(environ["wsgi.input"], connection, watch)
        environ[DRAINING] = draining()
        if (arrived := watch.arrival(connection)) is not None:
            environ[ARRIVED] = arrived

        streamed = False

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            nonlocal streamed
            streamed = ("Content-Type", EVENT_STREAM) in headers
            watch.answer(connection)
            if body.broken or status.startswith(_BODY_NOT_READ):
                # Nobody can tell where a next request would begin; gunicorn closes such a connection without having said so.
                start_response.__self__.force_close()  # type: ignore[attr-defined]  # a method of gunicorn's response
            return start_response(status, headers, exc_info)

        pieces = app(environ, start)
        return Paced(pieces, connection, watch) if streamed else pieces

    return call


def report_broken_request(error: Exception, request_id: str) -> bytes:
    """A whole HTTP response that tells a client what is wrong with a request that no application saw."""
    status = 500
    if isinstance(error, http_errors.ParseException):
        status = next((code for kind, code in _STATUS_OF_ERROR.items() if isinstance(error, kind)), 400)
    document = problem_document(problem_of_status(status), request_id, status=status)
    body = json.dumps(document).encode()
    headers = {
        "Content-Type": PROBLEM_JSON,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Cache-Control": "no-store",
        "X-Request-Id": request_id,
        **SECURITY_HEADERS,
    }
    structlog.get_logger().warning(
        "broken request",
        request_id=request_id,
        status=status,
        code=document["code"],
        error=type(error).__qualname__,
        at=frames(error) if status == 500 else None,  # noqa: PLR2004 - only our own failures need a place
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + body


class Worker(ThreadWorker):  # type: ignore[misc]
    """The worker `service.server` runs: its main loop receives requests, its threads answer those that have come whole."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.watch = ConnectionWatch(self.app.read_limit_s)
        self.clock: Callable[[], float] = monotonic
        self.hurried = False
        self._stopping_since: float | None = None

    def load_wsgi(self) -> None:
        """Build the application in this process."""
        self.wsgi: WSGIApplication = watched(self.app.wsgi(), self.watch, lambda: not self.alive)
        self.reception = Reception(
            self.poller, self.watch, self.app.max_body_bytes, hand_over=super().enqueue_req, let_go=self._let_go
        )
        self.partings = Partings(self.poller, self._one_less)

    def enqueue_req(self, conn: Any) -> None:
        """Receive the next request of a connection, then have a thread answer it."""
        self.reception.begin(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Close a connection whose request was answered, or wait for its next one."""
        self.reception.over(conn)
        if fs.cancelled() or (fs.exception() is None and not fs.result()):
            # gunicorn would wait for the client here, in the main loop, while nobody else is served.
            self.partings.begin(conn)
        else:
            super().finish_request(conn, fs)

    def notify(self) -> None:
        """Tell the arbiter that this worker lives; the main loop does so at least once a second."""
        super().notify()
        self.watch.cut_late()
        self.partings.end_late()
        if not self.alive:
            self._stop_receiving()
        elif self.nr_conns >= self.worker_connections:
            self._make_room()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop without waiting for the requests being served (SIGINT, SIGQUIT)."""
        self.hurried = True
        super().handle_quit(sig, frame)

    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection, in a thread."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_LIMIT)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self.watch.begin(conn.sock, LINGER_S)
        try:
            return super().handle(conn)
        finally:
            self.watch.end(conn.sock)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:  # noqa: ARG002 - gunicorn's signature
        """Answer a request that could not be parsed."""
        report = report_broken_request(exc, request_id_from(None))
        with suppress(OSError):  # the client may have left
            util.write_nonblock(client, report)

    def _stop_receiving(self) -> None:
        """Refuse new connections, and after a moment those that have asked nothing yet."""
        if self._stopping_since is None:
            self._stopping_since = self.clock()
            for listener in self.sockets:
                self._take_in(listener)
                listener.close()
        elif self.clock() - self._stopping_since > STOP_KEEPALIVE_LINGER:
            self.reception.let_all_go()

    def _take_in(self, listener: Any) -> None:
        """Accept who has connected already: closing the listener would break off their connections."""
        waiting = select.poll()
        waiting.register(listener, select.POLLIN)
        for _ in range(_MOST_WAITING):
            if not waiting.poll(0):
                break
            self.accept(listener)

    def _make_room(self) -> None:
        """Close a connection, or several, on which nothing is being answered."""
        if not self.partings.end_oldest() and not self.reception.let_go_oldest():
            # Who has nothing to ask makes room for who may have.
            self.murder_keepalived(force=True)

    def _let_go(self, conn: Any) -> None:
        self._one_less()
        conn.close()

    def _one_less(self) -> None:
        self.nr_conns -= 1
