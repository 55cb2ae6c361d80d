"""A passage and a prompt in, the claims a model proposes out; one repair round at most."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from service.deadline import Deadline
from service.domain import Options, Passage, Sentence
from service.errors import ArticleTooLongError, ModelSchemaError
from service.fencing import Fencing, PromptLeakedError
from service.llm.base import CallBudget, ChatModel, Message, ModelCall, Reply
from service.pipeline.narrow import NARROWABLE, narrow
from service.pipeline.replies import ProposedClaim, UnreadableReplyError, read_reply
from service.pipeline.unwrap import unwrap
from service.prompting import Prompt

_BYTES_PER_TOKEN = 3
"""Low for every script we measured, so that the estimate of tokens is an upper one."""

_TIGHT_ROOM = 1_000

INPUTS = frozenset({"title", "lead", "limits", "sentences", "fence"})
"""The inputs a prompt may declare."""

OUTPUT_TOKENS_PER_CHAR = 0.6
"""An annotator finds about 25 claims in 3,000 characters, and a claim costs up to 70 tokens."""


@dataclass(frozen=True)
class Extraction:
    """What a model proposed for one passage, the replies it took, and what the reader should know of them.

    `left_out` counts sentences that could carry a claim but were not asked about. `body` is the JSON that was believed, in
    the prompt's own reply schema; empty where rules proposed. `unattributed` counts quotations left without a speaker.
    """

    proposed: tuple[ProposedClaim, ...]
    replies: tuple[Reply, ...]
    repairs: tuple[str, ...]
    left_out: int
    body: str = ""
    unattributed: int = 0


@dataclass(frozen=True)
class Asking:
    """How a model is asked: the prompt that puts the question and the one that says what was wrong with an answer.

    `fencing` keeps the article's words apart from those of the prompt.
    """

    prompt: Prompt
    repair: Prompt
    fencing: Fencing = field(default_factory=Fencing)


@dataclass(frozen=True)
class Allowance:
    """What asking about a passage may cost: requests, and, where it is `tight`, no more room for a reply than that needs."""

    calls: CallBudget = field(default_factory=CallBudget)
    tight: bool = False


def extract(  # noqa: PLR0913 - what is asked, how, of whom, and what it may cost
    passage: Passage, options: Options, asking: Asking, model: ChatModel, deadline: Deadline, *, allowance: Allowance
) -> Extraction:
    """The claims a model proposes for a passage, nothing of them proved.

    Raises: ArticleTooLongError, ModelError, DeadlineExceededError; ModelSchemaError when the repair round fails too;
    PromptLeakedError.
    """
    question = _question(passage, options, asking, model, allowance)
    first = _kept_to_itself(model.complete(question.call, deadline), asking.fencing)
    try:
        return _believed(question, asking.prompt, (first,))
    except UnreadableReplyError as error:
        faults = error.faults
    if question.call.budget.left <= 0:
        raise ModelSchemaError(f"{len(faults)} faults in the reply, and no call is left to ask for another")
    asked = asking.repair.render({"faults": "\n".join(f"- {fault}" for fault in faults)})
    again = replace(question.call, messages=(*question.call.messages, Message("assistant", first.text), *asked))
    second = _kept_to_itself(model.complete(again, deadline), asking.fencing)
    try:
        return _believed(question, asking.prompt, (first, second), "asked_again")
    except UnreadableReplyError as error:
        raise ModelSchemaError(f"{error} after the repair round") from error


def surroundings(passage: Passage, options: Options, prompt: Prompt) -> str:
    """A hash of all that `prompt` is filled with for `passage` besides its sentences, and the fence, which says nothing."""
    others = prompt.inputs - {"sentences", "fence"}
    given = {name: value for name, value in _inputs(passage, options).items() if name in others}
    return sha256(json.dumps(given, sort_keys=True).encode("utf-8")).hexdigest()


def _kept_to_itself(reply: Reply, fencing: Fencing) -> Reply:
    """The reply, which shows nothing of what the model was told in confidence.

    Raises: PromptLeakedError. Who obeys the article in one thing may have obeyed it in all, so nothing of it is used.
    """
    if fencing.leaked(reply.text):
        raise PromptLeakedError("the reply holds the canary of the instructions", may_retry=False)
    return reply


def _believed(question: "_Question", prompt: Prompt, replies: tuple[Reply, ...], *repairs: str) -> Extraction:
    """What the last of these replies proposes.

    Raises: UnreadableReplyError.
    """
    text = question.whole(replies[-1].text)
    proposed, unwrapped = read_reply(text, prompt.output.name)
    return Extraction(proposed, replies, (*repairs, *unwrapped), question.left_out, unwrap(text)[0])


@dataclass(frozen=True)
class _Question:
    """A call, how its reply becomes one in the prompt's own schema, and how many sentences it does not ask about."""

    call: ModelCall
    whole: Callable[[str], str]
    left_out: int


def _question(passage: Passage, options: Options, asking: Asking, model: ChatModel, allowance: Allowance) -> _Question:
    prompt = asking.prompt
    values = _inputs(passage, options) | {"fence": asking.fencing.fence(passage.article)}
    messages = prompt.render({name: values[name] for name in prompt.inputs}, asking.fencing.canary)
    traits, schema, left_out = model.traits, prompt.output, 0
    whole: Callable[[str], str] = str
    needed = int(OUTPUT_TOKENS_PER_CHAR * sum(len(sentence.text) for sentence in passage.sentences))
    if traits.narrow_schema and prompt.output.name in NARROWABLE:
        narrowed = narrow(prompt.output, passage.sentences, options)
        schema, whole, left_out, needed = narrowed.schema, narrowed.whole, narrowed.left_out, narrowed.output_tokens
    room = traits.context_tokens - estimate_tokens(messages)
    most = min(traits.max_output_tokens, room)
    if most < needed:
        raise ArticleTooLongError("the article is longer than one call to this model can take; send a shorter part of it")
    usual = min(prompt.max_output_tokens, max(_TIGHT_ROOM, needed)) if allowance.tight else prompt.max_output_tokens
    asked = min(max(usual, needed), most)
    call = ModelCall(messages, schema, prompt.temperature, asked, most, budget=allowance.calls)
    return _Question(call, whole, left_out)


def _inputs(passage: Passage, options: Options) -> dict[str, str]:
    """Everything a prompt may ask to be filled in, but the fence."""
    lead = _one_line(" ".join(sentence.text for sentence in passage.lead))
    return {
        "title": _one_line(passage.article.title or "(none)"),
        "lead": f"Lead of the article, for understanding only: {lead}" if lead else "",
        "limits": _limits(options),
        "sentences": numbered(passage.sentences),
    }


def numbered(sentences: Sequence[Sentence]) -> str:
    """The sentences as the model sees them: `[n] text`, one a line."""
    return "\n".join(f"[{sentence.number}] {_one_line(sentence.text)}" for sentence in sentences)


def estimate_tokens(messages: Sequence[Message]) -> int:
    """An upper estimate of what these messages cost as a prompt."""
    return sum(estimate_tokens_of(message.content) + 8 for message in messages)


def estimate_tokens_of(text: str) -> int:
    """An upper estimate of what `text` costs."""
    return len(text.encode("utf-8")) // _BYTES_PER_TOKEN


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _limits(options: Options) -> str:
    lines = []
    if options.max_claims is not None:
        lines.append(f"List at most {options.max_claims} claims: those most worth checking.")
    if options.min_check_worthiness > 0:
        lines.append(f'Leave out claims whose "worth" is below {options.min_check_worthiness:g}.')
    return "\n".join(lines)
