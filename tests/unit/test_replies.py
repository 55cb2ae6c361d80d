import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import Kind, StanceLabel
from service.pipeline.replies import REASONS, ProposedClaim, ProposedStance, UnreadableReplyError, read_reply
from tests.examples import examples
from tests.fakes import claim, stance

V1, V2, V3 = "claim_list.v1", "claim_list.v2", "claim_list.v3"


def faults_of(reply):
    with pytest.raises(UnreadableReplyError) as caught:
        read_reply(reply if isinstance(reply, str) else json.dumps(reply), V1)
    return caught.value.faults


def test_a_whole_reply_is_read_field_by_field():
    reply = {"claims": [claim(2, "a quote", claimant="Ann", stances=[stance("Ann", "refutes", 3, "no")], worth=1)]}
    proposed, repairs = read_reply(json.dumps(reply), V1)
    assert repairs == ()
    assert proposed == (
        ProposedClaim(
            sentence=2,
            quote="a quote",
            text="",
            claimant="Ann",
            stances=(ProposedStance("Ann", StanceLabel.REFUTES, 3, "no"),),
            article=StanceLabel.SUPPORTS,
            kind=Kind.EVENT,
            worth=1.0,
            why="a fact",
        ),
    )


def test_a_reply_without_claims_proposes_none():
    assert read_reply('{"claims": []}', V1) == ((), ())


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        pytest.param('```json\n{"claims": []}\n```', ("fence",), id="fence"),
        pytest.param('```\n{"claims": []}```  ', ("fence",), id="fence without a language"),
        pytest.param('<think>hm {"claims"</think>\n{"claims": []}', ("think",), id="think block"),
        pytest.param('<think>hm</think>```json\n{"claims": []}\n```', ("think", "fence"), id="think block and fence"),
        pytest.param('Sure!\n\n```json\n{"claims": []}\n```\nMore?', ("fence", "prose"), id="fence in prose"),
        pytest.param('<think>a</think>So:\n```\n{"claims": []}\n```', ("think", "fence", "prose"), id="all three"),
    ],
)
def test_one_wrapping_is_taken_off_and_told(text, repairs):
    assert read_reply(text, V1) == ((), repairs)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Here are the claims: none.", id="prose"),
        pytest.param('Sure! {"claims": []}', id="prose before"),
        pytest.param('{"claims": []} Hope this helps', id="prose after"),
        pytest.param('{"claims": [', id="cut off"),
        pytest.param('```json\n```json\n{"claims": []}\n```\n```', id="two fences"),
        pytest.param('Or:\n```\n{"claims": []}\n```\nor:\n```\n{"claims": []}\n```', id="two fences in prose"),
        pytest.param('So:\n```json\n{"claims": [', id="fence that is not closed"),
        pytest.param('So ```json\n{"claims": []}\n```', id="fence in the middle of a line"),
        pytest.param('So:\n```json\n{"claims": []}\n``` or so', id="fence that goes on"),
        pytest.param('```python\n{"claims": []}\n```', id="fence of another language"),
        pytest.param('```{"claims": []}```', id="fence on one line"),
        pytest.param('{"claims": [], "claims": []}', id="duplicate keys"),
        pytest.param('{"claims": NaN}', id="not a number"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_not_strict_json_is_one_fault(text):
    (fault,) = faults_of(text)
    assert fault.startswith("not valid JSON: ")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"sentence": "2"}, "claims/0/sentence", id="number as text"),
        pytest.param({"sentence": 2.5}, "claims/0/sentence", id="half a sentence"),
        pytest.param({"sentence": True}, "claims/0/sentence", id="true as number"),
        pytest.param({"worth": "0.9"}, "claims/0/worth", id="worth as text"),
        pytest.param({"worth": True}, "claims/0/worth", id="worth as true"),
        pytest.param({"worth": 1.5}, "claims/0/worth", id="worth over one"),
        pytest.param({"quote": None}, "claims/0/quote", id="no quote"),
        pytest.param({"quote": 5}, "claims/0/quote", id="quote as number"),
        pytest.param({"quote": "x" * 2001}, "claims/0/quote", id="endless quote"),
        pytest.param({"claimant": ""}, "claims/0/claimant", id="empty claimant"),
        pytest.param({"claimant": ["Ann"]}, "claims/0/claimant", id="list of claimants"),
        pytest.param({"kind": "rumour"}, "claims/0/kind", id="unknown kind"),
        pytest.param({"article": "agrees"}, "claims/0/article", id="unknown stance"),
        pytest.param(
            {"stances": [stance("Ann", "denies", 1, "")]}, "claims/0/stances/0/stance", id="unknown stance of a holder"
        ),
        pytest.param({"stances": None}, "claims/0/stances", id="no stances"),
        pytest.param({"mood": "sad"}, "claims/0/mood", id="unknown field"),
    ],
)
def test_each_fault_is_told_by_its_path(change, path):
    (fault,) = faults_of({"claims": [{**claim(), **change}]})
    assert fault.startswith(f"{path}: ")


def test_a_missing_field_is_a_fault():
    without = claim()
    del without["stances"]
    assert faults_of({"claims": [without]}) == ("claims/0/stances: Missing data for required field.",)


@pytest.mark.parametrize("reply", [pytest.param([], id="list"), pytest.param("text", id="text"), pytest.param({}, id="empty")])
def test_a_reply_of_another_shape_is_a_fault(reply):
    assert faults_of(json.dumps(reply))


@pytest.mark.parametrize("around", ["{}", "```json\n{}", "```json\n{}```.", "Well\n```json\n{}x\n```\n"])
def test_a_million_spaces_are_read_at_once(around):
    assert faults_of(around.format(" " * 1_000_000))


def test_faults_never_run_over_twenty():
    assert len(faults_of({"claims": [claim(worth=7) for _ in range(50)]})) == 20


def test_faults_never_quote_the_reply():
    assert "SECRET" not in str(faults_of({"claims": [claim(kind="SECRET", article="SECRET", worth="SECRET")]}))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["sources", "claims", "stances", "by"]), inner),
)


@examples()
@given(st.text() | ANY_JSON.map(json.dumps), st.sampled_from([V1, V2, V3]))
def test_any_text_is_read_or_told_to_be_unreadable(text, schema):
    try:
        proposed, _ = read_reply(text, schema)
    except UnreadableReplyError:
        return
    assert all(isinstance(claim, ProposedClaim) for claim in proposed)


def claim_v2(**changes):
    return {
        "n": 1,
        "quote": "",
        "text": "",
        "by": 0,
        "as": "",
        "stances": [],
        "kind": "event",
        "worth": 5,
        "why": "",
        **changes,
    }


SOURCES = [{"name": "Jane Roe", "role": "Mayor"}, {"name": "the report", "role": ""}]


def read_v2(*claims):
    proposed, _ = read_reply(json.dumps({"sources": SOURCES, "claims": list(claims)}), V2)
    return proposed


def told_v2(of, label):
    return {"of": of, "is": label, "n": 3, "words": "no"}


def test_version_2_names_its_sources_by_number():
    (proposed,) = read_v2(claim_v2(n=2, quote="q", by=1, **{"as": "she"}, stances=[told_v2(2, "refutes")], worth=7))
    assert (proposed.claimant, proposed.role, proposed.mention, proposed.worth) == ("Jane Roe", "Mayor", "she", 0.7)
    assert proposed.stances == (ProposedStance("the report", StanceLabel.REFUTES, 3, "no"),)


def test_a_cited_source_is_no_holder_of_a_stance():
    (proposed,) = read_v2(claim_v2(by=1, stances=[told_v2(2, "cited")]))
    assert (proposed.cites, proposed.stances) == ("the report", ())


@pytest.mark.parametrize(
    ("by", "stances", "article"),
    [
        pytest.param(0, [], StanceLabel.SUPPORTS, id="own voice"),
        pytest.param(-1, [], StanceLabel.DISCUSSES, id="hearsay"),
        pytest.param(1, [], StanceLabel.DISCUSSES, id="reported"),
        pytest.param(1, [told_v2(0, "refutes")], StanceLabel.REFUTES, id="reported and disputed"),
        pytest.param(1, [told_v2(0, "cited")], StanceLabel.DISCUSSES, id="the article cannot be cited"),
    ],
)
def test_what_the_article_does_follows_from_who_says_it_unless_it_takes_a_side(by, stances, article):
    (proposed,) = read_v2(claim_v2(by=by, stances=stances))
    assert (proposed.article, proposed.stances) == (article, ())
    assert (proposed.claimant is None) == (by < 1)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"by": 3}, "claims/0/by", id="claimant"),
        pytest.param({"stances": [{"of": 3, "is": "refutes", "n": 1, "words": ""}]}, "claims/0/stances/0/of", id="holder"),
    ],
)
def test_a_source_that_is_not_listed_is_a_fault(change, path):
    with pytest.raises(UnreadableReplyError) as caught:
        read_v2(claim_v2(**change))
    assert caught.value.faults == (f"{path}: there is no source 3",)


@pytest.mark.parametrize("change", [{"by": -2}, {"worth": 0.5}, {"worth": 11}, {"n": "1"}, {"as": None}])
def test_faults_of_version_2_are_told(change):
    with pytest.raises(UnreadableReplyError):
        read_v2(claim_v2(**change))


def claim_v3(**changes):
    return {"n": 1, "quote": "q", "text": "", "by": 0, "stances": [], "kind": "event", "worth": 5, "why": "minor", **changes}


def read_v3(*claims, sources=("Jane Roe | Mayor", "the report")):
    proposed, _ = read_reply(json.dumps({"sources": list(sources), "claims": list(claims)}), V3)
    return proposed


def test_version_3_is_read_field_by_field():
    stances = [{"of": 2, "is": "refutes", "words": "no"}]
    assert read_v3(claim_v3(n=2, text="t", by=1, stances=stances, worth=7, why="harm")) == (
        ProposedClaim(
            sentence=2,
            quote="q",
            text="t",
            claimant="Jane Roe",
            stances=(ProposedStance("the report", StanceLabel.REFUTES, None, "no"),),
            article=StanceLabel.DISCUSSES,
            kind=Kind.EVENT,
            worth=0.7,
            why=REASONS["harm"],
            role="Mayor",
        ),
    )


@pytest.mark.parametrize(
    ("source", "name", "role"),
    [
        pytest.param("Ann", "Ann", "", id="name alone"),
        pytest.param(" Ann|Mayor ", "Ann", "Mayor", id="other spaces"),
        pytest.param("Ann | ", "Ann", "", id="role left empty"),
        pytest.param("Ann | Mayor | Poet", "Ann", "Mayor | Poet", id="two bars"),
        pytest.param("A" * 300 + " | " + "B" * 300, "A" * 300, "B" * 300, id="long"),
    ],
)
def test_a_line_of_version_3_is_a_source_s_name_and_role(source, name, role):
    (proposed,) = read_v3(claim_v3(by=1), sources=[source])
    assert (proposed.claimant, proposed.role) == (name, role)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param("", 'Must be "name | role"', id="empty"),
        pytest.param(" | Mayor", 'Must be "name | role"', id="no name"),
        pytest.param("A" * 301, 'Must be "name | role"', id="endless name"),
        pytest.param("A | " + "B" * 301, 'Must be "name | role"', id="endless role"),
        pytest.param({"name": "A", "role": ""}, "Not a valid string.", id="as version 2 has it"),
    ],
)
def test_a_source_of_version_3_without_a_name_is_a_fault(source, told):
    with pytest.raises(UnreadableReplyError) as caught:
        read_v3(sources=[source])
    (fault,) = caught.value.faults
    assert fault.startswith(f"sources/0: {told}")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"by": 3}, "claims/0/by", id="claimant not listed"),
        pytest.param({"why": "disputed cost"}, "claims/0/why", id="reason in words of its own"),
        pytest.param({"as": "she"}, "claims/0/as", id="a field of version 2"),
        pytest.param({"stances": [told_v2(1, "refutes")]}, "claims/0/stances/0/n", id="a sentence for a stance"),
    ],
)
def test_faults_of_version_3_are_told(change, path):
    with pytest.raises(UnreadableReplyError) as caught:
        read_v3(claim_v3(**change))
    (fault,) = caught.value.faults
    assert fault.startswith(f"{path}: ")


def test_an_odd_name_of_a_field_is_not_repeated():
    (fault,) = faults_of({"claims": [{**claim(), "SECRET words of a reply": 1}]})
    assert fault == "claims/0/(a field with an odd name): Unknown field."
