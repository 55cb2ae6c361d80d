"""Where a text seems to speak to a language model instead of its readers: a hint for people, never a reason to refuse it.

Words that come together (`injection_words`), marks of chat formats, letters nobody can see, and code. Linear time: every word
is looked at with a bounded number of those after it, and every expression has bounded repeats.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.text.injection_words import Pattern, by_first_word

MOST = 20
"""How many places are told."""

# A full stop inside an address or before a small letter ends no sentence.
_TOKEN = re.compile(r"[^\W_]+|[.!?…](?=[\"'”’)]?(?:\s{1,4}[^a-z\s]|\s{0,4}\Z))|[。！？\n]")
_ENDS = frozenset(".!?…。！？\n")
_POLITE = frozenset("please now then and also but so kindly bitte".split())
_PATTERNS = by_first_word()


def _marks(kind: str, *needled: tuple[str, str]) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    return tuple((kind, needle, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for needle, pattern in needled)


_OLD_ORDERS = r"[^。！？\n]{0,8}(?:之前|以上|先前|上述|前面)[^。！？\n]{0,8}(?:指令|指示|说明|提示)"
_MARKS = (
    *_marks(
        "marker",
        ("<|", r"<\|[a-z_]{2,20}\|>"),
        ("inst]", r"\[/?INST\]"),
        ("sys>>", r"<</?SYS>>"),
        ("<<", r"<</?[0-9a-f]{8,64}>>"),
        ("<", r"</?(?:system|assistant|instructions?|prompt|article)>"),
        ("##", r"^#{2,4} ?(?:system|instructions?|assistant|response) ?:?$"),
        ("system", r"^ {0,4}system(?: (?:prompt|message))? ?:"),
        ("assistant", r"^ {0,4}assistant(?: (?:prompt|message))? ?:"),
        ("[", r"\"(?:claims|sources|stances)\" ?: ?\["),
        ("忽", rf"忽[略視]{_OLD_ORDERS}"),
        ("无视", rf"无视{_OLD_ORDERS}"),
        ("無視", rf"無視{_OLD_ORDERS}"),
        ("忘记", rf"忘记{_OLD_ORDERS}"),
        ("の", r"(?:以前|上記|これまで|前)の[^。\n]{0,8}(?:指示|命令|プロンプト)[^。\n]{0,6}(?:無視|忘れ)"),
    ),
    *_marks(
        "code",
        ("<script", r"<script\b"),
        ("javascript:", r"\bjavascript:"),
        ("data:text/html", r"\bdata:text/html"),
        ("=", r"\bon(?:error|load|click|mouse[a-z]{2,10})\s?="),
        ("expression(", r"\bexpression\("),
        ("union", r"\bunion\s{1,5}select\b"),
        ("table", r"\bdrop\s{1,5}table\b"),
        ("1", r"'\s{0,3}or\s{1,3}1\s?=\s?1"),
        ("shutdown", r";\s?shutdown\b"),
        ("select", r"\bselect\s{1,5}case\s{1,5}when\b"),
        ("insert", r"\binsert\s{1,5}into\s{1,5}\w{1,40}\s{0,5}(?:\(|values\b)"),
        ("exec(", r"\bexec\('"),
        ("@@", r"\bselect\s{1,5}@@"),
        ("sleep(", r"\bsleep\(\d"),
        ("__", r"__(?:import|class|globals)__"),
        ("os.", r"\bos\.(?:system|popen|remove)\("),
        ("subprocess.", r"\bsubprocess\.\w"),
        ("eval(", r"\beval\("),
        ("system", r"\bsystem\([\"']|\[system \""),
        ("$(", r"\$\([a-z]{2,10} "),
        ("rm -rf", r"\brm -rf\b"),
        ("`", r"`(?:ls|cat|curl|wget) |```\s?\n(?:import|from) "),
        ("kernel.exec", r"\bkernel\.exec\b"),
        ("import requests", r"\bimport requests\b"),
        ("open(", r"\bopen\('/"),
    ),
    # The flags of England, Scotland and Wales are written with the same letters.
    *_marks("hidden", ("", "\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f|([\U000e0000-\U000e007f]+)")),
    *_marks("hidden", ("", "[\u200b-\u200f\u2060-\u2064\ufeff]{8,}")),
)
"""The kind, what stands in every such mark in small letters, so that most texts need not be searched, and the mark."""


@dataclass(frozen=True)
class Suspicion:
    """A stretch of a text (code points, half-open) and what about it is suspicious, one of the kinds in docs/security.md."""

    kind: str
    start: int
    end: int


def suspicions(text: str) -> tuple[Suspicion, ...]:
    """The suspicious stretches of `text` in order, none overlapping another, at most `MOST`."""
    found = sorted([*_spoken(text), *_marked(text)], key=lambda one: (one.start, -one.end))
    apart: list[Suspicion] = []
    for one in found:
        if apart and one.start < apart[-1].end:
            apart[-1] = Suspicion(apart[-1].kind, apart[-1].start, max(apart[-1].end, one.end))
        else:
            apart.append(one)
    return tuple(apart[:MOST])


def _marked(text: str) -> Iterator[Suspicion]:
    small = text.lower()
    for kind, needle, mark in _MARKS:
        for found in mark.finditer(text) if needle in small else ():
            start, end = found.span(found.re.groups)
            if start < end:
                yield Suspicion(kind, start, end)


def _spoken(text: str) -> Iterator[Suspicion]:
    tokens = list(_TOKEN.finditer(text))
    words = [token[0].casefold() for token in tokens]
    opening = True
    for at, word in enumerate(words):
        for pattern in _PATTERNS.get(word, ()):
            if (opening or not pattern.opens) and (last := _last(pattern, words[at + 1 : at + 1 + pattern.reach])) is not None:
                yield Suspicion(pattern.kind, tokens[at].start(), tokens[at + 1 + last].end())
        opening = word in _ENDS or (opening and word in _POLITE)


def _last(pattern: Pattern, following: Sequence[str]) -> int | None:
    """Where in `following` the last of the pattern's words stands; None when one of them does not come in this sentence."""
    missing = list(pattern.others)
    for index, word in enumerate(following):
        if word in _ENDS:
            return None
        missing = [words for words in missing if word not in words]
        if not missing:
            return index
    return None
