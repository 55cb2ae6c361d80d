import json
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.wholefile import write_json, write_whole
from tests.examples import examples


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_data_are_there_and_nothing_else_is(tmp_path):
    write_whole(tmp_path / "a", b"one\r\n")
    write_whole(tmp_path / "a", b"two")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"two"}


@pytest.mark.usefixtures("umask")
def test_a_new_file_is_private_unless_asked_otherwise(tmp_path):
    write_whole(tmp_path / "a", b"")
    write_whole(tmp_path / "b", b"", mode=0o666)
    assert (mode(tmp_path / "a"), mode(tmp_path / "b")) == (0o600, 0o644)


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert mode(path) == 0o640


def test_what_cannot_take_the_files_place_leaves_no_part_behind(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "a", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no" / "a", b"data")


def test_json_makes_its_folder_and_ends_its_line(tmp_path):
    write_json(tmp_path / "b" / "c" / "a.json", {"é": [1]})
    assert (tmp_path / "b" / "c" / "a.json").read_bytes() == b'{\n "\\u00e9": [\n  1\n ]\n}\n'


@pytest.mark.parametrize("document", [float("nan"), object()], ids=["no number", "no JSON"])
def test_what_json_cannot_hold_leaves_the_old_file(tmp_path, document):
    path = tmp_path / "a.json"
    write_json(path, 1)
    with pytest.raises((ValueError, TypeError)):
        write_json(path, document)
    assert path.read_bytes() == b"1\n"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@examples()
@given(json_values)
def test_what_was_written_is_read_again(tmp_path_factory, document):
    path = tmp_path_factory.getbasetemp() / "document.json"
    write_json(path, document)
    assert json.loads(path.read_bytes()) == document
