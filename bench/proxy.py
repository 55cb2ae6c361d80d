"""Two instances of the service behind nginx, set up by deploy/nginx.conf, while clients leave and everything is restarted.

    python bench/proxy.py [--requests N] [--rate N] [--latency-ms N] [--json]

Needs nginx. The model is tests/model_double.py in this process. In turn: analyses from 16 clients; analyses whose clients
leave before their answer; bodies that are too large and models that are too slow; `nginx -s reload` every second; both
instances stopped with SIGTERM and started again, one after the other. During the last two, requests are sent at a fixed
rate, each on a connection of its own, and one in twenty of their clients leaves. Each answer must be a 200 for its own article,
under its own request id. Exit status 1 when any other request failed.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from closed_loop import article, percentile  # noqa: E402
from overhead import free_port, is_up  # noqa: E402

from tests.model_double import ModelDouble, Modes  # noqa: E402
from tests.nginx import Nginx, running_nginx  # noqa: E402

CLIENTS = 16
LEAVES = 20  # one client in so many
PATIENCE_S = 240.0
DEADLINE_S = 20
SETTLE_S = 1.0  # between a restart and the next


class Instance:
    """One service, which can be stopped and started again at its port."""

    def __init__(self, base_url: str) -> None:
        self.port = free_port()
        self._env = os.environ | {
            "OPENAI_BASE_URL": base_url,
            "FACTCHECK_PORT": str(self.port),
            "FACTCHECK_DEADLINE_S": str(DEADLINE_S),
            "FACTCHECK_PROXY_HOPS": "1",
            "PYTHONPATH": str(ROOT),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve"], env=self._env, stderr=subprocess.DEVNULL
        )

    def wait_until_ready(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while not is_up(self.port):
            if time.monotonic() > end:
                raise RuntimeError(f"the service at port {self.port} does not begin")
            time.sleep(0.05)

    def stop(self) -> float:
        """The seconds it took to leave."""
        began = time.monotonic()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            process, self._process = self._process, None
            if process.wait(PATIENCE_S) != 0:
                raise RuntimeError(f"the service at port {self.port} left with status {process.returncode}")
        return time.monotonic() - began


@dataclass(frozen=True)
class Answered:
    """What became of a request: `ok`, `left` by its own client, or what went wrong."""

    outcome: str
    took_s: float


def ask(port: int, number: int, leave_after_s: float | None = None) -> Answered:
    began = time.monotonic()
    text, request_id = article(number), f"bench-{number}"
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S if leave_after_s is None else leave_after_s)
    headers = {"Content-Type": "application/json", "X-Request-Id": request_id, "Connection": "close"}
    try:
        connection.request("POST", "/analyze", json.dumps({"article": {"text": text}}), headers)
        response = connection.getresponse()
        told = json.loads(response.read())
        outcome = fault(response.status, response.headers["X-Request-Id"], told, text, request_id)
    except TimeoutError:
        outcome = "left" if leave_after_s is not None else "no answer in time"
    except (OSError, HTTPException, ValueError) as error:
        outcome = type(error).__name__
    finally:
        connection.close()
    return Answered(outcome, time.monotonic() - began)


def fault(status: int, told_id: str, told: dict[str, Any], text: str, request_id: str) -> str:
    if status != 200:
        return f"{status} {told.get('code')}"
    if told_id != request_id:
        return "somebody else's id"
    quotes = [claim["quote"] for claim in told["claims"]]
    proved = quotes and all(text[quote["start"] : quote["end"]] == quote["text"] for quote in quotes)
    return "ok" if proved else "not this article's quotes"


def summary(answers: list[Answered]) -> dict[str, Any]:
    took = [one.took_s * 1000 for one in answers if one.outcome == "ok"] or [float("nan")]
    return {
        "requests": len(answers),
        "outcomes": dict(Counter(one.outcome for one in answers).most_common()),
        "failed": sum(one.outcome not in {"ok", "left"} for one in answers),
        "median_ms": round(percentile(took, 0.5), 1),
        "p99_ms": round(percentile(took, 0.99), 1),
    }


class Numbers:
    """Numbers of articles that no cache has seen."""

    def __init__(self) -> None:
        self._next = time.time_ns() % 10_000_000

    def take(self, count: int) -> range:
        self._next += count
        return range(self._next - count, self._next)


def side_by_side(port: int, numbers: range, leave_after_s: float | None = None) -> dict[str, Any]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return summary(list(pool.map(lambda number: ask(port, number, leave_after_s), numbers)))


def while_running(port: int, numbers: Numbers, rate: float, leave_after_s: float, change: Callable[[], None]) -> dict[str, Any]:
    """What became of requests sent at this rate, until `change` was done and one second after."""
    over, failed = threading.Event(), []

    def work() -> None:
        try:
            time.sleep(1.0)
            change()
            time.sleep(1.0)
        except (RuntimeError, OSError) as error:
            failed.append(error)
        finally:
            over.set()

    thread = threading.Thread(target=work)
    thread.start()
    began, futures = time.monotonic(), []
    with ThreadPoolExecutor(256) as pool:
        while not over.is_set():
            time.sleep(max(0.0, began + len(futures) / rate - time.monotonic()))
            (number,) = numbers.take(1)
            futures.append(pool.submit(ask, port, number, leave_after_s if len(futures) % LEAVES == LEAVES - 1 else None))
    thread.join()
    if failed:
        raise failed[0]
    seconds = time.monotonic() - began
    return summary([future.result() for future in futures]) | {"seconds": round(seconds, 1)}


def refusals(nginx: Nginx) -> dict[str, Any]:
    """Statuses and codes of requests that must be refused, through nginx."""
    too_large = nginx.ask("POST", "/analyze", b"x" * 1_000_001, **{"Content-Type": "text/plain"})
    late = nginx.ask("POST", "/analyze", "Ms Roe spoke.", **{"Content-Type": "text/plain", "Request-Timeout": "0.05"})
    return {name: f"{status} {json.loads(body)['code']}" for name, (status, _, body) in (("large", too_large), ("late", late))}


def run(options: argparse.Namespace) -> dict[str, Any]:
    numbers = Numbers()
    with ExitStack() as stack:
        double = stack.enter_context(ModelDouble(Modes("ok", options.latency_ms / 1000)))
        instances = [Instance(double.base_url) for _ in range(2)]
        for instance in instances:
            stack.callback(instance.stop)
            instance.start()
        for instance in instances:
            instance.wait_until_ready()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nginx = stack.enter_context(running_nginx(folder, [one.port for one in instances], worker_processes="auto"))
        side_by_side(nginx.port, numbers.take(40))  # the first requests load what is loaded late

        def reload() -> None:
            for _ in range(options.reloads):
                nginx.reload()
                time.sleep(1.0)

        stops: list[float] = []

        def restart() -> None:
            for instance in instances:
                stops.append(instance.stop())
                instance.start()
                instance.wait_until_ready()
                time.sleep(SETTLE_S)

        leave_after_s = options.latency_ms / 2000
        report: dict[str, Any] = {
            "straight": side_by_side(instances[0].port, numbers.take(options.requests // 4)),
            "analyses": side_by_side(nginx.port, numbers.take(options.requests)),
            "clients leave": side_by_side(nginx.port, numbers.take(100), leave_after_s),
        }
        report["refusals"] = refusals(nginx)
        report["nginx reloaded"] = while_running(nginx.port, numbers, options.rate, leave_after_s, reload)
        report["services restarted"] = while_running(nginx.port, numbers, options.rate, leave_after_s, restart)
        report["seconds_to_stop"] = [round(one, 1) for one in stops]
        report["known to nginx"] = dict(Counter(str(line["status"]) for line in nginx.lines).most_common())
    return report


def met(report: dict[str, Any]) -> bool:
    return all(part["failed"] == 0 for part in report.values() if isinstance(part, dict) and "failed" in part) and report[
        "refusals"
    ] == {"large": "413 body-too-large", "late": "504 deadline-exceeded"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000, help="analyses from clients side by side")
    parser.add_argument("--rate", type=float, default=50.0, help="requests in a second while something is restarted")
    parser.add_argument("--latency-ms", type=float, default=200.0, help="the model's time")
    parser.add_argument("--reloads", type=int, default=10, help="how often nginx is reloaded")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    report = run(options)
    if options.json:
        print(json.dumps({"load": os.getloadavg(), **vars(options), **report}, indent=2))
        return 0 if met(report) else 1
    print(f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}\n")
    print(f"{'':20}{'requests':>9}{'failed':>8}{'median ms':>11}{'p99 ms':>9}  outcomes")
    for name, part in report.items():
        if isinstance(part, dict) and "failed" in part:
            outcomes = ", ".join(f"{count} x {outcome}" for outcome, count in part["outcomes"].items())
            print(f"{name:20}{part['requests']:>9}{part['failed']:>8}{part['median_ms']:>11}{part['p99_ms']:>9}  {outcomes}")
    print(
        f"\nrefused: {report['refusals']}; seconds to stop: {report['seconds_to_stop']}; by nginx: {report['known to nginx']}"
    )
    print("met" if met(report) else "MISSED")
    return 0 if met(report) else 1


if __name__ == "__main__":
    sys.exit(main())
