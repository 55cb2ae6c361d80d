"""The production server over a scripted model, as a program of its own: `python -m tests.api.served '<json>'`.

What the JSON may say: `settings`, `identity` (those of who may call), `gateways`, `read_limit_s`, and `broken` to fail
when the services are built. With a `base_url` among the settings nothing is scripted. An article holding the word SLOW
keeps the model busy for a minute, and the word is said on stderr once it is; one holding TOGETHER waits until there are
eight.
"""

import json
import sys
import time
from pathlib import Path
from threading import Barrier
from typing import Any

from service.access.settings import AccessSettings, Mode
from service.errors import SetupError
from service.gateways import Gateways
from service.llm.base import ModelCall, Reply
from service.pipeline.analyze import Services
from service.pipeline.gate import Gate
from service.pipeline.schedule import Limits, Schedule
from service.server import serve
from service.settings import Settings
from tests.api.conftest import PROMPTS, NeverTired

TOGETHER = 8


class SlowOnRequest(NeverTired):
    """Answers at once, unless the article asks for something else."""

    def __init__(self) -> None:
        super().__init__()
        self._meeting = Barrier(TOGETHER)

    def complete(self, call: ModelCall, deadline: Any) -> Reply:
        words = call.messages[-1].content
        if "SLOW" in words:
            _say("SLOW")
            time.sleep(60)
        if "TOGETHER" in words:
            self._meeting.wait(timeout=30)
        return super().complete(call, deadline)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _main(told: dict[str, Any]) -> None:
    def build(settings: Settings) -> Services:
        if told.get("broken"):
            raise SetupError("the build failed", ["and here is why"])
        gate, schedule = Gate(settings.server_threads), Schedule(Limits(settings.max_model_calls))
        return Services(SlowOnRequest(), PROMPTS, close=lambda: _say("closed"), gate=gate, schedule=schedule)

    identity = AccessSettings(
        **{name: Mode(value) if name == "access" else value for name, value in told.get("identity", {}).items()}
    )
    gateways = Gateways(
        **{name: tuple(value) if name == "hosts" else value for name, value in told.get("gateways", {}).items()}
    )
    given = told.get("settings", {})
    if "cache_file" in given:
        given["cache_file"] = Path(given["cache_file"])
    settings = Settings(**{"port": 0, "deadline_s": 30, "identity": identity, "gateways": gateways} | given)
    if settings.base_url:
        serve(settings)
    serve(settings, check=lambda _: None, build=build, read_limit_s=told.get("read_limit_s", 30))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
