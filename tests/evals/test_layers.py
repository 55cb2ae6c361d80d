import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE = sorted((ROOT / "service").rglob("*.py"))
EVALS = sorted((ROOT / "evals").rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_service_works_without_the_evaluation():
    users = {path for path in SERVICE if any(name.split(".")[0] == "evals" for name in imported(path))}
    assert all(path.is_relative_to(ROOT / "service" / "cli") for path in users)


@pytest.mark.parametrize(
    ("library", "home"), [("matplotlib", "plots.py"), ("jinja2", "report.py"), ("rich", "running.py")], ids=lambda value: value
)
def test_a_library_has_one_home(library, home):
    users = {path.name for path in EVALS if any(name.split(".")[0] == library for name in imported(path))}
    assert users == {home}


@pytest.mark.parametrize("path", EVALS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_runs_over_three_hundred_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
