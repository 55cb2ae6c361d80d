import threading

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from service.observing import AnswerReplayed, ModelAsked, RequestServed, StepTook
from service.spans import Spans
from service.tracing import enter, headers_of_a_call, inner_span, server_span

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVED = RequestServed("/analyze", "POST", 200, None, 0.5)
PATIENCE_S = 30


@pytest.fixture
def told():
    """What becomes of events that are told within a request's trace; the spans come when it is left."""
    exporter = InMemorySpanExporter()

    def tell(*events, parent=f"00-{TRACE}-{CALLER}-01", sample=False):
        spans = Spans(exporter, "1.0")
        enter(server_span(parent, None, sample=sample))
        try:
            for event in events:
                spans.tell(event)
        finally:
            enter(None)
            spans.close()
        return exporter.get_finished_spans()

    return tell


def test_a_request_is_a_span_in_its_callers_trace(told):
    (span,) = told(SERVED)
    assert (span.name, span.kind, span.status.status_code) == ("POST /analyze", SpanKind.SERVER, StatusCode.UNSET)
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, CALLER)
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/analyze",
    }
    assert span.end_time - span.start_time == 500_000_000
    assert span.resource.attributes["service.name"] == "factcheck"


def test_a_request_that_is_at_fault_itself_is_no_failure_of_ours_and_one_we_fail_is(told):
    theirs, ours, nowhere = told(
        RequestServed("/analyze", "POST", 422, "invalid-request", 0.1),
        RequestServed("/analyze", "POST", 502, "upstream-busy", 0.1),
        RequestServed(None, "other", 500, None, 0.1),
    )
    assert (theirs.status.status_code, theirs.attributes["factcheck.problem.code"]) == (StatusCode.UNSET, "invalid-request")
    assert (ours.status.status_code, ours.attributes["error.type"]) == (StatusCode.ERROR, "upstream-busy")
    assert (nowhere.name, nowhere.attributes["error.type"]) == ("HTTP", "500")
    assert nowhere.attributes["http.request.method"] == "_OTHER"


def test_a_call_to_a_model_has_the_attributes_that_tools_for_models_read(told):
    (span,) = told(ModelAsked("gpt-9", "ok", 2.0, 1200, 900, 300, "api.example.org", "gpt-9-2026" + "x" * 300))
    assert (span.name, span.kind) == ("chat gpt-9", SpanKind.CLIENT)
    attributes = dict(span.attributes)
    assert len(attributes.pop("gen_ai.response.model")) == 200
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-9",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.cache_read.input_tokens": 900,
        "gen_ai.usage.output_tokens": 300,
        "server.address": "api.example.org",
    }


def test_a_call_that_failed_is_told_with_its_code_and_without_tokens(told):
    (span,) = told(ModelAsked("gpt-9", "upstream-busy", 0.1, endpoint="api.example.org"))
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "upstream-busy")
    assert not any("usage" in name for name in span.attributes)


def test_a_step_and_what_is_done_within_it_are_one_inside_the_other():
    exporter = InMemorySpanExporter()
    spans = Spans(exporter, "1.0")
    enter(server_span(None, None, sample=True))
    try:
        with inner_span():
            with inner_span(outgoing=True):
                sent = headers_of_a_call()
                assert headers_of_a_call() == sent
                spans.tell(ModelAsked("m", "ok", 0.1))
            spans.tell(StepTook("extract", 0.2))
        spans.tell(SERVED)
    finally:
        enter(None)
        spans.close()
    call, step, request = exporter.get_finished_spans()
    assert [span.parent and span.parent.span_id for span in (call, step, request)] == [
        step.context.span_id,
        request.context.span_id,
        None,
    ]
    assert len({span.context.trace_id for span in (call, step, request)}) == 1
    assert sent["traceparent"] == f"00-{call.context.trace_id:032x}-{call.context.span_id:016x}-03"


@pytest.mark.parametrize(
    ("parent", "sample"),
    [
        pytest.param(f"00-{TRACE}-{CALLER}-00", True, id="the caller does not record it"),
        pytest.param(None, False, id="nobody asked for it"),
    ],
)
def test_a_trace_that_is_not_to_be_recorded_is_not(told, parent, sample):
    assert told(SERVED, parent=parent, sample=sample) == ()


def test_what_is_no_piece_of_work_or_belongs_to_no_request_is_no_span(told):
    assert told(AnswerReplayed()) == ()
    Spans(InMemorySpanExporter(), "1").tell(SERVED)


class Stuck(SpanExporter):
    """A collector that never answers."""

    def __init__(self):
        self.reached = threading.Event()
        self.end = threading.Event()

    def export(self, _spans):
        self.reached.set()
        self.end.wait(PATIENCE_S)
        return SpanExportResult.FAILURE

    def shutdown(self):
        """Nothing."""


def test_a_collector_that_hangs_holds_up_neither_the_work_nor_the_end():
    stuck = Stuck()
    spans = Spans(stuck, "1.0", delay_s=0.01)
    enter(server_span(None, None, sample=True))
    try:
        spans.tell(SERVED)
        assert stuck.reached.wait(PATIENCE_S)
        for _ in range(3_000):
            spans.tell(SERVED)
    finally:
        enter(None)
    spans.close()
    assert not stuck.end.is_set()
    stuck.end.set()
