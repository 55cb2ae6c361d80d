"""What the service costs beside the model call it makes: milliseconds by step, and CPU against a bare view.

    python bench/overhead.py [--requests N] [--rounds N] [--json]

The model is tests/model_double.py in a process of its own, which answers at once. First the steps of one request after
another, through Flask's test client and the real adapter; then the production server, in turns with bench/bare_view.py,
each under the same closed loop of 8 clients. Last the same requests with and without API keys, limits, metrics and the
check of answers, in turns. Exit status 1 when our own work, or what these add, is over its bar.
"""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import openai
from closed_loop import ARTICLE_CHARS, CONCURRENCY, ROOT, body, percentile
from long_reply import CLAIMS, LongReplyModel
from protections import BAR_MS as PROTECTIONS_BAR_MS
from protections import measure_protections

from service.app import create_app
from service.llm.openai_chat import OpenAIChatModel
from service.llm.retrying import RetryingModel
from service.llm.transport import _BoundedStream
from service.logs import configure_logs
from service.pipeline import analyze as flow
from service.pipeline import extract, ingest
from service.pipeline import remember as remembering
from service.pipeline.analyze import Services
from service.pipeline.prove import Prover
from service.prompting import Prompt
from service.settings import Settings
from service.web import routes
from service.wiring import build_services

BAR_MS = 8.0
SDK_CALL = "SDK call: the SDK and the wire"
DOUBLE = "SDK call: wait for the double"
REST = "the flow between the steps"
WARM_UP = 100

STEPS: tuple[tuple[str, Any, str], ...] = (
    ("read the request", routes, "read_request"),
    ("hash the text", flow, "ingest"),
    ("tell the language", ingest, "detect"),
    ("cut sentences", flow, "segment"),
    ("render the prompt", extract, "numbered"),
    ("render the prompt", Prompt, "render"),
    ("render the prompt", extract, "estimate_tokens"),
    ("retry policy", RetryingModel, "complete"),
    ("adapter: build the call, read the completion", OpenAIChatModel, "complete"),
    (SDK_CALL, openai.OpenAI, "post"),
    (DOUBLE, _BoundedStream, "read"),
    ("read the reply", extract, "read_reply"),
    ("plan the passages", flow, "plan"),
    ("prove the claims", Prover, "__init__"),
    ("prove the claims", Prover, "prove"),
    ("merge the claims", flow, "merge"),
    ("assemble", flow, "assemble"),
    (REST, remembering, "analyze"),
    ("look for the answer, keep it", routes, "remember"),
    ("dump the answer", routes, "dump_analysis"),
    ("dump the answer", routes, "json_response"),
)


class Stopwatch:
    """Milliseconds by step. What a step spends in another one that is watched counts for that one only."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def watched(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = (time.perf_counter() - began) * 1000
                self.spent[step] += took - self._inner.pop()
                self._inner[-1] += took

        return timed


def measure_all_steps(base_url: str, requests: int) -> dict[str, Any]:
    """The steps of an article over the double, and over a model in the process whose reply is as long as a real one."""
    watch = Stopwatch()
    for step, owner, name in STEPS:
        setattr(owner, name, watch.watched(step, getattr(owner, name)))
    settings = Settings(base_url=base_url)
    remote = build_services(settings)
    steps = measure_steps(watch, settings, remote, requests)
    steps["long_reply"] = measure_steps(watch, settings, Services(LongReplyModel(), remote.prompts), requests)
    remote.close()
    return steps


def measure_steps(watch: Stopwatch, settings: Settings, services: Services, requests: int) -> dict[str, Any]:
    """The median and 99th percentile of each step, of the whole request and of what is our own of it."""
    app = create_app(settings, services)
    app.wsgi_app = watch.watched("Flask: routing, headers, log line", app.wsgi_app)  # type: ignore[method-assign]
    post = watch.watched("test client, in the place of a server", app.test_client().post)
    seen: list[dict[str, float]] = []
    with Path(os.devnull).open("w") as sink:
        configure_logs("info", sink)
        for number in range(-WARM_UP, requests):
            watch.spent.clear()
            answer = post("/analyze", data=body(number % 10**8), content_type="application/json")
            if answer.status_code != 200 or not answer.get_json()["claims"]:
                sys.exit("the double's claims did not come through")
            if number >= 0:
                seen.append(dict(watch.spent))
    whole = [sum(one.values()) for one in seen]
    own = [sum(took for step, took in one.items() if step not in {SDK_CALL, DOUBLE}) for one in seen]
    steps = {step: summary([one[step] for one in seen]) for step in seen[0]}
    return {"whole_ms": summary(whole), "own_ms": summary(own), "steps_ms": steps}


def summary(values: list[float]) -> dict[str, float]:
    return {"median": round(median(values), 3), "p99": round(percentile(values, 0.99), 3)}


@contextmanager
def program(*command: str, env: Mapping[str, str] | None = None, **kwargs: Any) -> Iterator[subprocess.Popen[str]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("FACTCHECK_", "OPENAI_"))}
    with subprocess.Popen([sys.executable, *command], env=environ | dict(env or {}), cwd=ROOT, text=True, **kwargs) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def double() -> Iterator[str]:
    """The base URL of a model that answers at once."""
    with program("-m", "tests.model_double", "--port", "0", stdout=subprocess.PIPE) as process:
        yield process.stdout.readline().split()[0].partition("=")[2]  # type: ignore[union-attr]


@contextmanager
def server(base_url: str, port: int, *command: str, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """The process id of a server that is ready."""
    told = {"OPENAI_BASE_URL": base_url, **(env or {})}
    with program(*command, env=told, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while not is_up(port):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"this did not start: {' '.join(command)}")
            time.sleep(0.1)
        yield process.pid


def is_up(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def cpu_s(pid: int) -> float:
    """The CPU seconds that a process and those it started have used."""
    used, parents = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        process = int(stat.parent.name)
        parents[process], used[process] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used[process] for process in family) / os.sysconf("SC_CLK_TCK")


def one_round(pid: int, port: int, requests: int) -> dict[str, float]:
    """What a server did under load, by a driver in its own process."""
    before = cpu_s(pid)
    driver = str(Path(__file__).with_name("closed_loop.py"))
    command = [sys.executable, driver, str(port), str(requests)]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    cpu_ms = (cpu_s(pid) - before) * 1000 / told["requests"]
    return {
        "cpu_ms": cpu_ms,
        "requests_per_core_second": 1000 / cpu_ms,
        "requests_per_second": told["requests"] / told["seconds"],
        "median_ms": told["median_ms"],
        "p99_ms": told["p99_ms"],
    }


def measure_servers(base_url: str, requests: int, rounds: int) -> dict[str, Any]:
    """The medians over all rounds for both servers, and of the ratio of their CPU round by round."""
    ports = {"service": free_port(), "bare view": free_port()}
    gunicorn = "-k gthread -w 1 --threads 64 --worker-connections 256 --keep-alive 75 --no-control-socket --chdir bench".split()
    commands = {
        "service": ["-m", "service.cli", "serve", "--port", str(ports["service"])],
        "bare view": ["-m", "gunicorn", *gunicorn, "-b", f"127.0.0.1:{ports['bare view']}", "bare_view:create_app()"],
    }
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    with ExitStack() as stack:
        pids = {name: stack.enter_context(server(base_url, ports[name], *command)) for name, command in commands.items()}
        for name, pid in pids.items():
            one_round(pid, ports[name], 2 * WARM_UP)
        for turn in range(rounds):
            for name in sorted(pids, reverse=turn % 2 == 1):
                seen[name].append(one_round(pids[name], ports[name], requests))
    medians = {
        name: {key: round(median(one[key] for one in several), 3) for key in several[0]} for name, several in seen.items()
    }
    ratios = [ours["cpu_ms"] / bare["cpu_ms"] for ours, bare in zip(*seen.values(), strict=True)]
    spread = {"median": round(median(ratios), 3), "least": round(min(ratios), 3), "most": round(max(ratios), 3)}
    return {**medians, "cpu_ratio": spread}


def print_table(report: dict[str, Any]) -> None:
    print(f"An article of {ARTICLE_CHARS:,} characters; {report['machine']}; milliseconds of {report['requests']} requests\n")
    print(f"{'':46}{'median':>8}{'p99':>9}")
    rows = sorted(report["steps_ms"].items(), key=lambda row: -row[1]["median"])
    own = {"our own work: all but the SDK call": report["own_ms"], "the whole request": report["whole_ms"]}
    for name, told in [*rows, ("", None), *own.items()]:
        print(f"{name:46}{told['median']:8.3f}{told['p99']:9.3f}" if told else "")
    told = report["long_reply"]["own_ms"]
    print(f"{f'our own work, for a reply of {CLAIMS} claims':46}{told['median']:8.3f}{told['p99']:9.3f}")
    print(f"\nbar: our own work at most {BAR_MS:g} ms at the median: {'met' if report['met'] else 'MISSED'}")
    print(f"\nServed: {CONCURRENCY} clients in a closed loop, medians of {report['rounds']} rounds\n")
    columns = ("cpu_ms", "requests_per_core_second", "requests_per_second", "median_ms", "p99_ms")
    heads = ("CPU ms", "req/s/core", "req/s", "median", "p99")
    print(f"{'':12}" + "".join(f"{head:>12}" for head in heads))
    for name in ("service", "bare view"):
        print(f"{name:12}" + "".join(f"{report['served'][name][column]:12.2f}" for column in columns))
    print_protections(report)
    ratio = report["served"]["cpu_ratio"]
    print(f"\nCPU of the service for 1 of the bare view: {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['most']:.2f})")


def print_protections(report: dict[str, Any]) -> None:
    print(f"\nAPI keys, limits, metrics and the check of answers, for a reply of {CLAIMS} claims; medians\n")
    print(f"{'limits counted in':20}{'CPU without':>12}{'with':>8}{'added':>8}{'added ms':>11}")
    for place, told in report["protections"].items():
        print(f"{place:20}{told['without']:12.2f}{told['with']:8.2f}{told['added_cpu']:8.2f}{told['added']:11.2f}")
    met = "met" if report["protections_met"] else "MISSED"
    print(f"\nbar: at most {PROTECTIONS_BAR_MS:g} CPU ms added, with limits in memory: {met}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000, help="for the steps, and for each server in each round")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each server")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    machine = f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}"
    protections = measure_protections(options.requests)  # before any step is watched
    with double() as base_url:
        served = measure_servers(base_url, options.requests, options.rounds)
        steps = measure_all_steps(base_url, options.requests)
    met = steps["own_ms"]["median"] <= BAR_MS
    about = {"machine": machine, "requests": options.requests, "rounds": options.rounds, "bar_ms": BAR_MS, "met": met}
    protected = protections["memory"]["added_cpu"] <= PROTECTIONS_BAR_MS
    report = {**about, **steps, "served": served, "protections": protections, "protections_met": protected}
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print_table(report)
    return 0 if met and protected else 1


if __name__ == "__main__":
    sys.exit(main())
