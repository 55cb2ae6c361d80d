"""The production server behind a real nginx, set up by `deploy/nginx.conf`."""

import json
import re
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from service.settings import Settings
from tests.api.conftest import TEXT
from tests.api.running import loopback, running, wait_until
from tests.model_double import Answer, ModelDouble, Modes
from tests.nginx import running_nginx
from tests.programs import need_program
from tests.smuggling import ATTACKS

pytestmark = loopback
PLAIN = {"Content-Type": "text/plain"}
HOSTS = ("facts.example", "127.0.0.1")


@pytest.fixture(scope="module", autouse=True)
def _needed():
    need_program("nginx")


@pytest.fixture(scope="module")
def server():
    """A service that knows it stands behind one gateway, and tells who asked."""
    with running(settings={"audit": True}, gateways={"proxy_hops": 1, "hosts": HOSTS}, read_limit_s=1) as server:
        yield server


@pytest.fixture(scope="module")
def nginx(server, tmp_path_factory):
    with running_nginx(tmp_path_factory.mktemp("nginx"), [server.connect().port]) as nginx:
        yield nginx


class Upstream:
    """A service that answers what it is told to, and keeps what it was asked."""

    def __init__(self, answer):
        self.asked = []
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                head = b""
                while (line := lines.readline()) not in {b"", b"\r\n"}:
                    head += line
                if line:
                    self.asked.append(head.decode())
                    self._answer(connection)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@contextmanager
def upstream(answer):
    upstream = Upstream(answer)
    try:
        yield upstream
    finally:
        upstream.close()


def problem(answer, status, code):
    """The problem report in an answer, which must be in order."""
    told_status, headers, body = answer
    document = json.loads(body)
    assert (told_status, document["status"], document["code"]) == (status, status, code)
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-Id"] == document["request_id"]
    assert headers["Cache-Control"] == "no-store"
    assert set(document) >= {"type", "title", "detail", "retryable"}
    return document


def test_an_article_is_analysed_and_its_request_keeps_its_id(nginx):
    status, headers, body = nginx.ask("POST", "/analyze", TEXT, **PLAIN, **{"X-Request-Id": "desk-7"})
    assert (status, json.loads(body)["status"], headers["X-Request-Id"]) == (200, "complete", "desk-7")
    assert headers.get_all("X-Request-Id") == ["desk-7"]
    assert headers["Server"] == "nginx"


def test_a_request_without_a_harmless_id_is_given_one_that_both_know(nginx, server):
    _, headers, _ = nginx.ask("GET", "/healthz", **{"X-Request-Id": "<script>"})
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-Id"])
    server.wait_until_said(headers["X-Request-Id"])
    wait_until(lambda: headers["X-Request-Id"] in {line["request_id"] for line in nginx.lines})


@pytest.mark.parametrize("chunked", [False, True])
def test_the_largest_body_is_the_services(nginx, chunked):
    limit = Settings().max_request_bytes
    for size, status, code in ((limit, 422, "invalid-request"), (limit + 1, 413, "body-too-large")):
        body = b"\0" * size
        answer = nginx.ask("POST", "/analyze", iter([body]) if chunked else body, **PLAIN)
        problem(answer, status, code)


def test_a_gateway_that_reaches_nobody_says_so(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with running_nginx(tmp_path, [port]) as nginx:
        assert problem(nginx.ask("POST", "/analyze", TEXT, **PLAIN), 502, "service-unreachable")["retryable"]


def test_a_gateway_that_waits_in_vain_says_so(tmp_path):
    over = threading.Event()
    with (
        upstream(lambda _: over.wait(30)) as silent,
        running_nginx(tmp_path, [silent.port], proxy_read_timeout="200ms") as nginx,
    ):
        problem(nginx.ask("POST", "/analyze", TEXT, **PLAIN), 504, "service-unreachable")
        over.set()


def test_an_answer_cut_short_is_not_taken_for_whole(tmp_path):
    def cut(connection):
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"st"')

    with upstream(cut) as cutting, running_nginx(tmp_path, [cutting.port]) as nginx:
        answer = nginx.send_raw(b"GET /prompts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert not answer.endswith(b"0\r\n\r\n")


FORGED = {
    "X-Forwarded-For": "10.6.6.6",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil.example",
    "X-Real-IP": "10.6.6.6",
    "Forwarded": "for=10.6.6.6;host=evil.example",
    "X_Forwarded_For": "10.6.6.6",
}


def test_what_a_client_says_of_itself_is_overwritten(tmp_path):
    def answer(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with upstream(answer) as recorder, running_nginx(tmp_path, [recorder.port]) as nginx:
        assert nginx.ask("GET", "/prompts", **FORGED)[0] == 200
    (head,) = recorder.asked
    assert head.startswith("GET /prompts HTTP/1.1\r\n")
    assert not re.search(r"10\.6\.6\.6|evil|gopher", head)
    assert re.search(r"(?m)^X-Forwarded-For: 127\.0\.0\.1\r$", head)
    assert re.search(r"(?m)^X-Forwarded-Proto: http\r$", head)


def test_the_service_takes_its_gateways_word_for_who_asks_and_not_the_clients(nginx, server):
    request_id = "forged-1"
    status, *_ = nginx.ask("POST", "/analyze", TEXT, **PLAIN, **FORGED, **{"X-Request-Id": request_id})
    assert status == 200
    line = server.wait_until_said(rf'\{{"request_id": "{request_id}", "client".*"event": "analysed".*')[0]
    assert json.loads(line)["client"] == "127.0.0.1"


@pytest.mark.parametrize(
    "host", ["evil.example", "facts.example.evil.example", "facts.example, evil.example", "facts.example@evil.example"]
)
def test_a_forged_host_is_refused(nginx, host):
    answer = nginx.ask("POST", "/analyze", TEXT, **PLAIN, Host=host)
    assert (answer[0], json.loads(answer[2])["code"]) in {(400, "unknown-host"), (400, "bad-request")}


@pytest.mark.parametrize("host", ["facts.example", "FACTS.example:8443"])
def test_the_services_own_host_is_answered(nginx, host):
    assert nginx.ask("GET", "/healthz", Host=host)[0] == 200


def test_a_whole_url_as_target_is_the_host_asked_for(nginx):
    answer = nginx.send_raw(b"GET http://evil.example/healthz HTTP/1.1\r\nHost: facts.example\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"unknown-host" in answer


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "//metrics",
        "/%6detrics",
        "/./metrics",
        "/x/../metrics",
        "/metrics?x",
        "/.problem",
        "/.stream",
        "/metrics%3f",
        "/metrics;x",
    ],
)
def test_what_is_not_for_clients_is_not_there(nginx, path):
    problem(nginx.ask("GET", path), 404, "not-found")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.what)
def test_nginx_and_the_service_agree_where_a_request_ends(nginx, server, attack):
    """Each request the service has seen is one that nginx knows of, and whoever asks next gets their own answer."""
    mark = f"{attack.what}-{len(nginx.lines)}".encode().hex()[-100:]
    own = b"attack-%s" % mark.encode(), b"smuggled-%s" % mark.encode()
    sent = attack.sent.replace(b"X-Request-Id: attack", b"X-Request-Id: " + own[0])
    answers = nginx.send_raw(
        sent.replace(b"X-Request-Id: smuggled", b"X-Request-Id: " + own[1]).replace(b"Host: x", b"Host: facts.example")
    )
    for number in range(3):
        victim = f"victim-{number}-{mark}"
        status, headers, body = nginx.ask("GET", "/healthz", **{"X-Request-Id": victim})
        assert (status, headers["X-Request-Id"], body) == (200, victim, b'{"status":"ok"}')
        server.wait_until_said(victim)
    seen = set(re.findall(r'"request_id": "([^"]+)"', server.said))
    wait_until(lambda: seen <= {line["request_id"] for line in nginx.lines if line["upstream"]})
    if own[1].decode() in seen:  # then it was the client's own next request, to both
        assert b"X-Request-Id: %s\r\n" % own[1] in answers
    assert "words" not in nginx.said


def test_requests_of_one_client_are_answered_in_their_order(nginx):
    one = b"GET /healthz HTTP/1.1\r\nHost: facts.example\r\nX-Request-Id: turn-%d\r\n\r\n"
    answers = nginx.send_raw(b"".join(one % turn for turn in range(20)))
    assert re.findall(rb"X-Request-Id: turn-(\d+)", answers) == [b"%d" % turn for turn in range(20)]


def test_a_client_that_leaves_ends_the_work_done_for_it(tmp_path):
    with (
        ModelDouble(lambda _: Answer(raw=lambda connection: connection.recv(1))) as silent,
        running(settings={"base_url": silent.base_url}) as server,
        running_nginx(tmp_path, [server.connect().port]) as nginx,
    ):
        connection = nginx.connect()
        connection.request("POST", "/analyze", TEXT, PLAIN)
        wait_until(lambda: silent.connections == 1)
        connection.close()
        wait_until(lambda: silent.connections == 0)
        server.wait_until_said("client-gone")
        wait_until(lambda: [line["status"] for line in nginx.lines] == [499])


def test_events_are_passed_on_as_they_come(tmp_path):
    read = threading.Event()

    def stream(connection):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n"
        )
        assert read.wait(30)
        connection.sendall(b"8\r\ndata: 2\n\r\n0\r\n\r\n")

    with upstream(stream) as streaming, running_nginx(tmp_path, [streaming.port]) as nginx:
        connection = nginx.connect()
        connection.request("POST", "/analyze?prompt=extract_claims@1", TEXT, PLAIN | {"Accept": "text/event-stream"})
        response = connection.getresponse()
        assert response.readline() == b"data: 1\n"
        read.set()
        assert response.read() == b"data: 2\n"
        connection.close()
    assert streaming.asked[0].startswith("POST /analyze?prompt=extract_claims@1 HTTP/1.1\r\n")


def test_the_services_own_events_come_through_to_the_last(nginx):
    status, headers, body = nginx.ask("POST", "/analyze", TEXT, **PLAIN, Accept="text/event-stream")
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/event-stream")
    assert body.endswith(b"\n\n")
    assert re.findall(rb"(?m)^event: (\w+)", body)[-1] == b"done"


def test_no_request_is_lost_when_one_of_two_services_is_stopped_and_nginx_reloaded(tmp_path):
    with (
        ModelDouble(Modes(latency_s=0.05)) as double,
        running(settings={"base_url": double.base_url}) as one,
        running(settings={"base_url": double.base_url}) as other,
        running_nginx(tmp_path, [one.connect().port, other.connect().port]) as nginx,
        ThreadPoolExecutor(4) as pool,
    ):

        def ask(number):
            if number == 40:
                one.process.send_signal(signal.SIGTERM)
            if number == 80:
                nginx.reload()
            return nginx.ask("POST", "/analyze", f"{TEXT} {number}", **PLAIN)[0]

        assert set(pool.map(ask, range(160))) == {200}
        assert one.finish() == 0
