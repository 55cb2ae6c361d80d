import numpy as np
import pytest

from evals.figures import Figure, Sums, accuracy, cell, f1, macro_f1, ratio

LABELS = ("yes", "no")


def computed(formula, **columns):
    sums = Sums(np.array([list(columns.values())], dtype=float).reshape(1, len(columns)), list(columns))
    return float(Figure("x", "X", "G", formula, "…").of(sums)[0])


def table(**cells):
    """A confusion table from cells written `yes_no=3`: labelled yes, answered no."""
    return {cell("t", *name.split("_")): count for name, count in cells.items()}


def test_a_ratio_is_one_sum_over_another():
    assert computed(ratio("a", "b"), a=1, b=4) == 0.25


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param(ratio("a", "b"), id="ratio"),
        pytest.param(f1("a", "b", "c"), id="F1"),
        pytest.param(accuracy("t", LABELS), id="accuracy"),
        pytest.param(macro_f1("t", LABELS), id="macro-F1"),
    ],
)
def test_a_figure_with_nothing_to_divide_by_is_undefined_and_not_zero(formula):
    assert np.isnan(computed(formula, other=1))


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    precision, recall = 3 / 4, 3 / 6
    assert computed(f1("hits", "ours", "theirs"), hits=3, ours=4, theirs=6) == pytest.approx(
        2 * precision * recall / (precision + recall)
    )


def test_accuracy_is_the_diagonal():
    assert computed(accuracy("t", LABELS), **table(yes_yes=3, yes_no=1, no_no=4, no_yes=2)) == 0.7


def test_macro_f1_weighs_labels_alike_and_leaves_out_those_that_do_not_occur():
    cells = table(yes_yes=3, yes_no=1, no_no=4, no_yes=2)
    expected = (2 * 3 / (4 + 5) + 2 * 4 / (6 + 5)) / 2
    assert computed(macro_f1("t", LABELS), **cells) == pytest.approx(expected)
    assert computed(macro_f1("t", (*LABELS, "never")), **cells) == pytest.approx(expected)
