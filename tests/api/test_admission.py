"""What the application makes of what the server tells it, and of more requests than it takes."""

import pytest

from service.pipeline.analyze import Services
from service.pipeline.gate import Gate
from service.settings import Settings
from service.web.routes import ANSWER_S
from service.web.serving import ARRIVED, DRAINING, client_connection
from tests.api.conftest import PROMPTS, TEXT, NeverTired, Service, problem
from tests.described import create_app
from tests.fakes import FixedClock

ARTICLE = {"article": {"text": TEXT}}


def start(gate=None):
    model, clock = NeverTired(), FixedClock()
    app = create_app(Settings(deadline_s=30), Services(model, PROMPTS, clock, gate=gate or Gate()))
    return Service(app.test_client(), model, clock)


def test_the_time_a_request_waited_for_a_thread_is_its_own(log):
    service = start()
    service.post(ARTICLE, environ_overrides={ARRIVED: service.clock.now - 5})
    assert service.model.seconds == [pytest.approx(25 - ANSWER_S)]
    assert [line["duration_ms"] for line in log()] == [5_000]


def test_a_request_that_waited_too_long_is_late_before_the_model_is_asked():
    service = start()
    problem(service.post(ARTICLE, environ_overrides={ARRIVED: service.clock.now - 30}), 504, "deadline-exceeded")
    assert service.model.calls == []


@pytest.mark.parametrize("retry_after_s", [1, 10])
def test_a_request_beyond_the_limit_is_refused_before_it_is_read(retry_after_s):
    service = start(Gate(0, retry_after_s=retry_after_s))
    response = service.post("this is no JSON")
    assert problem(response, 503, "overloaded")["retryable"]
    assert response.headers["Retry-After"] == str(retry_after_s)


def test_a_request_leaves_its_place_to_the_next():
    service = start(Gate(1))
    assert [service.post(ARTICLE).status_code for _ in range(3)] == [200] * 3


def test_callers_are_told_apart_by_their_addresses():
    gate = Gate(10)
    service = start(gate)
    with gate.passed("192.0.2.1"), gate.passed("192.0.2.1"):
        for address in ("192.0.2.1", "192.0.2.2"):
            assert service.post(ARTICLE, environ_overrides={"REMOTE_ADDR": address}).status_code == 200


def test_a_server_that_is_stopped_is_not_ready_and_answers_who_is_connected():
    service = start()
    stopped = {DRAINING: True}
    response = service.client.get("/readyz", environ_overrides=stopped)
    assert (response.status_code, response.get_json()["reasons"]) == (503, ["the service is being stopped"])
    assert service.post(ARTICLE, environ_overrides=stopped).status_code == 200
    assert service.client.get("/healthz", environ_overrides=stopped).status_code == 200


def test_only_a_client_that_can_be_asked_whether_it_is_there_is_watched():
    connection = object()
    assert client_connection({"gunicorn.socket": connection, "SERVER_PROTOCOL": "HTTP/1.1"}) is connection
    assert client_connection({"gunicorn.socket": connection, "SERVER_PROTOCOL": "HTTP/1.0"}) is None
    assert client_connection({"SERVER_PROTOCOL": "HTTP/1.1"}) is None
