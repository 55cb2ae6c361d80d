"""An endpoint that speaks the chat completions protocol and fails as told, on the loopback interface.

    with FaultServer(Plan("slow-trickle", after=2)) as server:
        ...  # ask server.base_url, then read server.log

By hand: `python -m tests.faultserver --port 9000 --mode slow-trickle --after 2`, see docs/reliability.md.
"""

from tests.faultserver.faults import FAULTS, UPSTREAM_WORDS, Fault
from tests.faultserver.plan import Plan, read_mix
from tests.faultserver.server import FaultServer

__all__ = ["FAULTS", "UPSTREAM_WORDS", "Fault", "FaultServer", "Plan", "read_mix"]
