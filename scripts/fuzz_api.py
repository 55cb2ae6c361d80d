"""Sends the production server, over a double of the model, whatever its OpenAPI document allows and much that it does not.

python -m scripts.fuzz_api --seconds 120
Schemathesis makes the requests and holds every answer to the document; the exit status is its own. It is no dependency of
the tests, into which it would plug itself: uv runs it in an environment of its own, or `--schemathesis` names one.
"""

import argparse
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep

from tests.model_double import ModelDouble

_SCHEMATHESIS = "schemathesis==4.32.5"
_SETTINGS = {
    "FACTCHECK_HISTORY": "on",
    "FACTCHECK_LOG_LEVEL": "error",
    "FACTCHECK_MAX_ARTICLE_CHARS": "2000",  # requests are made up to the limits, and long ones take long to make up
}
_ROOT = Path(__file__).parents[1]
_START_S = 60
_STOP_S = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of Schemathesis."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz_api", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--schemathesis", type=Path, help="the program, where it is installed already")
    options = parser.parse_args(arguments)
    uv = str(Path(sys.executable).with_name("uv"))
    program = (
        [str(options.schemathesis)] if options.schemathesis else [uv, "tool", "run", "--from", _SCHEMATHESIS, "schemathesis"]
    )
    with ModelDouble() as double, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environ = os.environ | _SETTINGS | {"OPENAI_BASE_URL": double.base_url, "FACTCHECK_PORT": str(port)}
        server = subprocess.Popen([sys.executable, "-m", "service.cli", "serve"], env=environ)
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", server)
            asked = [f"http://127.0.0.1:{port}/openapi.json", "--checks", "all", "--max-time", str(options.seconds)]
            asked += ["--continue-on-failure", "--request-timeout", "30"]
            asked += ["--seed", str(options.seed)] if options.seed is not None else []
            command = [*program, "--config-file", str(Path(__file__).with_suffix(".toml")), "run", *asked]
            hooked = os.environ | {"SCHEMATHESIS_HOOKS": "scripts.fuzz_hooks", "PYTHONPATH": str(_ROOT)}
            return subprocess.run(command, check=False, env=hooked).returncode  # noqa: S603 - the program is the developer's choice
        finally:
            server.terminate()
            server.wait(_STOP_S)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    latest = monotonic() + _START_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the address is ours
                return
        except OSError:
            if server.poll() is not None or monotonic() > latest:
                raise
            sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
