import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.wording import LEAST, MOST_CHARS, Vocabulary
from tests.examples import examples

TEXT = "Mayor Jane Roe said on Monday that the new bridge over the harbour had cost the city 40 million euros."


@pytest.mark.parametrize(
    "wording",
    [
        pytest.param("The new bridge cost 40 million euros.", id="the article's words"),
        pytest.param("The city's bridges had costs of 40 million.", id="other endings"),
        pytest.param("It is so.", id="no word that counts"),
        pytest.param("", id="nothing"),
        pytest.param("Harbour bridge: 40 million euros, according to Roe.", id="one word more"),
    ],
)
def test_a_wording_of_the_articles_words_is_covered(wording):
    assert Vocabulary(TEXT, "en").covers(wording)


@pytest.mark.parametrize(
    "wording",
    [
        pytest.param("Always unplug electrical devices before cleaning.", id="what an instruction asked for"),
        pytest.param("Ministers resigned after secret payments became known.", id="another article's"),
        pytest.param("You read news for a fact-checking desk.", id="the instructions"),
        pytest.param(
            "Mayor Jane Roe said the new bridge over the harbour of Atlantis had cost 40 million.", id="a name of its own"
        ),
        pytest.param("bridge " * 200, id="far too long"),
        pytest.param("桥梁耗资四千万欧元", id="another script"),
    ],
)
def test_a_wording_of_other_words_is_not(wording):
    assert not Vocabulary(TEXT, "en").covers(wording)


@pytest.mark.parametrize(
    ("text", "wording", "other"),
    [
        pytest.param("市长周一说，新桥耗资四千万欧元。", "新桥耗资四千万欧元。", "部长因丑闻辞职", id="Chinese"),
        pytest.param(
            "Der Bürgermeister lobte die Brücken.", "Die Brücke lobt der Bürgermeister.", "Minister traten zurück", id="German"
        ),
        pytest.param("قال الرئيس إن الجسر الجديد مفتوح", "رئيس الجسر الجديد", "استقال وزراء الحكومة", id="Arabic"),
    ],
)
def test_languages_that_build_words_in_other_ways_are_judged_alike(text, wording, other):
    assert Vocabulary(text, "de").covers(wording)
    assert not Vocabulary(text, "en").covers(other)


@examples()
@given(st.text(max_size=MOST_CHARS // 2))
def test_every_text_covers_itself(text):
    assert Vocabulary(text, "en").share(text) == 1.0


@examples()
@given(st.text(), st.text())
def test_a_share_is_a_share(text, wording):
    assert 0.0 <= Vocabulary(text, "en").share(wording) <= 1.0
    assert 0.0 < LEAST < 1.0


def test_german_nouns_are_no_names():
    text = "Der Bürgermeister lobte die neue Brücke über den Hafen."
    assert Vocabulary(text, "de").covers("Der Bürgermeister lobte die neue Brücke im Zusammenhang.")
    assert not Vocabulary(text, "en").covers("Der Bürgermeister lobte die neue Brücke im Zusammenhang.")
