"""The real engine with the smallest model of the catalogue, which is fetched (98 MB) when it is not there."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service import settings
from service.deadline import Deadline
from service.llm import catalogue
from service.llm.download import fetch
from service.llm.engine import Engine, EngineAddress, EngineConfig

pytestmark = pytest.mark.live

LONG_PREFIX = "You read news articles and list what each says, who says it and where. " * 12


@pytest.fixture(scope="module")
def weights():
    read = settings.from_environ({name: os.environ[name] for name in ("FACTCHECK_MODEL_DIR",) if name in os.environ})
    return fetch(catalogue.resolve("smollm2-135m", catalogue.load(), read.model_dir), read.model_dir, read.hub_url)


@pytest.fixture(scope="module")
def engine(weights):
    engine = Engine(EngineConfig(model=weights, name="smollm2-135m", context_tokens=2048, parallel=2))
    yield engine
    engine.close()


def soon():
    return Deadline.after(120)


def ask(address, method, path, body=None, *, key=True):
    connection = http.client.HTTPConnection(address.base_url.split("/")[2], timeout=120)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {address.api_key}"} if key else {})
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def chat(address, question, max_tokens=8, **more):
    messages = [{"role": "system", "content": LONG_PREFIX}, {"role": "user", "content": question}]
    body = {"messages": messages, "max_tokens": max_tokens, "temperature": 0} | more
    status, answer = ask(address, "POST", "/v1/chat/completions", body)
    assert status == 200
    return json.loads(answer)


def gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def eventually(condition, within_s=20):
    give_up = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_it_answers_under_its_catalogue_name(engine):
    answer = chat(engine.ensure(soon()), "Say hello.")
    assert answer["model"] == "smollm2-135m"
    assert answer["choices"][0]["message"]["content"]


def test_a_second_question_with_the_same_beginning_is_mostly_cached(engine):
    address = engine.ensure(soon())
    chat(address, "What is the first claim?")
    usage = chat(address, "And the second?")["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] > usage["prompt_tokens"] // 2


def test_a_reply_keeps_to_its_schema(engine):
    schema = {
        "type": "object",
        "properties": {"stance": {"enum": ["supports", "refutes"]}},
        "required": ["stance"],
        "additionalProperties": False,
    }
    response_format = {"type": "json_schema", "json_schema": {"name": "stance", "strict": True, "schema": schema}}
    answer = chat(engine.ensure(soon()), "Is water wet?", max_tokens=40, response_format=response_format)
    assert json.loads(answer["choices"][0]["message"]["content"])["stance"] in {"supports", "refutes"}


@pytest.mark.parametrize(
    ("method", "path", "without_key", "with_key"),
    [
        pytest.param("GET", "/health", 200, 200, id="health"),
        pytest.param("POST", "/v1/chat/completions", 401, 400, id="chat"),
        pytest.param("GET", "/v1/models", 401, 200, id="models"),
        pytest.param("GET", "/", 404, 404, id="no user interface"),
        pytest.param("GET", "/slots", 401, 501, id="no slots"),
        pytest.param("GET", "/metrics", 401, 501, id="no metrics"),
        pytest.param("POST", "/props", 401, 501, id="no changes of its settings"),
        pytest.param("GET", "/tools", 401, 403, id="no tools"),
    ],
)
def test_only_what_a_chat_needs_is_served_and_only_with_the_key(engine, method, path, without_key, with_key):
    address = engine.ensure(soon())
    body = {} if method == "POST" else None
    assert ask(address, method, path, body, key=False)[0] == without_key
    assert ask(address, method, path, body)[0] == with_key


def test_each_of_its_slots_has_the_whole_context(engine):
    _, answer = ask(engine.ensure(soon()), "GET", "/props")
    assert json.loads(answer)["default_generation_settings"]["n_ctx"] == 2048


def test_it_listens_on_the_loopback_interface_only(engine):
    port = f"{int(engine.ensure(soon()).base_url.split(':')[2].split('/')[0]):04X}"
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{engine.pid}/net/{table}").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{port}"]


def test_its_process_shows_no_key_and_no_path(engine):
    address = engine.ensure(soon())
    shown = Path(f"/proc/{engine.pid}/cmdline").read_bytes() + Path(f"/proc/{engine.pid}/environ").read_bytes()
    assert address.api_key.encode() not in shown
    assert b".gguf" not in shown


def test_a_question_nobody_waits_for_is_dropped(engine):
    address = engine.ensure(soon())
    connection = http.client.HTTPConnection(address.base_url.split("/")[2], timeout=0.5)
    body = {"messages": [{"role": "user", "content": "Count."}], "max_tokens": 1500, "ignore_eos": True}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Authorization": f"Bearer {address.api_key}"})
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()

    def used_s():
        fields = Path(f"/proc/{engine.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def idle():
        before = used_s()
        time.sleep(0.5)
        return used_s() - before < 0.1

    eventually(idle, within_s=8)


def test_it_is_started_again_when_it_dies(engine):
    first, pid = engine.ensure(soon()), engine.pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: engine.ensure(soon()).generation > first.generation)
    assert chat(engine.ensure(soon()), "Still there?")["choices"]


PARENT = """
import json, sys, time
from pathlib import Path
from service.deadline import Deadline
from service.llm.engine import Engine, EngineConfig

engine = Engine(EngineConfig(Path(sys.argv[1]), "x", 512))
print(json.dumps([engine.ensure(Deadline.after(120)).base_url, engine.pid]), flush=True)
time.sleep(600)
"""


def test_it_dies_with_a_parent_that_is_killed(weights):
    command = [sys.executable, "-c", PARENT, str(weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as parent:  # noqa: S603 - our own script
        base_url, pid = json.loads(parent.stdout.readline())
        assert ask(EngineAddress(base_url, "", 1), "GET", "/health")[0] == 200
        parent.kill()
        parent.wait()
    eventually(lambda: gone(pid), within_s=5)


def test_start_time_and_memory_stay_within_what_the_catalogue_says(weights):
    entry = catalogue.load().entries["smollm2-135m"]
    engine = Engine(EngineConfig(model=weights, name=entry.name, context_tokens=entry.context_tokens))
    begun = time.monotonic()
    address = engine.ensure(soon())
    start_s = time.monotonic() - begun
    chat(address, "word " * 500)
    status = Path(f"/proc/{engine.pid}/status").read_text()
    resident_bytes = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024
    engine.close()
    print(f"healthy after {start_s:.2f} s, {resident_bytes / 1e6:.0f} MB resident")  # noqa: T201 - shown by `pytest -s`
    assert start_s < 30
    assert resident_bytes < entry.memory_bytes
