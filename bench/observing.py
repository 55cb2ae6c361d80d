"""What it costs to be seen: milliseconds of one request's events, trace and counts, and of one scrape.

    python bench/observing.py [--requests N]

Exit status 1 when a request's share is over the bar.
"""

import argparse
import sys
from statistics import median
from time import monotonic, perf_counter

from service.metrics import Metrics
from service.observing import OK, AnalysisFailed, ModelAsked, Observer, RequestServed, Steps, Unobserved
from service.tracing import current, enter, headers_of_a_call, server_span

BAR_MS = 0.3
STEPS = ("ingest", "segment", "plan", "extract", "prove", "merge", "assemble")
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def one_request(observer: Observer) -> None:
    """Everything that is told of a short article, and its trace from the caller to the model."""
    enter(server_span(PARENT, "vendor=1"))
    steps = Steps(observer, monotonic)
    for name in STEPS:
        steps.take(name, lambda: None)
    observer.tell(ModelAsked("model", OK, 1.0, 1_200, 900, 370))
    headers_of_a_call()
    observer.tell(AnalysisFailed("upstream-busy"))
    observer.tell(RequestServed("/analyze", "POST", 503, "upstream-busy", 1.0))
    if trace := current():
        assert trace.parent
    enter(None)


def milliseconds(observer: Observer, requests: int) -> float:
    """The median of `requests`."""
    took = []
    for _ in range(requests):
        began = perf_counter()
        one_request(observer)
        took.append((perf_counter() - began) * 1000)
    return median(took)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=5_000)
    requests = parser.parse_args().requests
    metrics = Metrics("bench")
    with_nobody, counted = milliseconds(Unobserved(), requests), milliseconds(metrics, requests)
    began = perf_counter()
    size = len(metrics.text())
    scrape = (perf_counter() - began) * 1000
    print(f"one request: {counted:.3f} ms counted, {with_nobody:.3f} ms with nobody to tell (bar: {BAR_MS:g} ms)")
    print(f"one scrape: {scrape:.1f} ms, {size:,} bytes")
    return int(counted > BAR_MS)


if __name__ == "__main__":
    sys.exit(main())
