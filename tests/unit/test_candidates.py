import pytest

from service.text.candidates import speakers


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        pytest.param(
            "The rules, Kremlin spokesman Dmitry Peskov has said, stand.", ("Dmitry Peskov", "Kremlin"), id="before the verb"
        ),
        pytest.param("“No,” said Mayor Ann Lee.", ("Mayor Ann Lee",), id="after the verb"),
        pytest.param("The drones reached Kiev on Monday.", (), id="nothing is reported"),
        pytest.param("He said so on Tuesday.", (), id="pronouns and days are no names"),
        pytest.param("The White House’s staff said no.", ("White House",), id="possessive and article are cut"),
    ],
)
def test_who_may_be_speaking(sentence, expected):
    assert speakers(sentence) == expected


def test_at_most_three_names_are_offered():
    assert len(speakers("Ann, Bob, Cid, Dan and Eve said so.")) == 3


def test_a_name_far_from_the_verb_is_not_offered():
    assert speakers("Ann came. " + "word " * 40 + "said someone.") == ()
