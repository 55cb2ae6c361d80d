"""What kind of proposition a claim is, by rule: the first cue that fits. English, and a few cues of German."""

import re
from collections.abc import Mapping, Sequence

from service.domain import Kind

Rules = Sequence[tuple[Kind, re.Pattern[str]]]


def _cue(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)


_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DATE = re.compile(rf"\b(?:(?:{_MONTHS}) \d{{1,4}}|\d{{1,2}} (?:{_MONTHS}))\b", re.IGNORECASE)

_ENGLISH: Rules = (
    (
        Kind.CAUSAL,
        _cue(
            "caus(?:e|es|ed|ing)|because|due to|le(?:d|ads?|ading) to|result(?:s|ed|ing)? (?:in|from)|"
            "as a result|owing to|thanks to|consequence of|reasons? (?:that|why|for|is|was)|contribut(?:e|es|ed|ing) to|"
            "effects? of|trigger(?:s|ed)|blam(?:e|es|ed) (?:on|for)|dependent upon|depends? on|attributed to|"
            "prevent(?:s|ed|ing)?|set(?:ting)? off"
        ),
    ),
    (
        Kind.RULE,
        _cue(
            "laws?|legal|illegal|legislation|bill|act|regulations?|rules?|ruled|ruling|decree|must|required?|requires|mandatory|"
            "ban(?:s|ned)?|prohibit(?:s|ed)?|allowed|permitted|forbidden|recommends?|sanctions|treaty|policy|supposed to|"
            "should|entitled|obliged|exempt(?:ed|ion)?|constitution|guidelines"
        ),
    ),
    (
        Kind.PREDICTION,
        _cue(
            "will|won't|would|could|may|might|is going to|are going to|expect(?:s|ed)?|scheduled|plans? to|planned|planning to|"
            "forecast(?:s|ed)?|predict(?:s|ed)?|next (?:week|month|year)|tomorrow|upcoming|likely to|intends? to|in the future"
        ),
    ),
    (
        Kind.QUANTITY,
        _cue(
            "(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty) (?!of)\\w+|"
            "hundreds?|thousands?|millions?|billions?|trillions?|dozens?|percent|per cent|half of|a third of|two-thirds|"
            "majority|twice|double[ds]?|tripled|more than|less than|fewer|at least|highest|lowest|largest|"
            "increas(?:e|es|ed|ing)|decreas(?:e|es|ed|ing)|rose|fell|grew"
        ),
    ),
    (
        Kind.EVENT,
        _cue(
            r"\w{3,}ed|was|were|had|did|went|came|took|made|got|gave|said|told|became|left|lost|won|began|held|met|shot|sent|put|paid|"
            r"found|wrote|won|hit|saw|spoke|brought|built|bought|sold|ran|fell|rose|drew|struck|broke|kept|set|stood|beat"
        ),
    ),
)
_GERMAN: Rules = (
    (
        Kind.CAUSAL,
        _cue("weil|wegen|aufgrund|auf Grund|führt(?:e|en)? zu|verursacht(?:e|en)?|dadurch|infolge|Ursache|Grund für|löste\\w*"),
    ),
    (
        Kind.RULE,
        _cue(
            r"\w*gesetz(?:e|es)?|Verordnung|verboten|verbietet|muss|müssen|dürfen|darf|vorgeschrieben|Regelung|Urteil|Pflicht"
        ),
    ),
    (Kind.PREDICTION, _cue(r"soll|sollen|künftig|voraussichtlich|erwartet|geplant|plant|könnte|könnten|würde|würden|werde")),
    (
        Kind.QUANTITY,
        _cue(
            r"Prozent|Millionen?|Milliarden?|Dutzend|Hunderte|Tausende|mehr als|weniger als|mindestens|"
            r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf"
        ),
    ),
    (Kind.EVENT, _cue(r"ge\w{2,}(?:t|en)|\w+(?:iert|ierte|ierten)|war|waren|wurde|wurden|hatte|hatten|hat|haben|\w{3,}ten?")),
)
_RULES: Mapping[str, Rules] = {"en": _ENGLISH, "de": _GERMAN}
_FIGURE_NOT_YEAR = re.compile(r"(?<![\w.,])(?!(?:1[6-9]|20)\d\d(?!\d|[.,]\d))\d[\d.,]*(?!\w)|[$€£]\s?\d")


def kind_of(claim: str, language: str) -> Kind:
    """The kind of `claim`; `language` is its ISO 639-1 code. In a language without rules, a figure makes a quantity."""
    undated = _DATE.sub(" ", claim)  # "May 5" is neither a possibility nor a figure
    figure = _FIGURE_NOT_YEAR.search(undated) is not None
    rules = _RULES.get(language.partition("-")[0].lower())
    if rules is None:
        return Kind.QUANTITY if figure else Kind.EVENT
    for kind, cue in rules:
        if cue.search(undated) or (kind is Kind.QUANTITY and figure):
            return kind
    return Kind.OTHER
