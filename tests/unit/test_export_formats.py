from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import NotAcceptableError
from service.export.accept import parse_accept, parse_media_type
from service.export.formats import FORMATS, negotiate, prefers_stream
from tests.examples import examples

JSON = None
PROFILE = "http://www.w3.org/ns/anno.jsonld"


def chosen(header):
    found = negotiate(header)
    return found and found.name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        pytest.param(None, JSON, id="absent"),
        pytest.param("", JSON, id="empty"),
        pytest.param(" , ,", JSON, id="empty elements"),
        pytest.param("application/json", JSON, id="JSON"),
        pytest.param("APPLICATION/JSON; Charset=UTF-8", JSON, id="JSON, shouted"),
        pytest.param("*/*", JSON, id="anything"),
        pytest.param("application/*", JSON, id="any application type"),
        pytest.param("application/json, text/plain, */*", JSON, id="a JavaScript client"),
        pytest.param("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "html", id="a browser"),
        pytest.param("text/html", "html", id="HTML"),
        pytest.param("text/html;charset=utf-8", "html", id="HTML as UTF-8"),
        pytest.param("text/markdown", "markdown", id="Markdown"),
        pytest.param("text/csv", "csv", id="CSV"),
        pytest.param("text/csv;charset=UTF-8;q=0.1", "csv", id="CSV with parameters"),
        pytest.param("application/jsonl", "jsonl", id="JSON Lines"),
        pytest.param("application/ld+json", "annotation", id="JSON-LD"),
        pytest.param(f'application/ld+json; profile="{PROFILE}"', "annotation", id="JSON-LD with its profile"),
        pytest.param(f'application/ld+json;profile="http://x.example {PROFILE}"', "annotation", id="one of several profiles"),
        pytest.param('application/ld+json;profile="a,b\\"c;q=0", text/csv;q=0.5', "csv", id="another profile, quoted comma"),
        pytest.param("text/*", "html", id="any text: the first"),
        pytest.param("text/html, */*", "html", id="named beats anything at the same weight"),
        pytest.param("text/csv;q=0.5, text/markdown;q=0.7", "markdown", id="the heavier"),
        pytest.param("text/markdown, text/csv", "markdown", id="equal weights: the one named first"),
        pytest.param("text/csv, text/markdown", "csv", id="equal weights: the other one named first"),
        pytest.param("text/csv, application/json", "csv", id="named before JSON"),
        pytest.param("application/json, text/csv", JSON, id="JSON named first"),
        pytest.param("application/json;q=0, */*", "html", id="anything but JSON"),
        pytest.param("text/*, text/html;q=0, text/markdown;q=0.1", "csv", id="the most specific range sets the weight"),
        pytest.param("text/*;q=0.9, text/html;q=0.2, */*;q=0.3", "markdown", id="specific ranges weigh first"),
        pytest.param("image/png, text/csv;q=0.001", "csv", id="a little is enough"),
        pytest.param("text/csv;q=1.000", "csv", id="all decimals"),
        pytest.param("text/csv; q=0.5; ext=1", "csv", id="an extension after the weight"),
        pytest.param("text/csv;;", "csv", id="empty parameters"),
        pytest.param("text/csv;q=2", JSON, id="a weight above 1 is malformed"),
        pytest.param("text/csv;q=.5", JSON, id="a weight without its zero is malformed"),
        pytest.param("text/csv;q=0.5555, text/markdown", "markdown", id="a malformed element is left out"),
        pytest.param("text/csv; q = 1", JSON, id="spaces around the equals sign are malformed"),
        pytest.param("*/html", JSON, id="a subtype of anything is malformed"),
        pytest.param("csv", JSON, id="no media type at all"),
    ],
)
def test_the_accept_header_chooses(header, name):
    assert chosen(header) == name


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("image/png", id="unknown type"),
        pytest.param("application/xml, image/*", id="several"),
        pytest.param("*/*;q=0", id="nothing"),
        pytest.param("text/html;q=0", id="only told what it will not have"),
        pytest.param("text/html;level=1", id="a parameter we do not have"),
        pytest.param("text/csv;charset=utf-16", id="another encoding"),
        pytest.param('application/ld+json;profile="http://x.example"', id="another profile"),
        pytest.param('text/csv;a="unclosed, text/html', id="all of it in a string that does not end"),
    ],
)
def test_what_cannot_be_given_is_refused_with_what_can(header):
    with pytest.raises(NotAcceptableError) as caught:
        negotiate(header)
    assert caught.value.code == "not-acceptable"
    assert "application/json" in caught.value.message
    assert all(exported.media_type in caught.value.message for exported in FORMATS)
    assert header not in caught.value.message


def test_weights_are_those_of_the_specification():
    # RFC 9110, section 12.5.1, table 5, with erratum 7138.
    ranges = parse_accept("text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5")

    def weight(name):
        offer = parse_media_type(name)
        return max((taken.specificity, taken.weight) for taken in ranges if taken.takes(offer))[1]

    assert weight("text/plain;format=flowed") == 1
    assert weight("text/plain") == 0.7
    assert weight("text/html") == 0.3
    assert weight("image/jpeg") == 0.5
    assert weight("text/plain;format=fixed") == 0.4
    assert weight("text/html;level=3") == 0.3


def test_a_name_that_is_no_media_type_cannot_be_offered():
    with pytest.raises(ValueError, match="no media type"):
        parse_media_type("csv")


@pytest.mark.parametrize("exported", FORMATS, ids=lambda exported: exported.name)
def test_every_format_is_chosen_by_its_own_content_type(exported):
    assert negotiate(exported.media_type) is exported


def test_names_types_and_extensions_are_all_different():
    for values in zip(*((exported.name, exported.media_type, exported.extension) for exported in FORMATS), strict=True):
        assert len(set(values)) == len(FORMATS)


@examples(200)
@given(st.text('text/csv*;q=0.1,"\\ a', max_size=60) | st.text(max_size=30))
def test_any_header_is_answered_or_refused(header):
    with suppress(NotAcceptableError):
        assert negotiate(header) in {JSON, *FORMATS}


@pytest.mark.parametrize(
    "header",
    [
        pytest.param('"' + '\\"' * 30_000 + "\\", id="quotes that never close"),
        pytest.param("text/csv;" * 10_000, id="parameters"),
        pytest.param("a/b," * 20_000, id="elements"),
        pytest.param("text/csv" + " " * 60_000 + ";", id="spaces"),
    ],
)
def test_a_long_header_is_read_in_linear_time(header):
    started = perf_counter()
    parse_accept(header)
    assert perf_counter() - started < 10


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, False),
        ("", False),
        ("text/event-stream", True),
        ("Text/Event-Stream; charset=UTF-8", True),
        ("text/event-stream; version=2", False),
        ("text/html, text/event-stream;q=0.9", False),
        ("text/event-stream, */*;q=0.1", True),
        ("text/event-stream;q=0", False),
        ("*/*", False),
    ],
)
def test_events_are_wanted_where_nothing_else_is_wanted_as_much(header, wanted):
    assert prefers_stream(header) is wanted


def test_what_else_there_is_is_told_to_who_takes_nothing():
    with pytest.raises(NotAcceptableError, match=r"text/csv.*, text/event-stream"):
        negotiate("image/png", also=("text/event-stream",))
