"""Run folders made by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.datasets import DATASETS
from evals.results import read_items
from evals.run import Asked, Outcome, RunFolder, RunInfo

Outcomes = Sequence[dict[str, Any] | str]


def asked(prompt: str = "p@1#x", model: str = "scripted") -> Asked:
    return Asked(prompt, "0" * 64, model, {"max_claims": None})


def keep_run(  # noqa: PLR0913 (one keyword for each thing a test varies)
    path: Path,
    data: Path,
    sets: Mapping[str, Outcomes],
    *,
    prompt: str = "p@1#x",
    label: str | None = None,
    files: Mapping[str, str] | None = None,
) -> Path:
    """A run folder at `path`: for each set, what came of its first items; a text is the code of a failure."""
    info = RunInfo(
        label or f"{prompt} · scripted", asked(prompt), "nowhere", "1.0", {name: (files or {}).get(name) for name in sets}
    )
    folder = RunFolder.begin(path, info)
    for name, outcomes in sets.items():
        items = read_items(DATASETS[name], data, info.sets[name])
        for item, outcome in zip(items, outcomes, strict=False):
            failed = isinstance(outcome, str)
            folder.keep(name, item, Outcome(item.id, None if failed else outcome, outcome if failed else None, 1.0))
    return path
