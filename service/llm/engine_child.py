"""The engine's own process: llama.cpp's server with one model on the loopback interface, for as long as its parent lives.

Its first line of input is its configuration as JSON (never its arguments: `ps` shows those). Its only line of output says
`{"port": …}` or `{"error": …}`. When its input ends its parent is gone or wants it gone, and it ends too.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path
from typing import Any, BinaryIO, Final

PROMPT_CACHE_MIB: Final = 256
"""llama.cpp would keep up to 8 GB of past prompts."""

HTTP_THREADS: Final = 128
"""Each open connection holds one until it is closed: too few of them and an idle connection keeps a busy one waiting."""

_SPINS: Final = "1000"
_CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def cores(quota: Path = _CPU_QUOTA) -> int:
    """How many cores this process may use, at least 1: not those of the machine, in a container."""
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        limit, period = quota.read_text("ascii").split()
        return max(1, min(allowed, ceil(int(limit) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):
        return allowed


def params(config: Mapping[str, Any]) -> Any:
    """llama.cpp's parameters for `config`: one model, loopback, a key, nothing served beyond what a chat needs."""
    from xllamacpp import CommonParams  # noqa: PLC0415 - its OpenMP reads the environment when it is loaded

    given = CommonParams()
    given.model.path = config["model"]
    # Else the path of the file is what the server says its model is.
    given.model_alias = {config["name"]}
    # llama.cpp divides the context between its slots.
    given.n_ctx = config["context_tokens"] * config["parallel"]
    given.n_parallel = config["parallel"]
    given.cpuparams.n_threads = config["threads"] or cores()
    given.cpuparams_batch.n_threads = config["threads"] or cores()
    given.cache_prompt = True
    given.cache_ram_mib = PROMPT_CACHE_MIB
    given.fit_params = False  # it would change the context to what it thinks fits
    given.warmup = True
    given.offline = True
    given.hostnames = ["127.0.0.1"]
    given.port = 0
    given.n_threads_http = HTTP_THREADS
    given.api_keys = [config["api_key"]]
    given.cors_origins = ""
    given.cors_credentials = False
    given.ui = False
    given.endpoint_slots = False
    given.endpoint_metrics = False
    given.endpoint_props = False
    given.verbosity = -1  # its log holds prompts
    return given


def serve(config: Mapping[str, Any]) -> tuple[object, int]:
    """The running server, to be kept, and its port. Returns when the model is loaded.

    Raises: RuntimeError when it cannot be loaded, ImportError when the engine is not installed.
    """
    # Waiting threads spin by default; on busy cores that makes an answer take up to a hundred times as long.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    from xllamacpp import Server  # noqa: PLC0415 - see above

    server = Server(params(config))
    return server, int(server.listening_address.rpartition(":")[2])


def run(
    commands: BinaryIO,
    report: Callable[[dict[str, Any]], None],
    leave: Callable[[int], None] = os._exit,
    start: Callable[[Mapping[str, Any]], tuple[object, int]] = serve,
) -> None:
    """Serve what the first line of `commands` asks for, until `commands` ends; `leave` is then called with the exit status.

    `leave` may not return: llama.cpp's own way out waits for the answer in work.
    """
    config = json.loads(commands.readline())
    # A thread, so that the end is seen while the model loads.
    watch = threading.Thread(target=_await_end, args=(commands, leave), daemon=True)
    watch.start()
    try:
        running = start(config)
    except ImportError:
        report({"error": "the engine is not installed or does not run on this machine"})
        leave(1)
        return
    except (RuntimeError, OSError):
        report({"error": "the engine cannot load the model file"})
        leave(1)
        return
    report({"port": running[1]})
    watch.join()


def _await_end(commands: BinaryIO, leave: Callable[[int], None]) -> None:
    while commands.read(1):
        pass
    leave(0)


def quiet(out: int = 1, errors: int = 2) -> Callable[[dict[str, Any]], None]:
    """A way to say one thing on descriptor `out`. All else that is written to `out` and `errors` is lost: llama.cpp's words."""
    voice = os.fdopen(os.dup(out), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, out)
    os.dup2(nowhere, errors)
    os.close(nowhere)

    def report(told: dict[str, Any]) -> None:
        with voice:
            voice.write(json.dumps(told) + "\n")

    return report


if __name__ == "__main__":
    run(os.fdopen(os.dup(0), "rb", buffering=0), quiet())
