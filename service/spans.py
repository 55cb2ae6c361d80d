"""Spans for OpenTelemetry, made of what the service tells of its work: the only importer of its SDK.

They hold names and numbers of our own, and the name an endpoint gives its model; nothing of an article, a prompt or a reply.
Sent in the background: a collector that is slow, or not there, costs spans and nothing else.
Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and .../http/http-spans/
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Thread, local

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from service.observing import OK, Event, ModelAsked, RequestServed, StepTook
from service.tracing import SAMPLED, Trace, current

_PATH = "/v1/traces"
_TIMEOUT_S = 5.0
_GOODBYE_S = 3.0  # for the last spans, when the service ends
_FAILURE = 500
_MOST_CHARS = 200

_Attributes = Mapping[str, str | int]


@dataclass(frozen=True)
class _Span:
    """What is told of a span that has just ended; `failure` is an error code."""

    name: str
    kind: SpanKind
    seconds: float
    attributes: _Attributes
    failure: str | None = None


def collector(url: str) -> SpanExporter:
    """What sends spans to the OTLP collector at `url`, over HTTP. It reads its other OTEL_EXPORTER_OTLP_ variables itself."""
    return OTLPSpanExporter(url.rstrip("/") + _PATH, timeout=_TIMEOUT_S)


class Spans:
    """An observer that hands each request, step and model call to `exporter` as a span, if its trace is to be recorded.

    `version` is the service's. Thread-safe.
    """

    def __init__(self, exporter: SpanExporter, version: str, *, delay_s: float = 5.0) -> None:
        self._ids = _GivenIds()
        # What this process does when it ends is the services' business, not an exit handler's.
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create({"service.name": "factcheck", "service.version": version}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=delay_s * 1000))
        self._tracer = self._provider.get_tracer("factcheck", version)

    def tell(self, event: Event) -> None:
        """Nothing; the event becomes a span, if it is of that kind."""
        trace = current()
        if trace is None or not trace.flags & SAMPLED:
            return
        if span := _span_of(event):
            self._end(trace, span)

    def close(self) -> None:
        """Nothing; what has not been sent is sent, if that takes no more than a few seconds."""
        leaving = Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        leaving.start()
        leaving.join(_GOODBYE_S)

    def _end(self, trace: Trace, told: _Span) -> None:
        end = time.time_ns()
        self._ids.give(trace)
        parent = None
        if trace.caller is not None:
            flags = TraceFlags(trace.flags)
            caller = SpanContext(int(trace.trace_id, 16), int(trace.caller, 16), is_remote=True, trace_flags=flags)
            parent = set_span_in_context(NonRecordingSpan(caller))
        start = end - round(told.seconds * 1e9)
        span = self._tracer.start_span(told.name, parent, told.kind, told.attributes, start_time=start)
        if told.failure is not None:
            span.set_attribute("error.type", told.failure)
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)


class _GivenIds(IdGenerator):
    """Ids that a span has been given before it is told, because others have been told them since."""

    def __init__(self) -> None:
        self._now = local()

    def give(self, trace: Trace) -> None:
        """Nothing; the next span of this thread has this one's ids."""
        self._now.trace = trace

    def generate_trace_id(self) -> int:
        """The trace's."""
        return int(self._now.trace.trace_id, 16)

    def generate_span_id(self) -> int:
        """The span's."""
        return int(self._now.trace.span_id, 16)


def _span_of(event: Event) -> _Span | None:
    match event:
        case RequestServed():
            return _Span(_name(event), SpanKind.SERVER, event.seconds, _of_request(event), _fault(event))
        case ModelAsked():
            failure = None if event.outcome == OK else event.outcome
            return _Span(f"chat {event.model}", SpanKind.CLIENT, event.seconds, _of_call(event), failure)
        case StepTook():
            return _Span(event.step, SpanKind.INTERNAL, event.seconds, {})
        case _:
            return None


def _name(event: RequestServed) -> str:
    method = "HTTP" if event.method == "other" else event.method
    return f"{method} {event.route}" if event.route else method


def _fault(event: RequestServed) -> str | None:
    """Why the service failed; what is the caller's to change is no failure of the service."""
    return (event.code or str(event.status)) if event.status >= _FAILURE else None


def _of_request(event: RequestServed) -> _Attributes:
    told: dict[str, str | int] = {
        "http.request.method": "_OTHER" if event.method == "other" else event.method,
        "http.response.status_code": event.status,
    }
    if event.route:
        told["http.route"] = event.route
    if event.code:
        told["factcheck.problem.code"] = event.code
    return told


def _of_call(event: ModelAsked) -> _Attributes:
    told: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",  # whose protocol it speaks; who that is, the address says
        "gen_ai.request.model": event.model,
        "server.address": event.endpoint,
    }
    if event.outcome == OK:
        told |= {
            "gen_ai.response.model": event.served[:_MOST_CHARS],
            "gen_ai.usage.input_tokens": event.input_tokens,
            "gen_ai.usage.cache_read.input_tokens": event.cached_tokens,
            "gen_ai.usage.output_tokens": event.output_tokens,
        }
    return told
