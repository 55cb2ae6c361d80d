"""`factcheck eval judge`: a language model says whether the claims a run found say the same as the annotated ones."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evals.answers import AnswerJson
from evals.items import Item
from evals.judgements import Judge, Judgements, to_ask
from evals.results import SetResult, load_run, pairs_of
from evals.run import Answering, Outcome, Working, answer_items
from evals.running import REMOTE_WORKERS, Recordings, open_services, progress
from evals.scores.scorer import Wordings
from service.cli.effects import Effects, stderr_console
from service.deadline import Deadline
from service.errors import ArticleTooLongError, ModelSchemaError, SetupError
from service.llm.base import ChatModel, ModelCall, Reply
from service.pipeline.analyze import Services
from service.pipeline.extract import estimate_tokens
from service.pipeline.unwrap import unwrap
from service.prompting import Prompt
from service.strictjson import StrictJsonError, loads

JUDGE_TASK = "judge_same_claim"
PAIRS_PER_CALL = 25
OUTPUT_TOKENS_PER_PAIR = 40
_FIELDS = {"n", "differs", "same"}


@dataclass(frozen=True)
class JudgePlan:
    """How a run is to be judged: by which prompt, on which model (None: the one that is set up)."""

    prompt: str | None = None
    model: str | None = None
    workers: int | None = None
    retry_failed: bool = True
    drafts: bool = False
    recordings: Recordings = field(default_factory=Recordings)


def judge_run(effects: Effects, path: Path, data: Path, plan: JudgePlan) -> list[Outcome]:
    """What became of each article that had pairs to judge: those judged before, and the new ones, kept as they come.

    Raises: SetupError, UnknownPromptError, ModelMisconfiguredError, ModelQuotaError.
    """
    run = load_run(path, data)
    pairs = {name: pairs_of(result) for name, result in run.sets.items() if result.dataset.scorer.pairs}
    if not pairs:
        raise SetupError(f"{path} has answers to no set whose claims people have worded")
    settings, console = effects.settings(), stderr_console()
    settings = replace(settings, model=plan.model or settings.model)
    workers = plan.workers or (1 if settings.embedded and not plan.recordings.replay else REMOTE_WORKERS)
    outcomes: list[Outcome] = []
    with closing(open_services(effects, settings, console, plan.recordings, drafts=plan.drafts)) as services:
        prompt = services.prompts.select(plan.prompt, JUDGE_TASK)
        traits = services.model.traits
        judgements = Judgements(path, Judge(prompt.ref, prompt.output.sha256, traits.name, traits.endpoint), pairs)
        judgements.begin()
        for name, known in pairs.items():
            items = _items_to_judge(run.sets[name], known)
            with progress(console, f"judging {run.info.label}: {name}", items) as tell:
                working = Working(workers, plan.retry_failed, tell)
                answer = judging(prompt, services, settings.deadline_s, known)
                outcomes += answer_items(judgements, name, items, answer, working)
    return outcomes


def _items_to_judge(result: SetResult, pairs: Mapping[str, Sequence[Wordings]]) -> list[Item[Any]]:
    return [scored.item for scored in result.answered.values() if to_ask(pairs[scored.item.id])]


def judging(prompt: Prompt, services: Services, deadline_s: float, pairs: Mapping[str, Sequence[Wordings]]) -> Answering:
    """A function from an item to the verdicts on those of its `pairs` that are not the same words, in their order.

    It raises ModelError, DeadlineExceededError and ArticleTooLongError; what it raises is no verdict.
    """

    def answer(item: Item[Any]) -> AnswerJson:
        asked, same, replies = to_ask(pairs[item.id]), [], []
        deadline = Deadline.after(deadline_s, services.clock)
        for start in range(0, len(asked), PAIRS_PER_CALL):
            some = asked[start : start + PAIRS_PER_CALL]
            reply = services.model.complete(_call(prompt, services.model, some), deadline)
            same += read_verdicts(reply.text, len(some))
            replies.append(reply)
        return {"same": same, "usage": _usage(replies)}

    return answer


def _call(prompt: Prompt, model: ChatModel, pairs: Sequence[Wordings]) -> ModelCall:
    lines = [
        json.dumps({"n": number, "a": theirs, "b": ours}, ensure_ascii=False, separators=(",", ":"))
        for number, (ours, theirs) in enumerate(pairs, 1)
    ]
    messages = prompt.render({"pairs": "\n".join(lines)})
    traits = model.traits
    most = min(prompt.max_output_tokens, traits.max_output_tokens, traits.context_tokens - estimate_tokens(messages))
    if most < OUTPUT_TOKENS_PER_PAIR * len(pairs):
        raise ArticleTooLongError("these claims are more than one call to this model can take")
    return ModelCall(messages, prompt.output, prompt.temperature, most)


def _usage(replies: Sequence[Reply]) -> dict[str, int]:
    columns: dict[str, Callable[[Reply], int]] = {
        "calls": lambda reply: reply.calls,
        "input_tokens": lambda reply: reply.input_tokens,
        "cached_tokens": lambda reply: reply.cached_tokens,
        "output_tokens": lambda reply: reply.output_tokens,
    }
    return {name: sum(map(read, replies)) for name, read in columns.items()}


def read_verdicts(text: str, many: int) -> list[bool]:
    """Whether each of `many` pairs says the same, in their order, from a reply to `judge_same_claim`.

    Raises: ModelSchemaError unless there is exactly one verdict for each pair, in order and in the form asked for.
    """
    try:
        document = loads(unwrap(text)[0])
    except StrictJsonError as error:
        raise ModelSchemaError(f"the judge's reply is not valid JSON: {error.reason}") from error
    verdicts = document.get("verdicts") if isinstance(document, dict) and len(document) == 1 else None
    if not isinstance(verdicts, list) or len(verdicts) != many or not all(map(_is_verdict, verdicts, range(1, many + 1))):
        raise ModelSchemaError("the judge's reply is not one verdict for each pair")
    return [verdict["same"] for verdict in verdicts]


def _is_verdict(verdict: Any, number: int) -> bool:
    return (
        isinstance(verdict, dict)
        and verdict.keys() == _FIELDS
        # Not isinstance or ==: to both, True is 1.
        and type(verdict["n"]) is int
        and verdict["n"] == number
        and isinstance(verdict["differs"], str)
        and type(verdict["same"]) is bool
    )
