"""Which answer each request gets: a mode after some good calls, or a seeded mixture of modes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from tests.faultserver.faults import FAULTS, Fault

OK = FAULTS["ok"]


@dataclass(frozen=True)
class Plan:
    """`mode` for every call after the first `after`, and no longer than `times` calls (None: for ever); else good answers.

    With `mix` (weights by mode) the mode of each call is drawn instead, by a generator seeded with `seed`. `only` keeps
    the faults to articles that hold these words. Every answer begins after `latency_s`, drawn from that range, and is sent
    at `bandwidth` bytes a second (None: at once).
    Raises: ValueError for a plan that cannot be kept.
    """

    mode: str = "ok"
    after: int = 0
    times: int | None = None
    mix: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    only: str = ""
    latency_s: tuple[float, float] = (0.0, 0.0)
    bandwidth: float | None = None

    def __post_init__(self) -> None:
        for name in (self.mode, *self.mix):
            if name not in FAULTS:
                raise ValueError(f"no such mode: {name}")
        if any(weight < 0 for weight in self.mix.values()) or (self.mix and not sum(self.mix.values())):
            raise ValueError("the weights of a mix must be at least 0, and one of them more")
        listener = [name for name in (self.mode, *self.mix) if FAULTS[name].listener]
        if listener and (self.mix or self.after or self.times is not None or self.only):
            raise ValueError(f"{listener[0]} concerns every connection: it can be neither mixed nor kept to some calls")
        low, high = self.latency_s
        if not 0 <= low <= high or (self.bandwidth is not None and self.bandwidth <= 0):
            raise ValueError("latency must be a range of seconds, bandwidth more than 0")

    @property
    def listener(self) -> str:
        """The mode, where it concerns connections and not calls; else nothing."""
        return self.mode if FAULTS[self.mode].listener else ""


class Draw:
    """The modes of one run of a plan, call by call. The same seed and the same order of calls give the same modes."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = Random(plan.seed)  # noqa: S311 - a draw that can be repeated, not a secret
        self._names = list(plan.mix)
        self._weights = list(plan.mix.values())
        self._eligible = 0

    def fault(self, article: str) -> Fault:
        """What the next call gets, whose article is given."""
        plan = self._plan
        if plan.only and plan.only not in article:
            return OK
        self._eligible += 1
        number = self._eligible - plan.after
        if number < 1 or (plan.times is not None and number > plan.times):
            return OK
        if self._names:
            return FAULTS[self._random.choices(self._names, self._weights)[0]]
        return FAULTS[plan.mode]

    def latency_s(self) -> float:
        """How long the next answer takes to begin."""
        low, high = self._plan.latency_s
        return low if low == high else self._random.uniform(low, high)


def read_mix(text: str) -> dict[str, float]:
    """The weights in a text such as `ok=70,http-500=10`.

    Raises: ValueError.
    """
    mix = {}
    for part in filter(None, map(str.strip, text.split(","))):
        if not (match := re.fullmatch(r"([a-z0-9-]+)=([0-9]+(?:\.[0-9]+)?)", part)):
            raise ValueError(f"not a mode and its weight: {part}")
        mix[match[1]] = float(match[2])
    return mix
