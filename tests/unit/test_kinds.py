import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.domain import Kind
from service.text.kinds import kind_of
from tests.examples import examples


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        pytest.param("Police arrested the student", Kind.EVENT, id="past"),
        pytest.param("The minister visited Tehran on August 5", Kind.EVENT, id="a date is no figure"),
        pytest.param("The court met on May 5", Kind.EVENT, id="a month is no possibility"),
        pytest.param("The company was founded in 1998", Kind.EVENT, id="a year is no figure"),
        pytest.param("1,426 pilgrims were trampled", Kind.QUANTITY, id="a figure"),
        pytest.param("it cost €20", Kind.QUANTITY, id="money"),
        pytest.param("Thousands took part", Kind.QUANTITY, id="figure in words"),
        pytest.param("The delay was caused by rain", Kind.CAUSAL, id="a cause"),
        pytest.param("The law applies to private schools", Kind.RULE, id="a law"),
        pytest.param("Visitors will be able to climb aboard", Kind.PREDICTION, id="the future"),
        pytest.param("Iran is an important partner of Russia", Kind.OTHER, id="a state of affairs"),
        pytest.param("", Kind.OTHER, id="nothing"),
    ],
)
def test_the_kind_of_an_english_claim(claim, kind):
    assert kind_of(claim, "en") == kind


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        pytest.param("Die Polizei hat den Mann festgenommen", Kind.EVENT, id="past"),
        pytest.param("Zwei Millionen Menschen leben dort", Kind.QUANTITY, id="figure in words"),
        pytest.param("Wegen des Regens fiel der Zug aus", Kind.CAUSAL, id="a cause"),
        pytest.param("Das Gesetz gilt für alle", Kind.RULE, id="a law"),
        pytest.param("Die Brücke soll wieder öffnen", Kind.PREDICTION, id="the future"),
    ],
)
def test_the_kind_of_a_german_claim(claim, kind):
    assert kind_of(claim, "de-AT") == kind


@pytest.mark.parametrize(("claim", "kind"), [("Погибли 40 человек", Kind.QUANTITY), ("Полиция задержала его", Kind.EVENT)])
def test_elsewhere_a_figure_makes_a_quantity(claim, kind):
    assert kind_of(claim, "ru") == kind


@example("ge" * 10_000 + "!", "de")
@example("1." * 10_000 + "a", "en")
@example("May 1" * 10_000, "en")
@examples()
@given(st.text(), st.sampled_from(["en", "de", "ru", ""]))
def test_any_text_has_a_kind(claim, language):
    assert isinstance(kind_of(claim, language), Kind)
