"""What can be said of any answer without labels: how far it is proved, whether its claims can be read alone, what it cost."""

from typing import Any

import numpy as np

from evals.answers import Answer, AnswerClaim, Words
from evals.figures import Better, Figure, Unit, ratio
from evals.items import Item
from evals.scores.scorer import Tally
from evals.scores.wording import KNOWN_LANGUAGES, ArticleWords, points_outside
from service.domain import SetAsideReason

COST = "Cost"
"""What the groups of figures begin with that say what an answer took."""

_USAGE = ("calls", "retries", "input_tokens", "cached_tokens", "output_tokens", "duration_ms")
_NO_FAULTS = frozenset({SetAsideReason.DUPLICATE, SetAsideReason.BELOW_CHECK_WORTHINESS, SetAsideReason.OVER_MAX_CLAIMS})


def count(item: Item[Any], answer: Answer) -> Tally:
    """The counts of one article."""
    tally = Tally(articles=1, claims=len(answer.claims), set_aside=len(answer.set_aside))
    for reason in answer.set_aside:
        tally.add(f"set_aside/{reason}")
        tally.add("unproved", reason not in _NO_FAULTS)
    tally.add("proposed", len(answer.claims) + len(answer.set_aside))
    tally.add("repaired", "repaired_asked_again" in answer.warnings)
    tally.add("sentences_all", answer.coverage["sentences"])
    tally.add("sentences_read", answer.coverage["read"])
    for name in _USAGE:
        tally.add(name, answer.usage[name])
    tally.add("seconds", answer.usage["duration_ms"] / 1000)
    tally.add("tokens", answer.usage["input_tokens"] + answer.usage["output_tokens"])
    article = ArticleWords(item.text)
    as_utf16 = item.text.encode("utf-16-le")
    for claim in answer.claims:
        _count_wording(tally, claim, article, (item.language or "").partition("-")[0])
        for words in claim.words_shown:
            _count_slice(tally, words, item.text, as_utf16)
    return tally


def _count_wording(tally: Tally, claim: AnswerClaim, article: ArticleWords, language: str) -> None:
    names, numbers = bool(article.foreign_names(claim.text)), bool(article.foreign_numbers(claim.text))
    tally.add("with_foreign_names", names)
    tally.add("with_foreign_numbers", numbers)
    if language in KNOWN_LANGUAGES:
        pointing = points_outside(claim.text, language)
        tally.add("worded")
        tally.add("pointing", pointing)
        tally.add("stands_alone", not (pointing or names or numbers))


def _count_slice(tally: Tally, words: Words, text: str, as_utf16: bytes) -> None:
    (start, end), (start16, end16) = words.span, words.span_utf16
    tally.add("slices")
    tally.add("slices_exact", text[start:end] == words.text)
    tally.add("slices_exact_utf16", as_utf16[2 * start16 : 2 * end16] == words.text.encode("utf-16-le"))


_PROOF, _WORDING, _COST, _EACH = "Proof", "Read alone", COST, f"{COST} per claim"
_LOWER, _NEITHER = Better.LOWER, Better.NEITHER


def _number(name: str, title: str, columns: tuple[str, str], meaning: str, group: str = _COST) -> Figure:
    return Figure(name, title, group, ratio(*columns), meaning, Unit.NUMBER, _NEITHER if group == _PROOF else _LOWER)


def _tokens(name: str, title: str, column: str, whole: str, meaning: str) -> Figure:
    """A number of tokens for each article or claim: unknown, not none, where the endpoint told of no tokens in."""
    share = ratio(column, whole)
    group = _EACH if whole == "claims" else _COST
    # More from the cache is better only of the same number of tokens: what that comes to is told by their share.
    better = _NEITHER if column == "cached_tokens" else _LOWER
    return Figure(
        name, title, group, lambda sums: np.where(sums["input_tokens"] > 0, share(sums), np.nan), meaning, Unit.NUMBER, better
    )


FIGURES = (
    Figure(
        "exact", "Slices exact", _PROOF, ratio("slices_exact", "slices"), "Quoted words are the article's at their offsets."
    ),
    Figure(
        "exact_utf16", "… in UTF-16", _PROOF, ratio("slices_exact_utf16", "slices"), "The same by the offsets browsers use."
    ),
    Figure("set_aside", "Set aside", _PROOF, ratio("set_aside", "proposed"), "Of what the model proposed.", better=_LOWER),
    Figure("unproved", "… not proved", _PROOF, ratio("unproved", "proposed"), "Words not in the article.", better=_LOWER),
    Figure("read", "Sentences read", _PROOF, ratio("sentences_read", "sentences_all"), "Less than 100: passages failed."),
    _number("claims", "Claims per article", ("claims", "articles"), "How many claims an article gets.", _PROOF),
    Figure(
        "stands_alone",
        "Stands alone",
        _WORDING,
        ratio("stands_alone", "worded"),
        "Texts with none of the three faults beside this (en, de, ru).",
    ),
    Figure(
        "pointing",
        "Unresolved pronoun",
        _WORDING,
        ratio("pointing", "worded"),
        "Texts that begin with a pronoun, or have one as a subject before any name (en, de, ru).",
        better=_LOWER,
    ),
    Figure(
        "foreign_names",
        "Foreign name",
        _WORDING,
        ratio("with_foreign_names", "claims"),
        "Texts with a capitalised word that the article does not have.",
        better=_LOWER,
    ),
    Figure(
        "foreign_numbers",
        "Foreign number",
        _WORDING,
        ratio("with_foreign_numbers", "claims"),
        "Texts with a number that the article does not have.",
        better=_LOWER,
    ),
    _number("calls", "Calls", ("calls", "articles"), "Model calls per article, repeats included."),
    _number("retries", "Retries", ("retries", "articles"), "Repeats after failures, per article."),
    Figure("repaired", "Repaired", _COST, ratio("repaired", "articles"), "Articles that took a repair round.", better=_LOWER),
    _tokens("input_tokens", "Tokens in", "input_tokens", "articles", "Per article, cached ones included."),
    Figure(
        "cached", "… cached", _COST, ratio("cached_tokens", "input_tokens"), "Of tokens in, those read from a prefix cache."
    ),
    _tokens("cached_tokens", "… cached, tokens", "cached_tokens", "articles", "Per article."),
    _tokens("output_tokens", "Tokens out", "output_tokens", "articles", "Per article."),
    Figure(
        "seconds", "Seconds", _COST, ratio("seconds", "articles"), "Per article, as the service saw it.", Unit.SECONDS, _LOWER
    ),
    _number("calls_per_claim", "Calls", ("calls", "claims"), "For each claim of the answer.", _EACH),
    _tokens("input_tokens_per_claim", "Tokens in", "input_tokens", "claims", "Cached ones included."),
    _tokens("cached_tokens_per_claim", "… cached", "cached_tokens", "claims", "Of these, from a prefix cache."),
    _tokens("output_tokens_per_claim", "Tokens out", "output_tokens", "claims", "For each claim of the answer."),
    _tokens("tokens_per_claim", "Tokens", "tokens", "claims", "In and out, for each claim of the answer."),
    Figure("seconds_per_claim", "Seconds", _EACH, ratio("seconds", "claims"), "For each claim.", Unit.SECONDS, _LOWER),
)
