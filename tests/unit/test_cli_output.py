import csv
import io
import json
import os
import stat
import sys
from dataclasses import replace

import pytest
from click import UsageError

from service.cli.output import FORMAT_NAMES, Output, chosen_output
from service.errors import SetupError
from service.export.formats import FORMATS
from tests.export_cases import CASES

CASE = CASES["latin"]
EXPORTS = {offered.name: offered for offered in FORMATS}
MANY = sorted(name for name, offered in EXPORTS.items() if offered.further)


def give(output, *analyses):
    for number, analysis in enumerate(analyses):
        output.show(f"{number}.txt", analysis.article.text, analysis)
    output.done()


def output(name, file=None, *, many=False, on_terminal=False):
    return Output(name, file, many, on_terminal)


def test_there_is_a_name_for_every_form_that_accept_can_ask_for():
    assert set(FORMAT_NAMES) == {"table", "json", *EXPORTS}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_goes_to_stdout_byte_for_byte(name, capfdbinary):
    give(output(name), CASE)
    assert capfdbinary.readouterr() == (EXPORTS[name].dump(CASE).encode(), b"")


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_goes_to_a_file_byte_for_byte(name, tmp_path, capfd):
    give(output(name, tmp_path / "claims"), CASE)
    assert (tmp_path / "claims").read_bytes() == EXPORTS[name].dump(CASE).encode()
    assert capfd.readouterr() == ("", "")


def test_json_in_a_file_is_a_line_for_each_article(tmp_path):
    give(output("json", tmp_path / "claims", many=True), CASE, CASES["scripts"])
    lines = (tmp_path / "claims").read_text("utf-8").splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["0.txt", "1.txt"]
    assert not lines[1].isascii()


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("in_file", [True, False], ids=["file", "stdout"])
def test_several_exports_make_one(name, in_file, tmp_path, capfdbinary):
    file = tmp_path / "claims" if in_file else None
    give(output(name, file, many=True), CASE, CASES["scripts"])
    data = file.read_bytes() if file else capfdbinary.readouterr().out
    assert data.startswith(EXPORTS[name].dump(CASE).encode())
    assert len(data) > len(EXPORTS[name].dump(CASE).encode())


def test_several_csv_tables_have_one_header_line(tmp_path):
    give(output("csv", tmp_path / "claims", many=True), CASE, replace(CASE, claims=()), CASES["scripts"])
    rows = list(csv.reader(io.StringIO((tmp_path / "claims").read_bytes().decode(), newline="")))
    assert len(rows) == 1 + len(CASE.claims) + len(CASES["scripts"].claims)
    assert [row[0] for row in rows].count("analysis_id") == 1


def test_a_terminal_is_not_steered_by_what_a_model_wrote(capfd):
    hostile = replace(CASE, claims=(replace(CASE.claims[0], text="a\x1b[2Jb\x9b2Jc"),))
    give(output("jsonl", on_terminal=True), hostile)
    give(output("markdown", on_terminal=True), hostile)
    assert not {"\x1b", "\x9b"} & set(capfd.readouterr().out)


def test_without_an_answer_the_file_stays_as_it_was(tmp_path):
    file = tmp_path / "claims"
    file.write_text("old")
    give(output("csv", file))
    assert file.read_text() == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another thing there")
def test_a_new_file_is_as_readable_as_any_other(tmp_path):
    before = os.umask(0o022)
    give(output("csv", tmp_path / "claims"), CASE)
    os.umask(before)
    assert stat.S_IMODE((tmp_path / "claims").stat().st_mode) == 0o644


def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "claims")
    give(output("csv", tmp_path / "link"), CASE)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "claims").is_file()


@pytest.mark.skipif(not os.path.exists(os.devnull), reason="no such device here")  # noqa: PTH110 - a name, not a path
def test_a_device_is_written_to_and_not_replaced(tmp_path):
    link = tmp_path / "nowhere"
    link.symlink_to(os.devnull)
    give(output("csv", link), CASE)
    assert not link.is_file()


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError, match="cannot be written"):
        give(output("csv", tmp_path / "folder"), CASE)


@pytest.mark.parametrize(
    ("asked", "file", "terminal", "name"),
    [
        pytest.param(None, None, True, "table", id="terminal"),
        pytest.param(None, None, False, "json", id="pipe"),
        pytest.param("csv", None, True, "csv", id="asked for"),
        pytest.param(None, "a.html", True, "html", id="HTML ending"),
        pytest.param(None, "a.MD", False, "markdown", id="Markdown ending"),
        pytest.param(None, "a.jsonld", False, "annotation", id="JSON-LD ending"),
        pytest.param(None, "a.json", True, "json", id="JSON ending"),
        pytest.param(None, "a", True, "json", id="no ending"),
        pytest.param("csv", "a.html", False, "csv", id="asked for against the ending"),
    ],
)
def test_the_form_is_what_was_asked_for_or_fits_the_place(asked, file, terminal, name, tmp_path):
    chosen = chosen_output(asked, tmp_path / file if file else None, many=False, on_terminal=terminal)
    assert chosen.name == name


@pytest.mark.parametrize(
    ("asked", "file", "many", "told"),
    [
        pytest.param("table", "a", False, "a table goes to a terminal", id="table in a file"),
        pytest.param("csv", "no/a", False, "no folder", id="no folder"),
        pytest.param("html", None, True, "one FILE only", id="several pages"),
        pytest.param(None, "a.jsonld", True, "one FILE only", id="several collections"),
    ],
)
def test_what_does_not_go_together_is_told(asked, file, many, told, tmp_path):
    with pytest.raises(UsageError, match=told):
        chosen_output(asked, tmp_path / file if file else None, many=many, on_terminal=False)
