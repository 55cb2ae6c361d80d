"""An earlier analysis built upon: the answer is that of a whole new reading, at the cost of what changed."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deadline import Deadline
from service.domain import AnalysisStatus, ArticleInput, Options
from service.earlier import Previous
from service.errors import DeadlineExceededError, ModelUnavailableError
from service.pipeline.analyze import Services, analyze, choose
from service.prompt_files import find_prompts, load_prompts
from tests.examples import examples
from tests.fakes import TRAITS, FixedClock
from tests.rereading import NUMBERED, SentenceModel

LIBRARY = load_prompts(find_prompts())
SHORT = replace(TRAITS, passage_chars=200)
TEXT = " ".join(f"Minister Gray told the house that the bridge{number} cost {number * 3} million." for number in range(1, 101))


def analysed(text, *, model=None, previous=None, options=None, prompt="extract_claims@1", **given):
    deadline = given.pop("deadline", None) or Deadline.after(60)
    services = Services(model or SentenceModel(traits=SHORT), LIBRARY)
    return analyze(
        ArticleInput(text, **{"language": "en", **given}),
        options or Options(),
        choose(prompt, services),
        services,
        deadline,
        previous=previous,
    )


def built_upon(before, text, **how):
    """The analysis of `text` upon `before`, and how many calls it took."""
    model = how.pop("model", None) or SentenceModel(traits=SHORT)
    after = analysed(text, model=model, previous=Previous(before.memory), **how)
    return after, len(model.asked)


def codes(analysis):
    return [caveat.code for caveat in analysis.warnings]


def detail(analysis):
    (told,) = [caveat.detail for caveat in analysis.warnings if caveat.code == "previous_not_reused"]
    return told


BEFORE = analysed(TEXT)

POOL_OF_SENTENCES = st.sampled_from(
    [
        *(f"Minister Gray told the house that the bridge cost {number} million." for number in (3, 5)),
        *(f"Mayor Poe, so {name}, denied that the tunnel cost 7 million." for name in ("Minister Gray", "Minister Kay")),
        "Mayor Poe said that Minister Gray denied it, and the tunnel cost 7 million.",
        "The harbour cost 12 million.",
        "The harbour opened.",
        "She said the tunnel cost 5 million.",
        "🚢 The ships, 𝒳 of them, came late and nobody in the harbour could say why.",
        "It rained.",
    ]
)
SEPARATORS = st.sampled_from([" ", "\n\n"])


@st.composite
def edits(draw):
    """An article as lists of sentences with what follows them, before an edit and after it."""
    before = draw(st.lists(st.tuples(POOL_OF_SENTENCES, SEPARATORS), min_size=1, max_size=40))
    after = list(before)
    for _ in range(draw(st.integers(0, 3))):
        first = draw(st.integers(0, len(after)))
        last = draw(st.integers(first, min(first + 3, len(after))))
        after[first:last] = draw(st.lists(st.tuples(POOL_OF_SENTENCES, SEPARATORS), max_size=4))
    return ["".join(a + b for a, b in one) for one in (before, after)]


@examples(150)
@given(edits(), st.sampled_from([Options(), Options(max_claims=3), Options(min_check_worthiness=0.4)]))
def test_an_edited_article_is_answered_as_if_it_were_read_anew(texts, options):
    before_text, text = texts
    if not text.strip():
        return
    before = analysed(before_text, options=options)
    model = SentenceModel(traits=SHORT)
    after = analysed(text, options=options, previous=Previous(before.memory), model=model)
    anew = analysed(text, options=options)
    assert after.claims == anew.claims
    assert after.set_aside == anew.set_aside
    assert after.coverage.read == anew.coverage.read
    assert after.usage.calls == len(model.asked) <= anew.usage.calls
    assert sum(one.reused for one in after.coverage.passages) + len(model.asked) == len(after.coverage.passages)
    assert [(one.start, one.end) for one in after.coverage.passages][-1][1] == len(text)
    for claim in after.claims:
        places = [claim.quote, *claim.occurrences, *(one.evidence for one in claim.stances if one.evidence)]
        places += [claim.claimant.mention] if claim.claimant else []
        for place in places:
            assert text[place.span.start : place.span.end] == place.text
            assert place.span.start_utf16 == len(text[: place.span.start].encode("utf-16-le")) // 2
    told = after.changes
    assert {*told.new, *told.kept} == {claim.id for claim in after.claims}
    assert {*told.kept, *(one.id for one in (*told.gone, *told.unlisted))} == {claim.id for claim in before.claims}


@examples(40)
@given(edits(), edits())
def test_earlier_analyses_may_be_built_upon_again_and_again(first, second):
    texts = [text for text in (*first, *second) if text.strip()]
    earlier = None
    for text in texts:
        latest = analysed(text, previous=earlier)
        assert latest.claims == analysed(text).claims
        earlier = Previous(latest.memory)


def test_what_was_reused_may_be_reused_again_wherever_it_has_moved_to():
    moved, calls = built_upon(BEFORE, " ".join(["The harbour opened."] * 10) + f" {TEXT}")
    assert calls == 1
    _, calls = built_upon(moved, TEXT)
    assert calls == 0


def test_an_unchanged_article_is_not_read_again():
    after, calls = built_upon(BEFORE, TEXT)
    assert calls == after.usage.calls == after.usage.input_tokens == 0
    assert (after.claims, after.id, after.memory) == (BEFORE.claims, BEFORE.id, BEFORE.memory)
    assert after.provenance == BEFORE.provenance
    assert (after.changes.new, after.changes.gone, len(after.changes.kept)) == ((), (), 100)
    assert after.changes.since == BEFORE.id
    assert codes(after) == []


def test_what_an_edit_brings_and_takes_is_told():
    after, calls = built_upon(BEFORE, TEXT.replace("bridge50 cost 150 million", "bridge50 cost 151 million"))
    assert calls == 1
    (new,) = after.changes.new
    assert [claim.quote.text for claim in after.claims if claim.id == new] == ["the bridge50 cost 151 million"]
    assert [claim.quote for claim in after.changes.gone] == ["the bridge50 cost 150 million"]
    assert len(after.changes.kept) == 99


def test_a_name_that_an_edit_takes_away_takes_along_the_claims_that_rest_on_it():
    text = "Minister Gray spoke first. " + TEXT.replace("Minister Gray", "The man") + " She said the tunnel cost 5 million."
    before = analysed(text)
    by_gray = [claim.quote.text for claim in before.claims if claim.claimant and claim.claimant.name == "Minister Gray"]
    assert "the tunnel cost 5 million" in by_gray
    after, _ = built_upon(before, text.replace("Minister Gray", "A colleague"))
    assert after.coverage.passages[-1].reused
    assert "the tunnel cost 5 million" not in [claim.quote.text for claim in after.claims]
    assert "Minister Gray" in [refused.text for refused in after.set_aside]


@pytest.mark.parametrize(
    ("how", "name"),
    [
        pytest.param({"options": Options(max_claims=5)}, "max_claims", id="max_claims"),
        pytest.param({"options": Options(min_check_worthiness=0.1)}, "min_check_worthiness", id="min_check_worthiness"),
        pytest.param({"title": "Bridges"}, "title", id="title"),
        pytest.param({"language": "de"}, "language", id="language"),
        pytest.param({"model": SentenceModel(traits=replace(SHORT, name="other"))}, "model", id="model"),
        pytest.param({"model": SentenceModel(traits=replace(SHORT, endpoint="other"))}, "endpoint", id="endpoint"),
        pytest.param({"model": SentenceModel(traits=TRAITS)}, "passage_chars", id="size of passages"),
    ],
)
def test_an_answer_made_otherwise_is_not_built_upon(how, name):
    after, calls = built_upon(BEFORE, TEXT, **how)
    assert calls == len(after.coverage.passages)
    assert f"another {name}." in detail(after)
    assert after.changes.since == BEFORE.id


def test_a_partial_answer_may_be_wanted_of_the_same_passages():
    _, calls = built_upon(BEFORE, TEXT, options=Options(allow_partial=True))
    assert calls == 0


def test_another_prompt_is_told_by_its_name():
    told = replace(BEFORE.memory, circumstances=replace(BEFORE.memory.circumstances, prompt="extract_claims@0#0"))
    after = analysed(TEXT, previous=Previous(told))
    assert "another prompt." in detail(after)


def test_an_earlier_answer_that_is_not_ours_is_not_compared_with():
    after = analysed(TEXT, previous=Previous(None))
    assert "no seal" in detail(after)
    assert after.changes is None
    assert after.claims == BEFORE.claims


def test_nothing_is_told_where_no_earlier_answer_came():
    assert (BEFORE.changes, codes(BEFORE)) == (None, [])


def test_a_text_of_which_nothing_stands_is_told():
    after, _ = built_upon(BEFORE, "The harbour opened.")
    assert "no passage" in detail(after)
    assert len(after.changes.gone) == 100


def lead_model():
    class V2(SentenceModel):
        def complete(self, call, deadline):
            return replace(super().complete(call, deadline), text='{"sources":[],"claims":[]}')

    return V2(traits=SHORT)


def test_a_passage_is_read_again_when_what_stands_beside_it_in_the_prompt_has_changed():
    before = analysed(TEXT, model=lead_model(), prompt="extract_claims@2")
    elsewhere, calls = built_upon(before, TEXT.replace("150", "151"), model=lead_model(), prompt="extract_claims@2")
    assert (calls, codes(elsewhere)) == (1, [])
    lead, calls = built_upon(before, TEXT.replace("3 million", "4 million", 1), model=lead_model(), prompt="extract_claims@2")
    assert calls == len(lead.coverage.passages)
    assert f"{calls - 1} of {calls} passages were read again" in detail(lead)


class WordsOnlyModel(SentenceModel):
    """Replies in version 3 of the schema, where a stance names no sentence."""

    def complete(self, call, deadline):
        stances = [{"of": 2, "is": "refutes", "words": "the inquiry into it"}]
        named = {"text": "", "by": 1, "stances": stances, "kind": "event", "worth": 5, "why": "public"}
        numbers = [int(number) for number, _ in NUMBERED.findall(call.messages[-1].content)]
        reply = {
            "sources": ["Minister Gray", "Mayor Poe"],
            "claims": [{"n": number, "quote": "", **named} for number in numbers],
        }
        return replace(super().complete(call, deadline), text=json.dumps(reply))


def test_stances_that_name_no_sentence_are_reused_and_proved_anew():
    text = f"{TEXT} Mayor Poe doubts the inquiry into it."
    before = analysed(text, model=WordsOnlyModel(traits=SHORT), prompt="extract_claims@3")
    assert all(any(one.holder == "Mayor Poe" for one in claim.stances) for claim in before.claims)
    edited = text.replace("bridge90 ", "tunnel ")
    after, calls = built_upon(before, edited, model=WordsOnlyModel(traits=SHORT), prompt="extract_claims@3")
    assert (calls, codes(after)) == (1, [])
    anew = analysed(edited, model=WordsOnlyModel(traits=SHORT), prompt="extract_claims@3")
    assert (after.claims, after.set_aside) == (anew.claims, anew.set_aside)


def test_a_reply_that_names_a_sentence_it_was_not_shown_is_not_used_again():
    before = analysed(TEXT, model=SentenceModel(traits=SHORT, odd=True))
    after, calls = built_upon(before, TEXT)
    assert calls == len(after.coverage.passages)
    assert "cannot be placed" in detail(after)


def test_a_reply_that_cannot_be_read_any_more_is_not_used_again():
    passages = tuple(replace(one, reply="{}") for one in BEFORE.memory.passages)
    after = analysed(TEXT, previous=Previous(replace(BEFORE.memory, passages=passages)))
    assert after.claims == BEFORE.claims
    assert not any(one.reused for one in after.coverage.passages)


def failing(words):
    return SentenceModel(traits=SHORT, fail_on=words, failure=ModelUnavailableError("down"))


def test_claims_where_the_article_was_not_read_are_not_called_gone():
    edited = TEXT.replace("bridge50 cost 150 million", "bridge50 cost 151 million")
    after, _ = built_upon(BEFORE, edited, model=failing("bridge50 "), options=Options(allow_partial=True))
    assert after.status is AnalysisStatus.PARTIAL
    assert [claim.quote for claim in after.changes.gone] == ["the bridge50 cost 150 million"]
    assert [claim.quote for claim in after.changes.unlisted]
    assert len(after.changes.kept) + len(after.changes.unlisted) == 99


def test_a_passage_that_failed_is_read_when_the_part_is_built_upon():
    part = analysed(TEXT, model=failing("bridge50 "), options=Options(allow_partial=True))
    after, calls = built_upon(part, TEXT)
    assert calls == 1
    assert after.claims == BEFORE.claims


def test_a_claim_that_a_limit_leaves_out_is_not_called_gone():
    options = Options(max_claims=2)
    text = "The harbour opened. Minister Gray told the house that the bridge cost 3 million."
    before = analysed(text, options=options)
    after, _ = built_upon(before, f"{text} The harbour, it was said, cost 12 million.", options=options)
    assert len(before.claims) == len(after.claims) == 2
    assert after.changes.gone == ()
    assert len(after.changes.unlisted) == len(after.changes.new) == 1


def test_another_model_behind_the_same_name_is_told():
    passages = tuple(replace(one, served="reader-0") for one in BEFORE.memory.passages)
    earlier = Previous(replace(BEFORE.memory, passages=passages))
    after = analysed(TEXT.replace("150", "151"), previous=earlier)
    assert codes(after) == ["previous_served_otherwise"]
    assert after.provenance.model.served == "reader-0, reader-1"
    assert codes(analysed(TEXT, previous=earlier)) == []


def test_repairs_and_left_out_sentences_are_told_again():
    def known(passage):
        return replace(passage, repairs=("asked_again",), left_out=1)

    earlier = replace(BEFORE.memory, passages=tuple(map(known, BEFORE.memory.passages)))
    after = analysed(TEXT, previous=Previous(earlier))
    assert codes(after) == ["sentences_left_out", "repaired_asked_again"]
    assert after.coverage.read == 100 - len(earlier.passages)


def test_a_spent_deadline_is_met_although_nothing_is_asked():
    with pytest.raises(DeadlineExceededError):
        built_upon(BEFORE, TEXT, deadline=Deadline.after(0, FixedClock()))
