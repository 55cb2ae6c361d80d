"""The production server under many requests and an endpoint that fails at random, and killed in between if asked to.

    python bench/chaos.py [--requests N] [--clients N] [--kill N] [--seed N] [--endpoint URL] [--json]

Every article holds words found in no other one. Each answer must be 200, with quotes that are that article's own words at
the offsets given, or a documented problem, and must come within 250 ms of the deadline sent with the request. Counts what
is lost, mixed up, undocumented or late, and compares memory, threads and sockets. With --kill the server is killed with
SIGKILL so many times and started again, and a client whose connection breaks asks again. Exit status 1 when anything is
wrong. Needs Linux's /proc.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import responses
from pathlib import Path
from typing import Any

from overhead import free_port, is_up, program

from service.web.problems import PROBLEMS

MIX = (
    "ok=70,http-500=3,http-503=2,busy=2,busy-briefly=1,reset=3,close-mid-body=2,html-200=2,truncated-envelope=2,"
    "empty-content=2,length=1,wrong-schema=2,duplicate-keys=1,error-in-200=1,silence=1,slow-trickle=1,fence=2,prose=2"
)
DEADLINE_S = 5.0
SLACK_S = 0.25
RETRY_S = 0.2
GIVE_UP_S = 60.0
GROWTH = 1.1
CACHE_BYTES = "4000000"
"""So little that it is full at 10 %: a cache that fills up to its bound is not what is looked for."""

POOLED = {"memory_mb": 0, "threads": 16, "sockets": 16}


@dataclass
class Tally:
    """What came of the requests so far."""

    answers: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    mixed_up: int = 0
    undocumented: int = 0
    late: int = 0
    asked_again: int = 0
    most_late_ms: float = 0.0

    @property
    def done(self) -> int:
        return self.answers.total() + self.lost


def article(number: int) -> tuple[str, str]:
    """A mark found in no other article, and the article, which holds it in each sentence."""
    mark = f"bridge {number:06}x{number * 7919 % 1_000_003:06}"
    text = (
        f"The {mark} cost 40 million euros, Mayor Roe said. It is false that the {mark} fell, said Tom Poe. The {mark} opened."
    )
    return mark, text


def quotes(value: Any) -> Iterator[dict[str, Any]]:
    """Every quote anywhere in an answer."""
    if isinstance(value, list):
        for item in value:
            yield from quotes(item)
    elif isinstance(value, dict):
        if "start_utf16" in value:
            yield value
        for item in value.values():
            yield from quotes(item)


def judge(tally: Tally, answer: tuple[int, bytes, bytes], text: str, mark: str) -> None:
    """Nothing; the answer is counted."""
    status, head, body = answer
    tally.answers[f"{status}"] += 1
    try:
        told = json.loads(body)
        if status == 200:
            found = list(quotes(told))
            own = all(text[one["start"] : one["end"]] == one["text"] for one in found)
            tally.mixed_up += not (found and own and any(mark in one["text"] for one in found))
            return
        problem = PROBLEMS[told["code"]]
        tally.answers[told["code"]] += 0
        tally.undocumented += problem.status != status or b"application/problem+json" not in head
    except (ValueError, KeyError, TypeError):
        tally.undocumented += 1


async def ask(port: int, text: str) -> tuple[int, bytes, bytes]:
    """Status, head and body of an answer, as soon as it is there whole. Raises: OSError, EOFError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        sent = text.encode()
        head = f"POST /analyze HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nRequest-Timeout: {DEADLINE_S}\r\n"
        writer.write(f"{head}Connection: close\r\nContent-Length: {len(sent)}\r\n\r\n".encode() + sent)
        async with asyncio.timeout(GIVE_UP_S):
            answer_head = await reader.readuntil(b"\r\n\r\n")
            at = answer_head.lower().find(b"content-length:")
            if at < 0:
                raise EOFError
            body = await reader.readexactly(int(answer_head[at + 15 :].split(b"\r\n")[0]))
        return int(answer_head[9:12]), answer_head, body
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def client(port: int, numbers: Iterator[int], tally: Tally, *, killed: bool) -> None:
    for number in numbers:
        mark, text = article(number)
        until = time.monotonic() + GIVE_UP_S
        while True:
            began = time.monotonic()
            try:
                answer = await ask(port, text)
            except (OSError, EOFError, TimeoutError):
                if killed and time.monotonic() < until:
                    tally.asked_again += 1
                    await asyncio.sleep(RETRY_S)
                    continue
                tally.lost += 1
                break
            over_ms = (time.monotonic() - began - DEADLINE_S) * 1000
            tally.most_late_ms = max(tally.most_late_ms, over_ms)
            tally.late += over_ms > SLACK_S * 1000
            judge(tally, answer, text, mark)
            break


class Supervisor:
    """Starts the server, and again whenever it is gone."""

    def __init__(self, base_url: str) -> None:
        self.port = free_port()
        self.starts = 0
        self._env = {"OPENAI_BASE_URL": base_url, "FACTCHECK_LOG_LEVEL": "error", "FACTCHECK_CACHE_BYTES": CACHE_BYTES}
        self._stack = ExitStack()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = ["-m", "service.cli", "serve", "--port", str(self.port)]
        self._process = self._stack.enter_context(
            program(*command, env=self._env, stderr=subprocess.DEVNULL, start_new_session=True)
        )
        self.starts += 1

    def wait_up(self) -> None:
        while not is_up(self.port):
            time.sleep(0.1)

    def kill(self) -> None:
        """Nothing; every process of the server was killed and it is started again."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.start()

    def close(self) -> None:
        self._stack.close()

    def worker(self) -> int:
        """The process that answers."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0])

    def state(self) -> dict[str, float]:
        """Memory in MB, threads and sockets of the process that answers."""
        pid = self.worker()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        sockets = 0
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                sockets += str(descriptor.readlink()).startswith("socket:")
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
        return {"memory_mb": round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1), "threads": threads, "sockets": sockets}


async def run(supervisor: Supervisor, options: argparse.Namespace, tally: Tally) -> dict[str, dict[str, float]]:
    """What the server held at 10 % and at the end, at rest each time."""
    chance = random.Random(options.seed)
    states = {}
    first = max(1, options.requests // 10)
    begun = supervisor.state()
    for name, numbers in {"at 10 %": range(first), "at the end": range(first, options.requests)}.items():
        shared = iter(numbers)
        kills = sorted(chance.uniform(0.1, 0.9) for _ in range(options.kill)) if name == "at the end" else []
        work = asyncio.gather(
            *(client(supervisor.port, shared, tally, killed=options.kill > 0) for _ in range(options.clients))
        )
        for share in kills:
            while tally.done < first + share * (options.requests - first) and not work.done():  # noqa: ASYNC110 - a number
                await asyncio.sleep(0.05)
            await asyncio.to_thread(supervisor.kill)
        await work
        await asyncio.sleep(options.rest)
        states[name] = supervisor.state()
    return {"at the beginning": begun, **states}


@contextmanager
def endpoint(options: argparse.Namespace) -> Iterator[str]:
    """The base URL of an endpoint that fails as told."""
    if options.endpoint:
        yield options.endpoint
        return
    told = ["--port", "0", "--mix", options.mix, "--seed", str(options.seed), "--latency-ms", "50-200"]
    with program("-m", "tests.faultserver", *told, stdout=subprocess.PIPE) as process:
        yield process.stdout.readline().split()[0].partition("=")[2]  # type: ignore[union-attr]


def faults_of(tally: Tally, states: dict[str, dict[str, float]], *, killed: bool) -> list[str]:
    """What is wrong, if anything."""
    # A connection may be taken before the process that answers has started again, and wait for that.
    counts = {"lost": tally.lost, "mixed up": tally.mixed_up, "undocumented": tally.undocumented, "late": tally.late}
    wrong = [f"{number} answers {what}" for what, number in counts.items() if number and not (killed and what == "late")]
    before, after = states["at 10 %"], states["at the end"]
    # Pools of threads and of connections at rest fill up to their bounds and stay.
    grown = [what for what, value in after.items() if not killed and value > before[what] * GROWTH + POOLED[what]]
    wrong += [f"{what} has grown" for what in grown]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--kill", type=int, default=0, help="how often the server is killed")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--mix", default=MIX, help="what the endpoint answers, by weight")
    parser.add_argument("--endpoint", help="an endpoint that runs already, in place of tests.faultserver")
    parser.add_argument("--rest", type=float, default=40.0, help="seconds at rest before sockets and threads are counted")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    tally = Tally()
    with endpoint(options) as base_url:
        supervisor = Supervisor(base_url)
        try:
            supervisor.start()
            supervisor.wait_up()
            began = time.monotonic()
            states = asyncio.run(run(supervisor, options, tally))
            seconds = time.monotonic() - began
        finally:
            supervisor.close()
    wrong = faults_of(tally, states, killed=options.kill > 0)
    counts = {name: getattr(tally, name) for name in ("lost", "mixed_up", "undocumented", "late", "asked_again")}
    if options.json:
        report = {
            "requests": options.requests,
            "seconds": seconds,
            "answers": tally.answers,
            **counts,
            **states,
            "wrong": wrong,
        }
        print(json.dumps(report, indent=2))
    else:
        print(f"{options.requests} requests, {options.clients} at a time, {supervisor.starts} starts, {seconds:.0f} s")
        for status, number in sorted(tally.answers.items()):
            if number:
                print(f"  {status} {responses.get(int(status), '')}: {number}")
        codes = sorted(code for code, number in tally.answers.items() if not number)
        print(f"  problems met: {', '.join(codes)}")
        print("  " + ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in counts.items()))
        print(f"  latest answer {tally.most_late_ms:.0f} ms after its deadline")
        for name, state in states.items():
            print(f"  {name}: " + ", ".join(f"{what} {value:g}" for what, value in state.items()))
        print("nothing is wrong" if not wrong else "WRONG: " + "; ".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
