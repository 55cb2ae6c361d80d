import json

import pytest

from service.domain import Options
from service.pipeline.narrow import narrow
from service.pipeline.replies import read_reply
from service.prompt_files import find_prompts, load_prompts
from service.text.segment import segment

SCHEMA = load_prompts(find_prompts()).select("extract_claims@1", "extract_claims").output
TEXT = (
    "Mayor sets the record straight\n"
    "Mayor Jane Roe said on Monday that the new bridge cost 40 million euros.\n"
    "The bridge opened to traffic in the early spring.\n"
    "Related Sources:\n"
)


def entries(text=TEXT, options=None):
    narrowed = narrow(SCHEMA, segment(text, "en"), options or Options())
    return narrowed.schema.document["properties"]["claims"]


def test_each_sentence_that_can_carry_a_claim_gets_one_entry_of_its_own():
    claims = entries()
    assert (claims["minItems"], claims["maxItems"]) == (2, 2)
    assert [entry["properties"]["sentence"] for entry in claims["prefixItems"]] == [{"const": 2}, {"const": 3}]


def test_only_whoever_speaks_in_a_sentence_is_offered_as_claimant():
    reported, own = entries()["prefixItems"]
    assert reported["properties"]["claimant"] == {"enum": [None, "Mayor Jane Roe"]}
    assert own["properties"]["claimant"] == {"enum": [None]}


def test_a_sentence_with_a_digit_is_a_quantity():
    reported, own = entries()["prefixItems"]
    assert reported["properties"]["kind"] == {"enum": ["quantity"]}
    assert "quantity" not in own["properties"]["kind"]["enum"]


def test_no_more_claims_are_asked_for_than_the_caller_wants():
    assert entries(options=Options(max_claims=1))["maxItems"] == 1


def test_an_article_of_headlines_is_asked_for_nothing():
    claims = entries("Headline one\nHeadline two\n")
    assert claims["maxItems"] == 0
    assert "prefixItems" not in claims


def test_at_most_thirty_sentences_are_asked_about_and_the_rest_counted():
    narrowed = narrow(SCHEMA, segment("The council met again for one more long hour. " * 40, "en"), Options())
    assert narrowed.schema.document["properties"]["claims"]["maxItems"] == 30
    assert narrowed.left_out == 10


def test_headlines_and_fragments_count_as_not_asked_about():
    assert narrow(SCHEMA, segment(TEXT, "en"), Options()).left_out == 2


def test_a_script_without_spaces_is_asked_about_too():
    text = "市长星期一宣布新大桥的造价为四千万欧元。对手说这不是真的而且没有证据。"
    assert narrow(SCHEMA, segment(text, "zh"), Options()).left_out == 0


def test_a_reply_in_the_narrowed_schema_is_made_one_in_the_sealed_one():
    narrowed = narrow(SCHEMA, segment(TEXT, "en"), Options())
    asked = [
        {"sentence": 2, "claimant": "Mayor Jane Roe", "kind": "quantity"},
        {"sentence": 3, "claimant": None, "kind": "event"},
    ]
    whole = narrowed.whole(json.dumps({"claims": asked}))
    assert all(
        set(claim) == set(SCHEMA.document["properties"]["claims"]["items"]["required"]) for claim in json.loads(whole)["claims"]
    )
    reported, own = read_reply(whole, "claim_list.v1")[0]
    assert (reported.sentence, reported.claimant, reported.article.value, reported.why) == (
        2,
        "Mayor Jane Roe",
        "discusses",
        "not judged",
    )
    assert (own.sentence, own.claimant, own.article.value, own.worth) == (3, None, "supports", 0.5)


def test_what_a_model_says_beyond_what_it_was_asked_stands():
    narrowed = narrow(SCHEMA, segment(TEXT, "en"), Options())
    whole = narrowed.whole(
        json.dumps({"claims": [{"sentence": 3, "claimant": None, "kind": "event", "quote": "The bridge opened"}]})
    )
    assert json.loads(whole)["claims"][0]["quote"] == "The bridge opened"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("no JSON", id="no JSON"),
        pytest.param("[]", id="a list"),
        pytest.param('{"claims": 5}', id="no list of claims"),
        pytest.param('{"claims": [{"sentence": 99, "claimant": null}]}', id="a sentence that was not asked about"),
        pytest.param('{"claims": [{"sentence": [2], "claimant": null}]}', id="a list for a sentence"),
        pytest.param('{"claims": [{"claimant": null}]}', id="no sentence"),
        pytest.param('{"claims": ["x"]}', id="a text for a claim"),
    ],
)
def test_a_reply_that_is_not_in_the_narrowed_schema_is_left_to_whoever_reads_it(reply):
    assert narrow(SCHEMA, segment(TEXT, "en"), Options()).whole(reply) == reply


def test_the_narrowed_schema_has_a_hash_of_its_own():
    first = narrow(SCHEMA, segment(TEXT, "en"), Options()).schema
    second = narrow(SCHEMA, segment(TEXT + "One more sentence follows right here now.", "en"), Options()).schema
    assert len({SCHEMA.sha256, first.sha256, second.sha256}) == 3
    assert first.name == SCHEMA.name
