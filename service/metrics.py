"""What the service has done, as Prometheus reads it: the only importer of its client.

Every label has few values, and none of them comes from a caller, an article or a model's reply.
"""

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.domain import Analysis
from service.errors import ModelPausedError
from service.llm.base import Circuit, UpstreamState
from service.observing import (
    OK,
    Analysed,
    AnalysisFailed,
    AnswerReplayed,
    Event,
    LimitReached,
    ModelAsked,
    ModelRepeated,
    RequestServed,
    StepTook,
)
from service.pipeline.answers import MADE

Gauge = tuple[str, str, Callable[[], float]]
"""A level read when it is asked for: name, what it means, how to read it."""

UNKNOWN_ROUTE = "unknown"
REPLAYED = "replay"
_WORK_S = (0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
_STEP_S = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


class Metrics:
    """An observer that counts, and the counts as text. Thread-safe; each has a registry of its own.

    `version` is the service's.
    """

    def __init__(self, version: str) -> None:
        # Else each count has the time of its making beside it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        Info("factcheck_build", "What is running.", registry=registry).info(
            {"version": version, "python": platform.python_version()}
        )

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"factcheck_{name}", told, labels, registry=registry)

        def seconds(name: str, told: str, label: str, buckets: Sequence[float]) -> Histogram:
            return Histogram(f"factcheck_{name}_seconds", told, (label,), buckets=buckets, registry=registry)

        self._requests = counter(
            "requests", "Requests answered; code is empty unless a problem was.", "route", "method", "status", "code"
        )
        self._request_s = seconds("request", "From a request's first byte to its answer.", "route", _WORK_S)
        self._analyses = counter("analyses", "Analyses by status, or by error code when they failed.", "outcome")
        self._answers = counter("answers", "Answers by where they came from.", "cache")
        self._limited = counter("limited", "Requests refused because a tenant's limit was reached.", "limit")
        self._claims = counter("claims", "Claims found in new analyses.")
        self._set_aside = counter("set_aside", "What models proposed in new analyses and was refused.", "reason")
        self._passages = counter("passages", "Passages of new analyses: ok, reused, or an error code.", "outcome")
        self._calls = counter("model_calls", "Times a model was asked: ok, or an error code.", "model", "outcome")
        self._call_s = seconds("model_call", "Until a model answered or failed.", "model", _WORK_S)
        self._repeats = counter("model_retries", "Times a model was asked again after a failure.", "model")
        self._tokens = counter(
            "model_tokens", "Tokens as endpoints count them; cached ones are input, too.", "model", "direction"
        )
        self._step_s = seconds("step", "Steps of the flow; extract includes waiting for the model.", "step", _STEP_S)

    def watch(self, gauges: Sequence[Gauge], upstreams: Callable[[], Iterable[UpstreamState]]) -> None:
        """Nothing; from now on these levels, and how each model's endpoint does, are among what is told."""
        self._registry.register(_Levels(gauges, upstreams))

    def text(self) -> bytes:
        """Everything measured, in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)

    def tell(self, event: Event) -> None:
        """Nothing; the event is counted."""
        match event:
            case StepTook():
                self._step_s.labels(event.step).observe(event.seconds)
            case ModelAsked():
                self._asked(event)
            case ModelRepeated():
                self._repeats.labels(event.model).inc()
            case Analysed():
                self._analysed(event.analysis)
            case AnalysisFailed():
                self._analyses.labels(event.code).inc()
            case AnswerReplayed():
                self._answers.labels(REPLAYED).inc()
            case LimitReached():
                self._limited.labels(event.limit).inc()
            case RequestServed():
                route = event.route or UNKNOWN_ROUTE
                self._requests.labels(route, event.method, str(event.status), event.code or "").inc()
                self._request_s.labels(route).observe(event.seconds)

    def _asked(self, event: ModelAsked) -> None:
        self._calls.labels(event.model, event.outcome).inc()
        if event.outcome != ModelPausedError.code:  # nobody was asked: in an outage the endpoint would look fast
            self._call_s.labels(event.model).observe(event.seconds)
        if event.outcome == OK:
            self._tokens.labels(event.model, "input").inc(event.input_tokens)
            self._tokens.labels(event.model, "cached").inc(event.cached_tokens)
            self._tokens.labels(event.model, "output").inc(event.output_tokens)

    def _analysed(self, analysis: Analysis) -> None:
        self._analyses.labels(str(analysis.status)).inc()
        self._answers.labels(analysis.usage.cache).inc()
        if analysis.usage.cache != MADE:  # what it holds was counted when it was made
            return
        self._claims.inc(len(analysis.claims))
        for refused in analysis.set_aside:
            self._set_aside.labels(str(refused.reason)).inc()
        for passage in analysis.coverage.passages:
            self._passages.labels(passage.code or ("reused" if passage.reused else OK)).inc()


class _Levels(Collector):
    """What is true at the moment it is asked for."""

    def __init__(self, gauges: Sequence[Gauge], upstreams: Callable[[], Iterable[UpstreamState]]) -> None:
        self._gauges = gauges
        self._upstreams = upstreams

    def describe(self) -> Iterable[Metric]:
        """Nothing: asking for the levels at start-up would be too early."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The levels now. An upstream is told by its place, too: two may have the same model at the same host."""
        for name, told, read in self._gauges:
            yield GaugeMetricFamily(f"factcheck_{name}", told, value=read())
        labels = ("upstream", "model", "endpoint")
        circuit = GaugeMetricFamily("factcheck_model_circuit", "1 for the state its breaker is in.", labels=(*labels, "state"))
        tokens = GaugeMetricFamily("factcheck_model_retry_tokens", "Repeats that could be made now.", labels=labels)
        openings = CounterMetricFamily("factcheck_model_circuit_openings", "Times its breaker opened.", labels=labels)
        for place, state in enumerate(self._upstreams()):
            names = (str(place), state.model, state.endpoint)
            for one in Circuit:
                circuit.add_metric((*names, str(one)), float(state.circuit is one))
            tokens.add_metric(names, state.retry_tokens)
            openings.add_metric(names, state.openings)
        yield from (circuit, tokens, openings)
