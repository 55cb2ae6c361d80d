"""Stops the service that `make run` left up, and does nothing when there is none. Needs no package."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

RUN_FOLDER = Path(__file__).resolve().parent.parent / ".run"
PID_FILE = "service.pid"
GRACE_S = 20.0
_POLL_S = 0.02


def service_pid(folder: Path) -> int | None:
    """The process id of our service, or None when it is not up: by now the number may be another process's."""
    try:
        pid = int((folder / PID_FILE).read_text("ascii"))
    except (OSError, ValueError):
        return None
    return pid if pid > 1 and _is_service(pid) else None


def stop(folder: Path, grace_s: float = GRACE_S) -> str:
    """What was done, in words. The service is not up afterwards, nor anything it started.

    Requests in flight get `grace_s` seconds to end.
    """
    pid = service_pid(folder)
    told = "no service is up"
    if pid is not None:
        told = f"stopped the service (process {pid})"
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + grace_s
        while _is_service(pid) and time.monotonic() < end:
            time.sleep(_POLL_S)
        if _is_service(pid):
            told = f"killed the service (process {pid}), which did not stop within {grace_s:.0f} seconds"
        # It leads a process group of its own; whatever is left of that has lost its master.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    (folder / PID_FILE).unlink(missing_ok=True)
    return told


def _is_service(pid: int) -> bool:
    if not Path("/proc/self/cmdline").exists():
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"service.cli" in words and b"serve" in words


if __name__ == "__main__":
    print(stop(RUN_FOLDER))
