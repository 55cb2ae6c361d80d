import pytest

from evals.bootstrap import value
from evals.figures import Unit
from evals.items import Item, NoGold
from evals.scores.intrinsic import FIGURES, count
from service.domain import SetAsideReason
from tests.evals.miniature import TEXT, answer, claim

ITEM = Item("bridge", TEXT, "en-GB", None, NoGold())
COST = "the bridge cost 40 million euros"


def figures(*claims, item=ITEM, **changes):
    tally = count(item, answer(*claims, **changes))
    return {figure.name: value(figure, tally) for figure in FIGURES}


def test_words_that_are_where_they_are_said_to_be_are_exact():
    found = figures(claim(COST, claimant="Tom Poe", others={"Tom Poe": "refutes"}))
    assert (found["exact"], found["exact_utf16"]) == (1.0, 1.0)


def test_each_quotation_that_is_elsewhere_counts():
    wrong = claim(COST, claimant="Tom Poe")
    wrong["occurrences"] = [wrong["quote"]]
    wrong["quote"] |= {"start": 0, "start_utf16": 0}
    wrong["claimant"]["span"] |= {"end_utf16": 3}
    found = figures(wrong)
    assert (found["exact"], found["exact_utf16"]) == (0.5, 0.0)


def test_utf_16_offsets_are_checked_in_utf_16():
    text = "🌉 the bridge"
    item = Item("astral", text, "en", None, NoGold())
    right = claim("the bridge", text)
    assert right["quote"]["start_utf16"] == right["quote"]["start"] + 1
    assert figures(right, item=item)["exact_utf16"] == 1.0
    right["quote"]["start_utf16"] -= 1
    right["occurrences"] = [right["quote"]]
    assert figures(right, item=item)["exact_utf16"] == 0.0


def test_what_was_set_aside_is_a_share_of_what_was_proposed():
    refused = [{"reason": "quote_not_found", "text": "…"}, {"reason": "over_max_claims", "text": "…"}]
    found = figures(claim(COST), claim("It opened in May"), set_aside=refused)
    assert (found["set_aside"], found["unproved"]) == (0.5, 0.25)
    assert count(ITEM, answer(set_aside=refused))["set_aside/quote_not_found"] == 1


def test_texts_are_judged_where_the_language_is_known():
    found = figures(claim(COST, text="It cost 41 million euros, Zelensky says."))
    assert (found["pointing"], found["foreign_names"], found["foreign_numbers"]) == (1.0, 1.0, 1.0)


def test_texts_of_other_languages_are_not_judged_by_pronouns():
    for language in ("fi", None):
        item = Item("bridge", TEXT, language, None, NoGold())
        assert figures(claim(COST), item=item)["pointing"] is None


def test_costs_are_told_per_article_and_per_claim():
    found = figures(claim(COST), claim("It opened in May"), warnings=[{"code": "repaired_asked_again", "detail": "…"}])
    names = ("calls", "retries", "repaired", "input_tokens", "cached", "output_tokens", "tokens_per_claim", "seconds", "claims")
    assert [found[name] for name in names] == [1, 0, 1, 100, 0.4, 20, 60, 1.5, 2]


def test_an_answer_without_claims_has_no_cost_per_claim():
    found = figures()
    assert {found[figure.name] for figure in FIGURES if figure.group == "Cost per claim"} == {None}


def test_each_cost_is_told_per_claim_too():
    found = figures(claim(COST), claim("It opened in May"))
    names = ("calls", "input_tokens", "cached_tokens", "output_tokens", "seconds")
    assert [found[f"{name}_per_claim"] for name in names] == [0.5, 50, 20, 10, 0.75]
    assert found["cached_tokens"] == 40


def test_tokens_that_the_endpoint_did_not_count_are_unknown_and_not_none():
    untold = {"input_tokens": 0, "cached_tokens": 0, "output_tokens": 0}
    found = figures(claim(COST), usage=untold)
    assert {found[name] for name in found if "tokens" in name or name == "cached"} == {None}
    assert found["calls"] == 1


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        pytest.param("The bridge cost 40 million euros.", 1.0, id="alone"),
        pytest.param("It cost 40 million euros.", 0.0, id="pronoun"),
        pytest.param("The bridge cost Zelensky 40 million euros.", 0.0, id="name from elsewhere"),
        pytest.param("The bridge cost 41 million euros.", 0.0, id="number from elsewhere"),
    ],
)
def test_a_text_stands_alone_when_none_of_its_faults_is_found(text, alone):
    assert figures(claim(COST, text=text))["stands_alone"] == alone


def test_every_place_of_a_quote_and_what_a_claimant_cites_must_be_exact_too():
    wrong = claim(COST, claimant="Tom Poe")
    wrong["occurrences"].append(dict(wrong["quote"], start=0))
    wrong["claimant"]["cites"] = dict(wrong["claimant"]["span"], start_utf16=0)
    found = figures(wrong)
    assert (found["exact"], found["exact_utf16"]) == (0.75, 0.75)


@pytest.mark.parametrize("reason", SetAsideReason)
def test_what_was_refused_is_not_proved_unless_it_was_one_too_many(reason):
    unneeded = {"duplicate", "below_check_worthiness", "over_max_claims"}
    assert figures(set_aside=[{"reason": reason, "text": "…"}])["unproved"] == float(reason not in unneeded)


def test_what_was_not_read_is_told():
    assert figures(coverage={"sentences": 4, "read": 3, "passages": []})["read"] == 0.75


def test_only_seconds_are_written_as_seconds():
    assert [figure.name for figure in FIGURES if figure.unit is Unit.SECONDS] == ["seconds", "seconds_per_claim"]
