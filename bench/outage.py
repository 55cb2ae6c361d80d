"""What an outage of the model's endpoint looks like from both sides: calls it still gets, answers callers get, recovery.

    python bench/outage.py [--seconds S] [--rate N] [--how error|reset|silence] [--deadline S] [--json]

The endpoint is tests/model_double.py in this process; it works, is dead for `--seconds`, and works again. Requests come at a
fixed rate whatever becomes of them, to the production server in a process of its own with its defaults. Exit status 1 when
calls during the outage, after its first second, are more than 5 % of the requests, or recovery takes longer than a probe
interval and a second.
"""

import argparse
import json
import os
import platform
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from math import inf
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET, socket
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from closed_loop import body, percentile  # noqa: E402
from overhead import free_port, is_up, program  # noqa: E402

from service.llm.breaker import PROBE_INTERVAL_S  # noqa: E402
from tests.model_double import Answer, Call, ModelDouble, Modes, error_answer  # noqa: E402

BEFORE_S = 5.0
AFTER_S = 10.0
BAR_CALLS = 0.05
BAR_RECOVERY_S = PROBE_INTERVAL_S + 1.0
ANSWER_TIMEOUT_S = 150.0
COLUMNS = (("requests", 10), ("calls", 8), ("calls_per_request", 13), ("median_ms", 11), ("p99_ms", 10))


class Endpoint:
    """A model that answers after `latency_s`, or is dead in one of three ways; when each call came is kept."""

    def __init__(self, how: str, latency_s: float) -> None:
        self.dead = threading.Event()
        self.called_at: list[float] = []
        self._alive = Modes("ok", latency_s)
        self._died = {
            "error": error_answer(503, "unavailable"),
            "reset": Answer(raw=_reset),
            "silence": Answer(wait_s=3_600.0),
        }[how]

    def __call__(self, call: Call) -> Answer:
        self.called_at.append(time.monotonic())
        return self._died if self.dead.is_set() else self._alive(call)


def _reset(connection: socket) -> None:
    connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@dataclass(frozen=True)
class Answered:
    """One request: when it was sent, how long it took, and what came back (status 0: nothing)."""

    sent_at: float
    took_s: float
    status: int
    code: str
    retry_after: str | None


def ask(port: int, number: int) -> Answered:
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request("POST", "/analyze", body(number), {"Content-Type": "application/json"})
        response = connection.getresponse()
        told = json.loads(response.read())
        return Answered(
            began,
            time.monotonic() - began,
            response.status,
            told.get("code", told.get("status", "")),
            response.headers.get("Retry-After"),
        )
    except (OSError, ValueError):
        return Answered(began, time.monotonic() - began, 0, "no answer", None)
    finally:
        connection.close()


def run(options: argparse.Namespace) -> dict[str, Any]:
    endpoint, port = Endpoint(options.how, options.latency_ms / 1000), free_port()
    command = ("-m", "service.cli", "serve", "--port", str(port))
    with ExitStack() as stack:
        double = stack.enter_context(ModelDouble(endpoint))
        env = {"OPENAI_BASE_URL": double.base_url, "FACTCHECK_DEADLINE_S": str(options.deadline)}
        stack.enter_context(program(*command, env=env, stderr=subprocess.DEVNULL))
        pool = stack.enter_context(ThreadPoolExecutor(1_024))
        while not is_up(port):
            time.sleep(0.1)
        for number in range(20):  # the first requests load what is loaded late
            ask(port, number)
        endpoint.called_at.clear()
        began = time.monotonic()
        dies, revives = began + BEFORE_S, began + BEFORE_S + options.seconds
        for at, change in ((dies, endpoint.dead.set), (revives, endpoint.dead.clear)):
            timer = threading.Timer(at - began, change)
            timer.daemon = True
            timer.start()
        futures, first = [], time.time_ns() % 10_000_000
        for turn in range(int((BEFORE_S + options.seconds + AFTER_S) * options.rate)):
            time.sleep(max(0.0, began + turn / options.rate - time.monotonic()))
            futures.append(pool.submit(ask, port, first + turn))
        answers = [future.result() for future in futures]
        return summary(endpoint.called_at, answers, dies, revives)


def summary(called_at: list[float], answers: list[Answered], dies: float, revives: float) -> dict[str, Any]:
    def between(begin: float, end: float) -> dict[str, Any]:
        sent = [one for one in answers if begin <= one.sent_at < end]
        calls = sum(begin <= at < end for at in called_at)
        took = [one.took_s * 1000 for one in sent]
        return {
            "requests": len(sent),
            "calls": calls,
            "calls_per_request": round(calls / len(sent), 4),
            "answers": dict(Counter(f"{one.status} {one.code}" for one in sent).most_common()),
            "median_ms": round(percentile(took, 0.5), 1),
            "p99_ms": round(percentile(took, 0.99), 1),
        }

    recovered = min((one.sent_at + one.took_s for one in answers if one.sent_at >= revives and one.status == 200), default=inf)
    paused = [one for one in answers if one.code == "upstream-paused"]
    later = between(dies + 1, revives)
    recovery_s = recovered - revives
    return {
        "before": between(0.0, dies),
        "first_second": between(dies, dies + 1),
        "rest_of_outage": later,
        "after": between(revives, inf),
        "after_recovery": between(recovered, inf) if recovered < inf else None,
        "recovery_s": round(recovery_s, 2),
        "paused_without_retry_after": sum(one.retry_after is None for one in paused),
        "met": later["calls_per_request"] <= BAR_CALLS and recovery_s <= BAR_RECOVERY_S,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the endpoint is dead")
    parser.add_argument("--rate", type=float, default=50.0, help="requests in a second")
    parser.add_argument("--how", choices=("error", "reset", "silence"), default="error", help="what a dead endpoint does")
    parser.add_argument("--latency-ms", type=float, default=200.0, help="what the endpoint takes for an answer")
    parser.add_argument("--deadline", type=float, default=120.0, help="FACTCHECK_DEADLINE_S")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    machine = f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}"
    report = {"machine": machine, **vars(options), **run(options)}
    if options.json:
        print(json.dumps(report, indent=2))
        return 0 if report["met"] else 1
    print(f"{options.rate:g} requests/s, endpoint dead ({options.how}) for {options.seconds:g} s; {machine}\n")
    print(f"{'':18}{'requests':>10}{'calls':>8}{'per request':>13}{'median ms':>11}{'p99 ms':>10}  answers")
    for name in ("before", "first_second", "rest_of_outage", "after", "after_recovery"):
        if part := report[name]:
            counted = "".join(f"{part[key]:>{width}}" for key, width in COLUMNS)
            print(f"{name.replace('_', ' '):18}{counted}  {', '.join(f'{n} x {what}' for what, n in part['answers'].items())}")
    print(f"\nfirst 200 after the endpoint worked again: {report['recovery_s']} s (bar {BAR_RECOVERY_S:g} s)")
    share, met = report["rest_of_outage"]["calls_per_request"], "met" if report["met"] else "MISSED"
    print(f"calls after the first second: {share:.2%} of the requests (bar {BAR_CALLS:.0%}): {met}")
    return 0 if report["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
