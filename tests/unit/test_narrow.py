import json

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
    reported, own = claims["prefixItems"]
    assert own["properties"]["sentence"] == {"const": 3}
    assert [shape["properties"]["sentence"] for shape in reported["anyOf"]] == [{"const": 2}] * 2


def test_only_whoever_speaks_in_a_sentence_is_offered_as_claimant():
    reported, own = entries()["prefixItems"]
    assert own["properties"]["claimant"] == {"type": "null"}
    own_voice, attributed = reported["anyOf"]
    assert own_voice["properties"]["article"] == {"const": "supports"}
    assert attributed["properties"]["claimant"] == {"const": "Mayor Jane Roe"}
    assert attributed["properties"]["article"] == {"const": "discusses"}


def test_a_sentence_with_a_digit_is_a_quantity():
    reported, own = entries()["prefixItems"]
    assert reported["anyOf"][0]["properties"]["kind"] == {"enum": ["quantity"]}
    assert "quantity" not in own["properties"]["kind"]["enum"]


def test_no_more_claims_are_asked_for_than_the_caller_wants():
    assert entries(options=Options(max_claims=1))["maxItems"] == 1


def test_an_article_of_headlines_is_asked_for_nothing():
    claims = entries("Headline one\nHeadline two\n")
    assert claims["maxItems"] == 0
    assert "prefixItems" not in claims


def test_at_most_ten_sentences_are_asked_about_and_the_rest_counted():
    narrowed = narrow(SCHEMA, segment("The council met again for one more long hour. " * 30, "en"), Options())
    assert narrowed.schema.document["properties"]["claims"]["maxItems"] == 10
    assert narrowed.left_out == 20


def test_a_reply_in_the_narrowed_schema_is_one_in_the_sealed_one():
    reply = []
    for entry in entries()["prefixItems"]:
        shape = entry.get("anyOf", [entry])[-1]["properties"]
        assert list(shape) == SCHEMA.document["properties"]["claims"]["items"]["required"]
        reply.append(
            {
                name: ([] if name == "stances" else rule.get("const", rule.get("enum", [None])[0]))
                for name, rule in shape.items()
            }
        )
    proposed, _ = read_reply(json.dumps({"claims": reply}), "claim_list.v1")
    assert [claim.sentence for claim in proposed] == [2, 3]


def test_the_narrowed_schema_has_a_hash_of_its_own():
    first = narrow(SCHEMA, segment(TEXT, "en"), Options()).schema
    second = narrow(SCHEMA, segment(TEXT + "One more sentence follows right here now.", "en"), Options()).schema
    assert len({SCHEMA.sha256, first.sha256, second.sha256}) == 3
    assert first.name == SCHEMA.name
