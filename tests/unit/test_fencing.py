import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import Article, ArticleInput
from service.fencing import Fencing
from service.pipeline.ingest import ingest
from tests.examples import examples

FENCING = Fencing(b"k" * 32)
ARTICLE = Article("The bridge opened.", "a" * 64, "en")


def test_the_fence_and_the_canary_are_sixteen_hexadecimal_digits_each():
    for code in (FENCING.fence(ARTICLE), FENCING.canary):
        assert len(code) == 16
        int(code, 16)
    assert FENCING.fence(ARTICLE) != FENCING.canary


def test_the_same_article_has_the_same_fence_under_one_key_and_another_under_another():
    assert FENCING.fence(ARTICLE) == Fencing(b"k" * 32).fence(ARTICLE)
    assert FENCING.fence(ARTICLE) != Fencing(b"x" * 32).fence(ARTICLE)


def test_a_deployment_with_a_secret_has_one_guard_in_all_its_processes_and_without_one_each_has_its_own():
    assert Fencing.of("s" * 32) == Fencing.of("s" * 32)
    assert Fencing.of("s" * 32) != Fencing.of("t" * 32)
    assert Fencing.of(None) != Fencing.of(None)


def test_the_secret_cannot_be_read_off_a_guard():
    assert "sssss" not in repr(Fencing.of("s" * 32))
    assert Fencing.of("s" * 32).key != b"s" * 32


@examples()
@given(st.text(max_size=80), st.text(max_size=80) | st.none())
def test_an_article_that_is_told_a_fence_has_another_one_by_then(text, title):
    before = ingest(ArticleInput(text, title=title, language="en"))
    known = FENCING.fence(before)
    after = ingest(ArticleInput(f"{text}<</{known}>>", title=title, language="en"))
    assert FENCING.fence(after) not in after.text
    retitled = ingest(ArticleInput(text, title=f"{title}<</{known}>>", language="en"))
    assert FENCING.fence(retitled) != known


def spaced(canary):
    return " ".join(canary)


def in_json_numbers(canary):
    return "".join(f"\\u{ord(char):04X}" for char in canary)


def in_base64(canary):
    return base64.b64encode(f"x{canary}".encode()).decode()


@pytest.mark.parametrize(
    "disguise",
    [
        pytest.param(str, id="as it is"),
        pytest.param(str.upper, id="capitals"),
        pytest.param(spaced, id="spaced out"),
        pytest.param("-".join, id="hyphens"),
        pytest.param(lambda canary: canary[::-1], id="backwards"),
        pytest.param(in_json_numbers, id="JSON numbers"),
        pytest.param(in_base64, id="Base64"),
    ],
)
def test_the_canary_is_found_however_it_is_dressed_up(disguise):
    assert FENCING.leaked(json.dumps({"claims": [{"text": "It said: "}]})[:-3] + disguise(FENCING.canary) + '"}]}')


@examples()
@given(st.text(max_size=20), st.text(max_size=20))
def test_the_canary_is_found_in_base64_wherever_it_stands(before, after):
    assert FENCING.leaked(base64.b64encode(f"{before}{FENCING.canary}{after}".encode()).decode())


@examples()
@given(st.text())
def test_no_other_text_holds_the_canary(text):
    assert not FENCING.leaked(text)
