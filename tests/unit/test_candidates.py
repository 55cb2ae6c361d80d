import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.candidates import speaker
from tests.examples import examples


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        pytest.param("The rules, Kremlin spokesman Dmitry Peskov has said, stand.", "Dmitry Peskov", id="before the verb"),
        pytest.param("“No,” said Mayor Ann Lee on Monday.", "Mayor Ann Lee", id="after the verb"),
        pytest.param("The mayor of Kiev, Vitaly Klitschko, said so.", "Vitaly Klitschko", id="name as an aside"),
        pytest.param("Ann Lee, spokesperson for Bob Roe, acknowledged it.", "Ann Lee", id="office as an aside"),
        pytest.param("American and Ukrainian officials have claimed it.", "American and Ukrainian officials", id="a group"),
        pytest.param("In light of it, the White House remarked that it was so.", "White House", id="article is cut"),
        pytest.param("It rained, according to the Weather Service.", "Weather Service", id="according to"),
        pytest.param("He said so on Tuesday.", None, id="a pronoun"),
        pytest.param("On Tuesday said nobody.", None, id="a day"),
        pytest.param("The drones reached Kiev on Monday.", None, id="nothing is reported"),
        pytest.param("Iran denied that it had supplied drones.", None, id="a denial"),
        pytest.param("Russia used them, despite Tehran's assertions.", None, id="assertions as a noun"),
        pytest.param("Ann came along. Then they all said no.", None, id="a name elsewhere"),
    ],
)
def test_who_is_speaking(sentence, expected):
    assert speaker(sentence) == expected


@examples()
@given(st.text())
def test_a_speaker_is_always_words_of_the_sentence(sentence):
    found = speaker(sentence)
    assert found is None or found in sentence
