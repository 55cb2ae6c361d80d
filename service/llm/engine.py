"""The embedded engine, seen from the service: a child process, started when it is needed and again when it has died."""

import json
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic
from typing import IO, Final, cast

from service.deadline import Deadline
from service.errors import ModelUnavailableError

_COMMAND: Final = (sys.executable, "-m", "service.llm.engine_child")
_ROOT: Final = Path(__file__).parents[2]
_STARTS: Final = 3
_REST_S: Final = 30.0
_POLL_S: Final = 0.02
_MAX_REPORT_BYTES: Final = 4_096


@dataclass(frozen=True)
class EngineConfig:
    """What the engine serves: one GGUF file under a name, `parallel` requests at once of `context_tokens` each.

    `threads` 0 means one for each core this process may use.
    """

    model: Path
    name: str
    context_tokens: int
    parallel: int = 1
    threads: int = 0


@dataclass(frozen=True)
class EngineAddress:
    """Where the engine answers. `generation` grows each time it is started: an older address leads nowhere."""

    base_url: str
    api_key: str = field(repr=False)
    generation: int


class Engine:
    """One embedded model, served by a child process on the loopback interface.

    Thread-safe. A process forked from this one starts a child of its own. After three starts in a row that failed, no more
    are tried for half a minute. `command` is what is started; it speaks as `engine_child` does.
    """

    def __init__(
        self,
        config: EngineConfig,
        *,
        command: Sequence[str] = _COMMAND,
        start_timeout_s: float = 180.0,
        stop_timeout_s: float = 3.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._config = config
        self._command = tuple(command)
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._generation = 0
        self._failures = 0
        self._reason = ""
        self._rest_until = 0.0
        self._closed = False
        forget = weakref.WeakMethod(self.after_fork)
        os.register_at_fork(after_in_child=lambda: (call := forget()) and call())

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is no child."""
        child = self._child
        return None if child is None else child.pid

    def ensure(self, deadline: Deadline) -> EngineAddress:
        """Where the engine answers now, started and waited for when need be. A start goes on when its waiter's time is spent.

        Raises: ModelUnavailableError when it does not start or was closed, DeadlineExceededError.
        """
        while True:
            child = self._current()
            child.settled.wait(deadline.check())
            if child.address is not None and child.alive():
                return child.address
            deadline.check()

    def ready(self) -> str | None:
        """None when the engine would answer now, else a short reason. Begins to start it when it is not running."""
        try:
            child = self._current()
        except ModelUnavailableError as error:
            return str(error)
        return None if child.address is not None and child.alive() else "the embedded model is starting"

    def close(self) -> None:
        """End the child, for good."""
        with self._lock:
            self._closed = True
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def after_fork(self) -> None:
        """Leave the inherited child to the process it belongs to. Called by itself in a process that was forked."""
        # The lock may be held by a thread that is not in this process.
        self._lock = threading.Lock()
        child, self._child = self._child, None
        if child is not None:
            child.disown()

    def _current(self) -> "_Child":
        """The child that runs or starts; a new one when there is none. Never waits for one: the lock is free again at once."""
        with self._lock:
            if self._closed:
                raise ModelUnavailableError("the embedded model was stopped", may_retry=False)
            if self._child is not None and self._child.settled.is_set() and not self._child.alive():
                self._bury(self._child)
            if self._child is None:
                self._child = self._start()
            return self._child

    def _bury(self, child: "_Child") -> None:
        self._child = None
        child.end()
        if child.address is not None:
            self._failures = 0
        else:
            self._failed(child.failure)

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._reason = reason
        self._rest_until = self._clock() + _REST_S

    def _start(self) -> "_Child":
        rest_s = self._rest_until - self._clock()
        if self._failures >= _STARTS and rest_s > 0:
            raise ModelUnavailableError(
                f"the embedded model does not start: {self._reason}", retry_after_s=rest_s, may_retry=False
            )
        self._generation += 1
        try:
            return _Child(self._config, self._generation, self._command, self._start_timeout_s, self._stop_timeout_s)
        except OSError as error:
            self._failed(f"its process cannot be started ({error.strerror})")
            raise ModelUnavailableError(f"the embedded model does not start: {self._reason}") from error


class _Child:
    """One started process. `settled` is set when `address` (it answers) or `failure` (it does not start) is known."""

    def __init__(self, config: EngineConfig, generation: int, command: Sequence[str], start_s: float, stop_s: float) -> None:
        self.settled = threading.Event()
        self.address: EngineAddress | None = None
        self.failure = ""
        self._generation = generation
        self._start_by = monotonic() + start_s
        self._stop_s = stop_s
        self._api_key = secrets.token_urlsafe(32)
        self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,  # where `-m` finds our package
            start_new_session=True,  # an interrupt typed at the service is not for the child: requests are still answered
        )
        # Unbuffered: a buffer's lock could be held by another thread when this process forks.
        self._input = cast("IO[bytes]", self._process.stdin)
        self._output = cast("IO[bytes]", self._process.stdout)
        told = asdict(config) | {"model": str(config.model.absolute()), "api_key": self._api_key}
        threading.Thread(target=self._watch_start, args=(json.dumps(told).encode() + b"\n",), daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """End the process and let go of it. Closing its input is what ends it when this process is killed instead."""
        self._input.close()
        self._process.terminate()
        try:
            self._process.wait(self._stop_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.settled.wait(self._stop_s)

    def disown(self) -> None:
        """Close a forked process's copies of the pipes: the child must see its input end when its own parent does."""
        self._input.close()
        self._output.close()
        self._process.returncode = 0  # not ours to wait for

    def _watch_start(self, told: bytes) -> None:
        try:
            port = self._reported_port(told)
            self._await_health(port)
            self.address = EngineAddress(f"http://127.0.0.1:{port}/v1", self._api_key, self._generation)
        except _StartError as error:
            self.failure = str(error)
        finally:
            # Never settled, alive and without an address: those who wait would ask again and again.
            if self.address is None:
                self._process.kill()
                self._process.wait()
            self.settled.set()

    def _reported_port(self, told: bytes) -> int:
        """The port the child says it listens on, once its model is loaded."""
        # A child that is already gone says so by its exit status.
        with suppress(OSError, ValueError):
            self._input.write(told)
        line = b""
        with self._output as output:
            waiting = select.poll()
            waiting.register(output, select.POLLIN)
            while not line.endswith(b"\n") and len(line) < _MAX_REPORT_BYTES:
                if not waiting.poll(max(0.0, self._start_by - monotonic()) * 1_000):
                    raise _StartError("it was not ready in time")
                got = output.read(_MAX_REPORT_BYTES)
                if not got:
                    raise _StartError(self._why_gone())
                line += got
        try:
            report = json.loads(line)
            if "error" in report:
                raise _StartError(str(report["error"]))
            return int(report["port"])
        except (ValueError, TypeError, KeyError) as error:
            raise _StartError("it does not say where it listens") from error

    def _await_health(self, port: int) -> None:
        pause = threading.Event()
        while not _healthy(port):
            if not self.alive():
                raise _StartError(self._why_gone())
            if monotonic() > self._start_by:
                raise _StartError("it was not ready in time")
            pause.wait(_POLL_S)

    def _why_gone(self) -> str:
        try:
            status = self._process.wait(self._stop_s)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        if status == -signal.SIGKILL:
            return "its process was killed, which the system does when memory runs out"
        if status == -signal.SIGILL:
            return "this processor lacks an instruction the engine needs"
        return f"its process ended with status {status}"


class _StartError(Exception):
    """The child does not start; the message says why."""


def _healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200  # noqa: PLR2004 - a name for 200 says less
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
