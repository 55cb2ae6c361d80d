"""A gunicorn thread worker that speaks problem+json about broken HTTP, too, and does not wait for ever for slow clients.

gunicorn's own worker answers a malformed request with HTML, logs what was malformed (a body whose length was told wrong is
read as the next request, so that may be article text), and lets a client that sends a byte now and then keep a thread.
"""

import json
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from threading import Lock
from time import monotonic
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from gunicorn import util
from gunicorn.http import errors as http_errors
from gunicorn.workers.gthread import ThreadWorker

from service.logs import frames
from service.web.failures import PROBLEM_JSON, problem_document
from service.web.problems import problem_of_status
from service.web.request_id import request_id_from
from service.web.security import SECURITY_HEADERS

READ_LIMIT_S = 30.0
"""How long a client may take over sending one request, unless the application says otherwise."""

_SEND_LIMIT = struct.pack("ll", 30, 0)  # seconds and microseconds that one send may wait for a client to read
_STATUS_OF_ERROR: dict[type[Exception], int] = {
    http_errors.LimitRequestLine: 414,
    http_errors.LimitRequestHeaders: 431,
    http_errors.ExpectationFailed: 417,
    http_errors.UnsupportedTransferCoding: 501,
    http_errors.ConfigurationProblem: 500,
}


class ReadingWatch:
    """Which connections a request is being read from, and since when. Safe to use from several threads."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._lock = Lock()
        self._since: dict[socket.socket, float] = {}
        self._cut: set[socket.socket] = set()

    def begin(self, connection: socket.socket) -> None:
        """From now on `connection` is being read from."""
        with self._lock:
            self._since[connection] = self._clock()

    def end(self, connection: socket.socket) -> None:
        """The request has been read, or given up."""
        with self._lock:
            self._since.pop(connection, None)
            self._cut.discard(connection)

    def was_cut(self, connection: socket.socket) -> bool:
        """Whether reading from `connection` was ended by `cut_late`."""
        with self._lock:
            return connection in self._cut

    def cut_late(self) -> None:
        """End the reading that has taken longer than the limit: its thread finds the connection at its end."""
        with self._lock:
            now = self._clock()
            late = [connection for connection, since in self._since.items() if now - since > self._limit_s]
            for connection in late:
                del self._since[connection]
                self._cut.add(connection)
                with suppress(OSError):  # the client may have left already
                    connection.shutdown(socket.SHUT_RD)


class Body:
    """A request body whose every fault is an OSError: broken framing, or TimeoutError when it was cut off."""

    def __init__(self, body: Any, connection: socket.socket, watch: ReadingWatch) -> None:
        self._body = body
        self._connection = connection
        self._watch = watch

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end.

        Raises: OSError.
        """
        try:
            data: bytes = self._body.read(size)
        except http_errors.ParseException as error:
            raise OSError("the body's framing is broken") from error
        if len(data) < size:
            if self._watch.was_cut(self._connection):
                raise TimeoutError
            self._watch.end(self._connection)
        return data


def watch_bodies(app: WSGIApplication, watch: ReadingWatch) -> WSGIApplication:
    """`app`, reading bodies under `watch`."""

    def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ["gunicorn.socket"]
        if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
            watch.end(connection)
        environ["wsgi.input"] = Body(environ["wsgi.input"], connection, watch)
        return app(environ, start_response)

    return watched


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
    """The worker `service.server` runs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.watch = ReadingWatch(self.app.read_limit_s)
        self.hurried = False

    def load_wsgi(self) -> None:
        """Build the application in this process."""
        self.wsgi: WSGIApplication = watch_bodies(self.app.wsgi(), self.watch)

    def notify(self) -> None:
        """Tell the arbiter that this worker lives; the main loop does so at least once a second."""
        super().notify()
        self.watch.cut_late()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop without waiting for the requests being served (SIGINT, SIGQUIT)."""
        self.hurried = True
        super().handle_quit(sig, frame)

    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection, in a thread."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_LIMIT)
        self.watch.begin(conn.sock)
        try:
            return super().handle(conn)
        finally:
            self.watch.end(conn.sock)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:  # noqa: ARG002 - gunicorn's signature
        """Answer a request that could not be parsed."""
        report = report_broken_request(exc, request_id_from(None))
        with suppress(OSError):  # the client may have left
            util.write_nonblock(client, report)
