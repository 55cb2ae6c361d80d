from evals.bootstrap import value
from evals.figures import Unit
from evals.items import Item, NoGold
from evals.scores.intrinsic import FIGURES, count
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
    assert figures()["tokens_per_claim"] is None


def test_what_was_not_read_is_told():
    assert figures(coverage={"sentences": 4, "read": 3, "passages": []})["read"] == 0.75


def test_only_seconds_are_written_as_seconds():
    assert [figure.name for figure in FIGURES if figure.unit is Unit.SECONDS] == ["seconds"]
