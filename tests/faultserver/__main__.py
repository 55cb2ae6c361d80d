"""`python -m tests.faultserver`: the fault server by hand."""

import argparse
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.faultserver import FAULTS, FaultServer, Plan, read_mix


def _range_s(text: str) -> tuple[float, float]:
    match = re.fullmatch(r"([0-9.]+)(?:-([0-9.]+))?", text)
    if not match:
        raise argparse.ArgumentTypeError("must be milliseconds, or a range of them such as 50-200")
    low = float(match[1]) / 1000
    return low, float(match[2]) / 1000 if match[2] else low


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        mode=options.mode,
        after=options.after,
        times=options.times,
        mix=read_mix(options.mix),
        seed=options.seed,
        only=options.only,
        latency_s=options.latency_ms,
        bandwidth=options.bandwidth,
    )


def main() -> None:
    """Nothing; serves until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faultserver",
        description="An endpoint that speaks the chat completions protocol and fails as told.",
    )
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--mode", default="ok", help="what goes wrong (see --list)")
    parser.add_argument("--after", type=int, default=0, metavar="N", help="good answers first")
    parser.add_argument("--times", type=int, metavar="N", help="faults until it is well again (default: for ever)")
    parser.add_argument("--mix", default="", metavar="MODE=WEIGHT,…", help="a mode drawn for each call, in place of --mode")
    parser.add_argument("--seed", type=int, default=0, help="of the mix and the latency")
    parser.add_argument("--only", default="", metavar="WORDS", help="only for articles that hold these words")
    parser.add_argument("--latency-ms", type=_range_s, default=(0.0, 0.0), metavar="MS[-MS]")
    parser.add_argument("--bandwidth", type=float, metavar="BYTES", help="bytes a second")
    parser.add_argument("--log", type=Path, metavar="FILE", help="a line of JSON for each call; also at GET /__log")
    parser.add_argument("--list", action="store_true", help="print the modes and leave")
    options = parser.parse_args()
    say = sys.stdout.write
    if options.list:
        for fault in sorted(FAULTS.values(), key=lambda fault: fault.row):
            say(f"{fault.row or '':>3}  {fault.name:<20} {fault.what}\n")
        return
    try:
        plan = _plan(options)
    except ValueError as error:
        parser.error(str(error))
    with FaultServer(plan, port=options.port, log_file=options.log) as server, suppress(KeyboardInterrupt):
        say(f"OPENAI_BASE_URL={server.base_url}\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
