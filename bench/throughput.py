"""How many articles one core answers for many clients of a slow model, beside other ways to put a service before a model.

    python bench/throughput.py [--rounds N] [--seconds N] [--latency-ms N] [--json]

Each server has one core, the clients and bench/constant_double.py the other. In turns: the service; the same service on
the SDK's stock call; FastAPI with AsyncOpenAI (needs `pip install --group bench`); Flask with httpx2 and no SDK; Flask with
the stock call. Only the first two read, prove and log. Exit status 1 when a bar is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from overhead import cpu_s, free_port, program, server

HERE = Path(__file__).parent
MANY, FEWER = 256, 64
THREADS = 320
STOCK_RATIO, ASYNC_RATIO, ADDED_P99_MS = 1.3, 1.0, 250.0
SERVICE, STOCK, ASYNC, RAW, BARE = "service", "service on create()", "FastAPI, AsyncOpenAI", "Flask, httpx2", "Flask, create()"
GUNICORN = f"-k gthread -w 1 --threads {THREADS} --worker-connections 1000 --keep-alive 75 --no-control-socket --chdir bench"


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Within this, what is started stays on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def commands(ports: dict[str, int]) -> dict[str, list[str]]:
    gunicorn = ["-m", "gunicorn", *GUNICORN.split()]
    uvicorn = ["-m", "uvicorn", "--app-dir", "bench", "--factory", "async_view:create_app", "--log-level", "warning"]
    told = {
        SERVICE: ["-m", "service.cli", "serve", "--port", str(ports[SERVICE])],
        STOCK: [str(HERE / "stock_service.py")],
        ASYNC: [*uvicorn, "--port", str(ports[ASYNC])],
        RAW: [*gunicorn, "-b", f"127.0.0.1:{ports[RAW]}", "raw_view:create_app()"],
        BARE: [*gunicorn, "-b", f"127.0.0.1:{ports[BARE]}", "bare_view:create_app()"],
    }
    return told if find_spec("uvicorn") and find_spec("fastapi") else {name: one for name, one in told.items() if name != ASYNC}


def one_round(pid: int, port: int, clients: int, seconds: float) -> dict[str, float]:
    """What a server did for so many clients."""
    before = cpu_s(pid)
    driver = [sys.executable, str(HERE / "many_clients.py"), str(port), str(clients), str(seconds)]
    told: dict[str, float] = json.loads(subprocess.run(driver, check=True, stdout=subprocess.PIPE, text=True).stdout)
    rate = told["requests"] / told["seconds"]
    return told | {"requests_per_second": rate, "cpu_ms": (cpu_s(pid) - before) * 1000 / max(1.0, rate * seconds)}


def measure(rounds: int, seconds: float, latency_ms: float) -> dict[str, Any]:
    """The medians over the rounds by server and number of clients; the errors are added up."""
    ports = {name: free_port() for name in (SERVICE, STOCK, ASYNC, RAW, BARE)}
    seen: dict[tuple[str, int], list[dict[str, float]]] = {}
    with ExitStack() as stack:
        with on_core(1):
            double = [str(HERE / "constant_double.py"), str(latency_ms)]
            endpoint = stack.enter_context(program(*double, stdout=subprocess.PIPE))
        base_url = endpoint.stdout.readline().split()[0].partition("=")[2]  # type: ignore[union-attr]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
        pids = {}
        for name, command in commands(ports).items():
            env = {
                "FACTCHECK_PORT": str(ports[name]),
                "FACTCHECK_MAX_MODEL_CALLS": str(MANY),
                "FACTCHECK_SERVER_THREADS": str(THREADS),
                "FACTCHECK_DEADLINE_S": "60",
            }
            with on_core(0):
                pids[name] = stack.enter_context(server(base_url, ports[name], *command, env=env))
        with on_core(1):
            for turn in range(rounds):
                for clients in (FEWER, MANY):
                    for name in sorted(pids, reverse=turn % 2 == 1):
                        seen.setdefault((name, clients), []).append(one_round(pids[name], ports[name], clients, seconds))
    return {f"{name} x{clients}": summary(told) for (name, clients), told in seen.items()}


def summary(told: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(median(one[key] for one in told), 2) for key in told[0]} | {"errors": sum(one["errors"] for one in told)}


def judge(figures: dict[str, Any], latency_ms: float) -> dict[str, tuple[float, bool]]:
    """Each bar with its figure and whether it is met."""

    def rate(name: str) -> float:
        return float(figures[f"{name} x{MANY}"]["requests_per_second"]) if f"{name} x{MANY}" in figures else 0.0

    ours = rate(SERVICE)
    stock, other = ours / rate(STOCK), ours / rate(ASYNC) if rate(ASYNC) else float("nan")
    added = figures[f"{SERVICE} x{FEWER}"]["p99_ms"] - latency_ms
    errors = figures[f"{SERVICE} x{FEWER}"]["errors"] + figures[f"{SERVICE} x{MANY}"]["errors"]
    return {
        f"requests/s for 1 on the stock call, at least {STOCK_RATIO}": (round(stock, 2), stock >= STOCK_RATIO),
        f"requests/s for 1 of FastAPI with AsyncOpenAI, at least {ASYNC_RATIO}": (round(other, 2), not other < ASYNC_RATIO),
        f"ms added at p99 with {FEWER} clients, at most {ADDED_P99_MS:g}": (round(added, 1), added <= ADDED_P99_MS),
        "errors, none": (errors, errors == 0),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each server")
    parser.add_argument("--seconds", type=float, default=15, help="of each turn; a third of it is warming up")
    parser.add_argument("--latency-ms", type=float, default=500, help="the model's time")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    figures = measure(options.rounds, options.seconds, options.latency_ms)
    bars = judge(figures, options.latency_ms)
    if options.json:
        print(json.dumps({"figures": figures, "bars": bars, "load": os.getloadavg()}, indent=2))
    else:
        print(
            f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}\n"
        )
        columns = ("requests_per_second", "median_ms", "p99_ms", "cpu_ms", "errors")
        print(f"{'':30}" + "".join(f"{column:>21}" for column in columns))
        for name, told in sorted(figures.items(), key=lambda one: (one[0].rpartition("x")[2], one[0])):
            print(f"{name:30}" + "".join(f"{told[column]:21.2f}" for column in columns))
        for name, (figure, met) in bars.items():
            print(f"{name}: {figure} {'met' if met else 'MISSED'}")
    return 0 if all(met for _, met in bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
