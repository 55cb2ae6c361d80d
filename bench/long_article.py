"""How long an article of many passages takes when they are read side by side, and what memory that costs.

    python bench/long_article.py [--chars N] [--latency-ms N] [--parallel N] [--json]

The production server and a model double that waits before each answer run in processes of their own. The bar: at most 1.3
times what the calls alone take in rounds of `parallel`, and 300 MB. Exit status 1: a bar is missed.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
TIMES, MEGABYTES = 1.3, 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def article(chars: int) -> str:
    """Both seeds again and again, each time with a number of its own, so that no sentence comes twice."""
    seeds = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "seeds").glob("*.txt"))]
    text, turn = "", 0
    while len(text) < chars:
        text += seeds[turn % len(seeds)].replace(".\n", f", report {turn} says.\n") + f"\nThis was report number {turn}.\n"
        turn += 1
    return text[:chars]


@contextmanager
def running(command: list[str], port: int, path: str, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                connection = HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", path)
                if connection.getresponse().status < 500:
                    break
            except OSError:
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def peak_mb(pid: int) -> float:
    """The sum of the highest resident sizes of a process and its children."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return own + sum(peak_mb(int(child)) for child in children)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chars", type=int, default=100_000)
    parser.add_argument("--latency-ms", type=int, default=500)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--passage-chars", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    model, port = free_port(), free_port()
    double = [sys.executable, "-m", "tests.model_double", "--port", str(model), "--latency-ms", str(asked.latency_ms)]
    serve = [sys.executable, "-m", "service.cli", "serve", "--port", str(port)]
    settings = {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{model}/v1",
        "OPENAI_API_KEY": "bench",
        "FACTCHECK_PASSAGE_CHARS": str(asked.passage_chars),
        "FACTCHECK_PARALLEL_CALLS": str(asked.parallel),
    }
    times, answer = [], {}
    with running(double, model, "/v1/models"), running(serve, port, "/readyz", **settings) as server:
        for turn in range(asked.rounds):
            body = json.dumps({"article": {"text": f"{turn} {article(asked.chars)}"[: asked.chars], "language": "en"}})
            started = time.perf_counter()
            connection = HTTPConnection("127.0.0.1", port, timeout=120)
            connection.request("POST", "/analyze", body, {"Content-Type": "application/json", "Cache-Control": "no-store"})
            answer = json.loads(connection.getresponse().read())
            times.append(time.perf_counter() - started)
        memory = peak_mb(server.pid)
    passages = len(answer["coverage"]["passages"])
    bound = TIMES * (passages / asked.parallel) * asked.latency_ms / 1_000
    figures = {
        "passages": passages,
        "median_s": round(median(times), 3),
        "bound_s": round(bound, 3),
        "memory_mb": round(memory),
    }
    print(json.dumps(figures) if asked.json else "\n".join(f"{name:>10}  {value}" for name, value in figures.items()))
    return int(median(times) > bound or memory > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
