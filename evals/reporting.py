"""A rule of thumb for reported speech in English and German: who says it, and which part of the sentence is what is said."""

import re
from dataclasses import dataclass

from evals.items import Range

_VERBS = (
    "said says saying told tells stated states claimed claims alleged alleges announced announces argued argues added adds "
    "warned warns denied denies dismissed rejected disputed insisted insists suggested suggests explained explains confirmed "
    "confirms noted notes wrote writes tweeted reported reports revealed acknowledged believes believe estimated predicted "
    "sagte sagt erklärte erklärt teilte berichtete berichtet berichten betonte warnte kündigte behauptete behauptet bestätigte "
    "bestritt dementierte meinte forderte schrieb schreibt gab nannte bezeichnete äußerte verkündete räumte"
)
_DENIALS = frozenset("denied denies dismissed rejected disputed bestritt dementierte".split())
_VERB = re.compile(rf"\b(?:{'|'.join(_VERBS.split())})\b")
_CAPITALISED = r"[A-ZÄÖÜ][\w.’'&-]*\w"
_NAME = (
    rf"(?:(?:[Tt]he|[Dd]er|[Dd]ie|[Dd]as|[Dd]es) )?{_CAPITALISED}"
    rf"(?: (?:(?:of|the|for|and|de|la|al|van|von|der|des|für) )?{_CAPITALISED})*"
)
_ACCORDING = re.compile(rf"\b(?:[Aa]ccording to|[Ll]aut|[Nn]ach Angaben (?:von|des|der)) ({_NAME})")
_NAME_BEFORE = re.compile(rf"({_NAME})(?:,[^,]{{1,80}},)?[^.,;:“”\"]{{0,40}}$")
_NAME_AFTER = re.compile(rf"^ ({_NAME})")
_PRONOUN_BEFORE = re.compile(r"\b(?:[Hh]e|[Ss]he|[Tt]hey|[Ee]r|[Ss]ie)(?: \w+)?\s*$")
_LEAD = re.compile(r"^[\s,:]*(?:that|dass)?\s+")
_TAIL = re.compile(r"[,:\s–—-]+$")
_SHORTEST_CONTENT = 20
_NO_NAMES = frozenset(
    "He She It They We I Nobody Some The A An In On At But And However "
    "Er Sie Es Wir Ich Der Die Das Ein Eine Im Am This That These".split()
)


@dataclass(frozen=True)
class Reported:
    """Reported speech: where its source is named, where what is said is, and whether the source denies it."""

    claimant: Range
    content: Range
    denied: bool


def reported(text: str, sentence: Range, last: Range | None) -> Reported | None:
    """What the sentence reports, or None when it reports nothing; `last` is who spoke before, for "he said"."""
    start, end = sentence
    words = text[start:end]
    if found := _ACCORDING.search(words):
        content = (start + found.end(), end) if found.start() < end - start - found.end() else (start, start + found.start())
        return Reported((start + found.start(1), start + found.end(1)), _trimmed(text, content, sentence), denied=False)
    verb = _VERB.search(words)
    if not verb:
        return None
    before, after = words[: verb.start()], words[verb.end() :]
    claimant = _named(before, after, start, start + verb.end()) or (last if _PRONOUN_BEFORE.search(before) else None)
    if claimant is None:
        return None
    told_first = len(before) > len(after)
    content = (start, min(start + verb.start(), max(claimant[0], start))) if told_first else (start + verb.end(), end)
    return Reported(claimant, _trimmed(text, content, sentence), denied=verb[0] in _DENIALS)


def _named(before: str, after: str, start: int, after_start: int) -> Range | None:
    found = _NAME_BEFORE.search(before.rstrip() + " ")
    if found and found[1] not in _NO_NAMES:
        return start + found.start(1), start + found.end(1)
    found = _NAME_AFTER.search(after)
    if found and found[1] not in _NO_NAMES:
        return after_start + found.start(1), after_start + found.end(1)
    return None


def _trimmed(text: str, content: Range, sentence: Range) -> Range:
    """The content without what joins it to its cue; the whole sentence when too little is left of it."""
    start, end = content
    if lead := _LEAD.match(text[start:end]):
        start += lead.end()
    if tail := _TAIL.search(text[start:end]):
        end = start + tail.start()
    return (start, end) if end - start >= _SHORTEST_CONTENT else sentence
