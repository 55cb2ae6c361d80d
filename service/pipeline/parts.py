"""A passage that does not fit the model's context, read again as two smaller ones."""

from collections.abc import Callable
from dataclasses import replace

from service.domain import Passage
from service.errors import ArticleTooLongError, DeadlineExceededError, ModelContextError, ModelError
from service.llm.base import CallBudget
from service.pipeline.extract import Allowance, Extraction
from service.pipeline.plan import halves
from service.pipeline.read import Reading

IN_PARTS = "in_parts"
"""Among the repairs of a reading: it is one of two that came of a passage too long for the model."""

Propose = Callable[[Passage, Allowance], Extraction]


def read_in_parts(passage: Passage, propose: Propose, *, allow_partial: bool) -> tuple[Reading, ...]:
    """The reading of a passage, nothing of it proved, or those of its halves where the endpoint says that it does not fit.

    Both halves come out of the passage's one budget: each gets half of the requests that are left, and no more room for its
    reply than that needs, because some endpoints count that room as part of what does not fit. A half that fails ends the
    passage, unless `allow_partial`: then it is told beside the other.
    Raises: what `propose` raises for the whole; ModelContextError when it is a single sentence, when there is no request
    left for each half, or when the first half does not fit either.
    """
    calls = CallBudget()
    try:
        return (Reading(passage, propose(passage, Allowance(calls))),)
    except ModelContextError as error:
        too_long = error
    wasted, parts, budgets = calls.spent, halves(passage), calls.halves()
    if not parts or budgets is None:
        raise too_long
    readings: list[Reading] = []
    for part, budget in zip(parts, budgets, strict=True):
        try:
            extraction = propose(part, Allowance(budget, tight=True))
        except (ModelError, DeadlineExceededError, ArticleTooLongError) as error:
            if isinstance(error, ModelContextError) and not readings:
                raise
            error.passage = (part.start, part.end)
            readings.append(Reading(part, failure=error))
            if not allow_partial:
                break
        else:
            readings.append(Reading(part, _with(extraction, wasted)))
            wasted *= not extraction.replies
    return tuple(readings)


def _with(extraction: Extraction, wasted: int) -> Extraction:
    """The extraction of a half, the first of its replies, if it took any, with what was asked for nothing before."""
    told = (replace(reply, calls=reply.calls + wasted) for reply in extraction.replies[:1])
    return replace(extraction, replies=(*told, *extraction.replies[1:]), repairs=(*extraction.repairs, IN_PARTS))
