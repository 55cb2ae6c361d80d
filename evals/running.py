"""`factcheck eval run`: prompts on models, or baselines, over labelled sets, each in a run folder of its own."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evals.answering import answering, baseline, run_of, run_of_baseline
from evals.datasets import DATASETS
from evals.items import Item
from evals.results import read_items
from evals.run import Answering, Outcome, RunFolder, RunInfo, Working, answer_items, first_items
from service.cli.effects import Effects, stderr_console
from service.cli.progress import BarProgress
from service.domain import Options
from service.fencing import Fencing
from service.llm.replay import RecordingModel, ReplayModel, recorded_traits
from service.pipeline.analyze import Services, choose
from service.prompt_files import load_prompts
from service.settings import Settings

REMOTE_WORKERS = 4
"""An endpoint answers several at once; the embedded engine one after the other."""

SAME_EVERY_TIME = Fencing(b"recordings")
"""A recording is found by what was asked, to the letter. The articles of evals are not out to harm, and no caller sees them."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9@._-]+")


@dataclass(frozen=True)
class Recordings:
    """Where the model's replies are kept (`record`), or taken from instead of a model (`replay`)."""

    record: Path | None = None
    replay: Path | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be run: sets (name, file or None), where to, and how. Empty `models` means the one that is set up."""

    sets: Sequence[tuple[str, str | None]]
    out: Path
    prompts: Sequence[str | None] = (None,)
    models: Sequence[str | None] = (None,)
    options: Options = field(default_factory=Options)
    limit: int | None = None
    workers: int | None = None
    retry_failed: bool = True
    drafts: bool = False
    recordings: Recordings = field(default_factory=Recordings)


class Runner:
    """Runs a plan. `data` is the folder of the labelled sets; words go to stderr."""

    def __init__(self, effects: Effects, plan: Plan, data: Path) -> None:
        self._effects = effects
        self._plan = plan
        self._console = stderr_console()
        # A set that cannot be read is told before a model is loaded.
        self._items = {name: first_items(read_items(DATASETS[name], data, file), plan.limit) for name, file in plan.sets}

    def baselines(self, names: Sequence[str]) -> Iterator[Path]:
        """The folders of the runs of these baselines, each as it is done."""
        for name in names:
            yield self._run(run_of_baseline(name, dict(self._plan.sets)), baseline(name), 1)

    def models(self) -> Iterator[Path]:
        """The folders of the runs of each prompt on each model, each as it is done.

        Raises: SetupError, UnknownPromptError, ModelMisconfiguredError, ModelQuotaError.
        """
        plan, settings = self._plan, self._effects.settings()
        for model in plan.models:
            chosen = replace(settings, model=model or settings.model)
            workers = plan.workers or (1 if chosen.embedded and not plan.recordings.replay else REMOTE_WORKERS)
            with closing(self._open(chosen)) as services:
                for prompt in [choose(ref, services) for ref in plan.prompts]:
                    info = run_of(prompt, plan.options, services, dict(plan.sets))
                    yield self._run(info, answering(prompt, plan.options, services, chosen.deadline_s), workers)

    def _open(self, settings: Settings) -> Services:
        plan = self._plan
        return open_services(self._effects, settings, self._console, plan.recordings, drafts=plan.drafts)

    def _run(self, info: RunInfo, answer: Answering, workers: int) -> Path:
        folder = RunFolder.begin(self._plan.out / folder_name(info), info)
        for name, items in self._items.items():
            with progress(self._console, f"{info.label}: {name}", items) as tell:
                working = Working(workers, self._plan.retry_failed, tell)
                answer_items(folder, name, items, answer, working)
        return folder.path


def open_services(effects: Effects, settings: Settings, console: Console, recordings: Recordings, *, drafts: bool) -> Services:
    """The services that `settings` ask for, their model's replies recorded or replayed where that is asked for.

    Raises: SetupError.
    """
    if recordings.replay:
        prompts = load_prompts(effects.find_prompts(), drafts=drafts)
        return Services(ReplayModel(recordings.replay, recorded_traits(recordings.replay)), prompts, fencing=SAME_EVERY_TIME)
    services = effects.build_services(settings, progress=BarProgress(console), drafts=drafts)
    if recordings.record:
        return replace(services, model=RecordingModel(services.model, recordings.record), fencing=SAME_EVERY_TIME)
    return services


def folder_name(info: RunInfo) -> str:
    """A name for a run's folder that tells people what it is, and is another for whatever is asked otherwise."""
    digest = sha256(json.dumps(asdict(info.asked), sort_keys=True).encode("utf-8")).hexdigest()
    name = _NOT_IN_A_NAME.sub("-", info.label).strip(".-") or "run"
    return f"{name}-{digest[:8]}"


@contextmanager
def progress(console: Console, title: str, items: Sequence[Item[Any]]) -> Iterator[Any]:
    """Shows how far a set is: a bar on a terminal, elsewhere a line for each tenth. Gives whom to tell."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    done = failed = 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(title, total=len(items))

        def tell(outcome: Outcome) -> None:
            nonlocal done, failed
            done += 1
            failed += outcome.failure is not None
            shown.advance(task)
            if outcome.failure:
                click.echo(f"{title}: {outcome.item}: {outcome.failure}", err=True)
            if not console.is_terminal and done * 10 // len(items) != (done - 1) * 10 // len(items):
                click.echo(f"{title}: {done} of {len(items)}{f', {failed} failed' if failed else ''}", err=True)

        yield tell
