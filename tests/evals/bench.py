"""The command line of the evaluation, run with doubles."""

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from evals.cli import evals
from service.cli.effects import Effects
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from tests.fakes import ScriptedModel


class Bench:
    """The command line of the evaluation with a scripted model, and what it was asked to build."""

    def __init__(self, data, *outcomes, environ=None):
        self.model = ScriptedModel(*outcomes)
        self.built = []
        self.closed = []
        self.effects = Effects(
            environ={"FACTCHECK_DATA": str(data), **(environ or {})},
            build_services=self.build_services,
            serve=lambda _: None,
            fetch=lambda *_: Path(),
            find_prompts=find_prompts,
            configure_logs=lambda _: None,
            is_terminal=lambda _: False,
        )

    def build_services(self, settings, *, progress, drafts):
        progress.start("weights", 0)
        progress.done()
        self.built.append((settings.model, drafts))
        prompts = load_prompts(find_prompts(), drafts=drafts)
        if settings.model:
            self.model.traits = replace(self.model.traits, name=settings.model)
        return Services(self.model, prompts, close=lambda: self.closed.append(settings.model))

    def run(self, *arguments):
        return CliRunner().invoke(evals, [str(argument) for argument in arguments], obj=self.effects)
