"""How one sentence refers to somebody it does not name in full: by surname, by office or by a pronoun, found by rule.

Verbs and pronouns are English: in other languages a sentence refers to nobody. Rather nobody than the wrong one: words
count only right beside a verb of saying, and pronouns and offices only where nobody else is named as speaking.
"""

import re
from collections.abc import Iterator

from service.text.candidates import SAYING, speaker

_ASIDE = r"(?:, [^,.;]{3,80},)?"
_SAYING_BEFORE = r"(?:(?:said|says|told|added|adding|announced|warned|noted|argued|explained|claimed)|[Aa]ccording to|[Pp]er)"
_PRONOUNS = r"[Hh]e|[Ss]he|[Tt]hey"
_BEFORE_IT = re.compile(r"(?P<word>[\w’'.-]+) \Z")
_TITLES = frozenset("Mr Mrs Ms Dr Prof Sir President Minister Chancellor Premier Senator Sen Rep Gov Mayor Judge Gen".split())
_MIN_LETTERS = 3
_MAX_WORD = 40

Range = tuple[int, int]


def reference(name: str, role: str, sentence: str) -> Range | None:
    """The range of `sentence` that refers to `name`, whose office or description is `role`; None where nothing clearly does.

    That the full name is not in the sentence is for the caller to know.
    """
    if found := next(_surname(name, role, sentence), None):
        return found
    if speaker(sentence):
        return None
    offices = [re.escape(word) for word in re.findall(r"\w+", role) if len(word) > _MIN_LETTERS]
    if offices and (found := next(_beside_saying(rf"[Tt]he (?:{'|'.join(offices)})", sentence), None)):
        return found
    pronouns = list(_beside_saying(_PRONOUNS, sentence))
    different = {sentence[start:end].casefold() for start, end in pronouns}
    return min(pronouns) if len(different) == 1 else None


def _surname(name: str, role: str, sentence: str) -> Iterator[Range]:
    """Where the last word of a person's name is said to speak, or has something: "Peskov’s remarks"."""
    *first, last = name.split() or [""]
    if not first or len(last) < _MIN_LETTERS or not last[:1].isupper():
        return
    allowed = {*first, *re.findall(r"\w+", role)} | _TITLES
    for start, end in _beside_saying(re.escape(last), sentence, possessive=True):
        before = _BEFORE_IT.search(sentence, max(start - _MAX_WORD, 0), start)
        # "Hunter Biden" is not Joe Biden, and "the House" is not the White House.
        word = before["word"].rstrip(".") if before else ""
        if not before or word in allowed or (word.islower() and word != "the"):
            yield start, end


def _beside_saying(words: str, sentence: str, *, possessive: bool = False) -> Iterator[Range]:
    """The ranges of what the pattern `words` finds right before or right after a verb of saying, in the order of the kinds."""
    kinds = [rf"\b(?P<who>{words}){_ASIDE} {SAYING}", rf"\b{_SAYING_BEFORE} (?P<who>{words})\b"]
    if possessive:
        kinds.append(rf"\b(?P<who>{words})[’']s\b")
    for kind in kinds:
        for found in re.finditer(kind, sentence):
            yield found.span("who")
