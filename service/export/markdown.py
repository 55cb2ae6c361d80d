"""Markdown: a report an editor can paste into a wiki. CommonMark with the tables of GitHub Flavored Markdown.

What we did not write ourselves is put on one line and escaped, so that it can neither become structure or raw HTML
nor, in the usual extensions, a link, a mention, a formula, a shortcode or a template. The one exception is a mail
address: GitHub's renderer links those after it has taken the escapes away, and no escape prevents it.
"""

import re
from collections.abc import Iterator

from service.domain import Analysis, Claim, Mode, Stance
from service.export.report import (
    OWN_VOICE,
    SET_ASIDE_WORDS,
    UNTITLED,
    article_stance,
    caution,
    change,
    changes,
    claims_words,
    coverage_words,
    holder_words,
    provenance,
    ranked,
    score,
    set_aside_counts,
    since_words,
    warnings,
)

_BREAKS = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
# Wherever they stand. A colon only where it is not followed by a space: there it could begin a shortcode or an address.
_ANYWHERE = re.compile(r"[\\`*_{}\[\]<>#+=|~&$^@]|:(?=\S)|(?<=www)\.", re.IGNORECASE)
_OPENING = re.compile(r"(\d{0,9})([-.)])")


def escape(text: str) -> str:
    """`text` for the inside of a line of Markdown: shown as it is, doing nothing; runs of white space become a space.

    Source: CommonMark 0.31, "Backslash escapes": any ASCII punctuation character may be escaped.
    """
    return _ANYWHERE.sub(r"\\\g<0>", _BREAKS.sub(" ", text).strip(" "))


def _opening(text: str) -> str:
    """`text` for the beginning of a block, where a dash or a number would begin a list."""
    line = escape(text)
    return _OPENING.sub(r"\1\\\2", line, count=1) if _OPENING.match(line) else line


def dump(analysis: Analysis) -> str:
    """The report: what to know first, the claims most worth checking first, what was set aside, where it came from."""
    claims = ranked(analysis)
    blocks = [*_head(analysis), *_changes(analysis), *_overview(claims)]
    for rank, claim in enumerate(claims, 1):
        blocks += _claim(analysis, rank, claim)
    return "\n\n".join([*blocks, *_set_aside(analysis), *_provenance(analysis)]) + "\n"


def _head(analysis: Analysis) -> Iterator[str]:
    article = analysis.article
    known = [
        ("Author", article.author),
        ("Source", article.url),
        ("Published", article.published_at),
        ("Language", article.language),
    ]
    facts = [f"- {name}: {escape(value)}" for name, value in known if value]
    yield f"# Claims in: {escape(article.title or UNTITLED)}"
    yield "\n".join([*facts, f"- {claims_words(analysis)}", f"- {coverage_words(analysis)}"])
    if told := warnings(analysis):
        yield "## Read this first"
        yield "\n".join(f"- {_opening(code)}: {escape(detail)}" for code, detail in told)
    yield caution(analysis)


def _changes(analysis: Analysis) -> Iterator[str]:
    if since := since_words(analysis):
        yield "## What changed"
        yield f"{escape(since)}."
        for words, claims in changes(analysis):
            yield f"{words}:"
            yield "\n".join(f"- {_opening(text)}" for text in claims)


def _overview(claims: tuple[Claim, ...]) -> Iterator[str]:
    if claims:
        rows = (
            f"| {rank} | {score(claim)} | {escape(claim.text)} | {_claimant(claim)} | {article_stance(claim) or 'not known'} |"
            for rank, claim in enumerate(claims, 1)
        )
        yield "## Claims"
        yield "\n".join(["| # | Worth checking | Claim | Who says it | The article |", "|--:|--:|---|---|---|", *rows])


def _claim(analysis: Analysis, rank: int, claim: Claim) -> Iterator[str]:
    reason, fate = escape(claim.check_worthiness_reason), change(analysis, claim)
    yield f"### {rank}. {escape(claim.text)}"
    yield f"> {_opening(claim.quote.text)}"
    yield "\n".join(
        [
            f"- Worth checking: {score(claim)}{reason and f' ({reason})'}",
            f"- Kind: {claim.kind}",
            *([f"- Since the earlier analysis: {fate}"] if fate else []),
            f"- Who says it: {_claimant(claim)}",
            "- Who stands where:",
            *(f"  - {_stance(stance)}" for stance in claim.stances),
        ]
    )


def _claimant(claim: Claim) -> str:
    if claim.claimant is None and claim.mode is not Mode.OWN_VOICE:
        return "not named"
    if claim.claimant is None:
        return OWN_VOICE
    role = claim.claimant.role
    return escape(claim.claimant.name) + (f", {escape(role)}" if role else "")


def _stance(stance: Stance) -> str:
    words = f": “{escape(stance.evidence.text)}”" if stance.evidence else ""
    return f"{_opening(holder_words(stance))} **{stance.label}** it{words}"


def _set_aside(analysis: Analysis) -> Iterator[str]:
    if counts := set_aside_counts(analysis):
        yield "## Set aside"
        yield "What the model proposed and we refused:"
        yield "\n".join(f"- {count} because {SET_ASIDE_WORDS[reason]}" for reason, count in counts)


def _provenance(analysis: Analysis) -> Iterator[str]:
    yield "## Where this comes from"
    yield "\n".join(f"- {name}: {escape(value)}" for name, value in provenance(analysis))
