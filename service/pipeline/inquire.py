"""What rules leave open, asked of a model: who speaks a quotation, one short question each, behind a constant beginning."""

import json
from dataclasses import replace
from hashlib import sha256

from service.deadline import Deadline
from service.domain import Passage, Sentence, StanceLabel
from service.errors import ModelSchemaError
from service.llm.base import ChatModel, ModelCall, Reply, ReplySchema
from service.pipeline.draft import Draft, Drafted
from service.pipeline.extract import Allowance, Extraction
from service.pipeline.replies import ProposedClaim, ProposedStance, UnreadableReplyError
from service.pipeline.speaker_reply import read_speaker
from service.prompting import Prompt

QUESTION_INPUTS = frozenset({"before", "quotation", "after", "named"})
"""The inputs a prompt of this kind may declare."""

_CHARS_BEFORE, _CHARS_AFTER = 400, 200


def inquire(  # noqa: PLR0913 - what is asked, how, of whom, and what it may cost
    passage: Passage, draft: Draft, prompt: Prompt, model: ChatModel, deadline: Deadline, *, allowance: Allowance
) -> Extraction:
    """The drafted claims of a passage, those quotations given to their speakers whose speaker the model could tell.

    A model that cannot tell is asked nothing. Each quotation is a request of its own, so as many are asked about, in their
    order, as the passage may cost; the others keep no speaker.
    Raises: ModelError, DeadlineExceededError; ModelSchemaError when a reply names nobody who was asked about.
    """
    proposed: list[ProposedClaim] = []
    replies: list[Reply] = []
    unattributed = 0
    for sentence in passage.sentences:
        for drafted in draft.claims.get(sentence.number, ()):
            claim = drafted.proposed
            if drafted.speakers and model.traits.asks_speakers and allowance.calls.left > 0:
                call = replace(_question(passage, sentence, drafted, prompt, model), budget=allowance.calls)
                replies.append(model.complete(call, deadline))
                claim = _answered(drafted, replies[-1])
            unattributed += drafted.quotation and not claim.claimant and not claim.stances
            proposed.append(claim)
    return Extraction(tuple(proposed), tuple(replies), (), 0, unattributed=unattributed)


def _question(passage: Passage, sentence: Sentence, drafted: Drafted, prompt: Prompt, model: ChatModel) -> ModelCall:
    text = passage.article.text
    values = {
        "before": _one_line(text[max(0, sentence.start - _CHARS_BEFORE) : sentence.start]),
        "quotation": _one_line(drafted.proposed.quote),
        "after": _one_line(text[sentence.end : sentence.end + _CHARS_AFTER]),
        "named": "; ".join(f"{number} {_one_line(name)}" for number, name in enumerate(drafted.speakers, 1)),
    }
    messages = prompt.render({name: value for name, value in values.items() if name in prompt.inputs})
    most = min(prompt.max_output_tokens, model.traits.max_output_tokens)
    return ModelCall(messages, _narrowed(prompt.output, len(drafted.speakers)), prompt.temperature, most)


def _narrowed(schema: ReplySchema, most: int) -> ReplySchema:
    """The schema with the numbers that may be answered."""
    document = {**schema.document, "properties": {"who": {"enum": list(range(most + 1))}}}
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return ReplySchema(schema.name, sha256(canonical.encode()).hexdigest(), document)


def _answered(drafted: Drafted, reply: Reply) -> ProposedClaim:
    """The claim with the speaker that a reply names.

    Raises: ModelSchemaError when the reply names none that was asked about.
    """
    try:
        who = read_speaker(reply.text, len(drafted.speakers))
    except UnreadableReplyError as error:
        raise ModelSchemaError(str(error)) from error
    return _given_to(drafted.speakers[who - 1], drafted.proposed) if who else drafted.proposed


def _given_to(speaker: str, claim: ProposedClaim) -> ProposedClaim:
    """The claim as the speaker's own; one that is denied in the quotation is refuted by them, not by the article."""
    if claim.article is StanceLabel.REFUTES:
        stance = ProposedStance(speaker, StanceLabel.REFUTES, claim.sentence, claim.quote)
        return replace(claim, stances=(stance,), article=StanceLabel.DISCUSSES)
    return replace(claim, claimant=speaker, article=StanceLabel.DISCUSSES)


def _one_line(text: str) -> str:
    return " ".join(text.split())
