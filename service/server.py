"""The production server: gunicorn with threads in one worker process, set up from our settings and nothing else."""

import errno
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger

from service.access.chosen import check_access
from service.access.settings import AccessSettings, Mode
from service.app import create_app
from service.errors import SetupError
from service.logs import ForeignFormatter, configure_logs
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from service.wiring import build_services, fetch_weights
from service.worker import READ_LIMIT_S, Worker

EXIT_SETUP = 2
_BACKLOG = 512
_HEARTBEAT_S = 120
_OTHER_THREADS = 8  # never needed for analyses: what is asked besides is answered however many of those there are
_MOST_CONNECTIONS = 2_000
_GRACE_S = 5  # beyond the longest request, to write its answer
_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a heartbeat file on a slow disk gets a healthy worker killed


def check_setup(settings: Settings) -> None:
    """Nothing, when every prompt file and the file of keys are sound, and the embedded model's weights, where used, are there.

    Fetches the weights when they are not: a port that is open for minutes before anything answers is no help to anyone.
    Raises: SetupError.
    """
    load_prompts(find_prompts())
    check_access(settings.identity)
    fetch_weights(settings, LoggedProgress())


class LoggedProgress:
    """How far a long step is, as a log line for each tenth of it."""

    def __init__(self) -> None:
        self._title = ""
        self._total_bytes = 0
        self._done_bytes = 0

    def start(self, title: str, total_bytes: int) -> None:
        """Tell what begins."""
        self._title, self._total_bytes, self._done_bytes = title, total_bytes, 0
        self._tell()

    def advance(self, size_bytes: int) -> None:
        """Tell how far it is, when it has got a tenth further."""
        before, self._done_bytes = self._done_bytes, self._done_bytes + size_bytes
        if self._total_bytes and before * 10 // self._total_bytes < self._done_bytes * 10 // self._total_bytes:
            self._tell()

    def done(self) -> None:
        """Tell nothing: what comes next is told by others."""

    def _tell(self) -> None:
        structlog.get_logger().info("setting up", step=self._title, bytes=self._done_bytes, of_bytes=self._total_bytes)


def open_listener(host: str, port: int, create: Callable[..., socket.socket] = socket.create_server) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    gunicorn would try for five seconds and tell why in eleven lines.
    Raises: SetupError.
    """
    try:
        family, address = _address(host, port)
        return create(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = "is not an address of this machine"
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = "is in use already: set FACTCHECK_PORT to another port, or stop what listens there"
        elif isinstance(error, OSError) and error.errno == errno.EACCES:
            reason = "needs rights this process does not have: set FACTCHECK_PORT to 1024 or more"
        raise SetupError(f"cannot listen on {host}, port {port}: that {reason}") from error


def connections(server_threads: int) -> int:
    """How many clients may be connected: many that ask nothing must not keep out those that do.

    Half the files this process may open are left for the connections to the model and everything else.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(_MOST_CONNECTIONS, soft // 2)
    return max(most, server_threads + 2 * _OTHER_THREADS)


def gunicorn_options(settings: Settings, listener_fd: int) -> dict[str, Any]:
    """The settings of gunicorn for ours. No configuration file and no environment variable of gunicorn's is read."""
    return {
        "bind": f"fd://{listener_fd}",
        "worker_class": Worker,
        "workers": 1,
        "threads": settings.server_threads + _OTHER_THREADS,
        "worker_connections": connections(settings.server_threads),
        "keepalive": 75,
        "timeout": _HEARTBEAT_S,
        "graceful_timeout": ceil(settings.deadline_s) + _GRACE_S,
        "worker_tmp_dir": str(_MEMORY_FOLDER) if _MEMORY_FOLDER.is_dir() else None,
        "limit_request_line": 4_094,
        "limit_request_fields": 64,
        "limit_request_field_size": 8_190,
        "forwarded_allow_ips": "",  # else a local client may set the script name, the scheme and the path
        "control_socket_disable": True,
        "proc_name": "factcheck",
        "logger_class": ServerLog,
        "loglevel": settings.log_level,
    }


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's log, in lines like ours."""

    def setup(self, cfg: Any) -> None:
        """Set up the handlers; gunicorn calls this again when it reloads."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(ForeignFormatter())


class ServerArbiter(Arbiter):  # type: ignore[misc]
    """gunicorn's master process, which stops at once when it is told to terminate a second time."""

    _told_to_stop = False

    def signal(self, sig: int, frame: Any) -> None:
        """Take note of a signal."""
        if sig == signal.SIGTERM and self._told_to_stop:
            sig = signal.SIGQUIT
        self._told_to_stop |= sig == signal.SIGTERM
        super().signal(sig, frame)


class Server(BaseApplication):  # type: ignore[misc]
    """Our application as gunicorn runs it: built in the worker process, its services closed there."""

    def __init__(
        self, settings: Settings, listener_fd: int, build: Callable[[Settings], Services], read_limit_s: float
    ) -> None:
        self.read_limit_s = read_limit_s
        self.max_body_bytes = settings.max_request_bytes
        self._settings = settings
        self._listener_fd = listener_fd
        self._build = build
        self._services: Services | None = None
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""

        def leave(_arbiter: Any, worker: Any) -> None:
            self.close()
            if worker.pid == os.getpid() and not worker.alive:
                # Everybody has been answered who will be; Python would wait for threads that work for nobody.
                os._exit(0)

        for name, value in gunicorn_options(self._settings, self._listener_fd).items():
            self.cfg.set(name, value)
        self.cfg.set("worker_exit", leave)

    def run(self) -> None:
        """Serve until told to stop."""
        ServerArbiter(self).run()

    def load(self) -> Flask:
        """The application; called in the worker.

        Raises: AppImportError, at which gunicorn stops instead of trying again.
        """
        try:
            self._services = self._build(self._settings)
            app = create_app(self._settings, self._services)
        except SetupError as error:
            raise AppImportError(str(error)) from error
        # What is here now stays until the process ends: walking over it again and again would keep requests waiting.
        gc.collect()
        gc.freeze()
        return app

    def close(self) -> None:
        """Close the services, if this process built any."""
        services, self._services = self._services, None
        if services is not None:
            services.close()


def serve(
    settings: Settings,
    *,
    check: Callable[[Settings], None] = check_setup,
    build: Callable[[Settings], Services] = build_services,
    read_limit_s: float = READ_LIMIT_S,
) -> None:
    """Nothing: answers requests until the process is told to stop.

    `check` finds what can be found before the port opens; `build` makes the services, in
    the worker process, because threads do not survive a fork. A client has `read_limit_s` seconds to send a request.
    Raises: SystemExit, with status 2 when the service cannot be set up.
    """
    configure_logs(settings.log_level)
    # What a process was working on stands in its core dump: articles, replies, keys. Its children inherit the limit.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        refuse_exposed(settings)
        check(settings)
        listener = open_listener(settings.host, settings.port)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EXIT_SETUP) from None
    host, port = listener.getsockname()[:2]
    warn_when_exposed(host, port, settings.identity)
    run_until_stopped(Server(settings, listener.detach(), build, read_limit_s).run, os.getpid())


def run_until_stopped(run: Callable[[], None], master: int) -> None:
    """Nothing, after `run`; `master` is the process whose exit status people see.

    Raises: SystemExit as `run` does, but in the master with status 2 when the application could not be built.
    """
    try:
        run()
    except SystemExit as left:
        # A worker leaves through here as well, and its status is how the arbiter learns what happened.
        if os.getpid() == master and left.code in {Arbiter.WORKER_BOOT_ERROR, Arbiter.APP_LOAD_ERROR}:
            raise SystemExit(EXIT_SETUP) from None
        raise


def refuse_exposed(settings: Settings) -> None:
    """Nothing, unless other machines could reach a service that asks nobody who they are, and nobody said that they may.

    Raises: SetupError.
    """
    if settings.identity.access is not Mode.OPEN or settings.identity.allow_open:
        return
    try:
        _, address = _address(settings.host, settings.port)
    except (OSError, UnicodeError):
        return  # who cannot listen there is told so when the port is opened
    if not ip_address(address[0]).is_loopback:
        raise SetupError(
            f"other machines can reach {settings.host}, and FACTCHECK_ACCESS=open asks nobody who they are",
            [
                "set FACTCHECK_ACCESS to keys, jwt or header, so that callers are known (docs/security.md says how)",
                "or set FACTCHECK_HOST=127.0.0.1, so that only this machine reaches it",
                "or set FACTCHECK_ALLOW_OPEN=on, where something else keeps strangers out",
            ],
        )


def warn_when_exposed(host: str, port: int, identity: AccessSettings) -> None:
    """Nothing; logs a warning when other machines can reach the service, and it asks nobody who they are."""
    if identity.access is Mode.OPEN and not ip_address(host).is_loopback:
        structlog.get_logger().warning("anyone who reaches this port may use the service and its model", host=host, port=port)


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """The first address that `host` stands for, and its family.

    Raises: OSError, UnicodeError.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return family, address
