import ast
from pathlib import Path

import pytest

from tests.examples import EXAMPLES_VARIABLE, examples

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("asked", "tried"),
    [pytest.param("", 200, id="nothing"), pytest.param("7", 200, id="less"), pytest.param("900", 900, id="more")],
)
def test_a_property_test_tries_what_it_says_or_more_when_asked(asked, tried):
    assert examples(200, environ={EXAMPLES_VARIABLE: asked}).max_examples == tried


def test_every_property_test_can_be_asked_for_more_examples():
    def names(function):
        called = [one.func if isinstance(one, ast.Call) else one for one in function.decorator_list]
        return {one.id for one in called if isinstance(one, ast.Name)}

    found = [
        (path.name, function.name, names(function))
        for path in sorted(TESTS.rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef)
    ]
    properties = [one for one in found if "given" in one[2]]
    assert len(properties) > 80
    assert [one for one in properties if "examples" not in one[2]] == []
