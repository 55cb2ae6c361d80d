"""Two answers beside each other: what both found, what each found alone, and where they differ on the same claim.

They may be of one article asked with two prompts or models, or of two versions of an article. Pure, and over answers in our
JSON, so that an answer from anywhere (just made, stored, from a file) can be one of them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from service.domain import ARTICLE_HOLDER

Document = Mapping[str, Any]
_Claims = dict[int, Document]  # by their places in an answer

LEAST_OVERLAP: Final = 0.3
"""Of two quotes, what they share of what they cover together (IoU), for them to be about the same; as in the evals."""

_COSTS = ("calls", "retries", "input_tokens", "cached_tokens", "output_tokens", "duration_ms")


@dataclass(frozen=True)
class Difference:
    """What two answers say otherwise of one claim; `holder` names whose stance it is, where it is a stance."""

    field: str
    one: Any
    other: Any
    holder: str | None = None


@dataclass(frozen=True)
class Pair:
    """A claim that both found. `by` tells how it was known again: "id", "words" or "overlap"."""

    one: Document
    other: Document
    by: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Cost:
    """What each of two answers took, by the name of the field in `usage`."""

    name: str
    one: int
    other: int

    @property
    def more(self) -> int:
        """How much more the other one took; less than zero where it took less."""
        return self.other - self.one


@dataclass(frozen=True)
class Comparison:
    """`both` is in the order of the first answer, the rest in that of its own.

    `same_article` says whether both read the same text, letter by letter; where they did not, quotes are known again by id
    and words only. `asked` are the provenance fields that differ. `cost` is that of making the answers, also where they
    were kept from earlier.
    """

    same_article: bool
    both: tuple[Pair, ...]
    only_one: tuple[Document, ...]
    only_other: tuple[Document, ...]
    asked: tuple[Difference, ...]
    cost: tuple[Cost, ...]


def compare(one: Document, other: Document) -> Comparison:
    """How two answers, both of the shape that is published, differ. Comparing them the other way round mirrors it."""
    same_article = one["article"]["sha256"] == other["article"]["sha256"]
    found = _pairs(one["claims"], other["claims"], same_article=same_article)
    partners = {mine: (theirs, by) for mine, theirs, by in found}
    taken = {theirs for theirs, _ in partners.values()}
    return Comparison(
        same_article=same_article,
        both=tuple(
            Pair(claim, other["claims"][theirs], by, tuple(_differences(claim, other["claims"][theirs])))
            for mine, claim in enumerate(one["claims"])
            if mine in partners
            for theirs, by in [partners[mine]]
        ),
        only_one=tuple(claim for mine, claim in enumerate(one["claims"]) if mine not in partners),
        only_other=tuple(claim for theirs, claim in enumerate(other["claims"]) if theirs not in taken),
        asked=tuple(_asked(one, other)),
        cost=tuple(Cost(name, one["usage"][name], other["usage"][name]) for name in _COSTS),
    )


def _pairs(ones: Sequence[Document], others: Sequence[Document], *, same_article: bool) -> Iterator[tuple[int, int, str]]:
    """The places of claims that are the same one, each in one pair at most; the surest sign first."""
    left, right = dict(enumerate(ones)), dict(enumerate(others))
    signs: list[tuple[str, Callable[[_Claims, _Claims], Iterable[tuple[int, int]]]]] = [
        ("id", partial(_alike, _id)),
        ("words", partial(_alike, _words)),
    ]
    if same_article:
        signs.append(("overlap", _overlapping))
    for by, pairs in signs:
        for mine, theirs in tuple(pairs(left, right)):
            if mine in left and theirs in right:
                del left[mine], right[theirs]
                yield mine, theirs, by


def _alike(key: Callable[[Document], str], left: _Claims, right: _Claims) -> Iterator[tuple[int, int]]:
    """The claims with the same key, in order."""
    places = defaultdict[str, list[int]](list)
    for theirs, claim in reversed(right.items()):
        places[key(claim)].append(theirs)
    for mine, claim in left.items():
        if places.get(key(claim)):
            yield mine, places[key(claim)].pop()


def _overlapping(left: _Claims, right: _Claims) -> list[tuple[int, int]]:
    """The claims whose quotes overlap enough, those that do most first; which answer is the first makes no difference."""
    ordered = sorted(right, key=lambda theirs: right[theirs]["quote"]["start"])
    starts = [right[theirs]["quote"]["start"] for theirs in ordered]
    longest = max((right[theirs]["quote"]["end"] - right[theirs]["quote"]["start"] for theirs in ordered), default=0)
    found: list[tuple[float, int, int, int, int]] = []
    for mine, claim in left.items():
        quote = claim["quote"]
        near = slice(bisect_left(starts, quote["start"] - longest), bisect_left(starts, quote["end"]))
        for theirs in ordered[near]:
            overlap = _overlap(claim, right[theirs])
            if overlap >= LEAST_OVERLAP:
                found.append((-overlap, mine + theirs, abs(mine - theirs), mine, theirs))
    return [(mine, theirs) for *_, mine, theirs in sorted(found)]


def _id(claim: Document) -> str:
    return str(claim["id"])


def _words(claim: Document) -> str:
    return " ".join(str(claim["text"]).casefold().split()).rstrip(" .!?")


def _overlap(one: Document, other: Document) -> float:
    mine, theirs = one["quote"], other["quote"]
    shared = min(mine["end"], theirs["end"]) - max(mine["start"], theirs["start"])
    covered = max(mine["end"], theirs["end"]) - min(mine["start"], theirs["start"])
    return shared / covered if shared > 0 else 0.0


def _differences(one: Document, other: Document) -> Iterator[Difference]:
    for field in ("text", "kind", "mode", "check_worthiness"):
        if one[field] != other[field]:
            yield Difference(field, one[field], other[field])
    if one["quote"]["text"] != other["quote"]["text"]:
        yield Difference("quote", one["quote"]["text"], other["quote"]["text"])
    if (mine := _claimant(one)) != (theirs := _claimant(other)):
        yield Difference("claimant", mine, theirs)
    stances, others = _stances(one), _stances(other)
    for holder in sorted({*stances, *others}, key=lambda name: (name != ARTICLE_HOLDER, name)):
        if stances.get(holder) != others.get(holder):
            yield Difference("stance", stances.get(holder), others.get(holder), holder)


def _claimant(claim: Document) -> str | None:
    return claim["claimant"] and str(claim["claimant"]["name"])


def _stances(claim: Document) -> dict[str, tuple[str, ...]]:
    """What each holder does to a claim; the same one may do more than one thing."""
    held: dict[str, tuple[str, ...]] = {}
    for stance in claim["stances"]:
        held[stance["holder"]] = tuple(sorted({*held.get(stance["holder"], ()), stance["stance"]}))
    return held


def _asked(one: Document, other: Document) -> Iterator[Difference]:
    mine, theirs = one["provenance"], other["provenance"]
    fields: Iterable[tuple[str, Any, Any]] = (
        ("prompt", mine["prompt"], theirs["prompt"]),
        ("model", mine["model"]["asked"], theirs["model"]["asked"]),
        ("served", mine["model"]["served"], theirs["model"]["served"]),
        ("endpoint", mine["model"]["endpoint"], theirs["model"]["endpoint"]),
        ("service", mine["service"], theirs["service"]),
    )
    yield from (Difference(name, first, second) for name, first, second in fields if first != second)
