"""`scripts/run.py` and `scripts/stop.py` over a stand-in for the service: a process of its own that answers as told."""

import importlib
import io
import os
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest
from rich.console import Console

from service.errors import SetupError
from tests.model_double import ModelDouble

pytestmark = pytest.mark.loopback

ROOT = Path(__file__).parents[2]
TEXT = "The 🚁 mayor said prices rose by 5 percent. Nobody denied it."
QUOTE = "prices rose by 5 percent"
STAND_IN = """
import http.server, json, os, signal, sys

MODE = os.environ.get("STAND_IN", "")
asked = []

def quote(start, text):
    before = len(text_sent[:start].encode("utf-16-le")) // 2
    return {"text": text, "start": start, "end": start + len(text), "start_utf16": before,
            "end_utf16": before + len(text) - ("wrong" in MODE), "sentences": [1]}

def answer():
    found = quote(text_sent.index("prices"), "prices rose by 5 percent")
    claim = {"id": "c", "text": "Prices rose.", "quote": found, "claimant": None,
             "stances": [{"holder": "mayor", "stance": "supports", "evidence": found}],
             "kind": "event", "check_worthiness": 0.5, "check_worthiness_reason": ""}
    return {"article": {"language": "en", "title": None, "sentences": 2, "sha256": "0"}, "claims": [claim],
            "coverage": {"read": 2, "sentences": 2}, "set_aside": [], "warnings": [],
            "provenance": {"prompt": "p@1", "model": {"served": "stand-in", "endpoint": "here"}},
            "usage": {"calls": 1, "retries": 0, "input_tokens": 1, "cached_tokens": 0, "output_tokens": 1, "duration_ms": 1}}

class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        asked.append(self.path)
        if self.path == "/healthz" and "deaf" in MODE:
            return
        if self.path == "/readyz" and ("never" in MODE or ("slow" in MODE and len(asked) < 2)):
            return self.reply(503, {"reasons": ["the engine loads"]} if "never" in MODE else {})
        self.reply(200, {})

    def do_POST(self):
        global text_sent
        text_sent = self.rfile.read(int(self.headers["content-length"])).decode()
        if "problem" in MODE:
            return self.reply(502, {"code": "upstream-empty", "detail": "The model answered with nothing."})
        self.reply(200, answer())

    def log_message(self, *_):
        print("asked", self.path, self.headers["content-type"], flush=True)

print("deadline", os.environ.get("FACTCHECK_DEADLINE_S"), flush=True)
if "dies" in MODE:
    print("\\n".join(f"line {n}" for n in range(30)), flush=True)
    sys.exit(3)
if "stubborn" in MODE:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = http.server.HTTPServer((os.environ.get("FACTCHECK_HOST", "127.0.0.1"), int(os.environ["FACTCHECK_PORT"])), Handler)
print("up", flush=True)
server.serve_forever()
"""


@pytest.fixture
def scripts(monkeypatch):
    """The two scripts as modules, found as they find each other when they are run."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    yield importlib.import_module("run"), importlib.import_module("stop")
    for name in ("run", "stop"):
        sys.modules.pop(name, None)


class Place:
    """A folder to run in, with one article, and a stand-in for the service."""

    def __init__(self, folder, scripts):
        self.run_script, self.stop_script = scripts
        self.run_folder = folder / ".run"
        self.seeds = folder / "seeds"
        self.seeds.mkdir()
        (self.seeds / "a.txt").write_text(TEXT, "utf-8")
        (folder / "stand_in.py").write_text(STAND_IN, "utf-8")
        # Its last words are what our service's process is told by.
        self.command = (sys.executable, str(folder / "stand_in.py"), "service.cli", "serve")
        self.fetched = []

    def run(self, mode="", *, fetch=None, start_limit_s=20.0, **environ):
        """The exit status and what was printed."""
        out = io.StringIO()
        remote = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
        runner = self.run_script.Runner(
            Console(file=out, width=100, highlight=False, markup=False, _environ={}),
            {"FACTCHECK_PORT": "0", "STAND_IN": mode} | remote | environ,
            folder=self.run_folder,
            seeds=self.seeds,
            command=self.command,
            fetch=fetch or (lambda settings, _: self.fetched.append(settings)),
            start_limit_s=start_limit_s,
        )
        return runner.run(), out.getvalue()

    def pid(self):
        return self.stop_script.service_pid(self.run_folder)

    def stop(self, grace_s=20.0):
        return self.stop_script.stop(self.run_folder, grace_s)

    def log(self):
        return (self.run_folder / "service.log").read_text("utf-8")


@pytest.fixture
def place(tmp_path, scripts):
    place = Place(tmp_path, scripts)
    yield place
    place.stop(grace_s=0.0)


def test_a_run_shows_the_articles_proves_the_quotes_and_leaves_the_service_up(place):
    status, told = place.run()
    assert status == 0, told
    assert "claimant  article" in told
    assert "Checked: each of the 2 quotes above" in told
    url = told.split("The service is up at ")[1].split()[0]
    assert f"{url}/analyze" in told
    assert "make stop" in told
    assert place.pid() is not None
    assert "asked /analyze text/plain; charset=utf-8" in place.log()


def test_a_second_run_uses_the_service_of_the_first_and_a_stop_ends_it(place):
    place.run()
    first = place.pid()
    status, told = place.run()
    assert (status, place.pid()) == (0, first), told
    assert f"the service of an earlier run is up (process {first}) and is used" in told
    assert place.stop() == f"stopped the service (process {first})"
    assert place.stop() == "no service is up"
    assert not Path(f"/proc/{first}/cmdline").exists() or Path(f"/proc/{first}/cmdline").read_bytes() == b""


def aged(place):
    os.utime(place.run_folder / "service.json", (0, 0))


def forgotten(place):
    (place.run_folder / "service.json").unlink()


@pytest.mark.parametrize(
    ("mode", "change", "environ", "why"),
    [
        pytest.param("", None, {"FACTCHECK_ATTEMPTS": "1"}, "the settings have changed", id="other settings"),
        pytest.param("", None, {"OPENAI_API_KEY": "k"}, "the settings have changed", id="another key"),
        pytest.param("", aged, {}, "the code or the prompts have changed", id="older than the code"),
        pytest.param("deaf", None, {}, "it does not answer", id="deaf"),
        pytest.param("", forgotten, {}, "how it was started is not known", id="no record"),
    ],
)
def test_a_stale_service_is_told_and_replaced(place, mode, change, environ, why):
    place.run(mode)
    first = place.pid()
    if change:
        change(place)
    status, told = place.run(mode, **environ)
    assert status == 0, told
    assert f"(process {first}) is stale: {why}" in told
    assert place.pid() not in {None, first}


def test_the_key_is_not_kept(place):
    place.run(OPENAI_API_KEY="sk-SECRETWORD")
    kept = "".join(path.read_text("utf-8") for path in place.run_folder.iterdir())
    assert "SECRETWORD" not in kept


def test_a_service_that_is_not_ready_at_once_is_waited_for(place):
    status, told = place.run("slow")
    assert status == 0, told


def failed(place, told, *reasons):
    assert place.pid() is None
    assert not (place.run_folder / "service.pid").exists()
    for reason in reasons:
        assert reason in told


def test_a_service_that_dies_is_told_with_the_end_of_its_log(place):
    status, told = place.run("dies")
    assert status == 1
    failed(place, told, "the service ended while it started, with exit status 3", "line 29", "line 10\n")
    assert "line 9\n" not in told


def test_a_service_that_never_gets_ready_is_stopped(place):
    status, told = place.run("never", start_limit_s=0.5)
    assert status == 1
    failed(place, told, "the service is not ready after 0 seconds: ", "stopped the service (process ")


def test_a_problem_ends_the_run_and_the_service(place):
    status, told = place.run("problem")
    assert status == 1
    failed(place, told, "a.txt: upstream-empty: The model answered with nothing.", "asked /analyze", "stopped the service")


def test_a_quote_that_is_not_at_its_offsets_ends_the_run(place):
    status, told = place.run("wrong")
    assert status == 1
    start = TEXT.index(QUOTE)
    failed(place, told, f"a.txt: 2 quotes are not the article's words at their offsets: [{start}:{start + len(QUOTE)}]")


def test_a_failure_leaves_a_service_up_that_this_run_did_not_start(place):
    place.run()
    first = place.pid()
    (place.seeds / "b.txt").write_text("no such word", "utf-8")
    (place.run_folder / "service.log").unlink()
    status, told = place.run()
    assert status == 1, told
    assert "POST /analyze was not answered" in told
    assert place.pid() == first


def test_a_port_that_is_taken_is_told_and_nothing_started(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, told = place.run(FACTCHECK_PORT=str(port))
    assert status == 1
    failed(place, told, f"port {port}: that is in use already")
    assert not place.run_folder.exists()


def test_an_address_for_all_is_reached_through_loopback(place):
    status, told = place.run(FACTCHECK_HOST="0.0.0.0")  # noqa: S104 - what the run makes of it is tested
    assert status == 0, told
    assert "The service is up at http://127.0.0.1:" in told


def test_the_run_is_told_by_its_exit_status(scripts, monkeypatch, capsys):
    monkeypatch.setenv("FACTCHECK_PORT", "x")
    assert scripts[0].main() == 1
    assert "FACTCHECK_PORT" in capsys.readouterr().out


def test_the_real_service_is_run_like_that(place):
    place.command = place.run_script.Runner.command
    with ModelDouble() as double:
        inherited = {name: os.environ[name] for name in ("HOME", "PATH", "PYTHONPATH") if name in os.environ}
        status, told = place.run(OPENAI_BASE_URL=double.base_url, **inherited)
    assert status == 0, told
    assert " at 127.0.0.1 · " in told
    assert len(double.calls) == 1


def test_wrong_settings_are_told(place):
    status, told = place.run(FACTCHECK_PORT="x")
    assert status == 1
    failed(place, told, "FACTCHECK_PORT")


def test_no_articles_are_told(place):
    (place.seeds / "a.txt").unlink()
    status, told = place.run()
    assert status == 1
    failed(place, told, "there is no article (*.txt) in ")


def test_without_an_endpoint_the_weights_come_first_and_there_is_time_for_a_small_machine(place):
    status, told = place.run(OPENAI_BASE_URL="")
    assert status == 0, told
    (settings,) = place.fetched
    assert settings.embedded
    assert place.log().startswith("deadline 600.0")


def test_with_an_endpoint_nothing_is_fetched(place):
    place.run()
    assert place.fetched == []
    assert place.log().startswith("deadline 120.0")


def test_the_operators_deadline_wins(place):
    place.run(OPENAI_BASE_URL="", FACTCHECK_DEADLINE_S="50")
    assert place.log().startswith("deadline 50.0")


def test_weights_that_cannot_be_fetched_are_told(place):
    def fetch(_settings, _progress):
        raise SetupError("the model could not be fetched", ["hub: it answered 404"])

    status, told = place.run(OPENAI_BASE_URL="", fetch=fetch)
    assert status == 1
    failed(place, told, "the model could not be fetched\n  - hub: it answered 404")


def test_an_interrupt_stops_what_was_started(place):
    def interrupt(*_):
        raise KeyboardInterrupt

    runner = place.run_script.Runner
    console = Console(file=io.StringIO(), _environ={})
    console.rule = interrupt
    started = runner(
        console,
        {"FACTCHECK_PORT": "0", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"},
        folder=place.run_folder,
        seeds=place.seeds,
        command=place.command,
    )
    with pytest.raises(KeyboardInterrupt):
        started.run()
    failed(place, console.file.getvalue(), "stopped the service (process ")


@pytest.mark.parametrize(
    "content",
    [pytest.param(lambda: f"{os.getpid()}\n", id="another process"), pytest.param(lambda: "none", id="no number")],
)
def test_a_process_id_that_is_not_our_services_is_left_alone(place, content):
    place.run_folder.mkdir()
    (place.run_folder / "service.pid").write_text(content(), "ascii")
    status, told = place.run()
    assert status == 0, told
    assert "the service of an earlier run is gone" in told
    assert place.pid() is not None


def test_a_service_that_does_not_stop_is_killed(place):
    place.run("stubborn")
    pid = place.pid()
    assert place.stop(grace_s=0.2) == f"killed the service (process {pid}), which did not stop within 0 seconds"
    end = monotonic() + 5
    while place.stop_script._is_service(pid) and monotonic() < end:  # noqa: SLF001 - asks what stop() asks
        sleep(0.01)
    assert not place.stop_script._is_service(pid)  # noqa: SLF001 - asks what stop() asks


@pytest.mark.parametrize(
    ("found", "proved"),
    [
        pytest.param({"text": "b🚁", "start": 2, "end": 4, "start_utf16": 3, "end_utf16": 6}, True, id="both right"),
        pytest.param({"text": "b🚁", "start": 2, "end": 4, "start_utf16": 2, "end_utf16": 5}, False, id="units wrong"),
        pytest.param({"text": "b🚁", "start": 3, "end": 5, "start_utf16": 3, "end_utf16": 6}, False, id="points wrong"),
        pytest.param({"text": "b🚁", "start": 2, "end": 4, "start_utf16": 3, "end_utf16": 5}, False, id="half a pair"),
        pytest.param({"text": "", "start": 2, "end": 2, "start_utf16": 3, "end_utf16": 3}, False, id="no words"),
    ],
)
def test_a_quote_is_proved_by_both_kinds_of_offsets(scripts, found, proved):
    assert scripts[0].is_proved(found, "🚁ab🚁c") is proved


def test_stopping_needs_no_package(tmp_path):
    script = tmp_path / "scripts" / "stop.py"
    script.parent.mkdir()
    script.write_text((ROOT / "scripts" / "stop.py").read_text("utf-8"), "utf-8")
    done = subprocess.run([sys.executable, "-I", "-S", script], capture_output=True, check=True, text=True)  # noqa: S603 - our script
    assert done.stdout == "no service is up\n"
