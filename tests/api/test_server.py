import gc
import json
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from time import monotonic

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.errors import AppImportError

from service.app import create_app
from service.errors import SetupError
from service.logs import ForeignFormatter
from service.pipeline.analyze import Services
from service.server import (
    LoggedProgress,
    Server,
    ServerLog,
    check_setup,
    gunicorn_options,
    open_listener,
    run_until_stopped,
    serve,
)
from service.settings import Settings
from service.worker import Worker
from tests.api.conftest import PROMPTS, TEXT, NeverTired
from tests.api.running import HEAD, SOON_S, loopback, running, wait_until
from tests.api.served import TOGETHER
from tests.fakes import ScriptedModel
from tests.model_double import ModelDouble, Modes

SECRET = b"words of an embargoed article"


@pytest.fixture(scope="module")
def server():
    """One server for all tests that leave it as it was."""
    with running(settings={"max_request_bytes": 200_000}, read_limit_s=1) as server:
        yield server
        assert server.leave() == 0
        assert "closed\n" in server.said


@loopback
def test_an_article_is_analysed_by_the_production_server(server):
    status, answer = server.ask()
    assert (status, answer["status"]) == (200, "complete")


@loopback
def test_a_connection_is_used_again(server):
    connection = server.connect()
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert json.loads(connection.getresponse().read()) == {"status": "ok"}
    first = connection.sock
    connection.request("POST", "/analyze", TEXT, {"Content-Type": "text/plain"})
    assert connection.getresponse().read()
    assert connection.sock is first
    connection.close()


@loopback
@pytest.mark.parametrize(
    ("size", "status"), [pytest.param(200_000, 422, id="as large as allowed"), pytest.param(200_001, 413, id="larger")]
)
def test_the_limit_of_a_body_is_the_same_with_and_without_its_length(server, size, status):
    body = b"\0" * size
    assert server.ask(body=body)[0] == status
    assert server.ask(body=iter([body[:100_000], body[100_000:]]))[0] == status


@loopback
def test_a_client_that_sends_ten_megabytes_before_it_listens_is_told_why_they_are_refused(server):
    status, problem = server.ask(body=b"x" * 10_000_000)
    assert (status, problem["code"]) == (413, "body-too-large")


@loopback
@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param(SECRET + b"\r\n\r\n", 400, "bad-request", id="no HTTP at all"),
        pytest.param(b"GET /healthz HTTP/9.0\r\n\r\n", 400, "bad-request", id="unknown version"),
        pytest.param(b"GET /healthz HTTP/1.1\r\n" + SECRET + b"\r\n\r\n", 400, "bad-request", id="no header"),
        pytest.param(
            HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad-request", id="CL and TE"
        ),
        pytest.param(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nwords", 400, "bad-request", id="two lengths"),
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\n", 400, "bad-request", id="negative length"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n" + SECRET, 400, "bad-request", id="broken chunk"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + SECRET, 400, "bad-request", id="chunk without end"),
        pytest.param(HEAD + b"Content-Length: 5000\r\n\r\n" + SECRET, 400, "bad-request", id="body cut short"),
        pytest.param(HEAD + b"Expect: cake\r\nContent-Length: 1\r\n\r\nx", 417, "expectation-failed", id="expectation"),
        pytest.param(b"GET /" + SECRET.replace(b" ", b"") * 300 + b" HTTP/1.1\r\n\r\n", 414, "uri-too-long", id="long address"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 100 + b"\r\n", 431, "headers-too-large", id="many headers"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", 431, "headers-too-large", id="long header"),
    ],
)
def test_broken_http_is_answered_with_a_problem_report_and_not_logged(server, sent, status, code):
    head, _, body = server.send_raw(sent, end=True).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/problem+json" in head
    assert b"X-Content-Type-Options: nosniff" in head
    document = json.loads(body)
    assert (document["code"], document["status"]) == (code, status)
    server.wait_until_said(document["request_id"])
    assert "embargoed" not in server.said


@loopback
def test_words_beyond_the_length_told_are_neither_read_nor_logged(server):
    answers = server.send_raw(HEAD + b"Content-Length: 5\r\n\r\n" + SECRET + b"\r\n\r\n", end=True)
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 400 " in answers
    assert "embargoed" not in server.said


@loopback
def test_headers_only_a_gateway_may_send_change_nothing(server):
    assert server.ask("GET", "/healthz", None, **{"Script-Name": "/x", "X-Forwarded-Proto": "https"})[0] == 200


@loopback
def test_a_client_that_stops_sending_is_let_go(server):
    begun = monotonic()
    answer = server.send_raw(HEAD + b"Content-Length: 5000\r\n\r\nhalf")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request-timeout"' in answer
    assert server.send_raw(b"POST /analyze HTTP/1.1\r\nHost:") == b""
    assert monotonic() - begun < SOON_S


@loopback
def test_clients_that_never_close_their_connection_keep_nobody_waiting(server):
    with ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(closing(server.connect()))
            connection.connect()
            connection.sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert b"".join(iter(partial(connection.sock.recv, 65_536), b"")).endswith(b'{"status":"ok"}')
        begun = monotonic()
        assert server.ask("GET", "/healthz", None)[0] == 200
        assert monotonic() - begun < 1


@loopback
def test_articles_are_read_side_by_side(server):
    with ThreadPoolExecutor(TOGETHER) as pool:
        statuses = [status for status, _ in pool.map(lambda number: server.ask(body=f"TOGETHER {number}."), range(TOGETHER))]
    assert statuses == [200] * TOGETHER


@loopback
def test_an_interrupt_does_not_wait_for_requests_being_served():
    with running() as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.send_raw, HEAD + b"Content-Length: 4\r\n\r\nSLOW")
        server.wait_until_said("SLOW\n")
        assert server.leave(signal.SIGINT) == 0
        assert answer.result() == b""
        assert server.said.count("closed\n") == 1


@loopback
def test_services_that_cannot_be_built_end_the_server():
    with running(broken=True) as server:
        assert server.finish() == 2
        assert "the build failed\n  - and here is why\n" in server.said
        assert "Traceback" not in server.said
        assert "closed" not in server.said


@loopback
def test_the_server_as_it_is_shipped_answers_what_it_is_serving_before_it_leaves():
    with ModelDouble(Modes(latency_s=1)) as double, running(settings={"base_url": double.base_url}) as server:
        status, ready = server.ask("GET", "/readyz", None)
        assert (status, ready["status"], [model["circuit"] for model in ready["models"]]) == (200, "ready", ["closed"])
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(server.ask)
            wait_until(lambda: double.calls)
            assert server.leave(signal.SIGTERM) == 0
            status, answer = asked.result()
    assert status == 200
    assert answer["claims"]
    assert all(TEXT[found["quote"]["start"] : found["quote"]["end"]] == found["quote"]["text"] for found in answer["claims"])
    assert answer["provenance"]["model"]["endpoint"] == "127.0.0.1"
    assert len(double.calls) == answer["usage"]["calls"] == 1


# The parts, in this process.


@pytest.mark.parametrize("host", ["no such host", "256.1.1.1", "192.0.2.1", "x" * 300, "host.invalid"])
def test_an_address_that_is_not_ours_is_told(host):
    with pytest.raises(SetupError, match="is not an address of this machine"):
        open_listener(host, 0)


@loopback
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_0_is_any_free_port(host):
    with open_listener(host, 0) as listener:
        assert listener.getsockname()[1] > 0


def test_a_port_that_needs_rights_is_told():
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    with pytest.raises(SetupError, match="needs rights this process does not have"):
        open_listener("127.0.0.1", 80, create=refuse)


def test_a_check_that_fails_ends_with_status_2(capsys, log):  # noqa: ARG001 - puts the logging systems back
    def fail(_settings):
        raise SetupError("no prompts", ["none"])

    with pytest.raises(SystemExit) as left:
        serve(Settings(), check=fail)
    assert left.value.code == 2
    assert capsys.readouterr().err == "no prompts\n  - none\n"


@loopback
def test_a_port_in_use_is_told_in_one_line(capsys, log):  # noqa: ARG001 - puts the logging systems back
    with open_listener("127.0.0.1", 0) as taken, pytest.raises(SystemExit) as left:
        serve(Settings(port=taken.getsockname()[1]), check=lambda _: None)
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is in use already: set FACTCHECK_PORT" in line


@pytest.mark.parametrize(
    ("status", "mine", "seen"),
    [
        pytest.param(Arbiter.APP_LOAD_ERROR, True, 2, id="the application could not be built"),
        pytest.param(Arbiter.WORKER_BOOT_ERROR, True, 2, id="the worker could not begin"),
        pytest.param(Arbiter.APP_LOAD_ERROR, False, 4, id="the worker tells the arbiter"),
        pytest.param(0, True, 0, id="told to stop"),
    ],
)
def test_the_status_people_see(status, mine, seen):
    with pytest.raises(SystemExit) as left:
        run_until_stopped(lambda: sys.exit(status), os.getpid() if mine else -1)
    assert left.value.code == seen


def test_a_server_that_simply_ends_has_no_status():
    assert run_until_stopped(lambda: None, os.getpid()) is None


def test_gunicorn_takes_every_option_and_reads_nothing_else():
    config = Config()
    for name, value in gunicorn_options(Settings(deadline_s=100.5, server_threads=7), 3).items():
        config.set(name, value)
    assert config.worker_class is Worker
    assert config.address == [3]
    assert (config.workers, config.threads) == (1, 15)
    assert config.worker_connections > config.threads
    assert config.graceful_timeout > 100.5
    assert config.timeout >= 120
    assert config.keepalive == 75
    assert config.control_socket_disable is True
    assert config.accesslog is None
    assert config.forwarded_allow_ips == []
    assert config.preload_app is False


class Closing:
    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1


def build_with(close):
    return lambda _settings: Services(model=ScriptedModel(), prompts=PROMPTS, close=close)


def test_the_application_is_built_when_the_worker_asks_for_it_and_closed_once():
    closing = Closing()
    server = Server(Settings(), 3, build_with(closing), 30)
    server.close()
    assert closing.times == 0
    app = server.load()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    assert app.test_client().get("/healthz").status_code == 200
    server.cfg.worker_exit(None, WorkerStub(hurried=True, pid=-1))
    server.close()
    assert closing.times == 1


class WorkerStub:
    def __init__(self, *, hurried, pid):
        self.hurried = hurried
        self.pid = pid


def test_services_that_cannot_be_built_are_an_error_gunicorn_stops_at():
    def fail(_settings):
        raise SetupError("no weights", ["none"])

    with pytest.raises(AppImportError, match="no weights"):
        Server(Settings(), 3, fail, 30).load()


def test_gunicorns_own_lines_look_like_ours():
    error_log = logging.getLogger("gunicorn.error")
    before = error_log.handlers, error_log.level, error_log.propagate
    try:
        error_log.handlers = []
        log = ServerLog(Server(Settings(), 3, build_with(Closing()), 30).cfg)
        assert [type(handler.formatter) for handler in log.error_log.handlers] == [ForeignFormatter]
    finally:
        error_log.handlers, error_log.level, error_log.propagate = before


def test_a_service_with_a_remote_model_needs_nothing_but_its_prompts():
    check_setup(Settings(base_url="http://127.0.0.1:9/v1"))


def test_weights_that_cannot_be_had_are_told_before_the_port_opens(tmp_path):
    with pytest.raises(SetupError):
        check_setup(Settings(model=str(tmp_path / "none.gguf")))


def test_a_long_step_is_logged_at_each_tenth(log):
    progress = LoggedProgress()
    progress.start("fetching weights", 100)
    for _ in range(100):
        progress.advance(1)
    progress.done()
    assert [line["bytes"] for line in log()] == list(range(0, 101, 10))
    assert {(line["event"], line["step"], line["of_bytes"]) for line in log()} == {("setting up", "fetching weights", 100)}


def test_a_step_of_unknown_length_is_logged_once(log):
    progress = LoggedProgress()
    progress.start("fetching weights", 0)
    progress.advance(1_000)
    assert len(log()) == 1


def test_an_application_over_given_services_builds_none():
    services = Services(model=NeverTired(), prompts=PROMPTS)
    assert create_app(Settings(), services).extensions["factcheck"] is services
