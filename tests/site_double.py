"""A web site on the loopback interface that answers in raw bytes, and so can misbehave in every way."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any
from unittest.mock import patch

from service.fetch.safe_session import Reach

Answer = bytes | Callable[[Callable[[bytes], Any]], None]
"""What a path answers: bytes, or what sends bytes until it is done or nobody reads them."""

_LOOK_UP = socket.getaddrinfo


class Site:
    """What was asked of the site (`paths`, `heads`), what each path answers, and the reach of a session that may go there."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = {"/robots.txt": answer(404)} | dict(answers)
        self.paths: list[str] = []
        self.heads: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def reach(self) -> Reach:
        return Reach(frozenset({80, 443, self.port}), ("127.0.0.1/32",))


def answer(status: int = 200, body: bytes = b"", content_type: str = "text/html; charset=utf-8", **headers: str) -> bytes:
    """A whole answer."""
    told = {"Content-Type": content_type, "Content-Length": str(len(body))}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def endlessly(start: bytes, again: bytes) -> Callable[[Callable[[bytes], Any]], None]:
    """An answer that begins with `start` and goes on with `again` until the connection is closed."""

    def send_all(send: Callable[[bytes], Any]) -> None:
        send(start)
        while True:
            send(again)

    return send_all


@contextmanager
def site(answers: Mapping[str, Answer], host: str = "127.0.0.1") -> Iterator[Site]:
    """A running site; a path that is not among the answers has none."""
    served = Site(answers)

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while (line := self.rfile.readline()).strip():
                head += line
            if not head:
                return
            path = head.split()[1].decode()
            served.paths.append(path)
            served.heads.append(head.decode("latin-1"))
            told = served.answers.get(path, answer(404))
            with suppress(OSError):
                if isinstance(told, bytes):
                    self.wfile.write(told)
                else:
                    told(self.wfile.write)

    class Server(ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = False

        def handle_error(self, *_: Any) -> None:
            """Nothing: who hangs up is what many tests are about."""

    server = Server((host, 0), Handler)
    served.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def names(look_up: Callable[[str], list[str]]) -> Iterator[list[str]]:
    """The names that were looked up: each stands for the addresses that `look_up` gives; an address stands for itself."""
    asked: list[str] = []

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        try:
            return _LOOK_UP(name, port, *args, **{**kwargs, "flags": socket.AI_NUMERICHOST})
        except socket.gaierror:
            asked.append(name)
        found = []
        for address in look_up(name):
            found += _LOOK_UP(address, port, *args, **{**kwargs, "flags": socket.AI_NUMERICHOST})
        return found

    with patch("socket.getaddrinfo", getaddrinfo):
        yield asked
