"""The table in docs/reliability.md, measured: `python -m tests.faults.table` writes it anew."""

import json
import re
import sys
from pathlib import Path

from tests.api.running import Running, running
from tests.faults.cases import CASES, Case
from tests.faults.inbound import INBOUND, MAX_BYTES, Inbound
from tests.faults.stack import KEY, ONE, Outcome, measured, request
from tests.faultserver import FAULTS, FaultServer, Plan

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
NONE = "–"
_MARK = "<!-- measured: {} -->"
_BLOCK = re.compile(r"<!-- measured: begin -->\n(.*?)<!-- measured: end -->", re.DOTALL)
_UPSTREAM_HEAD = (
    "Row",
    "Mode",
    "What the endpoint does",
    "One passage",
    "Five passages",
    "One of five, part allowed",
    "Once",
    "Took",
)
_INBOUND_HEAD = ("Row", "What the client sends", "Answer", "Calls")


def upstream_row(case: Case) -> tuple[str, ...]:
    """A line of the table: what one fault comes to now. The last cell, a time, differs from run to run."""
    fault = FAULTS[case.mode]
    one, five = (measured(case.mode, shape, case.limit_s) for shape in ("one", "five"))
    part, once = NONE, NONE
    if not fault.listener:
        part, once = (_answer(measured(case.mode, shape, case.limit_s)) for shape in ("part", "once"))
    limit = f" of {case.limit_s * 1000:.0f}" if one.status == 504 else ""
    took = f"{one.took_s * 1000:.0f}{limit} ms"
    return (str(fault.row or NONE), f"`{case.mode}`", fault.what, _answer(one), _answer(five), part, once, took)


def inbound_row(case: Inbound, server: Running, endpoint: FaultServer) -> tuple[str, ...]:
    """A line of the second table: what one request that is out of order comes to now."""
    status, document, _ = send(case, server)
    return (str(case.row), case.what, f"{status} `{document['code']}`", str(len(endpoint.log)))


def send(case: Inbound, server: Running) -> tuple[int, dict[str, str], bytes]:
    """Status, body and all bytes of the answer to a request that is out of order."""
    answer = server.send_raw(case.raw)
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), json.loads(body), answer


def served(endpoint: FaultServer, **settings: object) -> dict[str, object]:
    """The settings of a production server in front of `endpoint`."""
    return {"base_url": endpoint.base_url, "api_key": KEY, "max_request_bytes": MAX_BYTES, **settings}


def _answer(outcome: Outcome) -> str:
    calls = f"{outcome.calls} call" + "s" * (outcome.calls != 1)
    code = f" `{outcome.code}`" if outcome.status != 200 else "" if outcome.code == "complete" else f" {outcome.code}"
    return f"{outcome.status}{code}, {calls}"


def committed() -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The lines of both tables as docs/reliability.md holds them."""
    found = _BLOCK.search(PAGE.read_text(encoding="utf-8"))
    lines = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in (found[1] if found else "").splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    upstream = [line for line in lines if len(line) == len(_UPSTREAM_HEAD) and line != _UPSTREAM_HEAD]
    inbound = [line for line in lines if len(line) == len(_INBOUND_HEAD) and line != _INBOUND_HEAD]
    return upstream, inbound


def main() -> None:
    """Nothing; the tables are measured and written."""
    request(Plan(), ONE)  # the first request of a process loads what later ones have
    upstream = [upstream_row(case) for case in CASES]
    with FaultServer() as endpoint, running(settings=served(endpoint)) as server:
        inbound = [inbound_row(case, server, endpoint) for case in INBOUND]
    tables = f"{_table(_UPSTREAM_HEAD, upstream)}\n{_table(_INBOUND_HEAD, inbound)}"
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_BLOCK.sub(lambda _: f"{_MARK.format('begin')}\n{tables}{_MARK.format('end')}", page), encoding="utf-8")
    sys.stdout.write(f"{len(upstream) + len(inbound)} lines written to {PAGE.name}\n")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("|" + "|".join(line if line == "---" else f" {line} " for line in cells) + "|\n" for cells in lines)


if __name__ == "__main__":
    main()
