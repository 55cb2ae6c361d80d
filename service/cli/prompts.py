"""`factcheck prompts`: look at the prompt files, try them on an article, check and seal them."""

import re
import sys
from contextlib import suppress
from math import inf
from typing import NoReturn

import click

from service.cli.articles import Asked, read_article
from service.cli.effects import Effects, echo_json
from service.cli.tables import aligned
from service.deadline import Deadline
from service.llm.base import Message, ModelCall, ModelTraits
from service.pipeline.analyze import EXTRACT_TASK, Services, analyze
from service.pipeline.ways import SPEAKER_TASK
from service.prompt_files import load_prompts, seal
from service.prompting import Prompt, PromptLibrary, diff, unknown_prompt
from service.web.answers import dump_prompt
from service.web.schemas import AnalyzeRequest

_AMPLE_TOKENS = 10_000_000


@click.group()
def prompts() -> None:
    """The versioned prompts.

    A REF is a task, task@1 or task@1#87ff312e; a task alone means its active version.
    """


@prompts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_prompts(effects: Effects, *, as_json: bool) -> None:
    """List every prompt, drafts too."""
    library = _library(effects)
    if as_json:
        echo_json([dump_prompt(prompt) for prompt in library], pretty=effects.is_terminal(sys.stdout))
        return
    rows = [(prompt.ref, "active" if prompt.active else "", _state(prompt), prompt.summary) for prompt in library]
    click.echo("\n".join(aligned(rows)))


@prompts.command()
@click.argument("ref")
@click.pass_obj
def show(effects: Effects, ref: str) -> None:
    """Print the file of prompt REF."""
    prompt = _select(_library(effects), ref)
    click.echo(f"{prompt.ref}, {_state(prompt)}", err=True)
    click.echo(prompt.source, nl=not prompt.source.endswith("\n"))


@prompts.command()
@click.argument("ref")
@click.argument("file")
@click.option("--title", help="Title of the article.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the messages, and what else a model is given.")
@click.pass_obj
def render(effects: Effects, ref: str, file: str, title: str | None, *, as_json: bool) -> None:
    """Print the messages that a model would be sent for the article in FILE; - is standard input."""
    library = _library(effects)
    prompt = _select(library, ref)
    if prompt.task not in {EXTRACT_TASK, SPEAKER_TASK}:
        raise click.UsageError(f"only prompts of {EXTRACT_TASK} and {SPEAKER_TASK} are rendered from an article")
    article = read_article(file, Asked(title=title), effects.settings().max_article_chars)
    messages = _messages(prompt, library, article)
    if not messages:
        raise click.UsageError(
            f"{prompt.name} has nothing to ask about this article: rules tell who speaks in it, or nobody is named"
        )
    if as_json:
        dumped = [{"role": message.role, "content": message.content} for message in messages]
        echo_json({"prompt": prompt.ref, "messages": dumped}, pretty=effects.is_terminal(sys.stdout))
        return
    click.echo(f"{prompt.ref}, {_state(prompt)}", err=True)
    for message in messages:
        click.echo(f"=== {message.role} ===", err=True)
        click.echo(message.content)


@prompts.command("diff")
@click.argument("old", metavar="REF")
@click.argument("new", metavar="REF")
@click.pass_obj
def diff_prompts(effects: Effects, old: str, new: str) -> None:
    """Print what changed from one prompt to another, in their files and in their reply schemas."""
    library = _library(effects)
    difference = diff(_select(library, old), _select(library, new))
    if not difference:
        click.echo("no difference", err=True)
    click.echo(difference, nl=False)


@prompts.command()
@click.pass_obj
def check(effects: Effects) -> None:
    """Check every prompt file as a start of the service does; exit status 2 when one is at fault."""
    library = load_prompts(effects.find_prompts())
    many = len(library.prompts)
    click.echo(f"{many} {'prompt is' if many == 1 else 'prompts are'} sound and sealed", err=True)


@prompts.command("seal")
@click.argument("name")
@click.pass_obj
def seal_prompt(effects: Effects, name: str) -> None:
    """Seal the draft NAME, such as extract_claims@2: from then on its file may not change."""
    sealed = seal(effects.find_prompts(), name)
    click.echo("sealed", err=True)
    click.echo(sealed.ref)


def _library(effects: Effects) -> PromptLibrary:
    return load_prompts(effects.find_prompts(), drafts=True)


def _state(prompt: Prompt) -> str:
    return "sealed" if prompt.sealed else "draft"


def _select(library: PromptLibrary, ref: str) -> Prompt:
    """The prompt that `ref` names, whatever its task.

    Raises: UnknownPromptError.
    """
    task = re.split("[@#]", ref)[0]
    if all(prompt.task != task for prompt in library):
        raise unknown_prompt(ref, library)
    return library.select(ref, task)


class _AskedError(Exception):
    """Ends an analysis at its first question."""


class _Recorder:
    """A model that notes what it is asked and never answers."""

    traits = ModelTraits("recorder", "", context_tokens=_AMPLE_TOKENS, max_output_tokens=_AMPLE_TOKENS)

    def __init__(self) -> None:
        self.calls: list[ModelCall] = []

    def complete(self, call: ModelCall, _deadline: Deadline) -> NoReturn:
        """Nothing: the analysis ends here."""
        self.calls.append(call)
        raise _AskedError

    def ready(self) -> None:
        """Always ready."""


def _messages(prompt: Prompt, library: PromptLibrary, request: AnalyzeRequest) -> tuple[Message, ...]:
    """What a model would be sent first, because it is the analysis itself that asks; nothing where it asks nothing."""
    recorder = _Recorder()
    with suppress(_AskedError):
        analyze(request.article, request.options, prompt, Services(recorder, library), Deadline(inf))
    return recorder.calls[0].messages if recorder.calls else ()
