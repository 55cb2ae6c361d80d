"""What `make run` does once everything is installed: fetch the model, start the service, show what it finds in the seeds.

The service stays up. Its log, its process id and how it was started are kept in `.run/`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path
from shlex import quote
from time import monotonic, sleep
from typing import Any

from rich.console import Console
from stop import PID_FILE, RUN_FOLDER, service_pid, stop

from service.cli.progress import BarProgress, waiting
from service.cli.tables import one_line, render_analysis
from service.errors import SetupError
from service.server import open_listener
from service.settings import Settings, from_environ
from service.wiring import fetch_weights

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds"
_ANSWER_SLACK_S = 15.0
_PROBE_S = 5.0
_EMBEDDED_DEADLINE_S = 600.0  # a small machine needs minutes for an article, and the seeds shall be shown there too
_POLL_S = 0.05
_LOG_LINES = 20
_LOG_FILE = "service.log"
_STATE_FILE = "service.json"
_OK = 200


class RunError(Exception):
    """Something went wrong; the message is a sentence for whoever called."""


@dataclass(frozen=True)
class Service:
    """A service that was started or found. `child` is None when an earlier run started it."""

    host: str
    port: int
    child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def ask(self, method: str, path: str, timeout_s: float, body: bytes | None = None) -> tuple[int, Any]:
        """The status and the JSON document of an answer.

        Raises: RunError.
        """
        # http.client goes to the address itself; urllib would ask the proxy of the environment.
        connection = HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, {"content-type": "text/plain; charset=utf-8"} if body else {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise RunError(f"{method} {path} was not answered ({type(error).__name__})") from error
        finally:
            connection.close()


@dataclass(frozen=True)
class Runner:
    """One run: where it writes, what it starts, and what it fetches first."""

    console: Console
    environ: Mapping[str, str]
    folder: Path = RUN_FOLDER
    seeds: Path = SEEDS
    command: tuple[str, ...] = (sys.executable, "-m", "service.cli", "serve")
    fetch: Callable[[Settings, BarProgress], None] = fetch_weights
    start_limit_s: float = 120.0

    def run(self) -> int:
        """The exit status: 0 when every seed was analysed and every quote proved, and the service is up."""
        try:
            self._run()
        except (RunError, SetupError) as error:
            self._say(str(error), "red")
            return 1
        return 0

    def _run(self) -> None:
        settings = from_environ(self.environ)
        if settings.embedded and not self.environ.get("FACTCHECK_DEADLINE_S", "").strip():
            settings = replace(settings, deadline_s=_EMBEDDED_DEADLINE_S)
        seeds = sorted(self.seeds.glob("*.txt"))
        if not seeds:
            raise RunError(f"there is no article (*.txt) in {self.seeds}")
        if settings.embedded:
            self._say("no OPENAI_* setting, so the embedded model answers; its weights are fetched once and verified")
            self.fetch(settings, BarProgress(self.console))
        service = self._find(settings) or self._start(settings)
        with self._stopped_on_failure(service):
            self._await_ready(service)
            quotes = sum(self._show(service, seed, settings) for seed in seeds)
        proved = "is the article's own words at its offsets, in code points and in UTF-16"
        self._say(f"\nChecked: each of the {quotes} quotes above {proved}.", "green")
        example = quote(os.path.relpath(seeds[0]))
        curl = f"curl --data-binary @{example} -H 'content-type: text/plain' {service.url}/analyze"
        self._say(f"\nThe service is up at {service.url}\nAsk it:   {curl}\nStop it:  make stop")

    def _find(self, settings: Settings) -> Service | None:
        """The service that an earlier run left up, if it is set up as now; else none is up any more."""
        pid = service_pid(self.folder)
        if pid is None:
            if (self.folder / PID_FILE).exists():
                self._say("the service of an earlier run is gone")
            return None
        try:
            state = json.loads((self.folder / _STATE_FILE).read_text("utf-8"))
            service = Service(state["host"], state["port"])
            why = self._why_stale(state, settings)
        except (OSError, ValueError, KeyError, TypeError):
            why = "how it was started is not known"
        if why is None:
            self._say(f"the service of an earlier run is up (process {pid}) and is used")
            return service
        self._say(f"the service of an earlier run (process {pid}) is stale: {why}; a new one takes its place")
        stop(self.folder)
        return None

    def _why_stale(self, state: Mapping[str, Any], settings: Settings) -> str | None:
        if state["setup"] != _setup(settings):
            return "the settings have changed"
        started = (self.folder / _STATE_FILE).stat().st_mtime
        if any(path.stat().st_mtime > started for path in _sources()):
            return "the code or the prompts have changed"
        try:
            Service(state["host"], state["port"]).ask("GET", "/healthz", _PROBE_S)
        except RunError:
            return "it does not answer"
        return None

    def _start(self, settings: Settings) -> Service:
        # Opened and closed for its error message, and for a port when any will do.
        with open_listener(settings.host, settings.port) as listener:
            host, port = listener.getsockname()[:2]
        self.folder.mkdir(exist_ok=True)
        with (self.folder / _LOG_FILE).open("wb") as log:
            changed = {"FACTCHECK_PORT": str(port), "FACTCHECK_DEADLINE_S": str(settings.deadline_s)}
            child = subprocess.Popen(  # noqa: S603 - our own command, no shell
                self.command,
                cwd=ROOT,
                env={**self.environ, **changed},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        address = ip_address(host)
        if address.is_unspecified:
            host = "::1" if address.version == 6 else "127.0.0.1"  # noqa: PLR2004 - the version of the protocol
        (self.folder / PID_FILE).write_text(f"{child.pid}\n", "ascii")
        (self.folder / _STATE_FILE).write_text(json.dumps({"host": host, "port": port, "setup": _setup(settings)}), "utf-8")
        return Service(host, port, child)

    @contextmanager
    def _stopped_on_failure(self, service: Service) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt):
                self._show_log()
            if service.child is not None:
                self._say(stop(self.folder))
                service.child.wait()
            raise
        if service.child is not None:
            service.child.returncode = 0  # it is left up on purpose; Popen would warn of a process nobody waits for

    def _await_ready(self, service: Service) -> None:
        end = monotonic() + self.start_limit_s
        why = "it does not answer"
        with waiting(self.console, "starting the service …") as tell:
            while monotonic() < end:
                if service.child is not None and service.child.poll() is not None:
                    raise RunError(f"the service ended while it started, with exit status {service.child.returncode}")
                try:
                    code, answer = service.ask("GET", "/readyz", _PROBE_S)
                except RunError:
                    sleep(_POLL_S)
                    continue
                if code == _OK:
                    return
                why = ", ".join(answer.get("reasons", ())) or f"it answers {code}"
                tell(f"starting the service: {one_line(why)} …")
                sleep(_POLL_S)
        raise RunError(f"the service is not ready after {self.start_limit_s:.0f} seconds: {why}")

    def _show(self, service: Service, seed: Path, settings: Settings) -> int:
        """How many quotes the answer for one article has, all of them proved; the answer is printed."""
        data = seed.read_bytes()
        with waiting(self.console, f"reading {seed.name} …"):
            code, answer = service.ask("POST", "/analyze", settings.deadline_s + _ANSWER_SLACK_S, data)
        if code != _OK:
            raise RunError(f"{seed.name}: {answer['code']}: {answer['detail']}")
        text = data.decode("utf-8")
        self.console.print()
        self.console.rule(seed.name)
        render_analysis(answer, self.console, text=text)
        quotes = list(find_quotes(answer))
        wrong = [found for found in quotes if not is_proved(found, text)]
        if wrong:
            places = ", ".join(f"[{found['start']}:{found['end']}]" for found in wrong)
            raise RunError(f"{seed.name}: {len(wrong)} quotes are not the article's words at their offsets: {places}")
        return len(quotes)

    def _say(self, words: str, style: str = "") -> None:
        self.console.print(words, style=style, soft_wrap=True)

    def _show_log(self) -> None:
        try:
            lines = (self.folder / _LOG_FILE).read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
        except OSError:
            return
        self._say(f"the last lines of {self.folder / _LOG_FILE}:")
        for line in lines:
            self._say(f"  {one_line(line)}", "dim")


def find_quotes(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every quote anywhere in an answer."""
    if isinstance(value, list):
        for item in value:
            yield from find_quotes(item)
    elif isinstance(value, dict):
        if "start_utf16" in value:
            yield value
        for item in value.values():
            yield from find_quotes(item)


def is_proved(found: Mapping[str, Any], text: str) -> bool:
    """Whether a quote's words are those at its offsets, counted both ways."""
    units = text.encode("utf-16-le")[2 * found["start_utf16"] : 2 * found["end_utf16"]]
    words: str = found["text"]
    return words != "" and text[found["start"] : found["end"]] == words == units.decode("utf-16-le", "replace")


def _sources() -> Iterator[Path]:
    """The files that a service reads when it starts."""
    for part in ("service", "prompts"):
        yield from (path for path in (ROOT / part).rglob("*.*") if path.suffix != ".pyc")


def _setup(settings: Settings) -> str:
    """A digest of how a service is set up; it changes with the key and does not tell it."""
    return sha256(f"{settings} {settings.api_key}".encode()).hexdigest()


def main() -> int:
    """The exit status."""
    console = Console(highlight=False, markup=False, emoji=False)
    try:
        return Runner(console, os.environ).run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
