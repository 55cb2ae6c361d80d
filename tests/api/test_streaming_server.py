"""Streams of the production server: sent as they are made, kept alive, ended with their client, and never cut by us."""

import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from threading import Event as Signal

import pytest

from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from service.wiring import build_services
from tests.api.running import PATIENCE_S, loopback, running, wait_until
from tests.api.test_overload import LONG
from tests.described import create_app
from tests.events import ACCEPT, TYPE, events_of, read_event
from tests.fakes import TRAITS, ScriptedModel
from tests.faultserver import FaultServer, Plan
from tests.model_double import Answer, ModelDouble, Modes

pytestmark = loopback
LIBRARY = load_prompts(find_prompts())

SETTINGS = {"passage_chars": 600, "attempts": 1, "deadline_s": 30}
NEVER_S = 600


class ByWord(Modes):
    """Answers as usual, but a passage that holds a word in capital letters as that says."""

    def __init__(self):
        super().__init__()
        self.go = Signal()

    def __call__(self, call):
        said = call.body["messages"][-1]["content"]
        if "HELD" in said:
            assert self.go.wait(PATIENCE_S)
        if "SILENT" in said:
            return Answer(raw=lambda connection: connection.recv(1))
        if "CUT" in said:
            return Answer(raw=half_a_reply)
        return super().__call__(call)


def half_a_reply(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n" + b'{"choices": [')


@pytest.fixture(scope="module")
def words():
    return ByWord()


@pytest.fixture(scope="module")
def double(words):
    with ModelDouble(words) as double:
        yield double


@pytest.fixture(scope="module")
def server(double):
    """One server, which never sends heartbeats, for all tests that leave it as it was."""
    with running(settings=SETTINGS | {"base_url": double.base_url, "heartbeat_s": NEVER_S}) as server:
        yield server
        assert server.leave(signal.SIGTERM) == 0
        assert "Traceback" not in server.said


@contextmanager
def streaming(server, text=LONG, **headers):
    """A stream that has begun, as a file of its lines."""
    connection = server.connect()
    connection.request("POST", "/analyze", text.encode(), {"Content-Type": "text/plain"} | ACCEPT | headers)
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Type"]) == (200, TYPE)
    try:
        yield response
    finally:
        connection.close()


def next_block(response):
    lines = list(iter(lambda: response.readline().rstrip(b"\n"), b""))
    return b"\n".join(lines)


def next_event(response):
    while (event := read_event(next_block(response))) is None:
        pass
    return event


def test_streams_are_kept_alive_while_they_wait_and_come_to_their_end_when_the_server_is_stopped(double, words):
    with running(settings=SETTINGS | {"base_url": double.base_url, "heartbeat_s": 0.1}) as server:
        with streaming(server, LONG.replace("bridge 30", "HELD 30")) as response:
            assert response.headers["Transfer-Encoding"] == "chunked"
            events = [next_event(response)]
            while events[-1].name == "claim" or events[-1].data["read"] < 4:
                events.append(next_event(response))
            assert events[0].data["passages"] == 5
            assert {next_block(response)[:1] for _ in range(3)} == {b":"}
            port = server.connect().port
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: is_refused(port))
            words.go.set()
            (done,) = [event.data for event in events_of(response.read()) if event.name == "done"]
        assert done["coverage"]["read"] == done["coverage"]["sentences"]
        assert server.finish() == 0


def is_refused(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) != 0


def test_the_calls_are_broken_off_when_the_client_of_a_stream_leaves(server, double):
    before = double.connections
    with streaming(server, LONG.replace("opened", "SILENT")) as response:
        assert next_event(response).data["read"] == 0
        wait_until(lambda: double.connections >= before + 5)
    wait_until(lambda: double.connections <= before)
    server.wait_until_said('"code": "client-gone"')


def test_a_client_that_has_said_all_it_has_to_say_gets_its_stream_whole(server, double, words):
    words.go.clear()
    body = LONG.replace("bridge 30", "HELD 30").encode()
    head = f"POST /analyze HTTP/1.0\r\nAccept: {TYPE}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.send_raw, head.encode() + body, end=True)
        wait_until(lambda: any("HELD" in str(call.body) for call in double.calls[-5:]))
        words.go.set()
        answer = asked.result()
    head, _, events = answer.partition(b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.[01] 200 ", head)
    assert b"chunked" not in head
    assert b"100 Continue" not in answer  # in the middle of a body it would be a part of it
    assert events_of(events)[-1].name == "done"


def test_a_stream_ends_in_time(server):
    with streaming(server, "Here is SILENT.", **{"Request-Timeout": "3"}) as response:
        events = events_of(response.read())
    assert [event.name for event in events] == ["progress", "problem"]
    assert (events[-1].data["code"], events[-1].data["status"]) == ("deadline-exceeded", 504)


def test_a_reply_that_is_cut_off_is_a_problem_and_the_connection_can_be_used_again(server):
    connection = server.connect()
    for text, last in ((LONG.replace("bridge 30", "CUT 30"), "problem"), ("It is well.", "done")):
        connection.request("POST", "/analyze", text.encode(), {"Content-Type": "text/plain"} | ACCEPT)
        events = events_of(connection.getresponse().read())
        assert [event.name for event in events if event.name in {"done", "problem"}] == [last]
        assert events[-1].name == last
    connection.close()


HARD = "A 🚁 fell at five. قال الوزير إن الجسر كلف 40 مليونًا. 市長は橋が五月に開通したと述べた。 " * 45


def test_any_script_goes_over_the_wire_in_several_passages(server):
    with streaming(server, HARD) as response:
        events = events_of(response.read())
    claims = [event.data for event in events if event.name == "claim"]
    assert events[0].data["passages"] >= 5
    assert events[-1].data["claims"]
    for claim in claims + events[-1].data["claims"]:
        quote = claim["quote"]
        assert HARD[quote["start"] : quote["end"]] == quote["text"]


MODES = ("close-mid-body", "reset-mid-body", "truncated-envelope", "length", "sse-cut", "refusal", "http-500")


@pytest.mark.parametrize("mode", MODES)
def test_whatever_befalls_one_of_five_passages_the_stream_ends_in_a_problem_and_no_answer(mode):
    with FaultServer(Plan(mode, only="bridge 30 for")) as endpoint:
        settings = Settings(base_url=endpoint.base_url, attempts=1, passage_chars=600)
        with closing(build_services(settings)) as services:
            client = create_app(settings, services).test_client()
            response = client.post("/analyze", data=LONG, content_type="text/plain", headers=ACCEPT)
            events = events_of(response.get_data())
    assert events[0].data["passages"] == 5
    assert [event.name for event in events if event.name in {"done", "problem"}] == ["problem"]
    assert events[-1].name == "problem"
    assert events[-1].data["passage"]


def test_the_embedded_rules_stream_as_well():
    settings = Settings(passage_chars=600)
    services = Services(ScriptedModel(traits=replace(TRAITS, prompt="name_speaker@1", passage_chars=600)), LIBRARY)
    response = create_app(settings, services).test_client().post("/analyze", json={"article": {"text": LONG}}, headers=ACCEPT)
    events = events_of(response.get_data())
    assert events[0].data["passages"] == 5
    assert sum(event.name == "claim" for event in events) == len(events[-1].data["claims"]) > 0
    assert events[-1].data["provenance"]["decided_by"]["claims"] == "rules"
