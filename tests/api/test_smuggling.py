"""Requests whose end can be read in two ways, sent to the production server: it reads them in one way, or refuses them."""

import json
import re

import pytest

from tests.api.running import loopback, running
from tests.smuggling import ATTACKS

pytestmark = loopback


@pytest.fixture(scope="module")
def server():
    with running(settings={"max_request_bytes": 200_000}, read_limit_s=1) as server:
        yield server
        assert server.leave() == 0


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.what)
def test_what_can_be_read_in_two_ways_is_refused_and_what_follows_it_is_not_read(server, attack):
    answers = server.send_raw(attack.sent, end=attack.requests > 0)  # the others are to be let go by themselves
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) [A-Z]", answers)]
    if attack.requests:
        assert len(statuses) == attack.requests
        assert answers.count(b"X-Request-Id: smuggled\r\n") == 1  # its own
        return
    (status,) = statuses
    assert status in {400, 413, 501}
    assert json.loads(answers.partition(b"\r\n\r\n")[2])["status"] == status
    assert b"smuggled" not in answers


def test_a_client_is_never_answered_with_what_another_has_asked(server):
    for attack in ATTACKS:
        server.send_raw(attack.sent, end=True)
        connection = server.connect()
        connection.request("GET", "/healthz", headers={"X-Request-Id": "victim"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["X-Request-Id"], answer.read()) == (200, "victim", b'{"status":"ok"}')
        connection.close()
