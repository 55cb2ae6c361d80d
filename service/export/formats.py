"""The formats an analysis can be exported in: one closed table, and the choice among them that a client asks for."""

from collections.abc import Callable
from dataclasses import dataclass

from service.domain import Analysis
from service.errors import NotAcceptableError
from service.export import csv_table, html_page, json_lines, markdown, web_annotation
from service.export.accept import MediaRange, MediaType, parse_accept, parse_media_type

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
"""Not a form of an answer, but a way to get one: as events, the answer in JSON being the last."""


@dataclass(frozen=True)
class Format:
    """A format: its short name, the value of `Content-Type`, the file extension with its dot, and what writes it.

    `content_security_policy` is what a browser must be told so that the page can show itself and nothing else.
    `further` makes what was written fit to stand behind another export in one file; None where a file holds one only.
    """

    name: str
    media_type: str
    extension: str
    dump: Callable[[Analysis], str]
    content_security_policy: str | None = None
    further: Callable[[str], str] | None = None


FORMATS = (
    Format("html", "text/html; charset=utf-8", ".html", html_page.dump, html_page.CONTENT_SECURITY_POLICY),
    Format("markdown", "text/markdown; charset=utf-8", ".md", markdown.dump, further="\n{}".format),
    Format("csv", "text/csv; charset=utf-8", ".csv", csv_table.dump, further=csv_table.without_header),
    Format("jsonl", "application/jsonl", ".jsonl", json_lines.dump, further=str),
    Format("annotation", 'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"', ".jsonld", web_annotation.dump),
)
"""Every format but our own JSON, in the order they are offered: the first wins where a client does not care."""

_OFFERS: tuple[tuple[MediaType, Format | None], ...] = (
    (parse_media_type(JSON), None),
    *((parse_media_type(offered.media_type), offered) for offered in FORMATS),
)
_CHOICES = (JSON, *(offered.media_type for offered in FORMATS))
_STREAM = parse_media_type(EVENT_STREAM)


def prefers_stream(accept_header: str | None) -> bool:
    """Whether the header asks for events rather than for an answer in any form; who takes anything gets an answer."""
    ranges = parse_accept(accept_header or "")
    wanted = _preference(_STREAM, ranges)
    return wanted[0] > 0 and wanted > max(_preference(offer, ranges) for offer, _ in _OFFERS)


def negotiate(accept_header: str | None, *, also: tuple[str, ...] = ()) -> Format | None:
    """The format that the header prefers; None means our own JSON, also where nothing, or nothing readable, is asked for.

    The weight of a format is that of the most specific range that takes it. Among equal weights the more specific range
    wins, then the one named first, then our JSON and the order of `FORMATS`. `also` is what else there is here.
    Raises: NotAcceptableError. Source: RFC 9110, sections 12.4.2 and 12.5.1.
    """
    ranges = parse_accept(accept_header or "")
    if not ranges:
        return None
    preferences = [(_preference(offer, ranges), offered) for offer, offered in _OFFERS]
    best, chosen = max(preferences, key=lambda preference: preference[0])
    if best[0] == 0:
        raise NotAcceptableError(f"None of the media types in Accept can be given. There are: {', '.join((*_CHOICES, *also))}.")
    return chosen


def _preference(offer: MediaType, ranges: tuple[MediaRange, ...]) -> tuple[float, int, int]:
    taken = [(accepted.specificity, -place, accepted.weight) for place, accepted in enumerate(ranges) if accepted.takes(offer)]
    specificity, place, weight = max(taken, default=(0, 0, 0.0))
    return weight, specificity, place
