import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from service.domain import ARTICLE_HOLDER
from service.export.markdown import dump, escape
from service.export.report import ranked
from tests.examples import examples
from tests.export_cases import HOSTILE, analyses, analysis, article, latin, strings

BREAKS = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def on_one_line(text):
    return BREAKS.sub(" ", text).strip(" ")


def plain(value):
    """The same analysis with every foreign string a mere x; blank ones stay, because they are left out or not."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return "x" if on_one_line(value) and value != ARTICLE_HOLDER else value
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    if is_dataclass(value):
        return replace(value, **{field.name: plain(getattr(value, field.name)) for field in fields(value)})
    return value


def structure(text):
    """Everything a parser makes of `text` but the words themselves."""
    for token in PARSER.parse(text):
        yield token.type, token.tag, token.nesting, token.level, token.markup
        yield [(child.type, child.tag) for child in token.children or [] if child.type != "text"]


def words(text, opening):
    """The text inside each block that `opening` opens, up to its first inline."""
    tokens = PARSER.parse(text)
    for index, token in enumerate(tokens):
        if (token.type, token.tag) == opening:
            inline = next(inner for inner in tokens[index:] if inner.type == "inline" or inner.nesting == -1)
            yield "".join(child.content for child in inline.children or [])


@examples(80)
@given(analyses())
def test_no_string_changes_the_structure_of_the_report(case):
    assert list(structure(dump(case))) == list(structure(dump(plain(case))))


@examples(50)
@given(analyses())
def test_every_claim_and_quote_is_shown_as_it_is(case):
    claims = ranked(case)
    quotes = [on_one_line(claim.quote.text).strip() for claim in claims]
    titles = [f"{rank}. {on_one_line(claim.text)}".strip() for rank, claim in enumerate(claims, 1)]
    assert [shown.strip() for shown in words(dump(case), ("blockquote_open", "blockquote"))] == quotes
    assert [shown.strip() for shown in words(dump(case), ("heading_open", "h3"))] == titles


@examples(100)
@given(strings)
def test_an_escaped_text_holds_no_bare_character_that_means_something(text):
    escaped = escape(text)
    bare = re.sub(r"\\[\\`*_{}\[\]<>#+=|~&$^@:.]", "", escaped)
    assert not set(bare) & set("\\`*_{}[]<>#+=|~&$^@\n\r\t")
    assert not re.search(r":\S|www\.", bare, re.IGNORECASE)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped) == on_one_line(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_string_is_one_paragraph_of_text_in_a_quote(text):
    case = latin()
    claim = case.claims[0]
    quoted = replace(claim, quote=replace(claim.quote, text=text))
    dumped = dump(replace(case, claims=(quoted,)))
    assert list(structure(dumped)) == list(structure(dump(plain(replace(case, claims=(quoted,))))))


def test_ordinary_prose_is_left_readable():
    prose = "“It’s 5 % – up 1.5 points,” she said; then: nothing (at all)!"
    assert escape(prose) == prose


def test_an_article_without_claims_says_so_and_has_no_table():
    dumped = dump(analysis(article("Nothing."), []))
    assert "No claims: the article was read and none were found" in dumped
    assert "## Claims" not in dumped
    assert "Set aside" not in dumped
    assert "Untitled article" in dumped
