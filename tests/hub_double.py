"""A model hub on the loopback interface that serves one file and misbehaves as told."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Hub:
    """What was asked (`ranges`, one entry a request) and how each request in turn is answered."""

    def __init__(self, content: bytes, *answers: "Answer") -> None:
        self.content = content
        self.answers = list(answers)
        self.ranges: list[str | None] = []
        self.paths: list[str] = []
        self.url = ""


Answer = Callable[[BaseHTTPRequestHandler, Hub], None]


def _begin(handler, status, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()


def whole(handler, hub):
    """The file from where the request asks for it."""
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    start = int(asked[1]) if asked else 0
    rest = hub.content[start:]
    if asked:
        size = len(hub.content)
        _begin(handler, 206, Content_Length=len(rest), Content_Range=f"bytes {start}-{size - 1}/{size}")
    else:
        _begin(handler, 200, Content_Length=len(rest))
    handler.wfile.write(rest)


def range_ignored(handler, hub):
    """The whole file, whatever was asked."""
    _begin(handler, 200, Content_Length=len(hub.content))
    handler.wfile.write(hub.content)


def cut_after(size_bytes):
    """The beginning of the file, then a broken connection."""

    def answer(handler, hub):
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start, size = int(asked[1]) if asked else 0, len(hub.content)
        status, extra = (206, {"Content_Range": f"bytes {start}-{size - 1}/{size}"}) if asked else (200, {})
        _begin(handler, status, Content_Length=size - start, **extra)
        handler.wfile.write(hub.content[start : start + size_bytes])

    return answer


def other(content):
    """Another body, told its own length."""

    def answer(handler, _):
        _begin(handler, 200, Content_Length=len(content))
        handler.wfile.write(content)

    return answer


def endless(content):
    """A body of no told length, ended by closing the connection."""

    def answer(handler, _):
        _begin(handler, 200)
        handler.wfile.write(content)

    return answer


def status(code, **headers):
    """An empty answer with this status and these headers."""

    def answer(handler, _):
        _begin(handler, code, Content_Length=0, **headers)

    return answer


@contextmanager
def serving(content: bytes, *answers: Answer) -> Iterator[Hub]:
    """A hub that answers the n-th request with the n-th answer, and with the whole file when none is left."""
    hub = Hub(content, *answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            hub.ranges.append(self.headers.get("Range"))
            hub.paths.append(self.path)
            answer = hub.answers.pop(0) if hub.answers else whole
            answer(self, hub)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
