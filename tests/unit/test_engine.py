import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from service.deadline import Deadline
from service.errors import DeadlineExceededError, ModelUnavailableError
from service.llm.engine import Engine, EngineAddress, EngineConfig
from service.llm.engine_child import HTTP_THREADS, PROMPT_CACHE_MIB, cores, params, quiet, run, serve
from tests.fakes import FixedClock

CONFIG = EngineConfig(model=Path("weights/tiny.gguf"), name="tiny", context_tokens=1024, parallel=2, threads=3)

CHILD = r"""
import json, os, signal, sys, threading, time

mode, log = sys.argv[1], sys.argv[2]
starts = 1 + (len(open(log).readlines()) if os.path.exists(log) else 0)
with open(log, "a") as file:
    file.write("start\n")
commands = os.fdopen(0, "rb", buffering=0)
config = commands.readline()


def say(line):
    os.write(1, line.encode() + b"\n")


def await_end():
    while commands.read(1):
        pass
    os._exit(0)


if mode == "third time" and starts < 3:
    mode = "exit"
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    threading.Thread(target=await_end, daemon=True).start()
if mode == "exit":
    os._exit(7)
if mode.startswith("signal "):
    os.kill(os.getpid(), int(mode.split()[1]))
if mode.startswith("say "):
    say(mode[4:])
if mode == "mute":
    os.close(1)
if mode.startswith(("say ", "silent", "mute")):
    time.sleep(60)
import http.server

born = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        healthy = self.path == "/health" and mode != "sick" and not (mode == "slow" and time.monotonic() < born + 0.2)
        body = config if self.path == "/config" else b"{}"
        self.send_response(200 if healthy or self.path == "/config" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
say(json.dumps({"port": server.server_port}))
if mode == "gone":
    os._exit(0)
server.serve_forever()
"""


@pytest.fixture
def started(tmp_path):
    """Makes engines over the fake child and closes them."""
    engines = []

    def make(mode="well", **options):
        command = [sys.executable, "-I", "-S", "-c", CHILD, mode, str(tmp_path / "starts")]
        engines.append(Engine(CONFIG, command=command, **({"stop_timeout_s": 0.3} | options)))
        return engines[-1]

    make.count = lambda: len((tmp_path / "starts").read_text().splitlines())
    yield make
    for engine in engines:
        engine.close()


def soon():
    return Deadline.after(20)


def get(address, path):
    connection = http.client.HTTPConnection(address.base_url.split("/")[2], timeout=10)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def answers(address):
    try:
        get(address, "/config")
    except (OSError, http.client.HTTPException):
        return False
    return True


def eventually(condition):
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


loopback = pytest.mark.loopback


@loopback
def test_the_child_is_started_once_and_told_its_configuration_on_its_input(started):
    engine = started()
    assert engine.pid is None
    address = engine.ensure(soon())
    assert engine.ensure(soon()) == address
    assert started.count() == 1
    assert address.base_url.startswith("http://127.0.0.1:")
    assert address.base_url.endswith("/v1")
    assert get(address, "/config") == {
        "model": str(Path("weights/tiny.gguf").absolute()),
        "name": "tiny",
        "context_tokens": 1024,
        "parallel": 2,
        "threads": 3,
        "api_key": address.api_key,
    }


@loopback
def test_the_key_is_long_and_shown_nowhere(started):
    engine = started()
    address = engine.ensure(soon())
    assert len(address.api_key) >= 40
    assert address.api_key not in repr(address)
    assert address.api_key.encode() not in Path(f"/proc/{engine.pid}/cmdline").read_bytes()
    assert address.api_key.encode() not in Path(f"/proc/{engine.pid}/environ").read_bytes()


@loopback
def test_many_threads_that_ask_at_once_share_one_child(started):
    engine, got = started("slow"), []
    threads = [threading.Thread(target=lambda: got.append(engine.ensure(soon()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len({address.api_key for address in got}) == 1
    assert started.count() == 1


@loopback
def test_a_child_that_died_is_started_again_with_another_key_and_generation(started):
    engine = started()
    first = engine.ensure(soon())
    os.kill(engine.pid, signal.SIGKILL)
    eventually(lambda: engine.ensure(soon()) != first)
    second = engine.ensure(soon())
    assert (first.generation, second.generation) == (1, 2)
    assert first.api_key != second.api_key
    assert answers(second)


@loopback
def test_a_start_that_fails_is_tried_again(started):
    assert started("third time").ensure(soon()).generation == 3
    assert started.count() == 3


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        pytest.param("exit", "ended with status 7", id="exit"),
        pytest.param("signal 9", "memory runs out", id="killed"),
        pytest.param("signal 4", "lacks an instruction", id="illegal instruction"),
        pytest.param("signal 11", "ended with status -11", id="segmentation fault"),
        pytest.param('say {"error": "no such model"}', "no such model", id="told"),
        pytest.param("say hello", "does not say where", id="not json"),
        pytest.param("say []", "does not say where", id="not an object"),
        pytest.param("say {}", "does not say where", id="no port"),
        pytest.param("say " + "x" * 9_000, "does not say where", id="too long"),
        pytest.param("mute", "closed its output", id="output closed"),
        pytest.param("gone", "ended with status 0", id="gone after its report"),
    ],
)
@loopback
def test_three_starts_that_fail_are_told_and_no_more_are_tried_for_a_while(started, mode, reason):
    clock = FixedClock()
    engine = started(mode, clock=clock, stop_timeout_s=0.1)
    for _ in range(2):
        with pytest.raises(ModelUnavailableError, match=reason) as caught:
            engine.ensure(soon())
    assert started.count() == 3
    assert (caught.value.retry_after_s, caught.value.may_retry) == (30.0, False)
    assert reason in engine.ready()


@loopback
def test_after_the_rest_one_more_start_is_tried(started):
    clock = FixedClock()
    engine = started("exit", clock=clock)
    for count in (3, 4):
        with pytest.raises(ModelUnavailableError):
            engine.ensure(soon())
        assert started.count() == count
        clock.advance(30)


@loopback
@pytest.mark.parametrize("mode", [pytest.param("silent", id="says nothing"), pytest.param("sick", id="never healthy")])
def test_a_child_that_is_not_ready_in_time_is_given_up(started, mode):
    with pytest.raises(ModelUnavailableError, match="not ready in time"):
        started(mode, start_timeout_s=0.15).ensure(soon())


def test_a_command_that_does_not_exist_is_told():
    engine = Engine(CONFIG, command=["/nowhere/at/all"])
    with pytest.raises(ModelUnavailableError, match="No such file"):
        engine.ensure(soon())
    assert "No such file" in engine.ready()


@loopback
def test_waiting_ends_at_the_deadline_and_the_start_goes_on(started):
    engine = started("slow")
    with pytest.raises(DeadlineExceededError):
        engine.ensure(Deadline.after(0.02))
    assert engine.ensure(soon()).generation == 1


@loopback
def test_a_short_deadline_is_kept_while_others_wait_longer(started):
    engine = started("silent")

    def wait_long():
        with pytest.raises(ModelUnavailableError):
            engine.ensure(Deadline.after(30))

    other = threading.Thread(target=wait_long)
    other.start()
    begun = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        engine.ensure(Deadline.after(0.1))
    assert time.monotonic() - begun < 5
    engine.close()
    other.join(10)
    assert not other.is_alive()


def test_no_time_left_is_told_before_anything(started):
    with pytest.raises(DeadlineExceededError):
        started().ensure(Deadline.after(0))


@loopback
def test_asking_whether_it_is_ready_starts_it(started):
    engine = started()
    assert engine.ready() == "the embedded model is starting"
    eventually(lambda: engine.ready() is None)
    assert started.count() == 1


@loopback
@pytest.mark.parametrize("mode", [pytest.param("well", id="willing"), pytest.param("stubborn", id="ignores SIGTERM")])
def test_closing_ends_the_child_for_good(started, mode):
    engine = started(mode)
    address = engine.ensure(soon())
    engine.close()
    engine.close()
    assert not answers(address)
    assert engine.pid is None
    assert engine.ready() == "the embedded model was stopped"
    with pytest.raises(ModelUnavailableError, match="stopped") as caught:
        engine.ensure(soon())
    assert not caught.value.may_retry


@loopback
def test_a_forked_process_leaves_the_child_to_its_owner_and_starts_its_own(started):
    engine = started()
    inherited, pid = engine.ensure(soon()), engine.pid
    # What the interpreter calls in the new process; here the pipes it closes are the only ones, so the child sees its end.
    engine.after_fork()
    assert engine.pid is None
    own = engine.ensure(soon())
    assert own.generation == 2
    os.waitpid(pid, 0)
    assert not answers(inherited)
    engine.close()
    engine.after_fork()


PARENT = r"""
import json, os, sys, time
from pathlib import Path
from service.deadline import Deadline
from service.llm.engine import Engine, EngineConfig

engine = Engine(EngineConfig(Path("x.gguf"), "x", 64), command=json.loads(sys.argv[1]))
mine = engine.ensure(Deadline.after(20))
if os.fork() == 0:
    other = engine.ensure(Deadline.after(20))
    print(json.dumps([mine.base_url, other.base_url, other.generation, os.getpid()]), flush=True)
time.sleep(60)
"""


@loopback
def test_children_die_with_a_parent_that_is_killed_but_not_with_its_fork(tmp_path):
    command = [sys.executable, "-I", "-S", "-c", CHILD, "well", str(tmp_path / "starts")]
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", PARENT, json.dumps(command)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as parent:
        first_url, second_url, generation, fork = json.loads(parent.stdout.readline())
        first, second = EngineAddress(first_url, "", 1), EngineAddress(second_url, "", 2)
        assert generation == 2
        assert answers(first)
        assert answers(second)
        parent.kill()
        parent.wait()
        eventually(lambda: not answers(first))
        assert answers(second)
        os.kill(fork, signal.SIGKILL)
        eventually(lambda: not answers(second))


def told(**changes):
    return {"model": "m.gguf", "name": "tiny", "context_tokens": 512, "parallel": 2, "threads": 3, "api_key": "k"} | changes


def test_the_server_has_a_key_listens_on_loopback_and_serves_nothing_else():
    given = params(told())
    assert given.api_keys == ["k"]
    assert (given.hostnames, given.port) == (["127.0.0.1"], 0)
    assert not any((given.ui, given.endpoint_slots, given.endpoint_metrics, given.endpoint_props, given.ui_mcp_proxy))
    assert (given.cors_origins, given.cors_credentials, given.offline) == ("", False, True)
    assert (given.slot_save_path, given.path_prompts_log_dir, given.verbosity) == ("", "", -1)


def test_each_slot_has_the_whole_context_and_caches_are_bounded():
    given = params(told())
    assert (given.n_ctx, given.n_parallel, given.kv_unified, given.fit_params) == (1024, 2, False, False)
    assert (given.cache_prompt, given.cache_ram_mib, given.n_threads_http) == (True, PROMPT_CACHE_MIB, HTTP_THREADS)
    assert (given.model.path, given.model_alias) == ("m.gguf", {"tiny"})


@pytest.mark.parametrize(("threads", "used"), [pytest.param(3, 3, id="told"), pytest.param(0, cores(), id="all cores")])
def test_threads_are_as_told_or_one_for_each_core(threads, used):
    given = params(told(threads=threads))
    assert (given.cpuparams.n_threads, given.cpuparams_batch.n_threads) == (used, used)


@pytest.mark.parametrize(
    ("quota", "least"),
    [
        pytest.param("50000 100000", 1, id="half a core"),
        pytest.param("100000 100000", 1, id="one core"),
        pytest.param("9999900000 100000", None, id="more than there are"),
        pytest.param("max 100000", None, id="no quota"),
        pytest.param("1 0", None, id="nonsense"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="no such file"),
    ],
)
def test_a_containers_quota_bounds_the_cores(tmp_path, quota, least):
    path = tmp_path / "cpu.max"
    if quota is not None:
        path.write_text(quota)
    assert cores(path) == (least or len(os.sched_getaffinity(0)))


@pytest.mark.parametrize("wait_policy", [pytest.param(None, id="ours"), pytest.param("active", id="the operator's")])
def test_a_file_that_is_no_model_is_refused_by_the_engine(tmp_path, monkeypatch, wait_policy):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if wait_policy:
        monkeypatch.setenv("OMP_WAIT_POLICY", wait_policy)
    path = tmp_path / "bad.gguf"
    path.write_text("hello")
    with pytest.raises(RuntimeError):
        serve(told(model=str(path)))
    assert ("GOMP_SPINCOUNT" in os.environ) is (wait_policy is None)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)


class Piped:
    """The child's side of its parent's pipe, run in a thread."""

    def __init__(self, start):
        self.reports, self.left = [], []
        out, self.end = os.pipe()
        self.commands = os.fdopen(out, "rb", buffering=0)
        self.thread = threading.Thread(target=run, args=(self.commands, self.reports.append, self.left.append, start))
        self.thread.start()

    def configure(self):
        os.write(self.end, json.dumps(told()).encode() + b"\nand something that is not read")

    def close(self):
        os.close(self.end)
        self.thread.join(10)
        eventually(lambda: 0 in self.left)
        self.commands.close()


def test_the_child_reports_its_port_and_leaves_when_its_input_ends():
    seen = []
    child = Piped(lambda config: (seen.append(config), 4711))
    child.configure()
    eventually(lambda: child.reports)
    assert child.reports == [{"port": 4711}]
    assert seen == [told()]
    assert child.left == []
    child.close()
    assert child.left == [0]


def test_the_child_leaves_while_its_model_still_loads():
    loading = threading.Event()
    child = Piped(lambda _: (loading.wait(10), 4711))
    child.configure()
    os.close(child.end)
    eventually(lambda: child.left)
    assert child.left == [0]
    assert child.reports == []
    loading.set()
    child.thread.join(10)
    child.commands.close()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(RuntimeError("secret"), "cannot load the model file", id="model"),
        pytest.param(OSError("secret"), "cannot load the model file", id="disk"),
        pytest.param(ImportError("secret"), "not installed", id="engine"),
    ],
)
def test_the_child_says_why_it_cannot_start(error, reason):
    def start(_):
        raise error

    child = Piped(start)
    child.configure()
    child.thread.join(10)
    assert reason in child.reports[0]["error"]
    assert "secret" not in str(child.reports)
    assert child.left[0] == 1
    child.close()


def test_only_the_report_reaches_the_parent():
    out, out_end = os.pipe()
    errors, errors_end = os.pipe()
    report = quiet(out_end, errors_end)
    os.write(out_end, b"a prompt in a log")
    os.write(errors_end, b"a prompt in a log")
    report({"port": 1})
    os.close(out_end)
    os.close(errors_end)
    with os.fdopen(out) as said, os.fdopen(errors) as complained:
        assert (said.read(), complained.read()) == ('{"port": 1}\n', "")


def test_the_real_child_says_that_a_file_is_no_model(tmp_path):
    (tmp_path / "bad.gguf").write_text("hello")
    engine = Engine(EngineConfig(model=tmp_path / "bad.gguf", name="bad", context_tokens=64))
    with pytest.raises(ModelUnavailableError, match="cannot load the model file"):
        engine.ensure(soon())
    engine.close()
