"""What it costs to know callers, to limit them, to count what is done and to hold answers to their shape, together."""

import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from click.testing import CliRunner
from closed_loop import body
from long_reply import LongReplyModel

from service.access.base import OpenAccess
from service.app import create_app
from service.cli import main as factcheck
from service.cli.effects import production
from service.limits.allowances import Allowances, Price
from service.limits.base import Allowance, Ledger
from service.limits.limiter import Limiter
from service.limits.memory import MemoryLedger
from service.limits.redis import RedisLedger
from service.llm.observed import ObservedModel
from service.logs import configure_logs
from service.metrics import Metrics
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings, from_environ

BAR_MS = 2.0
REDIS = ("127.0.0.1", 6379)
_WARM_UP = 50
_PLENTY = 10**9


class Unchecked:
    """Takes any answer for what was published."""

    def fault(self, _document: Mapping[str, Any]) -> None:
        return None


def measure_protections(requests: int) -> dict[str, Any]:
    """A request with and without all of them, in turns, and what they add: CPU milliseconds of the process, and milliseconds.

    By where limits are counted. On a machine that is busy with other things only the CPU says something.
    """
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as sink:
        configure_logs("info", sink)
        return {place: _in_turns(ledger, Path(folder) / place, requests) for place, ledger in _ledgers()}


def _ledgers() -> Iterator[tuple[str, Ledger]]:
    yield "memory", MemoryLedger()
    if _redis_answers():
        ledger = RedisLedger(f"redis://{REDIS[0]}:{REDIS[1]}/0", prefix=f"factcheck-bench-{uuid4().hex}", wait_s=10)
        yield "Redis", ledger
        ledger.close()


def _in_turns(ledger: Ledger, folder: Path, requests: int) -> dict[str, float]:
    posts = {"without": _without(), "with": _with(ledger, folder)}
    took: dict[str, list[float]] = {name: [] for name in posts}
    used: dict[str, list[float]] = {name: [] for name in posts}
    for number in range(-_WARM_UP, requests):
        for name in sorted(posts, reverse=number % 2 == 1):
            article = body(number % 10**8)
            began, cpu = time.perf_counter(), time.process_time()
            answer = posts[name](article)
            spent_ms, cpu_ms = (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000
            if answer.status_code != 200:
                sys.exit(f"{name} protections: {answer.get_data(as_text=True)}")
            if number >= 0:
                took[name].append(spent_ms)
                used[name].append(cpu_ms)
    added, added_cpu = (median(on - off for on, off in zip(one["with"], one["without"], strict=True)) for one in (took, used))
    medians = {name: round(median(one), 3) for name, one in used.items()}
    return {**medians, "added_cpu": round(added_cpu, 3), "added": round(added, 3)}


def _without() -> Any:
    app = create_app(Settings(), Services(LongReplyModel(), load_prompts(find_prompts())), OpenAccess())
    routes = app.view_functions["analyze"].__self__  # type: ignore[attr-defined]
    object.__setattr__(routes, "check", Unchecked())
    return _poster(app, {})


def _with(ledger: Ledger, folder: Path) -> Any:
    given = {"FACTCHECK_ACCESS": "keys", "FACTCHECK_KEYS_FILE": str(folder / "keys.json")}
    key = CliRunner().invoke(factcheck, ["keys", "create", "--tenant", "bench"], obj=production(given)).stdout.strip()
    metrics, model = Metrics("bench"), LongReplyModel()
    allowance = Allowance(requests=_PLENTY, concurrent=_PLENTY, characters=_PLENTY, tokens=_PLENTY, money=10**14)
    allowances = Allowances(allowance, prices={model.traits.name: Price(Decimal("0.4"), Decimal("0.1"), Decimal("1.6"))})
    services = Services(
        ObservedModel(model, metrics),
        load_prompts(find_prompts()),
        limits=Limiter(allowances, ledger, metrics),
        observer=metrics,
    )
    return _poster(create_app(from_environ(given), services), {"Authorization": f"Bearer {key}"})


def _poster(app: Any, headers: Mapping[str, str]) -> Any:
    client = app.test_client()
    return lambda article: client.post("/analyze", data=article, content_type="application/json", headers=dict(headers))


def _redis_answers() -> bool:
    try:
        socket.create_connection(REDIS, timeout=1).close()
    except OSError:
        return False
    return True
