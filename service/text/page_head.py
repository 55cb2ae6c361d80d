"""What an HTML page says about the article on it: headline, author, date, language and address, each checked for sense.

All of it is the page's own word, for readers, search engines or nobody. What is shown on the page comes first.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from service.text.page_author import Line, shown_author, told_author

MAX_TITLE_CHARS = 500
MAX_URL_CHARS = 2_000
_MAX_SAYINGS = 1_000  # of each sort
_MAX_HEADINGS = 20
_MAX_JSON_CHARS = 1_000_000
_MAX_JSON_NODES = 10_000

_SPACE = re.compile(r"[ \t\n\f\r\u2028\u2029]+")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_NOT_IN_URL = re.compile(r"[\s\x00-\x20\x7f\ud800-\udfff]")
_DAY = re.compile(r"\s*(\d{4})([-/]?)(\d{2})\2(\d{2})(?!\d)", re.ASCII)
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?![A-Za-z0-9])")
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis"})
_SITE = re.compile(r"(.{15,})\s+(?:[|·•—–»]|::|-)\s+(.+?)")
_DATED = re.compile(r"publish|pubdate|entry-date|dateline", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:Article|BlogPosting|Report|LiveBlogPosting|ClaimReview)$")

_HEADLINES = ("og:title", "twitter:title", "dc.title", "dcterms.title", "citation_title", "headline", "parsely-title")
_AUTHORS = ("author", "article:author", "parsely-author", "citation_author", "dc.creator", "dcterms.creator", "byl")
_DATES = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date",
    "citation_publication_date",
    "publish-date",
    "publishdate",
    "pubdate",
    "date",
)
_MATTERING = frozenset({*_HEADLINES, *_AUTHORS, *_DATES, "og:site_name", "og:locale", "og:url"})


@dataclass
class Head:
    """What a page says about itself, nothing of it checked yet, in the page's order."""

    languages: list[str] = field(default_factory=list)
    titles: list[list[str]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    metas: dict[str, list[str]] = field(default_factory=dict)
    scripts: list[list[str]] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    bylines: list[list[str]] = field(default_factory=list)

    def notice(self, tag: str, attributes: Mapping[str, str]) -> list[str] | None:
        """A list that wants the words in this tag; None when they say nothing about the page."""
        rel = attributes.get("rel", "").lower().split()
        if tag == "html":
            self.languages += [attributes.get("lang") or attributes.get("xml:lang") or ""]
        elif tag == "meta":
            self._notice_meta(attributes)
        elif tag == "link" and "canonical" in rel:
            self.addresses.append(attributes.get("href", ""))
        elif tag == "title":
            return _one_more(self.titles)
        elif tag == "script":
            return _one_more(self.scripts) if attributes.get("type", "").strip().lower() == "application/ld+json" else None
        elif "author" in rel or attributes.get("itemprop") == "author":
            return _one_more(self.bylines)
        elif attributes.get("itemprop") == "datePublished" or (
            tag == "time" and ("pubdate" in attributes or _DATED.search(attributes.get("class", "")))
        ):
            self.dates.append(attributes.get("datetime") or attributes.get("content") or "")
        return None

    def _notice_meta(self, attributes: Mapping[str, str]) -> None:
        name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or "").strip().lower()
        if name in _MATTERING and len(self.metas.setdefault(name, [])) < _MAX_SAYINGS:
            self.metas[name].append(attributes.get("content", ""))

    def said(self, names: Iterable[str]) -> Iterator[str]:
        """What the page's <meta> tags of these names hold, the first name first."""
        for name in names:
            yield from self.metas.get(name, ())


def _one_more(lists: list[list[str]]) -> list[str] | None:
    if len(lists) == _MAX_SAYINGS:
        return None
    lists.append([])
    return lists[-1]


@dataclass(frozen=True)
class Masthead:
    """Who wrote what when, as far as the page tells. `published_at` is a day, ISO 8601; `language` a primary subtag."""

    title: str | None
    author: str | None
    published_at: str | None
    language: str | None
    url: str | None


@dataclass(frozen=True)
class _Told:
    """What the page tells search engines about its article in JSON-LD."""

    headlines: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()


def masthead(head: Head, headings: Sequence[tuple[str, bool]], opening: Sequence[Line] = ()) -> Masthead:
    """What of the page's own words makes sense.

    `headings`: the words of each <h1>, and whether an article holds it; `opening`: the lines that a byline may be among.
    """
    told = _told_in(head.scripts)
    return Masthead(
        title=_title(head, told, headings),
        author=_author(head, told, opening),
        published_at=next(filter(None, map(_day, [*told.dates, *head.said(_DATES), *head.dates])), None),
        language=next(filter(None, map(_language, [*head.languages, *head.said(["og:locale"])])), None),
        url=next(filter(None, map(_address, [*head.addresses, *head.said(["og:url"])])), None),
    )


def same(one: str, other: str) -> bool:
    """Whether two lines are the same words, but for case and white space."""
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()


def _title(head: Head, told: _Told, headings: Sequence[tuple[str, bool]]) -> str | None:
    """The headline on the page; one that the page tells others only when none of its <h1> is clearly the article's.

    An <h1> may be the site's name, and what is told to others is often written for them.
    """
    titles = _short(["".join(words) for words in head.titles[:1]])
    sites = _short(head.said(["og:site_name"]))
    elsewhere = [*_short([*told.headlines, *head.said(_HEADLINES)]), *(_without_site(title, sites) for title in titles)]
    shown = [(line, in_article) for heading, in_article in headings[:_MAX_HEADINGS] for line in _short([heading])]
    candidates = [
        *(heading for heading, _ in shown if any(same(heading, other) for other in elsewhere)),
        *(heading for heading, _ in shown if any(_mostly(heading, title) for title in titles)),
        *(heading for heading, in_article in shown if in_article),
        *(
            heading
            for heading, _ in shown
            if len(shown) == 1 and not any(_at_end(heading, other) for other in [*titles, *sites])
        ),
        *elsewhere,
        *(heading for heading, _ in shown),
    ]
    return next(iter(candidates), None)


def _short(lines: Iterable[str]) -> list[str]:
    """The lines that could be a headline, the first few of them: each is compared with each."""
    fit = (line for line in map(_line, lines) if len(line) <= MAX_TITLE_CHARS and any(map(str.isalnum, line)))
    return list(islice(fit, _MAX_HEADINGS))


def _mostly(heading: str, title: str) -> bool:
    return _at_end(heading, title) and 2 * len(heading) > len(title)


def _at_end(heading: str, title: str) -> bool:
    return title.casefold().startswith(heading.casefold()) or title.casefold().endswith(heading.casefold())


def _without_site(title: str, sites: Iterable[str]) -> str:
    for site in sites:
        if title.endswith(site) and (rest := title.removesuffix(site).rstrip(" |·•—–»:-")):
            return rest
    found = _SITE.fullmatch(title)
    return found[1] if found else title


def _author(head: Head, told: _Told, opening: Sequence[Line]) -> str | None:
    """The authors as the page tells them to programs; else as it marks them, or shows them above the first paragraph."""
    if author := told_author(told.authors) or told_author(head.said(_AUTHORS)):
        return author
    marked, shown = told_author(map("".join, head.bylines)), shown_author(opening)
    # Often only the first of several names is a link.
    return shown if shown and (marked is None or marked in shown) else marked


def _day(moment: str) -> str | None:
    """The day as the page writes it, in whatever time zone that was."""
    if not (found := _DAY.match(moment)):
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4])).isoformat()
    except ValueError:
        return None


def _language(tag: str) -> str | None:
    found = _LANGUAGE.match(tag)
    return None if found is None or (language := found[1].lower()) in _NO_LANGUAGE else language


def _address(url: str) -> str | None:
    url = url.strip(" \t\n\f\r")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is parts.password is None
        _ = parts.port
    except ValueError:
        return None
    return url if sound and len(url) <= MAX_URL_CHARS and not _NOT_IN_URL.search(url) else None


def _line(words: str) -> str:
    return _NOT_TEXT.sub("", _SPACE.sub(" ", words)).strip()


def _told_in(scripts: Iterable[Iterable[str]]) -> _Told:
    """What the first article in the page's JSON-LD says. Scripts that are no JSON, or over a megabyte, say nothing."""
    left = _MAX_JSON_CHARS
    for script in map("".join, scripts):
        left -= len(script)
        if left < 0:
            break
        try:
            # Line breaks within strings are common, and forbidden.
            tree = json.loads(script, strict=False)
        except (ValueError, RecursionError):
            continue
        for node in _articles(tree):
            told = _Told(
                headlines=tuple(_strings(node.get("headline"))),
                authors=tuple(_strings(node.get("author"))),
                dates=tuple(_strings(node.get("datePublished"))),
            )
            if told != _Told():
                return told
    return _Told()


def _articles(tree: Any) -> Iterator[dict[str, Any]]:
    """Articles that the page is about; not those that it lists."""
    for node in _nodes(tree, into=("@graph", "mainEntity")):
        if isinstance(node, dict) and any(map(_ARTICLE.search, _strings(node.get("@type")))):
            yield node


def _strings(value: Any) -> list[str]:
    """The texts in a value that may be a text, an object with a name, or a list of either."""
    # Many sites write their JSON as they write HTML.
    return [unescape(node) for node in _nodes(value, into=("name",)) if isinstance(node, str)]


def _nodes(value: Any, into: Sequence[str]) -> Iterator[Any]:
    """The value, and all that its lists and the named members of its objects hold, in their order."""
    waiting, seen = [value], 0
    while waiting and seen < _MAX_JSON_NODES:
        node, seen = waiting.pop(), seen + 1
        yield node
        if isinstance(node, list):
            waiting += reversed(node)
        elif isinstance(node, dict):
            waiting += [node[name] for name in reversed(into) if name in node]
