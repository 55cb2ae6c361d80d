import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.scores.wording import KNOWN_LANGUAGES, ArticleWords, points_outside
from tests.examples import examples


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("He denied the accusation.", "en", id="he"),
        pytest.param("This led to a crisis.", "en", id="this"),
        pytest.param("Their army withdrew.", "en", id="possessive"),
        pytest.param("In addition he resigned.", "en", id="subject before any name"),
        pytest.param("It opened in May.", "en", id="it with a full verb"),
        pytest.param("Sie bestritt den Vorwurf.", "de", id="sie"),
        pytest.param("Dies führte zu einer Krise.", "de", id="dies"),
        pytest.param("Он отрицал это.", "ru", id="он"),
    ],
)
def test_a_pronoun_that_nothing_in_the_text_resolves_is_seen(text, language):
    assert points_outside(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("Ann Roe said she would resign.", "en", id="resolved by the name before"),
        pytest.param("The soldier who said he fired later helped.", "en", id="resolved by a noun"),
        pytest.param("It is illegal to sell drones.", "en", id="expletive it"),
        pytest.param("Es gibt 40 Brücken.", "de", id="expletive es"),
        pytest.param("In March Ann Roe said she would go.", "en", id="name before the pronoun"),
        pytest.param("“He is gone,” Ann Roe said.", "en", id="inside quotation marks"),
        pytest.param("40 %", "en", id="no word at all"),
        pytest.param("Peskow bestritt, dass er lüge.", "de", id="German, resolved"),
        pytest.param("In the evening rain fell.", "en", id="no pronoun"),
        pytest.param("Rain.", "en", id="one word"),
    ],
)
def test_a_text_that_can_be_read_alone_is_left_in_peace(text, language):
    assert not points_outside(text, language)


@examples()
@given(st.text(), st.sampled_from(sorted(KNOWN_LANGUAGES)))
def test_any_text_can_be_looked_at(text, language):
    assert points_outside(text, language) in {True, False}
    assert ArticleWords(text).foreign_names(text) == []
    assert ArticleWords(text).foreign_numbers(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("The spokesman is Dmitry Peskov.", [], id="names of the article"),
        pytest.param("The spokesman is Sergei Lavrov.", ["Sergei", "Lavrov"], id="names from elsewhere"),
        pytest.param("The words are Peskov's.", [], id="genitive"),
        pytest.param("Zelensky", [], id="the first word is not looked at"),
        pytest.param("Das sind die Peskowas.", ["Peskowas"], id="another name"),
        pytest.param("Er sprach mit dem Minister-Präsidenten Moskaus.", [], id="German endings and compounds"),
    ],
)
def test_names_that_the_article_does_not_have_are_told(text, names):
    article = ArticleWords("Dmitry Peskov sprach in Moskau mit Präsident und Minister. PRÄSIDENTEN")
    assert article.foreign_names(text) == names


def test_numbers_that_the_article_does_not_have_are_told_whatever_their_separators():
    article = ArticleWords("It cost 1,200 euros on 3.5 acres.")
    assert article.foreign_numbers("It cost 1.200 euros, 3.5 or 7 or 12.") == ["7", "12"]
