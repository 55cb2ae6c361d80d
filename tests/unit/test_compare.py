import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.export.compare import Cost, Difference, compare
from service.web.openapi.examples import example
from tests.examples import examples

ANSWER = example("answer")
(BRIDGE, OPENED) = ANSWER["claims"]


def answer(*claims, sha256="a" * 64, **changes):
    return ANSWER | {"claims": list(claims), "article": ANSWER["article"] | {"sha256": sha256}} | changes


def claim(start, end, *, name=None, text=None, **changes):
    words = f"words {start} to {end}"
    quote = OPENED["quote"] | {"text": words, "start": start, "end": end}
    return OPENED | {"id": name or f"c_{start}_{end}", "text": text or words, "quote": quote} | changes


def test_an_answer_and_itself_are_the_same():
    found = compare(ANSWER, ANSWER)
    assert [(pair.one, pair.other, pair.by, pair.differences) for pair in found.both] == [
        (one, one, "id", ()) for one in ANSWER["claims"]
    ]
    assert (found.only_one, found.only_other, found.asked, found.same_article) == ((), (), (), True)
    assert all(cost.more == 0 for cost in found.cost)


def test_what_one_found_alone_is_told_in_its_order():
    mine, theirs, shared = claim(50, 60), claim(70, 80), claim(0, 10)
    found = compare(answer(shared, mine), answer(theirs, shared))
    assert [pair.one["id"] for pair in found.both] == ["c_0_10"]
    assert found.only_one == (mine,)
    assert found.only_other == (theirs,)


@pytest.mark.parametrize(
    ("other", "by"),
    [
        pytest.param(claim(40, 50, name="c_0_10"), "id", id="its id"),
        pytest.param(claim(40, 50, text="Words 0  to 10."), "words", id="its words, whatever their case"),
        pytest.param(claim(3, 13), "overlap", id="a quote that overlaps enough"),
        pytest.param(claim(6, 16), None, id="a quote that overlaps a little"),
        pytest.param(claim(10, 20), None, id="a quote beside it"),
    ],
)
def test_a_claim_is_known_again_by(other, by):
    found = compare(answer(claim(0, 10)), answer(other))
    assert [pair.by for pair in found.both] == ([by] if by else [])


def test_the_quotes_of_two_versions_of_an_article_are_not_laid_over_each_other():
    found = compare(answer(claim(0, 10), claim(20, 30)), answer(claim(0, 11), claim(90, 99, name="c_20_30"), sha256="b" * 64))
    assert not found.same_article
    assert [(pair.one["id"], pair.by) for pair in found.both] == [("c_20_30", "id")]
    assert len(found.only_one) == len(found.only_other) == 1


def test_each_claim_is_in_one_pair_only_and_the_best_overlap_wins():
    far, near = claim(4, 14), claim(1, 11)
    found = compare(answer(claim(0, 10), claim(0, 9)), answer(far, near))
    assert [(pair.one["quote"]["end"], pair.other["quote"]["start"]) for pair in found.both] == [(10, 1), (9, 4)]


def stance(holder, label):
    return {"holder": holder, "stance": label, "evidence": None}


def test_what_they_say_otherwise_of_a_claim_is_told():
    one = BRIDGE | {"stances": [stance("Jane Roe", "supports"), stance("article", "discusses")]}
    other = BRIDGE | {
        "claimant": None,
        "check_worthiness": 0.1,
        "stances": [stance("Tom Poe", "refutes"), stance("Tom Poe", "discusses"), stance("article", "supports")],
    }
    (pair,) = compare(answer(one), answer(other)).both
    assert pair.differences == (
        Difference("check_worthiness", 0.78, 0.1),
        Difference("claimant", "Jane Roe", None),
        Difference("stance", ("discusses",), ("supports",), "article"),
        Difference("stance", ("supports",), None, "Jane Roe"),
        Difference("stance", None, ("discusses", "refutes"), "Tom Poe"),
    )


def test_another_quote_and_wording_are_differences():
    (pair,) = compare(answer(claim(0, 10)), answer(claim(0, 9))).both
    assert [one.field for one in pair.differences] == ["text", "quote"]


def test_what_was_asked_and_what_it_cost_is_told():
    provenance = ANSWER["provenance"]
    model = provenance["model"] | {"asked": "large", "served": "large-2026", "endpoint": "models.example.org"}
    other = answer(
        provenance=provenance | {"prompt": "extract_claims@3#0", "model": model, "service": "9.9.9"},
        usage=ANSWER["usage"] | {"calls": 2, "output_tokens": 300, "duration_ms": 1},
    )
    found = compare(ANSWER, other)
    assert [(one.field, one.other) for one in found.asked] == [
        ("prompt", "extract_claims@3#0"),
        ("model", "large"),
        ("served", "large-2026"),
        ("endpoint", "models.example.org"),
        ("service", "9.9.9"),
    ]
    costs = {cost.name: cost for cost in found.cost}
    assert costs["calls"] == Cost("calls", 0, 2)
    assert (costs["output_tokens"].more, costs["duration_ms"].more) == (300, -12)
    assert costs.keys() == {"calls", "retries", "input_tokens", "cached_tokens", "output_tokens", "duration_ms"}


spans = st.tuples(st.integers(0, 30), st.integers(1, 12), st.sampled_from(["a", "b", "c", "d"]))
claims = st.lists(spans, max_size=12).map(
    lambda found: [
        claim(start, start + size, name=f"{text}{number}", text=text) for number, (start, size, text) in enumerate(found)
    ]
)


@examples()
@given(claims, claims, st.booleans())
def test_the_other_way_round_it_is_mirrored_and_no_claim_is_lost(ones, others, same):
    one, other = answer(*ones), answer(*others, sha256="a" * 64 if same else "b" * 64)
    forth, back = compare(one, other), compare(other, one)
    assert {(pair.one["id"], pair.other["id"], pair.by) for pair in forth.both} == {
        (pair.other["id"], pair.one["id"], pair.by) for pair in back.both
    }
    assert forth.only_one == back.only_other
    assert len(forth.both) + len(forth.only_one) == len(ones)
    assert len(forth.both) + len(forth.only_other) == len(others)
