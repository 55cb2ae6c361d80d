"""Every fault of the matrix through the whole service: what the caller gets, what it costs, and what never comes out."""

import json
import re
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic

import pytest

from service.llm.breaker import WINDOW_CALLS
from service.web.routes import ANSWER_SHARE
from tests.api.running import running
from tests.faults import table
from tests.faults.cases import CASES
from tests.faults.inbound import INBOUND
from tests.faults.stack import (
    ARTICLE_WORD,
    FAULTY,
    FIVE,
    KEY,
    LIMIT_S,
    MOST_CALLS,
    ONE,
    PART_FACTOR,
    claims_in_good_weather,
    leaks,
    measured,
    request,
)
from tests.faultserver import FAULTS, UPSTREAM_WORDS, FaultServer, Plan

pytestmark = pytest.mark.loopback

LATE_S = 5.0
"""More than any answer comes after its deadline on a machine busy with other things; without a deadline it would never."""

MOST_GROWTH_BYTES = 60_000_000
AFRESH = {"Cache-Control": "no-store"}
PER_CALL = [case for case in CASES if not FAULTS[case.mode].listener]
FAILING = [case for case in PER_CALL if case.status != 200]


def by_mode(cases):
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.mode) for case in cases])


def in_order(outcome, limit_s):
    """Whether nothing leaked, nothing cost too much and nothing took too long; a problem is a whole one."""
    assert leaks(outcome) == []
    assert outcome.calls <= MOST_CALLS
    assert outcome.took_s < limit_s + LATE_S
    if outcome.status != 200:
        problem = outcome.document
        assert outcome.headers["Content-Type"] == "application/problem+json"
        assert problem["type"] == f"/problems/{outcome.code}"
        assert problem["request_id"] == outcome.headers["X-Request-Id"]
        assert isinstance(problem["retryable"], bool)
        assert "claims" not in problem


@by_mode(CASES)
def test_one_passage_comes_to_what_the_matrix_says(case):
    outcome = measured(case.mode, "one", case.limit_s)

    in_order(outcome, case.limit_s)
    assert (outcome.status, outcome.code, outcome.calls) == (case.status, case.code, case.calls)
    if outcome.status == 200:
        assert outcome.document["claims"] == claims_in_good_weather(ONE, 1)


@by_mode(CASES)
def test_five_passages_come_to_the_same_and_cost_each_the_same(case):
    outcome = measured(case.mode, "five", case.limit_s)

    in_order(outcome, case.limit_s)
    assert (outcome.status, outcome.code, outcome.calls) == (case.status, case.code, case.calls)
    if outcome.status == 200:
        assert outcome.document["claims"] == claims_in_good_weather(FIVE, 5)


@by_mode(PER_CALL)
def test_a_fault_that_happens_once_is_survived_where_asking_again_can_help(case):
    outcome = measured(case.mode, "once", case.limit_s)

    in_order(outcome, case.limit_s)
    if case.healed:
        assert (outcome.status, outcome.calls) == (200, case.healed)
        found, expected = outcome.document["claims"], claims_in_good_weather(ONE, 1)
        assert found[: len(expected)] == expected
        # The endpoint lists so many claims for each request, and two halves are two.
        assert len(found) == len(expected) or case.mode == "context-length"
    else:
        assert (outcome.status, outcome.code, outcome.calls) == (case.status, case.code, case.calls)


@by_mode(FAILING)
def test_a_fault_in_one_passage_of_five_fails_the_whole_and_names_it(case):
    outcome = measured(case.mode, "whole", case.limit_s)

    in_order(outcome, case.limit_s)
    assert (outcome.status, outcome.code) == (case.status, case.code)
    where = outcome.document.get("passage")
    # A deadline of all passages may come before the report of the one that is late.
    if where or case.status != 504:
        assert FAULTY in FIVE[where["start"] : where["end"]]


@by_mode(FAILING)
def test_the_other_four_passages_are_answered_where_a_part_is_allowed(case):
    outcome = measured(case.mode, "part", case.limit_s)

    in_order(outcome, case.limit_s * PART_FACTOR)
    assert (outcome.status, outcome.code) == (200, "partial, passages_failed")
    (failed,) = (one for one in outcome.document["coverage"]["passages"] if one["status"] == "failed")
    assert failed["code"] == case.code
    assert FAULTY in FIVE[failed["start"] : failed["end"]]
    whole = claims_in_good_weather(FIVE, 5)
    outside = [one for one in whole if not failed["start"] <= one["quote"]["start"] < failed["end"]]
    assert outcome.document["claims"] == outside
    assert len(outside) < len(whole)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_faults_are_drawn_an_answer_is_whole_or_an_error(seed):
    # Row 23 is read in halves, of which the double makes more claims than of the whole.
    quick = [case.mode for case in PER_CALL if case.limit_s == LIMIT_S and FAULTS[case.mode].row not in {23, 24}]
    mix = dict.fromkeys(quick, 1) | {"ok": 3 * len(quick)}

    outcome = request(Plan(mix=mix, seed=seed), FIVE, passages=5)

    in_order(outcome, LIMIT_S)
    if outcome.status == 200:
        assert outcome.document["claims"] == claims_in_good_weather(FIVE, 5)


# What single rows ask for beside.


def modes(*names):
    return pytest.mark.parametrize("mode", names)


@modes("length", "null-content", "empty-content")
def test_rows_8_and_9_a_reply_without_room_gets_more_of_it_once(mode):
    outcome = measured(mode, "one")

    assert [entry["max_tokens"] for entry in outcome.log] == [8_000, 16_000]


def test_row_10_a_model_lost_in_white_space_is_asked_without_the_schema():
    outcome = measured("whitespace-loop", "one")

    assert [entry["format"] for entry in outcome.log] == ["json_schema", "text"]
    assert outcome.document["provenance"]["model"]["response_format"] == "text"


def test_row_15_two_schema_faults_and_a_failed_call_come_out_of_one_purse():
    mix = {"http-500": 1, "wrong-schema": 1}
    outcomes = [request(Plan(mix=mix, seed=seed), ONE) for seed in range(12)]

    assert {outcome.status for outcome in outcomes} == {502}
    assert max(outcome.calls for outcome in outcomes) == MOST_CALLS
    assert {entry["mode"] for outcome in outcomes for entry in outcome.log} == {"http-500", "wrong-schema"}


def test_row_16_the_wait_an_endpoint_asks_for_is_kept():
    outcome = measured("busy-briefly", "one")

    assert len(outcome.slept) == MOST_CALLS - 1
    assert all(1 <= wait_s < 2 for wait_s in outcome.slept)
    assert outcome.headers["Retry-After"] == "1"


def test_row_17_a_caller_is_told_when_to_come_back_where_the_endpoint_does_not_say():
    assert int(measured("busy", "one").headers["Retry-After"]) > 0


def test_row_18_a_wait_longer_than_the_deadline_is_passed_on_at_once():
    outcome = measured("busy-for-an-hour", "one")

    assert outcome.slept == []
    assert outcome.headers["Retry-After"] == "3600"


def test_row_26_nothing_is_sent_where_a_redirect_points_to():
    assert measured("redirect", "one").server.elsewhere == 0


def test_row_29_a_certificate_that_is_not_trusted_is_looked_at_once():
    assert measured("tls-untrusted", "one").server.handshakes == 1


@modes("silence", "slow-trickle", "sse-stall")
def test_rows_30_31_and_38_nothing_is_asked_again_when_the_time_is_spent(mode):
    outcome = request(Plan(mode), ONE, limit_s=0.4)

    assert outcome.took_s >= 0.4 * (1 - ANSWER_SHARE)
    assert outcome.slept == []


def test_the_canaries_are_where_they_could_get_out_from():
    """The endpoint of these tests does write the key, the article and its own words into what it answers."""
    errors = [case.mode for case in PER_CALL if case.mode in {"http-401", "html-200", "context-length", "refusal"}]
    for mode in errors:
        with FaultServer(Plan(mode)) as endpoint:
            said = _bare_call(endpoint)
        assert UPSTREAM_WORDS in said
        assert KEY[-8:] in said
        assert ARTICLE_WORD in said
    assert len(errors) == 4


def _bare_call(endpoint):
    host, port = endpoint.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    connection = HTTPConnection(host, int(port), timeout=LIMIT_S)
    try:
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": f"[1] {ONE}"}]})
        connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {KEY}"})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


# Through the production server: rows of the wire and of memory, and what clients send.


@pytest.fixture(scope="module")
def production():
    with FaultServer() as endpoint, running(settings=table.served(endpoint)) as server:
        server.ask(body=ONE, **AFRESH)
        yield endpoint, server


def after_good_weather(production):
    """The endpoint and the service, after as many good answers as close its circuit and give it back its repeats."""
    endpoint, server = production
    endpoint.follow(Plan())
    for _ in range(WINDOW_CALLS):
        server.ask(body=ONE, **AFRESH)
    return endpoint, server


def test_row_16_a_wait_is_kept_by_the_clock(production):
    endpoint, server = production
    endpoint.follow(Plan("busy-briefly", times=1))
    started = monotonic()

    status, answer = server.ask(body=ONE, **AFRESH)

    assert (status, answer["usage"]["calls"], answer["usage"]["retries"]) == (200, 2, 1)
    assert monotonic() - started >= 1


def test_row_24_what_an_endpoint_takes_is_remembered(production):
    endpoint, server = production
    endpoint.follow(Plan("no-response-format"))

    answers = [server.ask(body=ONE, **AFRESH) for _ in range(3)]

    assert [(status, answer["usage"]["calls"]) for status, answer in answers] == [(200, 3), (200, 1), (200, 1)]


@pytest.mark.parametrize(
    "case", [case for case in PER_CALL if FAULTS[case.mode].row in {1, 20, 28, 30, 31, 32, 33}], ids=lambda case: case.mode
)
def test_the_production_server_answers_the_same(production, case):
    endpoint, server = after_good_weather(production)
    endpoint.follow(Plan(case.mode))
    began = len(endpoint.log)
    before = peak_bytes(server)

    started = monotonic()
    status, problem = server.ask(body=ONE, **AFRESH, **({"Request-Timeout": str(case.limit_s)} if case.status == 504 else {}))
    took_s = monotonic() - started

    assert took_s < case.limit_s + LATE_S
    assert (status, problem["code"], len(endpoint.log) - began) == (case.status, case.code, case.calls)
    assert peak_bytes(server) - before < MOST_GROWTH_BYTES
    for word in (KEY, UPSTREAM_WORDS, ARTICLE_WORD, "Traceback"):
        assert word not in json.dumps(problem)
        assert word not in server.said


def peak_bytes(server):
    """The most memory the worker process ever had; nothing where the system does not tell."""
    pid = server.process.pid
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.is_file():
        return 0
    children = listed.read_text().split()
    status = Path(f"/proc/{children[0]}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.what)
def test_a_request_that_is_out_of_order_costs_no_call(production, case):
    endpoint, server = production
    began = len(endpoint.log)

    status, problem, answer = table.send(case, server)

    assert (status, problem["code"]) == (case.status, case.code)
    assert len(endpoint.log) == began
    assert ARTICLE_WORD.encode() not in answer
    assert ARTICLE_WORD not in server.said


# The table in the documentation.


def test_the_committed_table_has_a_line_for_every_case_and_names_every_row():
    upstream, inbound = table.committed()

    assert [line[1] for line in upstream] == [f"`{case.mode}`" for case in CASES]
    assert [line[1] for line in inbound] == [case.what for case in INBOUND]
    assert {line[0] for line in (*upstream, *inbound)} >= {str(row) for row in range(1, 45)}
    assert {f"`{name}`" for name in FAULTS} == {line[1] for line in upstream} | {"`sse`"}


@by_mode(CASES)
def test_the_committed_table_says_what_the_service_does_now(case):
    (line,) = (line for line in table.committed()[0] if line[1] == f"`{case.mode}`")

    assert line[:-1] == table.upstream_row(case)[:-1]


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.what)
def test_the_committed_table_says_what_is_answered_to_requests_out_of_order(case):
    (line,) = (line for line in table.committed()[1] if line[1] == case.what)

    assert line == (str(case.row), case.what, f"{case.status} `{case.code}`", "0")
