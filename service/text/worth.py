"""How worth checking a clause of a news article is, by the weights of its words. English only; no model is asked."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Final

from service.errors import SetupError
from service.text.worth_features import Features, features

PACKAGED: Final = Path(__file__).with_name("worth_weights.json")
LANGUAGE: Final = "en"
NEUTRAL: Final = 0.5

_HUNDREDTHS: Final = 100
_CLEAR: Final = 0.1  # what weighs less decides nothing and is not named
_WORD: Final = re.compile(r"[^\W\d_]")
_NO_ADVERBS: Final = frozenset(
    "ally anomaly assembly belly bully deadly elderly family fly italy july monopoly rally reply supply".split()
)
_FOR: Final[Mapping[str, str]] = {
    "figure": "a figure that can be checked",
    "figures": "a figure that can be checked",
    "unit": "an amount that can be checked",
    "past figure": "a figure that can be checked",
    "date": "a date that can be checked",
    "comparison": "a comparison that can be checked",
    "superlative": "a superlative that can be checked",
    "past": "tells what happened",
    "past twice": "tells what happened",
    "name": "names who or what it is about",
    "names": "names who or what it is about",
}
_AGAINST: Final[Mapping[str, str]] = {
    "below 8 words": "too short to say much",
    "hedge": "a wish, a view or a possibility",
    "first person": "speaks of oneself",
    "second person": "speaks to somebody",
    "question": "a question",
}


@dataclass(frozen=True)
class Worth:
    """How worth checking a clause is, in [0, 1], and in a few words for an editor what weighed most."""

    value: float
    reason: str


@dataclass(frozen=True)
class Weights:
    """What each word, pair of words and mark weighs: words and pairs in hundredths.

    `topics` are of words that name a matter of public concern (above 0) or leisure (below). The share of clauses that
    editors found worth checking is the logistic function of `intercept` and `slope` times the sum.
    """

    topics: Mapping[str, int]
    words: Mapping[str, int]
    pairs: Mapping[str, int]
    marks: Mapping[str, float]
    slope: float
    intercept: float


class CheckWorthiness:
    """Scores by `weights`. Holds nothing else; safe for any number of threads."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def judges(self, language: str) -> bool:
        """Whether it can score sentences of a language (ISO 639-1)."""
        return language.partition("-")[0].lower() == LANGUAGE

    def score(self, sentence: str, language: str) -> Worth:
        """How worth checking `sentence` is; `language` is its ISO 639-1 code. Of others than English nothing is said: 0.5."""
        if not self.judges(language):
            return Worth(NEUTRAL, "not judged: only English is")
        found = features(sentence)
        if not any(_WORD.match(word) for word in found.words):
            return Worth(0.0, "no words to check")
        calibrated = self._weights.intercept + self._weights.slope * self.total(found)
        value = round(1 / (1 + exp(-min(max(calibrated, -30.0), 30.0))), 2)
        return Worth(value, self._reason(found, high=value >= NEUTRAL))

    def total(self, found: Features) -> float:
        """What all features of a sentence weigh together, before calibration: any number, more is more worth checking."""
        weights = self._weights
        topics = sum(weights.topics.get(word, 0) for word in found.words)
        words = sum(weights.words.get(word, 0) for word in found.words)
        pairs = sum(weights.pairs.get(pair, 0) for pair in found.pairs)
        marks = sum(weights.marks.get(mark, 0.0) * strength for mark, strength in found.marks.items())
        return (topics + words + pairs) / _HUNDREDTHS / found.scale + marks

    def _reason(self, found: Features, *, high: bool) -> str:
        """The two things that weigh most in the direction that the score took."""
        weighed: dict[str, float] = {}
        for phrase, weight in self._nameable(found):
            amount = weight if high else -weight
            if amount > 0:
                weighed[phrase] = weighed.get(phrase, 0.0) + amount
        clear = sorted((phrase for phrase, amount in weighed.items() if amount >= _CLEAR), key=lambda phrase: -weighed[phrase])
        if clear:
            return "; ".join(clear[:2])
        return "nothing in particular" if high else "nothing that stands out as checkable"

    def _nameable(self, found: Features) -> Iterator[tuple[str, float]]:
        """What can be put to an editor, each with what it weighs."""
        for mark, strength in found.marks.items():
            weight = self._weights.marks.get(mark, 0.0) * strength
            phrase = (_FOR if weight > 0 else _AGAINST).get(mark)
            if phrase:
                yield phrase, weight
        weighed = ((word, self._weights.topics.get(word, 0)) for word in found.words if _names_matter(word))
        topics = {word: weight for word, weight in weighed if weight}
        for pick, label in ((max, "of public concern"), (min, "of leisure")):
            if topics:
                word = pick(topics, key=lambda each: topics[each])
                if (topics[word] > 0) == (pick is max):
                    yield f"a matter {label}: “{word}”", topics[word] / _HUNDREDTHS / found.scale


def _names_matter(word: str) -> bool:
    """Whether a word can name a matter: an adverb ("reportedly") tells how, whatever it weighs."""
    return not word.endswith("ly") or word in _NO_ADVERBS


def load_weights(path: Path = PACKAGED) -> Weights:
    """The weights in a file that scripts/train_check_worthiness.py wrote.

    Raises: SetupError when it cannot be read or is not such a file.
    """
    try:
        return Weights(**{name: value for name, value in json.loads(path.read_text("utf-8")).items() if name != "about"})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise SetupError(f"the weights in {path.name} cannot be read", [str(error)]) from error
