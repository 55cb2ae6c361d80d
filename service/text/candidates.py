"""What a sentence offers a small model to choose from: who is speaking in it, found by rule.

English only: in other languages a sentence offers nobody. Rather nobody than the wrong one: a name counts only where it
stands right beside a verb of saying, and a denial offers nobody, because who denies a thing does not put it forward.
"""

import re

_WORD = r"[A-Z][\w’'.-]*\w"
_NAME = (
    rf"{_WORD}(?: (?:(?:of|for|and|the|al|bin|de|van|von) )?{_WORD})*(?: (?:officials|authorities|police|analysts|experts))?"
)
SAYING = (
    r"(?:(?:has|have|had|also|later|earlier|repeatedly) ){0,2}"
    r"(?:said|says|say|told|claim(?:s|ed)?|assert(?:s|ed)?|stat(?:es|ed)|report(?:s|ed)|announced|acknowledged|confirmed|warn(?:s|ed)|added|not(?:es|ed)|remarked|suggest(?:s|ed)?|argu(?:es|ed)|insist(?:s|ed)?|"
    r"estimat(?:es|ed)|predict(?:s|ed)?)\b"
)
"""A pattern of a verb of saying and what may stand right before it."""

_BEFORE = re.compile(rf"(?<!\w)(?:The |the )?(?P<name>{_NAME})(?:, (?P<aside>[^,.;]{{3,80}}),)? {SAYING}")
_AFTER = re.compile(rf"\b(?:[Aa]ccording to|said) (?:the )?(?P<name>{_NAME})")
_OPENERS = frozenset(
    "The A An He She It They We I You This That These Those In On At As For But And Or If When While Since After Before "
    "However Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August "
    "September October November December Last Other All No Notably Furthermore Meanwhile Neither Both Some Many More".split()
)


def speaker(sentence: str) -> str | None:
    """The name, as the sentence has it, of who is said to say something in it; None where nobody clearly is."""
    for found in (_BEFORE.search(sentence), _AFTER.search(sentence)):
        if found is None:
            continue
        aside = found.groupdict().get("aside")
        if aside and (named := re.fullmatch(_NAME, aside)):
            return named[0]  # "The mayor of Kiev, Vitaly Klitschko, said"
        if name := _without_openers(found["name"]):
            return name
    return None


def _without_openers(name: str) -> str:
    """The name without words that are capitalised only because they open a sentence or name a day."""
    words = name.split(" ")
    while words and words[0] in _OPENERS:
        words = words[1:]
    return " ".join(words)
