import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.references import reference
from tests.examples import examples

PESKOV = ("Dmitry Peskov", "Kremlin spokesman")


def found(name, role, sentence):
    at = reference(name, role, sentence)
    return at and sentence[slice(*at)]


@pytest.mark.parametrize(
    ("who", "sentence", "words"),
    [
        pytest.param(PESKOV, "“No,” Peskov said on Tuesday.", "Peskov", id="surname before"),
        pytest.param(PESKOV, "“No,” said Peskov.", "Peskov", id="surname after"),
        pytest.param(PESKOV, "According to Peskov this is so.", "Peskov", id="according to"),
        pytest.param(PESKOV, "Peskov, a veteran of the office, has said so.", "Peskov", id="aside"),
        pytest.param(PESKOV, "Peskov’s remarks follow a report.", "Peskov", id="possessive"),
        pytest.param(PESKOV, "The Kremlin Peskov spoke for kept silent.", None, id="no verb of saying"),
        pytest.param(PESKOV, "Later spokesman Peskov said no.", "Peskov", id="after the office"),
        pytest.param(("Joe Biden", "President"), "Hunter Biden said no.", None, id="another of that surname"),
        pytest.param(("Joe Biden", ""), "On Monday President Biden said no.", "Biden", id="after a title"),
        pytest.param(("White House", ""), "The bill, the House said, is dead.", None, id="another house"),
        pytest.param(("Ann Xu", ""), "Xu said no.", None, id="too short to be told from other words"),
        pytest.param(("American officials", ""), "Other officials said no.", None, id="no proper name"),
        pytest.param(("Analysts", ""), "They said that it would last.", "They", id="plural"),
        pytest.param(PESKOV, "All is well, the spokesman said.", "the spokesman", id="office"),
        pytest.param(PESKOV, "All is well, the minister said.", None, id="another office"),
        pytest.param(PESKOV, "He reported that he added two.", "He", id="the first of a pronoun"),
        pytest.param(PESKOV, "“It opened,” she said.", "she", id="pronoun"),
        pytest.param(PESKOV, "It opened in May, he said, and she said in June.", None, id="two pronouns"),
        pytest.param(PESKOV, "Zelensky said he told them so.", None, id="pronoun of somebody named"),
        pytest.param(PESKOV, "He went home.", None, id="pronoun that says nothing"),
        pytest.param(PESKOV, "Er sagte, das stimme nicht.", None, id="German"),
        pytest.param(("", ""), "He said so.", "He", id="no name"),
    ],
)
def test_what_refers_to_somebody_is_found_beside_a_verb_of_saying(who, sentence, words):
    assert found(*who, sentence) == words


WORDS = st.lists(st.sampled_from("Peskov Dmitry the he He she said told (a .* , . “ ’s House spokesman".split())).map(" ".join)


@examples()
@given(st.text() | WORDS, st.text() | WORDS, st.text() | WORDS)
def test_whatever_is_found_is_a_range_of_the_sentence(name, role, sentence):
    at = reference(name, role, sentence)
    assert at is None or 0 <= at[0] < at[1] <= len(sentence)
