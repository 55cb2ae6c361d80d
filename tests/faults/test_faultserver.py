"""The fault server itself: it keeps to its plan, answers for the article it was sent, and logs what it did."""

import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.faultserver import FAULTS, FaultServer, Plan, read_mix
from tests.faultserver.plan import Draw

pytestmark = pytest.mark.loopback

ROOT = Path(__file__).parents[2]
MIX = {"ok": 70, "http-500": 10, "html-200": 20}


def ask(server, sentence="The bridge cost 40 million euros.", method="POST", path="/v1/chat/completions", **members):
    """Status, head and body of one answer."""
    port = int(server.base_url.rpartition(":")[2].removesuffix("/v1"))
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        body = {"model": "m", "messages": [{"role": "user", "content": f"Title: (none)\n[7] {sentence}"}]} | members
        connection.request(method, path, json.dumps(body))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def quote(body):
    return json.loads(json.loads(body)["choices"][0]["message"]["content"])["claims"][0]["quote"]


def modes(plan, calls):
    draw = Draw(plan)
    return [draw.fault("").name for _ in range(calls)]


def test_good_answers_are_about_the_article_in_the_request_also_side_by_side():
    sentences = [f"Minister {number} spoke." for number in range(200)]
    with FaultServer() as server, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda sentence: ask(server, sentence), sentences))

    assert [quote(body) for _, body in answers] == sentences


def test_faults_begin_after_the_good_calls_and_end_when_they_have_been():
    assert modes(Plan("http-500", after=2, times=2), 6) == ["ok", "ok", "http-500", "http-500", "ok", "ok"]


@examples()
@given(st.integers(), st.integers(0, 20))
def test_the_same_seed_draws_the_same_modes(seed, after):
    plan = Plan(mix=MIX, seed=seed, after=after)

    drawn = modes(plan, 60)

    assert drawn == modes(plan, 60)
    assert drawn[:after] == ["ok"] * after
    assert set(drawn) <= set(MIX)


def test_a_mix_is_drawn_by_its_weights():
    drawn = modes(Plan(mix=MIX, seed=7), 4_000)

    assert 0.67 < drawn.count("ok") / len(drawn) < 0.73
    assert 0.08 < drawn.count("http-500") / len(drawn) < 0.12


def test_faults_can_be_kept_to_some_articles():
    with FaultServer(Plan("http-500", only="bridge")) as server:
        statuses = [ask(server, sentence)[0] for sentence in ("A bridge opened.", "It rained.", "A bridge fell.")]

    assert statuses == [500, 200, 500]


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param({"mode": "none"}, id="no such mode"),
        pytest.param({"mix": {"ok": 0}}, id="nothing to draw"),
        pytest.param({"mix": {"ok": 2, "quota": -1}}, id="negative weight"),
        pytest.param({"mix": {"refused": 1}}, id="a listener's fault in a mix"),
        pytest.param({"mode": "tls-untrusted", "after": 2}, id="a listener's fault after good calls"),
        pytest.param({"latency_s": (0.2, 0.1)}, id="latency the wrong way round"),
        pytest.param({"bandwidth": 0}, id="no bandwidth"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(plan):
    with pytest.raises(ValueError, match=r"no such mode|weights|concerns every connection|latency"):
        Plan(**plan)


def test_a_mix_is_read_from_text():
    assert read_mix("ok=70, http-500=10.5,") == {"ok": 70, "http-500": 10.5}


@pytest.mark.parametrize("text", ["ok", "ok=", "ok=-1", "ok=x", "=5"])
def test_a_mix_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="not a mode and its weight"):
        read_mix(text)


def test_each_call_is_logged_without_the_article(tmp_path):
    file = tmp_path / "calls.jsonl"
    with FaultServer(Plan("http-500", after=1), log_file=file) as server:
        ask(server, response_format={"type": "json_object"}, max_tokens=9)
        ask(server)
        _, told = ask(server, method="GET", path="/__log")
        log = list(server.log)

    assert [json.loads(line) for line in told.splitlines()] == log
    assert [json.loads(line) for line in file.read_text().splitlines()] == log
    assert [(entry["n"], entry["mode"], entry["row"], entry["format"], entry["max_tokens"]) for entry in log] == [
        (1, "ok", 0, "json_object", 9),
        (2, "http-500", 20, "text", None),
    ]
    assert {(entry["first_sentence"], entry["ended"], entry["stream"]) for entry in log} == {("7", "sent", False)}
    assert "bridge" not in file.read_text()


def test_the_log_can_be_emptied():
    with FaultServer() as server:
        ask(server)
        ask(server, method="DELETE", path="/__log")
        assert ask(server, method="GET", path="/__log")[1] == b""


def test_a_client_that_leaves_is_logged_as_gone():
    with FaultServer(Plan("silence")) as server:
        with socket.create_connection(("127.0.0.1", int(server.base_url[17:-3])), 0.1) as client:
            body = b'{"messages": [{"content": "[1] A."}]}'
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            until(lambda: server.log)
        until(lambda: server.log[0]["ended"])
        assert server.log[0]["ended"] == "gone"


def until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_answers_take_the_latency_and_the_bandwidth_they_are_told():
    with FaultServer(Plan(latency_s=(0.05, 0.06), bandwidth=10_000)) as server:
        _, body = ask(server)
        (entry,) = server.log
        until(lambda: entry["ended"])

    assert entry["took_s"] >= 0.05 + len(body) / 10_000


def test_the_plan_can_change_while_it_runs():
    with FaultServer(Plan("http-500")) as server:
        statuses = [ask(server)[0]]
        server.follow(Plan())
        statuses.append(ask(server)[0])
        with pytest.raises(ValueError, match="every connection"):
            server.follow(Plan("refused"))

    assert statuses == [500, 200]


def test_what_is_no_chat_request_is_told_so():
    with FaultServer() as server:
        assert ask(server, method="GET", path="/v1/models")[0] == 200
        assert ask(server, path="/elsewhere/chat/completions")[0] == 404
        assert server.elsewhere == 1
        assert server.log == []


def test_every_row_of_the_matrix_that_concerns_the_endpoint_has_a_mode():
    assert {fault.row for fault in FAULTS.values()} == set(range(41))


@pytest.mark.parametrize(
    ("mode", "whole"),
    [
        pytest.param("sse", True, id="good"),
        pytest.param("sse-usage-only", True, id="40 usage alone"),
        pytest.param("sse-no-end", False, id="34 no end"),
        pytest.param("stream-plain-json", False, id="39 no stream"),
    ],
)
def test_a_stream_is_one_to_a_client_that_asks_for_it(mode, whole):
    with FaultServer(Plan(mode)) as server, openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=0) as client:
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "[1] A b."}], stream=True)
        with stream:
            said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert (said.endswith("}") and json.loads(said)["claims"][0]["quote"] == "A b.") is whole


@pytest.mark.parametrize("mode", ["sse-cut", "sse-reset", "sse-bad-frame", "sse-error-frame"])
def test_a_stream_that_breaks_is_an_error_to_a_client_that_asks_for_it(mode):
    with FaultServer(Plan(mode)) as server, openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=0) as client:
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "[1] A b."}], stream=True)
        with stream, pytest.raises((openai.OpenAIError, httpx2.HTTPError, ValueError)):
            list(stream)


def test_the_command_line_lists_its_modes():
    command = [sys.executable, "-m", "tests.faultserver", "--list"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own module

    assert all(f" {name} " in told for name in FAULTS)


def test_the_command_line_serves_a_mode_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "tests.faultserver", "--port", "0", "--mode", "http-500", "--latency-ms", "1-2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            url = process.stdout.readline().strip().removeprefix("OPENAI_BASE_URL=")
            port = int(url.rpartition(":")[2].removesuffix("/v1"))
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", "/v1/chat/completions", '{"messages": [{"content": "[1] A."}]}')
            assert connection.getresponse().status == 500
            connection.close()
        finally:
            process.terminate()


def test_the_command_line_refuses_a_plan_that_cannot_be_kept():
    command = [sys.executable, "-m", "tests.faultserver", "--mix", "refused=1"]
    left = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module

    assert left.returncode == 2
    assert "concerns every connection" in left.stderr
