"""A closed loop of clients: each keeps one connection and sends the next article when the last is answered.

    python bench/closed_loop.py PORT REQUESTS [CONCURRENCY]

Prints one JSON object: requests, seconds, and the milliseconds of a request at its median and 99th percentile.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
ARTICLE_CHARS = 2_000
CONCURRENCY = 8
_SEED = (ROOT / "seeds" / "000_5d23d1c23963b52b.txt").read_text("utf-8")


def article(number: int) -> str:
    """A news article of 2,000 code points that differs from any other number's in its end: no cache may answer for it."""
    return f"{_SEED[: ARTICLE_CHARS - 8]}{number:08}"


def body(number: int) -> bytes:
    return json.dumps({"article": {"text": article(number)}}, ensure_ascii=False).encode()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def drive(port: int, requests: int, concurrency: int) -> dict[str, float]:
    numbers = count(time.time_ns() % 10_000_000)
    quota = -(-requests // concurrency)

    def client(_: int) -> list[float]:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        took = []
        for _ in range(quota):
            sent, began = body(next(numbers)), time.perf_counter()
            connection.request("POST", "/analyze", sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = answer.read()
            took.append((time.perf_counter() - began) * 1000)
            if answer.status != 200:
                raise RuntimeError(f"a request was answered with status {answer.status}: {told[:500]!r}")
        connection.close()
        return took

    began = time.perf_counter()
    with ThreadPoolExecutor(concurrency) as pool:
        took = [each for one in pool.map(client, range(concurrency)) for each in one]
    seconds = time.perf_counter() - began
    return {"requests": len(took), "seconds": seconds, "median_ms": median(took), "p99_ms": percentile(took, 0.99)}


if __name__ == "__main__":
    port, requests, *concurrency = map(int, sys.argv[1:])
    print(json.dumps(drive(port, requests, *concurrency or [CONCURRENCY])))
