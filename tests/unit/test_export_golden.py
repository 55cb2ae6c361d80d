import pytest

from service.export.formats import FORMATS
from tests.export_cases import CASES, GOLDEN, without_style


@pytest.mark.parametrize("exported", FORMATS, ids=lambda exported: exported.name)
@pytest.mark.parametrize("name", CASES)
def test_an_export_is_what_was_last_read_and_kept(name, exported):
    kept = (GOLDEN / f"{name}{exported.extension}").read_bytes().decode()
    assert without_style(exported.dump(CASES[name])) == kept


def test_there_is_a_golden_for_nothing_else():
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}{exported.extension}" for name in CASES for exported in FORMATS}
