"""What an answer costs that was kept, and how often a model is called for the same article sent many times at once.

    python bench/cached.py [--requests N] [--json]

The production server over tests/model_double.py: first one request after another for an article whose answer is kept, in
memory, in a file and in Redis; then 64 requests at once for an article nobody asked for yet, counted by the double's own log.
Exit status 1 when a kept answer takes longer than the bar, or the 64 cost more than one call.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from threading import Barrier
from typing import Any

from closed_loop import ARTICLE_CHARS, article, percentile
from overhead import free_port, is_up, program
from redis import Redis
from redis.exceptions import RedisError

from tests.model_double import ModelDouble, Modes

BAR_MS = 5.0
AT_ONCE = 64
WARM_UP = 50
LATENCY_S = 0.5
REDIS = "redis://127.0.0.1:6379/0"


@contextmanager
def service(base_url: str, **environ: str) -> Iterator[int]:
    port = free_port()
    env = {"OPENAI_BASE_URL": base_url, "FACTCHECK_SERVER_THREADS": "80", **environ}
    with program("-m", "service.cli", "serve", "--port", str(port), env=env, stderr=-3) as process:
        until = time.monotonic() + 60
        while not is_up(port):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit("the service did not start")
            time.sleep(0.1)
        yield port


def body(number: int) -> bytes:
    return json.dumps({"article": {"text": article(number)}}, ensure_ascii=False).encode()


def ask(connection: HTTPConnection, sent: bytes) -> dict[str, Any]:
    connection.request("POST", "/analyze", sent, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    if answer.status != 200:
        sys.exit(f"a request was answered with status {answer.status}: {told[:500]!r}")
    return json.loads(told)


def kept(port: int, requests: int, number: int) -> dict[str, float]:
    """The milliseconds of requests for one article, after the first."""
    connection, sent, took = HTTPConnection("127.0.0.1", port, timeout=60), body(number), []
    ask(connection, sent)
    for turn in range(-WARM_UP, requests):
        began = time.perf_counter()
        told = ask(connection, sent)
        if turn >= 0:
            took.append((time.perf_counter() - began) * 1000)
        if told["usage"]["cache"] != "hit":
            sys.exit("an answer was not kept")
    connection.close()
    return {"median_ms": round(median(took), 3), "p99_ms": round(percentile(took, 0.99), 3)}


def at_once(port: int, number: int) -> Counter[str]:
    """What `usage.cache` said to each of the requests."""
    sent, meeting = body(number), Barrier(AT_ONCE)

    def one(_: int) -> str:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        meeting.wait()
        cache: str = ask(connection, sent)["usage"]["cache"]
        connection.close()
        return cache

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(AT_ONCE)))


def redis_answers() -> bool:
    with Redis.from_url(REDIS, socket_connect_timeout=1) as client:
        try:
            return bool(client.ping())
        except (RedisError, OSError):
            return False


def measure(requests: int) -> dict[str, Any]:
    report: dict[str, Any] = {"kept": {}}
    number = time.time_ns() % 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        places: dict[str, Mapping[str, str]] = {
            "memory": {},
            "file": {"FACTCHECK_CACHE_FILE": str(Path(folder) / "answers.sqlite3")},
        }
        if redis_answers():
            places["redis"] = {"FACTCHECK_REDIS_URL": REDIS, "FACTCHECK_CACHE_TTL_S": "300"}
        for place, environ in places.items():
            with ModelDouble(Modes()) as double, service(double.base_url, **environ) as port:
                report["kept"][place] = kept(port, requests, number)
    with ModelDouble(Modes("ok", LATENCY_S)) as double, service(double.base_url) as port:
        ask(HTTPConnection("127.0.0.1", port, timeout=60), body(number + 1))
        before = len(double.calls)
        report["at_once"] = {"requests": AT_ONCE, "usage": dict(at_once(port, number + 2)), "calls": len(double.calls) - before}
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500, help="for each place that answers are kept in")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    report = {"machine": f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}", "bar_ms": BAR_MS}
    report |= measure(options.requests)
    met = all(told["median_ms"] <= BAR_MS for told in report["kept"].values()) and report["at_once"]["calls"] == 1
    if options.json:
        print(json.dumps(report | {"met": met}, indent=2))
    else:
        print(f"An article of {ARTICLE_CHARS:,} characters; {report['machine']}; milliseconds of {options.requests} requests\n")
        for place, told in report["kept"].items():
            print(f"kept in {place:8}{told['median_ms']:8.2f} median{told['p99_ms']:8.2f} p99")
        told = report["at_once"]
        print(f"\n{told['requests']} requests at once: {told['calls']} model calls, usage.cache {told['usage']}")
        print(f"bar: {BAR_MS:g} ms at the median, one call: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
