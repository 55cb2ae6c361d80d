"""A loopback OpenTelemetry collector that keeps what it is sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATIENCE_S = 60


class CollectorDouble:
    """What came: `bodies` as they are, `spans` of all of them."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self._changed = Condition()
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                double.keep(self.path, body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def keep(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        with self._changed:
            self.bodies.append(body)
            self._changed.notify_all()

    def wait_for(self, name: str) -> None:
        """Nothing, once there is a span of that name."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(span.name == name for span in self.spans), PATIENCE_S)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def collecting() -> Iterator[CollectorDouble]:
    double = CollectorDouble()
    try:
        yield double
    finally:
        double.close()
