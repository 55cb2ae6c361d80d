"""Who answers: the service's own flow in this process, or a baseline."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from evals.answers import AnswerJson
from evals.baselines import BASELINES
from evals.items import Item
from evals.run import BASELINE_PREFIX, Answering, Asked, RunInfo
from service.deadline import Deadline
from service.domain import ArticleInput, Options
from service.export.json_answer import dump_analysis
from service.pipeline.analyze import Services, analyze
from service.prompting import Prompt

_NO_SCHEMA = "none"


def answering(prompt: Prompt, options: Options, services: Services, deadline_s: float) -> Answering:
    """A function from an item to the service's answer. It may be called by several threads.

    It raises what `analyze` raises.
    """

    def answer(item: Item[Any]) -> AnswerJson:
        given = ArticleInput(item.text, title=item.title, language=item.language)
        analysis = analyze(given, options, prompt, services, Deadline.after(deadline_s, services.clock))
        return dump_analysis(analysis, return_text=False)

    return answer


def run_of(prompt: Prompt, options: Options, services: Services, sets: Mapping[str, str | None]) -> RunInfo:
    """What a run of `prompt` on the services' model says of itself."""
    traits = services.model.traits
    asked = Asked(prompt.ref, prompt.output.sha256, traits.name, asdict(options))
    usual = asdict(Options())
    changed = [f"{name} {value}" for name, value in asked.options.items() if value != usual[name]]
    return RunInfo(" · ".join([prompt.name, traits.name, *changed]), asked, traits.endpoint, _version(), dict(sets))


def run_of_baseline(name: str, sets: Mapping[str, str | None]) -> RunInfo:
    """What a run of a baseline says of itself."""
    asked = Asked(f"{BASELINE_PREFIX}{name}", _NO_SCHEMA, "none", {})
    return RunInfo(name.replace("_", " "), asked, "none", _version(), dict(sets))


def baseline(name: str) -> Answering:
    """The baseline of that name."""
    return BASELINES[name]


def _version() -> str:
    return version("factcheck-service")
