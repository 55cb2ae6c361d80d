"""The one step before the flow: the same work is done once."""

from dataclasses import replace

from service.deadline import Deadline
from service.domain import Analysis, ArticleInput, Options
from service.earlier import Previous
from service.errors import FactCheckError
from service.observing import Analysed, AnalysisFailed
from service.pipeline.analyze import REPAIR_TASK, Services, analyze, choose
from service.pipeline.answers import Caching, Question
from service.pipeline.fallback import first_answer
from service.pipeline.following import Follower, nobody
from service.prompting import Prompt


def remember(  # noqa: PLR0913 - what the flow takes, and what the caller allows
    given: ArticleInput,
    options: Options,
    ref: str | None,
    services: Services,
    deadline: Deadline,
    *,
    previous: Previous | None = None,
    caching: Caching,
    tenant: str = "",
    caller: str = "",
    follow: Follower = nobody,
) -> Analysis:
    """The analysis of an article: one kept for `tenant`, one being made for another request of theirs, or a new one.

    `ref` is the prompt the caller named; with None each model is asked by its own. `follow` is told how far a new one is.
    Raises: ArticleTooLongError, ModelError, DeadlineExceededError, OverloadedError, ClientGoneError, UnknownPromptError.
    """
    models = (services.model, *(fallback.model for fallback in services.fallbacks))
    prompts = [choose(ref, replace(services, model=model)) for model in models]
    repair = services.prompts.select(None, REPAIR_TASK)
    hashes = tuple(part for prompt in prompts for part in (prompt.name, prompt.sha256))
    question = Question(given, options, (*hashes, repair.sha256), previous, tenant)

    def make(in_vain_s: float) -> Analysis:
        def ask(prompt: Prompt, view: Services, until: Deadline) -> Analysis:
            return analyze(
                given, options, prompt, view, until, previous=previous, caller=caller, in_vain_s=in_vain_s, follow=follow
            )

        return first_answer(ref, services, deadline, ask)

    try:
        analysis = services.answers.find_or_make(question, make, deadline, caching)
    except FactCheckError as error:
        services.observer.tell(AnalysisFailed(error.code))
        raise
    services.observer.tell(Analysed(analysis))
    return analysis
