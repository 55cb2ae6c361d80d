from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.parser import text_string_to_metric_families

from service.deadline import Deadline
from service.errors import ModelBusyError
from service.llm.base import Circuit, Message, ModelCall, ReplySchema, UpstreamState
from service.llm.observed import ObservedModel
from service.llm.retrying import RetryingModel
from service.metrics import Metrics
from service.observing import (
    Analysed,
    AnalysisFailed,
    AnswerReplayed,
    LimitReached,
    ModelAsked,
    ModelRepeated,
    RequestServed,
    Steps,
    StepTook,
    Unobserved,
)
from service.web.routes import PROMETHEUS_TEXT
from tests.analyses import ANALYSES
from tests.examples import examples
from tests.fakes import TRAITS, FixedClock, ScriptedModel


class Noted:
    """Keeps what it is told."""

    def __init__(self):
        self.events = []

    def tell(self, event):
        self.events.append(event)


class Samples(dict):
    """Values by name and label values, whatever the order these are asked in."""

    def __getitem__(self, key):
        return super().__getitem__((key[0], *sorted(key[1:])))


def samples(metrics):
    """Every sample there is."""
    families = text_string_to_metric_families(metrics.text().decode())
    return Samples({(one.name, *sorted(one.labels.values())): one.value for family in families for one in family.samples})


def told(*events):
    metrics = Metrics("1.2.3")
    for event in events:
        metrics.tell(event)
    return samples(metrics)


def call():
    return ModelCall((Message("user", "hello"),), ReplySchema("s.v1", "0", {}), temperature=0.0, max_output_tokens=10)


def test_the_media_type_is_the_one_the_client_writes():
    assert PROMETHEUS_TEXT == CONTENT_TYPE_PLAIN_0_0_4


def test_nothing_has_been_done_at_first_and_what_runs_is_known():
    told_first = told()
    assert any(name == "factcheck_build_info" and "1.2.3" in labels for name, *labels in told_first)
    assert ("process_resident_memory_bytes",) in told_first
    assert told_first["factcheck_claims_total",] == 0


def test_each_count_is_its_own():
    event = ModelAsked("m", "upstream-busy", 1)
    assert told(event)["factcheck_model_calls_total", "m", "upstream-busy"] == 1
    assert told()["factcheck_claims_total",] == 0
    assert ("factcheck_model_calls_total", "m", "upstream-busy") not in told()


@pytest.mark.parametrize(
    ("event", "sample", "value"),
    [
        pytest.param(
            RequestServed("/analyze", "POST", 200, None, 0.3),
            ("factcheck_requests_total", "/analyze", "POST", "200", ""),
            1,
            id="request answered",
        ),
        pytest.param(
            RequestServed(None, "GET", 404, "not-found", 0.3),
            ("factcheck_requests_total", "unknown", "GET", "404", "not-found"),
            1,
            id="no such path",
        ),
        pytest.param(
            RequestServed("/analyze", "POST", 200, None, 0.3), ("factcheck_request_seconds_sum", "/analyze"), 0.3, id="its time"
        ),
        pytest.param(AnalysisFailed("upstream-busy"), ("factcheck_analyses_total", "upstream-busy"), 1, id="failed"),
        pytest.param(AnswerReplayed(), ("factcheck_answers_total", "replay"), 1, id="replayed"),
        pytest.param(ModelAsked("m", "ok", 2.5), ("factcheck_model_call_seconds_sum", "m"), 2.5, id="call seconds"),
        pytest.param(ModelAsked("m", "ok", 1, 10, 4, 3), ("factcheck_model_tokens_total", "m", "input"), 10, id="input tokens"),
        pytest.param(
            ModelAsked("m", "ok", 1, 10, 4, 3), ("factcheck_model_tokens_total", "m", "cached"), 4, id="cached tokens"
        ),
        pytest.param(
            ModelAsked("m", "ok", 1, 10, 4, 3), ("factcheck_model_tokens_total", "m", "output"), 3, id="output tokens"
        ),
        pytest.param(LimitReached("tokens"), ("factcheck_limited_total", "tokens"), 1, id="limit reached"),
        pytest.param(ModelRepeated("m"), ("factcheck_model_retries_total", "m"), 1, id="repeat"),
        pytest.param(StepTook("merge", 0.25), ("factcheck_step_seconds_sum", "merge"), 0.25, id="step"),
    ],
)
def test_an_event_is_counted(event, sample, value):
    assert told(event)[sample] == value


@examples()  # it reads the process's own figures from the system each time
@given(ANALYSES, st.sampled_from(["miss", "hit", "shared"]))
def test_what_an_analysis_holds_is_counted_once_when_it_was_made(analysis, cache):
    analysis = replace(analysis, usage=replace(analysis.usage, cache=cache))
    counted = told(Analysed(analysis))
    assert counted["factcheck_analyses_total", str(analysis.status)] == 1
    assert counted["factcheck_answers_total", cache] == 1
    made = cache == "miss"
    assert counted["factcheck_claims_total",] == (len(analysis.claims) if made else 0)
    refused = sum(value for (name, *_), value in counted.items() if name == "factcheck_set_aside_total")
    passages = sum(value for (name, *_), value in counted.items() if name == "factcheck_passages_total")
    assert refused == (len(analysis.set_aside) if made else 0)
    assert passages == (len(analysis.coverage.passages) if made else 0)


def test_a_call_that_was_not_let_through_took_no_time():
    counted = told(ModelAsked("m", "upstream-paused", 0.0))
    assert counted["factcheck_model_calls_total", "m", "upstream-paused"] == 1
    assert not any(name == "factcheck_model_call_seconds_count" for name, *_ in counted)


def test_levels_are_read_when_they_are_asked_for():
    level = [3.0]
    metrics = Metrics("1")
    metrics.watch([("depth", "How deep.", lambda: level[0])], tuple)
    assert samples(metrics)["factcheck_depth",] == 3
    level[0] = 5.0
    assert samples(metrics)["factcheck_depth",] == 5


def test_two_upstreams_with_the_same_model_at_the_same_host_are_told_apart():
    state = UpstreamState("m", "host", Circuit.CLOSED, None, None, calls=4, failures=0, openings=1, retry_tokens=9.5)
    opened = UpstreamState("m", "host", Circuit.OPEN, "why", 1.0, calls=4, failures=4, openings=2, retry_tokens=0.0)
    metrics = Metrics("1")
    metrics.watch([], lambda: (state, opened))
    counted = samples(metrics)
    assert counted["factcheck_model_circuit", "0", "m", "host", "closed"] == 1
    assert counted["factcheck_model_circuit", "0", "m", "host", "open"] == 0
    assert counted["factcheck_model_circuit", "1", "m", "host", "open"] == 1
    assert counted["factcheck_model_circuit_openings_total", "1", "m", "host"] == 2
    assert counted["factcheck_model_retry_tokens", "0", "m", "host"] == 9.5


def test_a_model_is_seen_answering_with_its_tokens():
    noted, clock = Noted(), FixedClock()
    model = ObservedModel(ScriptedModel("{}", not_ready="starting"), noted, clock)
    model.complete(call(), Deadline.after(5))
    assert noted.events == [ModelAsked(TRAITS.name, "ok", 0.0, 100, 40, 20, TRAITS.endpoint, "scripted-1")]
    assert (model.traits, model.ready()) == (TRAITS, "starting")


def test_each_failed_attempt_and_each_repeat_is_seen():
    noted = Noted()
    model = RetryingModel(
        ObservedModel(ScriptedModel(ModelBusyError("busy"), "{}"), noted, FixedClock()),
        3,
        sleep=lambda _: None,
        on_repeat=lambda: noted.tell(ModelRepeated("scripted")),
    )
    model.complete(call(), Deadline.after(5))
    assert [getattr(event, "outcome", "repeat") for event in noted.events] == ["upstream-busy", "repeat", "ok"]


def test_a_step_is_told_with_its_time_also_when_it_fails():
    noted, clock = Noted(), FixedClock()
    steps = Steps(noted, clock)
    assert steps.take("add", lambda a, b: clock.advance(2) or a + b, 1, b=2) == 3
    with pytest.raises(ZeroDivisionError):
        steps.take("divide", lambda: 1 // 0)
    assert noted.events == [StepTook("add", 2.0), StepTook("divide", 0.0)]


def test_who_observes_nothing_takes_anything():
    assert Unobserved().tell(AnswerReplayed()) is None
