"""What the service tells of its work to whoever measures it: numbers and names of our own, never anything of an article."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

from service.domain import Analysis
from service.tracing import inner_span

P = ParamSpec("P")
T = TypeVar("T")

OK = "ok"
"""The outcome of what did not fail; that of a failure is its error code."""


@dataclass(frozen=True)
class RequestServed:
    """A request was answered. `route` is the path's rule (None: no such path), `code` that of the problem report sent."""

    route: str | None
    method: str
    status: int
    code: str | None
    seconds: float


@dataclass(frozen=True)
class Analysed:
    """An article was analysed, for this request or, as `usage.cache` says, for another one."""

    analysis: Analysis


@dataclass(frozen=True)
class AnalysisFailed:
    """An analysis came to nothing but an error code."""

    code: str


@dataclass(frozen=True)
class AnswerReplayed:
    """A request sent again with its key got the first one's answer."""


@dataclass(frozen=True)
class ModelAsked:
    """A model was asked once, or kept from being asked by its breaker.

    `outcome` is `OK` or an error code; the tokens are zero unless it is `OK`, and `served` is the name the endpoint gave.
    """

    model: str
    outcome: str
    seconds: float
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    endpoint: str = ""
    served: str = ""


@dataclass(frozen=True)
class ModelRepeated:
    """A model is to be asked again after a failure."""

    model: str


@dataclass(frozen=True)
class LimitReached:
    """A request was refused because of its tenant's limits; `limit` is the name of the one in the way."""

    limit: str


@dataclass(frozen=True)
class StepTook:
    """A step of the flow has come to its end, in so many seconds."""

    step: str
    seconds: float


Event = RequestServed | Analysed | AnalysisFailed | AnswerReplayed | LimitReached | ModelAsked | ModelRepeated | StepTook


class Observer(Protocol):
    """Who is told. Called from many threads; never raises."""

    def tell(self, event: Event) -> None:
        """Nothing; the event is taken note of."""


class Unobserved:
    """Takes note of nothing."""

    def tell(self, event: Event) -> None:
        """Nothing."""


@dataclass(frozen=True)
class All:
    """Several observers, each told everything."""

    observers: tuple[Observer, ...]

    def tell(self, event: Event) -> None:
        """Nothing; each takes note of the event."""
        for observer in self.observers:
            observer.tell(event)


@dataclass(frozen=True)
class Steps:
    """The steps of one piece of work, each a span, told with the seconds it took, also when it fails."""

    observer: Observer
    clock: Callable[[], float]

    def take(self, name: str, step: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `step` comes to.

        Raises: what `step` raises.
        """
        with inner_span():
            began = self.clock()
            try:
                return step(*args, **kwargs)
            finally:
                self.observer.tell(StepTook(name, self.clock() - began))
