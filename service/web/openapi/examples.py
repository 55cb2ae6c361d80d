"""The README's example, a request and its answer, as files of the package; a test holds them against it."""

import json
from importlib.resources import files
from typing import Any


def example(name: str) -> Any:
    """The `request` of the README, or the `answer`."""
    return json.loads((files(__package__) / f"example_{name}.json").read_text(encoding="utf-8"))
