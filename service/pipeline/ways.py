"""How the claims of an article are proposed: all by a model, or by rules that ask a model only what they leave open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.deadline import Deadline
from service.domain import Article, Caveat, Options, Passage, Sentence
from service.llm.base import ChatModel
from service.pipeline.draft import draft
from service.pipeline.extract import Allowance, Asking, Extraction, extract
from service.pipeline.inquire import inquire
from service.provenance import DecidedBy, Decider
from service.text.worth import CheckWorthiness

SPEAKER_TASK = "name_speaker"
"""The task of the prompts by which a model is only asked who speaks."""

_BY_MODEL = DecidedBy(Decider.MODEL, Decider.MODEL, Decider.MODEL, Decider.MODEL)
_LANGUAGE_NOT_READ = (
    "Whose words these are is not judged in this language: each claim may be the article's own or somebody else's."
)


@dataclass(frozen=True)
class Way:
    """How a passage's claims are proposed, who decides what, and what the reader should know of it."""

    propose: Callable[[Passage, Deadline, Allowance], Extraction]
    decided_by: DecidedBy = _BY_MODEL
    caveats: tuple[Caveat, ...] = ()


def way(  # noqa: PLR0913 - what either way needs
    article: Article,
    sentences: Sequence[Sentence],
    options: Options,
    asking: Asking,
    model: ChatModel,
    *,
    worth: CheckWorthiness | None,
) -> Way:
    """The way that the prompt asks for. Claims that rules draft are as worth checking as `worth` says."""
    if asking.prompt.task != SPEAKER_TASK:
        return Way(lambda passage, deadline, allowance: extract(passage, options, asking, model, deadline, allowance=allowance))
    drafted = draft(article, sentences, worth)
    judged = Decider.WEIGHTS if worth and worth.judges(article.language) else Decider.NOBODY
    asked = model.traits.asks_speakers and drafted.asks
    return Way(
        lambda passage, deadline, allowance: inquire(passage, drafted, asking.prompt, model, deadline, allowance=allowance),
        DecidedBy(Decider.RULES, Decider.BOTH if asked else Decider.RULES, Decider.RULES, judged),
        () if drafted.known_language else (Caveat("speakers_not_read", _LANGUAGE_NOT_READ),),
    )
