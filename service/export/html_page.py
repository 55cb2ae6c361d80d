"""One self-contained HTML page: the article with its claims marked, the claims beside it, and where all of it comes from.

No script, no request to anywhere. What we did not write ourselves is only ever character data or the value of `lang` or
`data-claim`: never a tag, never an address, never style. The policy in the page would stop it if it were.
"""

from base64 import b64encode
from hashlib import sha256

from service.domain import Analysis, Claim, Mode, Stance
from service.export.html_article import claim_id, escape, evidence_id, mention_id, quote_id, render, stance_class, unread
from service.export.html_style import STYLE
from service.export.report import (
    OWN_VOICE,
    SET_ASIDE_WORDS,
    STANCE_MEANINGS,
    UNTITLED,
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

_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"
"""What the page holds itself to. As a header it may be joined by `frame-ancestors`, which a page cannot say itself."""

_HEAD = (
    '<meta charset="utf-8">\n'
    f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="color-scheme" content="light dark">\n'
    '<meta name="referrer" content="no-referrer">\n'
)
_LEGEND = (
    "Marked words are what a claim rests on; the number is its place in the list of claims, where 1 is most worth checking. "
    "The line under them shows what the article does to the claim:"
)


def dump(analysis: Analysis) -> str:
    """The page. The text content of the element `article-text` is the article exactly, so offsets count in it."""
    claims = ranked(analysis)
    title = escape(analysis.article.title or UNTITLED)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{_HEAD}'
        f"<title>Claims in: {title}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{_header(analysis, title)}<main>\n{_article(analysis, claims)}{_claims(analysis, claims)}</main>\n"
        f"<footer>\n{_set_aside(analysis)}{_provenance(analysis)}</footer>\n</body>\n</html>\n"
    )


def _header(analysis: Analysis, title: str) -> str:
    article = analysis.article
    author = article.author and f"By {article.author}"
    facts = [author, article.url, article.published_at, claims_words(analysis), coverage_words(analysis)]
    shown = "".join(f'<li dir="auto">{escape(fact)}</li>' for fact in facts if fact)
    return (
        f'<header>\n<p class="kicker">Claims in</p>\n<h1 id="title" dir="auto"{_lang(analysis)}>{title}</h1>\n'
        f'<ul class="facts">{shown}</ul>\n<p class="caution">{caution(analysis)}</p>\n{_warnings(analysis)}{_changes(analysis)}'
        '<nav aria-label="On this page"><a href="#article">Article</a> <a href="#claims">Claims</a> '
        '<a href="#provenance">Where this comes from</a></nav>\n</header>\n'
    )


def _warnings(analysis: Analysis) -> str:
    told = "".join(f"<li><code>{escape(code)}</code> {_foreign(detail)}</li>" for code, detail in warnings(analysis))
    if not told:
        return ""
    return (
        '<section class="warnings" aria-labelledby="warnings"><h2 id="warnings">Read this first</h2>'
        f"<ul>{told}</ul></section>\n"
    )


def _changes(analysis: Analysis) -> str:
    since = since_words(analysis)
    if since is None:
        return ""
    told = "".join(
        f"<h3>{words}</h3><ul>{''.join(f'<li>{_foreign(text)}</li>' for text in claims)}</ul>"
        for words, claims in changes(analysis)
    )
    return (
        f'<section class="changes" aria-labelledby="changes"><h2 id="changes">What changed</h2><p>{_foreign(since)}.</p>'
        f"{told}</section>\n"
    )


def _article(analysis: Analysis, claims: tuple[Claim, ...]) -> str:
    keys = "".join(
        f'<li><span class="key s-{label}">{label}</span> {meaning}</li>' for label, meaning in STANCE_MEANINGS.items()
    )
    legend = f'<div class="legend"><p>{_LEGEND}</p><ul>{keys}</ul></div>\n' if claims else ""
    words = render(analysis.article.text, claims, unread(analysis.coverage))
    return (
        f'<article id="article" aria-labelledby="title">\n{legend}'
        f'<div id="article-text"{_lang(analysis)}>{words}</div>\n</article>\n'
    )


def _claims(analysis: Analysis, claims: tuple[Claim, ...]) -> str:
    cards = "".join(_card(analysis, rank, claim) for rank, claim in enumerate(claims, 1))
    return (
        f'<section id="claims" aria-labelledby="claims-title">\n<h2 id="claims-title">{claims_words(analysis)}</h2>\n'
        + (f'<ol class="cards">\n{cards}</ol>\n' if cards else "")
        + "</section>\n"
    )


def _card(analysis: Analysis, rank: int, claim: Claim) -> str:
    lang, fate = _lang(analysis), change(analysis, claim)
    since = f' <span class="kind">{fate}</span>' if fate else ""
    return (
        f'<li class="card {stance_class(claim)}" id="{claim_id(rank)}" data-claim="{escape(claim.id)}">\n'
        f'<h3><a class="n {stance_class(claim)}" href="#{quote_id(rank)}" aria-label="Claim {rank}: its words in the article" '
        f'data-n="{rank}"></a> <span dir="auto"{lang}>{escape(claim.text)}</span></h3>\n'
        f'<p class="worth">{_bar(claim)} '
        f'<b>{score(claim)}</b> worth checking <span class="kind">{claim.kind}</span>{since}</p>\n'
        f'<p class="why" dir="auto">{escape(claim.check_worthiness_reason)}</p>\n'
        f'<blockquote dir="auto"{lang}>{escape(claim.quote.text)}</blockquote>\n'
        f"<dl><dt>Who says it</dt><dd>{_claimant(rank, claim)}</dd>\n<dt>Who stands where</dt><dd><ul>"
        + "".join(_stance(rank, number, stance, lang) for number, stance in enumerate(claim.stances))
        + "</ul></dd></dl>\n</li>\n"
    )


def _bar(claim: Claim) -> str:
    """The score as a drawing beside the number. Not a meter element, which browsers draw in their own ways."""
    width = min(max(claim.check_worthiness, 0), 1) * 100
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.0f}" height="8"></rect></svg>'
    )


def _claimant(rank: int, claim: Claim) -> str:
    if claim.claimant is None and claim.mode is not Mode.OWN_VOICE:
        return "not named"
    if claim.claimant is None:
        return OWN_VOICE
    role = f", {_foreign(claim.claimant.role)}" if claim.claimant.role else ""
    return f"{_foreign(claim.claimant.name)}{role} {_where(mention_id(rank))}"


def _stance(rank: int, number: int, stance: Stance, lang: str) -> str:
    said = f'<li>{_foreign(holder_words(stance))} <span class="chip s-{stance.label}">{stance.label}</span>'
    if stance.evidence:
        said += f' <q dir="auto"{lang}>{escape(stance.evidence.text)}</q> {_where(evidence_id(rank, number))}'
    return f"{said}</li>"


def _where(anchor: str) -> str:
    return f'<a class="where" href="#{anchor}">in the article</a>'


def _set_aside(analysis: Analysis) -> str:
    if not analysis.set_aside:
        return ""
    counts = "".join(
        f"<li><b>{count}</b> because {SET_ASIDE_WORDS[reason]}</li>" for reason, count in set_aside_counts(analysis)
    )
    refused = "".join(
        f"<li>{_foreign(refused.text)} <small>{SET_ASIDE_WORDS[refused.reason]}</small></li>" for refused in analysis.set_aside
    )
    return (
        '<section aria-labelledby="set-aside"><h2 id="set-aside">Set aside</h2>\n'
        f"<p>What the model proposed and we refused:</p><ul>{counts}</ul>\n"
        f"<details><summary>Show them</summary><ul>{refused}</ul></details></section>\n"
    )


def _provenance(analysis: Analysis) -> str:
    rows = "".join(f"<div><dt>{name}</dt><dd>{_foreign(value)}</dd></div>" for name, value in provenance(analysis))
    return (
        '<section aria-labelledby="provenance"><h2 id="provenance">Where this comes from</h2>\n'
        f'<dl class="provenance">{rows}</dl></section>\n'
    )


def _foreign(text: str) -> str:
    """Text that may be in any script, kept from turning the words around it."""
    return f"<bdi>{escape(text)}</bdi>"


def _lang(analysis: Analysis) -> str:
    return f' lang="{escape(analysis.article.language)}"'
