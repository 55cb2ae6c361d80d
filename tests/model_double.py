"""A loopback server that speaks the chat completions protocol: for tests, benchmarks and trying the service by hand.

python -m tests.model_double --port 9000 --mode ok --latency-ms 500
"""

import argparse
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http.client import responses
from typing import Any, Self

from tests.model_answers import Answer, Call, Modes, Replier, answer_for, claim, completion, error_answer, json_answer

__all__ = [
    "Answer",
    "Call",
    "ModelDouble",
    "Modes",
    "Replier",
    "answer_for",
    "claim",
    "completion",
    "error_answer",
    "json_answer",
]


class ModelDouble:
    """A running double, as a context manager. `reply` is a replier, or answers to give in turn.

    `calls` logs the chat requests in order, `requests` all of them, `clients` the address of each connection. Answers that
    run out fail the test: the caller gets a 599, and leaving the context raises AssertionError. `close()` ends waits.
    """

    def __init__(self, reply: Replier | Sequence[Answer] | None = None, *, port: int = 0) -> None:
        self.calls: list[Call] = []
        self.requests: list[Call] = []
        self.clients: list[tuple[str, int]] = []
        self._reply = self._in_turn(iter(reply)) if isinstance(reply, Sequence) else (reply or Modes())
        self._missing = 0
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """What a client is given as its `base_url`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._server.open_connections()

    def close(self) -> None:
        """Nothing; the port is closed."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        self.close()
        if exc_type is None and self._missing:
            raise AssertionError(f"{self._missing} more calls came than answers were given")

    def answer(self, call: Call) -> Answer:
        """What to send back for `call`."""
        self.requests.append(call)
        if call.path.endswith("/chat/completions"):
            self.calls.append(call)
            return self._reply(call)
        if call.path.endswith("/models"):
            return json_answer({"object": "list", "data": [{"id": "double", "object": "model"}]})
        return error_answer(404, "not_found")

    def wait(self, seconds: float) -> None:
        """Nothing, after `seconds` or when the double is closed."""
        self._closing.wait(seconds)

    def _in_turn(self, answers: Iterator[Answer]) -> Replier:
        def next_answer(_: Call) -> Answer:
            found = next(answers, None)
            if found is None:
                self._missing += 1
                return error_answer(599, "no_more_answers")
            return found

        return next_answer


class _Server(socketserver.ThreadingTCPServer):
    # http.server's own class looks its host name up, and its parser costs more than the rest of an answer.
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], double: ModelDouble) -> None:
        self.double = double
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
            self.double.clients.append(address)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def open_connections(self) -> int:
        with self._lock:
            return len(self._open)

    def drop_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        with suppress(OSError, ValueError):  # the other side may go away or speak no HTTP; some tests are about that
            while (call := self._read()) is not None and self._send(self.server.double.answer(call)):
                pass

    def _read(self) -> Call | None:
        request_line = self.rfile.readline(65_537)
        if not request_line.strip():
            return None
        method, path = request_line.decode("latin-1").split(" ", 2)[:2]
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(65_537).strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        content = self.rfile.read(int(headers.get("content-length", "0")))
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = None
        return Call(method, path, headers, body)

    def _send(self, answer: Answer) -> bool:
        if answer.wait_s:
            self.server.double.wait(answer.wait_s)
        if answer.raw is not None:
            answer.raw(self.connection)
            return False
        headers = {"content-type": answer.content_type, "content-length": str(len(answer.body)), **answer.headers}
        head = f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Status')}\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in headers.items()
        )
        self.connection.sendall(head.encode("latin-1") + b"\r\n" + answer.body)
        return True


def main() -> None:
    """Nothing; serves until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.model_double", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--mode", choices=Modes.names, default="ok")
    options = parser.parse_args()
    with ModelDouble(Modes(options.mode, options.latency_ms / 1000), port=options.port) as double, suppress(KeyboardInterrupt):
        print(f"OPENAI_BASE_URL={double.base_url}  mode {options.mode}", flush=True)  # noqa: T201 (for the person at the terminal)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
