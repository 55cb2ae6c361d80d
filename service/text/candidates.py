"""What a sentence offers a small model to choose from: who might be speaking in it, found by rule.

English reporting verbs and capitalised names only: in other languages a sentence offers nobody.
"""

import re

_REPORTING = re.compile(
    r"\b(?:said|says|say|saying|told|claim(?:s|ed|ing)?|den(?:y|ies|ied|ying)|assert(?:s|ed|ing|ions?)?|stat(?:es|ed|ing)|"
    r"report(?:s|ed)?|announc(?:es|ed|ing)|acknowledg(?:es|ed|ing)|confirm(?:s|ed|ing)?|warn(?:s|ed|ing)?|add(?:s|ed|ing)?|"
    r"not(?:es|ed|ing)|remark(?:s|ed)?|respond(?:s|ed)?|suggest(?:s|ed|ing)?|argu(?:es|ed|ing)|accus(?:es|ed|ing|ations?)|"
    r"according to|detail(?:s|ed)|insist(?:s|ed)?|estimat(?:es|ed)|reveal(?:s|ed)|insists)\b"
)
_WORD = r"[A-Z][\w’'.-]*[\w]"
_NAME = re.compile(rf"(?<!\w){_WORD}(?: (?:of|for|and|the|de|al|bin|von|van) {_WORD}| {_WORD})*")
_NO_NAME = frozenset(
    "The A An He She It They We I You This That These Those In On At As For But And Or If When While Since After Before "
    "However Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August "
    "September October November December Last Other All No Notably Furthermore Meanwhile Neither Both Some Many More".split()
)
_NEAR_CHARS = 120


def speakers(sentence: str) -> tuple[str, ...]:
    """Names in `sentence` close to a verb of reporting, nearest first, at most three; none where nothing is reported."""
    cues = [match.start() for match in _REPORTING.finditer(sentence)]
    if not cues:
        return ()
    found: dict[str, int] = {}
    for match in _NAME.finditer(sentence):
        name = _without_opening(match[0])
        distance = min(abs(cue - match.end()) if cue >= match.end() else abs(match.start() - cue) + 20 for cue in cues)
        if name and distance <= _NEAR_CHARS:
            found[name] = min(distance, found.get(name, distance))
    return tuple(sorted(found, key=lambda name: (found[name], name))[:3])


def _without_opening(name: str) -> str:
    """The name without sentence openers that only look like part of it, nor a possessive ending."""
    words = name.removesuffix("’s").removesuffix("'s").split(" ")
    while words and words[0] in _NO_NAME:
        words = words[1:]
    return " ".join(words)
