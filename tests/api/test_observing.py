"""What the whole service tells of its work: metrics, traces and log lines, none of which holds anything of an article."""

import json
from contextlib import contextmanager
from hashlib import sha256

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.fetch.base import FetchedPage
from service.pipeline.analyze import Services
from service.settings import Settings
from service.url_errors import UrlFetchFailedError
from service.wiring import build_services
from tests.api.conftest import PROMPTS, TEXT, NeverTired, start_service
from tests.model_double import ModelDouble, Modes

pytestmark = pytest.mark.loopback

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
KEY = "sk-canary-key-5521"
CANARY = "zebrawood"


@contextmanager
def serving(double, **settings):
    settings = Settings(base_url=double.base_url, api_key=KEY, model="first", **settings)
    services = build_services(settings)
    try:
        yield create_app(settings, services).test_client()
    finally:
        services.close()


def post(client, text=TEXT, **headers):
    return client.post("/analyze", json={"article": {"text": text}}, headers=headers)


def counted(client):
    """Every sample: its name and labels, and its value."""
    families = text_string_to_metric_families(client.get("/metrics").get_data(as_text=True))
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(samples, name, **labels):
    return samples[name, frozenset(labels.items())]


def test_a_request_is_counted_with_all_that_came_of_it():
    with ModelDouble() as double, serving(double) as client:
        answer = post(client).get_json()
        post(client)
        told = counted(client)
    assert value(told, "factcheck_requests_total", route="/analyze", method="POST", status="200", code="") == 2
    assert value(told, "factcheck_request_seconds_count", route="/analyze") == 2
    assert value(told, "factcheck_analyses_total", outcome="complete") == 2
    assert value(told, "factcheck_answers_total", cache="miss") == 1
    assert value(told, "factcheck_answers_total", cache="hit") == 1
    assert value(told, "factcheck_model_calls_total", model="first", outcome="ok") == 1
    assert value(told, "factcheck_claims_total") == len(answer["claims"])
    assert value(told, "factcheck_passages_total", outcome="ok") == 1
    assert value(told, "factcheck_model_tokens_total", model="first", direction="input") == answer["usage"]["input_tokens"]
    assert value(told, "factcheck_requests_inside") == 0
    assert value(told, "factcheck_passages_running") == 0
    assert value(told, "factcheck_passages_waiting") == 0
    assert value(told, "factcheck_threads") >= 1
    labels = {"upstream": "0", "model": "first", "endpoint": "127.0.0.1"}
    assert value(told, "factcheck_model_circuit", **labels, state="closed") == 1
    for step in ("ingest", "segment", "plan", "extract", "prove", "merge", "assemble"):
        assert value(told, "factcheck_step_seconds_count", step=step) == 1


def test_a_failure_is_counted_under_its_code_and_each_repeat_is_seen():
    with ModelDouble(Modes("500")) as double, serving(double, attempts=2) as client:
        assert post(client).status_code == 502
        told = counted(client)
    assert value(told, "factcheck_analyses_total", outcome="upstream-unavailable") == 1
    assert value(told, "factcheck_model_calls_total", model="first", outcome="upstream-unavailable") == 2
    assert value(told, "factcheck_model_retries_total", model="first") == 1
    labels = {"route": "/analyze", "method": "POST", "status": "502", "code": "upstream-unavailable"}
    assert value(told, "factcheck_requests_total", **labels) == 1


def test_paths_and_methods_that_callers_invent_are_one_label():
    with ModelDouble() as double, serving(double) as client:
        for n in range(5):
            client.open(f"/{CANARY}/{n}", method=f"{CANARY}{n}")
        told = counted(client)
    labels = {"route": "unknown", "method": "other", "status": "404", "code": "not-found"}
    assert value(told, "factcheck_requests_total", **labels) == 5
    assert CANARY not in str(told)


def test_an_answer_given_again_is_counted():
    with ModelDouble() as double, serving(double) as client:
        for _ in range(2):
            post(client, **{"Idempotency-Key": "k1"})
        told = counted(client)
    assert value(told, "factcheck_answers_total", cache="replay") == 1
    assert value(told, "factcheck_answers_total", cache="miss") == 1


def test_a_service_that_measures_nothing_has_nothing_to_show(service):
    response = service.client.get("/metrics")
    assert (response.status_code, response.get_data()) == (200, b"")


def test_a_trace_goes_from_the_caller_to_the_model_and_into_the_log(log):
    with ModelDouble() as double, serving(double) as client:
        response = post(client, traceparent=PARENT, tracestate="vendor=1")
    (call,) = double.calls
    (line,) = [line for line in log() if line["event"] == "request"]
    spans = [PARENT.split("-")[2], line["span_id"], call.headers["traceparent"].split("-")[2]]
    assert len(set(spans)) == 3
    assert response.headers["traceparent"] == f"00-{TRACE}-{line['span_id']}-01"
    assert call.headers["traceparent"] == f"00-{TRACE}-{spans[2]}-01"
    assert call.headers["tracestate"] == "vendor=1"
    assert line["trace_id"] == TRACE


def test_each_passage_and_each_repeat_is_a_span_of_its_own():
    with ModelDouble() as double, serving(double, passage_chars=200) as client:
        post(client, TEXT * 20, traceparent=PARENT)
    sent = [call.headers["traceparent"] for call in double.calls]
    assert len(sent) > 1
    assert len(set(sent)) == len(sent)
    assert {parent.split("-")[1] for parent in sent} == {TRACE}


def test_requests_without_a_trace_have_one_each(service):
    first, second = (service.client.get("/healthz").headers["traceparent"] for _ in range(2))
    assert first.split("-")[1] != second.split("-")[1]


def audited(log):
    return [line for line in log() if line["event"] == "analysed"]


def test_who_had_what_analysed_is_logged_where_it_is_asked_for(log):
    service = start_service(NeverTired(), audit=True)
    answer = service.post({"article": {"text": TEXT}}, headers={"X-Request-Id": "r1"}).get_json()
    (line,) = audited(log)
    assert (line["client"], line["article_sha256"]) == ("127.0.0.1", answer["article"]["sha256"])
    assert (line["prompt"], line["status"], line["request_id"]) == (answer["provenance"]["prompt"], 200, "r1")


def test_an_analysis_that_failed_is_audited_with_its_code(log):
    with ModelDouble(Modes("500")) as double, serving(double, attempts=1, audit=True) as client:
        post(client)
    (line,) = audited(log)
    assert (line["status"], line["code"]) == (502, "upstream-unavailable")


class OnePage:
    """Fetches the same page wherever it is, or nothing."""

    def __init__(self, text):
        self._text = text

    def fetch(self, url, deadline):
        deadline.check()
        if self._text is None:
            raise UrlFetchFailedError("it did not answer")
        return FetchedPage(url, self._text, html=False)

    def close(self):
        """Nothing."""


@pytest.mark.parametrize(
    ("text", "status", "hashed"), [(TEXT, 200, sha256(TEXT.encode()).hexdigest()), (None, 502, None)], ids=["read", "not read"]
)
def test_of_an_article_sent_as_its_address_the_words_that_were_read_are_audited(log, text, status, hashed):
    services = Services(NeverTired(), PROMPTS, fetcher=OnePage(text))
    client = create_app(Settings(audit=True, fetch_urls=True), services).test_client()
    client.post("/analyze", json={"article": {"url": f"https://news.example.org/{CANARY}"}})
    (line,) = audited(log)
    assert (line["status"], line["article_sha256"]) == (status, hashed)
    assert CANARY not in json.dumps(line)


def test_nobody_is_audited_who_asks_for_no_analysis_or_where_it_is_off(log, service):
    service.post({"article": {"text": TEXT}})
    start_service(NeverTired(), audit=True).post({"article": {}})
    assert audited(log) == []


@pytest.mark.parametrize("mode", ["ok", "500", "prose", "other-article"])
def test_no_word_of_article_prompt_key_or_header_is_in_metrics_logs_or_answer_headers(log, mode):
    text = f"The {CANARY} bridge cost {CANARY} millions. Ms {CANARY} denied it."
    with ModelDouble(Modes(mode)) as double, serving(double, attempts=1, audit=True) as client:
        response = post(client, text, **{"X-Canary": CANARY, "tracestate": f"v={CANARY}", "traceparent": CANARY})
        client.get(f"/{CANARY}?{CANARY}={CANARY}")
        shown = client.get("/metrics").get_data(as_text=True)
        prompt = double.calls[0].body["messages"][0]["content"]
    sentence = max(prompt.splitlines(), key=len)
    told = shown + json.dumps(log()) + str(response.headers)
    assert "factcheck_requests_total" in shown
    assert "analysed" in told
    assert CANARY in json.dumps(double.calls[0].body)
    for secret in (CANARY, KEY, sentence):
        assert secret not in told
