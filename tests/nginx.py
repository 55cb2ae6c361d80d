"""A real nginx set up by `deploy/nginx.conf`."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.programs import need_program

CONFIG = Path(__file__).parents[1] / "deploy" / "nginx.conf"
_PATIENCE_S = 30
_SILENCE_S = 0.1
_MOST_SILENT = 10


class Nginx:
    """A running nginx: how to talk to it, and what it has noted."""

    def __init__(self, program: str, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._begin = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        with (folder / "stderr").open("w") as stderr:
            self.process = subprocess.Popen(self._begin, stderr=stderr)  # noqa: S603 - the program found

    @property
    def said(self) -> str:
        """What it has said on stderr."""
        return (self._folder / "stderr").read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its access log."""
        return [json.loads(line) for line in (self._folder / "access.log").read_text().splitlines()]

    def connect(self) -> HTTPConnection:
        """A new connection to it, not opened yet."""
        return HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
        """Status, headers and body of an answer."""
        connection = self.connect()
        try:
            connection.request(method, path, body, {"Connection": "close"} | headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def send_raw(self, data: bytes) -> bytes:
        """All that comes back after `data`, from a client that leaves when nothing more comes.

        A client that ended its side at once would be taken for gone, and its request for one that need not be answered.
        """
        before = len(self.lines)
        with socket.create_connection(("127.0.0.1", self.port), _PATIENCE_S) as connection:
            connection.sendall(data)
            connection.settimeout(_SILENCE_S)
            received, silent = b"", 0
            with suppress(ConnectionResetError):  # it may close before it has read all
                while silent < _MOST_SILENT:
                    try:
                        piece = connection.recv(65_536)
                    except TimeoutError:
                        silent += _MOST_SILENT if len(self.lines) > before else 1
                        continue
                    if not piece:
                        break
                    received += piece
            return received

    def reload(self) -> None:
        """Nothing; it is told to read its configuration again."""
        self.process.send_signal(signal.SIGHUP)

    def begun(self) -> bool:
        """Whether it can be connected to."""
        assert self.process.poll() is None, self.said
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """Nothing; it has ended."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(_PATIENCE_S)


@contextmanager
def running_nginx(folder: Path, upstreams: Sequence[int], **changed: str) -> Iterator[Nginx]:
    """nginx in front of the services at these ports, with one worker, so that all its clients share its connections.

    `changed` are directives of the configuration, by name, with other values.
    """
    program = need_program("nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(configuration(port, upstreams, {"worker_processes": "1"} | changed))
    nginx = Nginx(program, folder, port)
    try:
        end = monotonic() + _PATIENCE_S
        while not nginx.begun():
            assert monotonic() < end
            sleep(0.01)
        yield nginx
    finally:
        nginx.stop()


def configuration(port: int, upstreams: Sequence[int], changed: dict[str, str]) -> str:
    """`deploy/nginx.conf` for these ports."""
    written = CONFIG.read_text()
    server = "server 127.0.0.1:8000 max_fails=0;"
    assert server in written
    written = written.replace(server, " ".join(server.replace("8000", str(one)) for one in upstreams))
    assert "listen 127.0.0.1:8080;" in written
    lines = written.replace("listen 127.0.0.1:8080;", f"listen 127.0.0.1:{port};").splitlines()
    for name, value in changed.items():
        (at,) = [at for at, line in enumerate(lines) if line.split()[:1] == [name]]
        lines[at] = f"{name} {value};"
    return "\n".join(lines)
