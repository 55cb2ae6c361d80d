import pytest

from tests.evals.miniature import write_sets


@pytest.fixture
def data(tmp_path):
    """A data folder with a miniature of some sets; the others are missing."""
    return write_sets(tmp_path / "data")
