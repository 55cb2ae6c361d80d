import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.answers import read_answer
from evals.baselines import BASELINES, SHORTEST_CHARS, always_author, every_sentence, majority, reporting_verb
from evals.items import Item, NoGold
from evals.reporting import reported
from evals.scores.intrinsic import count
from tests.evals.miniature import TEXT, claim, document
from tests.examples import examples


def item(text, language="en"):
    return Item("x", text, language, None, NoGold())


def shown(text, language="en"):
    """What the reporting verb rule makes of a text: (claimant, claim, claimant's stance)."""
    answer = read_answer(reporting_verb(item(text, language)))
    return [(one.claimant, one.text, one.others[0].label if one.others else None) for one in answer.claims]


def test_every_sentence_that_is_long_enough_is_a_claim_in_the_articles_own_voice():
    answer = read_answer(every_sentence(item(TEXT)))
    assert [one.text for one in answer.claims] == [
        "Mayor Ann Roe said the bridge cost 40 million euros.",
        "Her rival Tom Poe denied it.",
    ]
    assert {one.claimant for one in answer.claims} == {None}
    assert {one.article for one in answer.claims} == {"supports"}
    assert len("It opened in May.") < SHORTEST_CHARS


@pytest.mark.parametrize("name", BASELINES)
def test_a_baselines_answer_has_the_services_shape_and_exact_slices(name):
    given = item("🌉 " + TEXT)
    given_answer = BASELINES[name](given)
    assert given_answer.keys() == document().keys()
    assert given_answer["claims"][0].keys() == claim("Tom Poe").keys()
    tally = count(given, read_answer(given_answer))
    assert tally["slices"] == tally["slices_exact"] == tally["slices_exact_utf16"] > 0
    assert tally["calls"] == 0


@pytest.mark.parametrize(
    ("text", "claimant", "content", "stance"),
    [
        pytest.param(
            "Mayor Ann Roe said the bridge cost 40 million euros.",
            "Mayor Ann Roe",
            "the bridge cost 40 million euros.",
            "supports",
            id="name first",
        ),
        pytest.param(
            "The bridge cost 40 million euros, Mayor Ann Roe said.",
            "Mayor Ann Roe",
            "The bridge cost 40 million euros",
            "supports",
            id="name last",
        ),
        pytest.param(
            "The bridge cost 40 million euros, said Ann Roe.",
            "Ann Roe",
            "The bridge cost 40 million euros",
            "supports",
            id="inverted",
        ),
        pytest.param(
            "Tom Poe denied that the bridge cost 40 million euros.",
            "Tom Poe",
            "the bridge cost 40 million euros.",
            "refutes",
            id="denial",
        ),
        pytest.param(
            "According to Ann Roe, the bridge cost 40 million euros.",
            "Ann Roe",
            "the bridge cost 40 million euros.",
            "supports",
            id="according to, first",
        ),
        pytest.param(
            "The bridge cost 40 million euros, according to Ann Roe.",
            "Ann Roe",
            "The bridge cost 40 million euros",
            "supports",
            id="according to, last",
        ),
        pytest.param(
            "Nobody said anything about the bridge.", None, "Nobody said anything about the bridge.", None, id="nobody"
        ),
        pytest.param("The bridge cost 40 million euros.", None, "The bridge cost 40 million euros.", None, id="own voice"),
        pytest.param(
            "It was ugly, Ann Roe said on Tuesday.",
            "Ann Roe",
            "It was ugly, Ann Roe said on Tuesday.",
            "supports",
            id="too little left without the cue",
        ),
    ],
)
def test_the_reporting_verb_rule_finds_who_says_what(text, claimant, content, stance):
    assert shown(text) == [(claimant, content, stance)]


def test_the_rule_reads_german():
    assert shown("Die Brücke koste 40 Millionen Euro, sagte Anna Roth.", "de") == [
        ("Anna Roth", "Die Brücke koste 40 Millionen Euro", "supports")
    ]


def test_a_pronoun_stands_for_who_spoke_before():
    text = "Ann Roe said the bridge cost 40 million euros. She said that it opened in May 2020."
    assert [claimant for claimant, _, _ in shown(text)] == ["Ann Roe", "Ann Roe"]


def test_a_pronoun_with_nobody_before_it_is_nobody():
    assert shown("She said that it opened in May 2020.")[0][0] is None


def test_always_author_takes_claimants_and_holders_away():
    given = document(claim("It opened in May", claimant="Tom Poe", others={"Tom Poe": "refutes"}, article="discusses"))
    changed = always_author(given)
    assert changed["claims"][0]["claimant"] is None
    assert changed["claims"][0]["stances"] == [{"holder": "article", "stance": "supports", "evidence": None}]
    assert given["claims"][0]["claimant"] is not None


def test_majority_keeps_claimants_and_gives_everything_its_most_frequent_label():
    given = document(
        claim("It opened in May", claimant="Tom Poe", others={"Tom Poe": "refutes"}, kind="rule", check_worthiness=0.9)
    )
    (changed,) = majority(given)["claims"]
    assert changed["claimant"]["name"] == "Tom Poe"
    assert {stance["stance"] for stance in changed["stances"]} == {"supports"}
    assert (changed["kind"], changed["check_worthiness"]) == ("event", 0.5)


@examples()
@given(st.text(max_size=200).map(lambda text: f"{text} Ann Roe said {text}"))
def test_any_text_gets_an_answer_with_exact_slices(text):
    given = item(text)
    for name in ("every_sentence", "reporting_verb"):
        tally = count(given, read_answer(BASELINES[name](given)))
        assert tally.get("slices", 0) == tally.get("slices_exact", 0) == tally.get("slices_exact_utf16", 0)


def test_an_article_whose_language_is_not_given_is_read_all_the_same():
    assert read_answer(every_sentence(item(TEXT, None))).claims


def test_a_sentence_that_only_names_somebody_reports_nothing():
    assert reported("Ann Roe built the bridge.", (0, 25), None) is None
