"""A closed loop of many clients in one thread: each keeps one connection and sends the next article when the last is answered.

    python bench/many_clients.py PORT CLIENTS SECONDS

The first third of the time does not count. Prints one JSON object: requests answered, those that were not answered 200
with what was looked for, seconds, and the milliseconds of a request at its median and 99th percentile.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import count
from statistics import median

from closed_loop import body, percentile

HEAD = "POST /analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
WARM_UP = 1 / 3


async def client(port: int, numbers: Iterator[int], until: float, seen: list[tuple[float, float, bool]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        sent, began = body(next(numbers)), time.perf_counter()
        writer.write(HEAD.format(len(sent)).encode() + sent)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            at = head.find(b"content-length:")
            answer = await reader.readexactly(int(head[at + 15 : head.find(b"\r\n", at)]))
            good = head.startswith(b"http/1.1 200") and b"claims" in answer
        except (OSError, asyncio.IncompleteReadError):
            good = False
        seen.append((began, time.perf_counter(), good))
        if not good or b"connection: close" in head:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def drive(port: int, clients: int, seconds: float) -> dict[str, float]:
    numbers = count(time.time_ns() % 10_000_000)
    seen: list[tuple[float, float, bool]] = []
    began = time.perf_counter()
    until = began + seconds
    await asyncio.gather(*(client(port, numbers, until, seen) for _ in range(clients)))
    counted = [one for one in seen if began + seconds * WARM_UP <= one[1] <= until]
    took = [(ended - sent) * 1000 for sent, ended, good in counted if good] or [0.0]
    return {
        "requests": len(counted),
        "errors": sum(not good for _, _, good in seen),
        "seconds": seconds * (1 - WARM_UP),
        "median_ms": median(took),
        "p99_ms": percentile(took, 0.99),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(drive(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))))
