"""What stands around a reply's JSON is taken off; what is given back is always a part of the reply, and the whole JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st

from service.pipeline.unwrap import unwrap
from tests.examples import examples

PIECES = st.lists(st.sampled_from(["```", "json", "\n", " ", "<think>", "</think>", "{", "}", '"', "a", "é"]), max_size=14)
REPLIES = st.text() | PIECES.map("".join)
JSON_TEXTS = st.dictionaries(st.text("abé `", max_size=5), st.integers() | st.text("ab\n{}", max_size=5)).map(json.dumps)


@examples()
@given(REPLIES)
def test_what_comes_back_is_a_part_of_the_reply(reply):
    inside, repairs = unwrap(reply)
    assert inside in reply
    assert (inside == reply) == (repairs == ())


@examples()
@given(JSON_TEXTS.filter(lambda text: "```" not in text), st.booleans(), st.booleans(), st.sampled_from(["", "json", "JSON "]))
def test_json_in_a_fence_is_found_whole_whatever_is_written_around_it(document, thought, prose, language):
    fenced = f"```{language}\n{document}\n```"
    around = f"Here it is:\n{fenced}\nThat is all." if prose else fenced
    reply = f"<think>A {{ is needed.</think>\n{around}" if thought else around
    inside, repairs = unwrap(reply)
    assert inside.strip() == document
    assert set(repairs) == {"fence"} | ({"think"} if thought else set()) | ({"prose"} if prose else set())


@examples()
@given(JSON_TEXTS)
def test_bare_json_is_left_as_it_is(document):
    assert unwrap(document) == (document, ())
