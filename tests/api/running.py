"""The production server in a process of its own, and how to talk to it."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.api.conftest import TEXT

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120  # a busy machine may need a minute to start a server
SOON_S = 25.0
"""Sooner than what ends by itself, at the usual limits of half a minute."""

HEAD = b"POST /analyze HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
loopback = pytest.mark.loopback


class Running:
    """A server in a process of its own; what it says on stderr is gathered in `said`."""

    def __init__(self, **told):
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-m", "tests.api.served", json.dumps(told)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        self.said = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.said += line
                self._changed.notify_all()

    def wait_until_said(self, pattern):
        with self._changed:
            assert self._changed.wait_for(lambda: re.search(pattern, self.said), PATIENCE_S), self.said
            return re.search(pattern, self.said)

    def connect(self):
        port = int(self.wait_until_said(r"Listening at: http://127\.0\.0\.1:(\d+)")[1])
        return HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)

    def ask(self, method="POST", path="/analyze", body=TEXT, **headers):
        connection = self.connect()
        try:
            connection.request(method, path, body, {"Content-Type": "text/plain", "Connection": "close"} | headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def send_raw(self, data, *, end=False):
        connection = self.connect()
        connection.connect()
        try:
            connection.sock.sendall(data)
            if end:
                connection.sock.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.sock.recv(65_536):
                received += piece
            return received
        finally:
            connection.close()

    def leave(self, how=signal.SIGTERM):
        """The exit status."""
        self.process.send_signal(how)
        return self.finish()

    def finish(self):
        status = self.process.wait(PATIENCE_S)
        self._reader.join()
        self.process.stderr.close()
        return status


def wait_until(holds):
    end = monotonic() + PATIENCE_S
    while not holds():
        assert monotonic() < end
        sleep(0.01)


@contextmanager
def running(**told):
    server = Running(**told)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.leave(signal.SIGKILL)
