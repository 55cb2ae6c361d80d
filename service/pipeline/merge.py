"""Claims of several passages made one list: each proposition once, its stances gathered, ids given, limits held."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from unicodedata import normalize

from service.domain import ARTICLE_HOLDER, Claim, Options, SetAside, SetAsideReason, Stance, StanceLabel

_END = " .!?。！？…"


@dataclass(frozen=True)
class Merged:
    """The claims of an article in its order, with ids, and what fell to duplicates or to the caller's limits.

    `cut` are the ids of the claims that fell to the limits.
    """

    claims: tuple[Claim, ...]
    set_aside: tuple[SetAside, ...]
    cut: frozenset[str] = frozenset()


def merge(found: Iterable[Claim], options: Options) -> Merged:
    """One claim for each proposition. The order in which the claims are given makes no difference."""
    set_aside: list[SetAside] = []
    groups: dict[str, list[Claim]] = {}
    for claim in sorted(found, key=_place):
        groups.setdefault(_proposition(claim), []).append(claim)
    claims = tuple(map(Namer(), sorted((_gathered(group, set_aside) for group in groups.values()), key=_place)))
    listed = tuple(sorted(_within(options, claims, set_aside), key=_place))
    cut = {claim.id for claim in claims} - {claim.id for claim in listed}
    return Merged(listed, tuple(set_aside), frozenset(cut))


def same_words(text: str) -> str:
    """`text` as it is compared where neither case nor spaces count."""
    return " ".join(text.casefold().split())


def _place(claim: Claim) -> tuple[object, ...]:
    """Where a claim stands in the article, then everything that tells it from another in the same place."""
    claimant = claim.claimant.name if claim.claimant else ""
    held = tuple((stance.holder, stance.label) for stance in claim.stances)
    return (
        *(claim.quote.span.start, claim.quote.span.end, claim.text, claimant, -claim.check_worthiness),
        *(claim.check_worthiness_reason, claim.kind, held),
    )


def _proposition(claim: Claim) -> str:
    """What makes two claims the same: their text, whatever its case, its spaces and the stop at its end."""
    return " ".join(normalize("NFC", claim.text).casefold().split()).rstrip(_END)


def _gathered(group: Sequence[Claim], set_aside: list[SetAside]) -> Claim:
    """The first claim of a proposition with the stances of all; the others are told as duplicates."""
    first = next((claim for claim in group if claim.claimant), group[0])
    stances: dict[tuple[str, StanceLabel], Stance] = {}
    for claim in (first, *group):
        for stance in claim.stances:
            if stance.holder != ARTICLE_HOLDER:
                stances.setdefault((stance.holder, stance.label), stance)
    places = {(one.span.start, one.span.end): one for claim in group for one in (*claim.occurrences, claim.quote)}
    set_aside += [SetAside(SetAsideReason.DUPLICATE, claim.text) for claim in group if claim is not first]
    worthiest = max(group, key=lambda claim: claim.check_worthiness)
    return replace(
        first,
        stances=(*stances.values(), _article_stance(group)),
        occurrences=tuple(places[place] for place in sorted(places)),
        check_worthiness=worthiest.check_worthiness,
        check_worthiness_reason=worthiest.check_worthiness_reason,
    )


def _article_stance(group: Sequence[Claim]) -> Stance:
    """What the article does to a proposition it brings several times: the side it takes, where it takes one and keeps it."""
    own = [stance for claim in group for stance in claim.stances if stance.holder == ARTICLE_HOLDER]
    sided = [stance for stance in own if stance.label is not StanceLabel.DISCUSSES]
    if len({stance.label for stance in sided}) == 1:
        return sided[0]
    return Stance(ARTICLE_HOLDER, StanceLabel.DISCUSSES, None)


def _within(options: Options, claims: Sequence[Claim], set_aside: list[SetAside]) -> list[Claim]:
    """The claims the caller's limits leave: those most worth checking, each one cut told."""
    worthy = [claim for claim in claims if claim.check_worthiness >= options.min_check_worthiness]
    set_aside += [
        SetAside(SetAsideReason.BELOW_CHECK_WORTHINESS, claim.text)
        for claim in claims
        if claim.check_worthiness < options.min_check_worthiness
    ]
    if options.max_claims is None or len(worthy) <= options.max_claims:
        return worthy
    best = sorted(worthy, key=lambda claim: -claim.check_worthiness)
    set_aside += [SetAside(SetAsideReason.OVER_MAX_CLAIMS, claim.text) for claim in best[options.max_claims :]]
    return best[: options.max_claims]


class Namer:
    """Gives claims their ids, which depend on nothing but their quote's words, and on the order of claims that share them."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def __call__(self, claim: Claim) -> Claim:
        """The next claim, with its id."""
        words = same_words(claim.quote.text)
        turn = self._seen[words] = self._seen.get(words, 0) + 1
        digest = sha256(f"{words}\n{turn}".encode()).hexdigest()[:16]
        return replace(claim, id=f"c_{digest}")
