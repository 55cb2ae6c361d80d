import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SetupError
from service.llm.catalogue import HubSource, WheelSource, load, resolve
from tests.examples import examples

GOOD = """
default = "tiny"
[[models]]
name = "tiny"
title = "Tiny"
licence = "MIT"
file = "tiny.gguf"
size_bytes = 10
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
context_tokens = 1_024
max_output_tokens = 256
memory_bytes = 100
trial = true
narrow_schema = false
passage_chars = 1_200
prompt = "extract_claims@1"
asks_speakers = true
[[models.sources]]
kind = "hub"
path = "owner/tiny-GGUF"
revision = "main"
file = "sub/tiny.gguf"
[[models.sources]]
kind = "wheel"
packages = ["a-1==0.1", "a-2==0.1"]
members = ["a/1.bin", "a/2.bin"]
"""


def written(folder, text):
    path = folder / "models.toml"
    path.write_text(text, "utf-8")
    return path


def faults(folder, text):
    with pytest.raises(SetupError) as caught:
        load(written(folder, text))
    return caught.value.faults


def test_the_packaged_catalogue_is_whole():
    catalogue = load()
    assert catalogue.default == "smollm2-135m"
    assert list(catalogue.entries) == ["smollm2-135m", "qwen2.5-coder-1.5b", "qwen3-4b"]
    assert {entry.licence for entry in catalogue.entries.values()} == {"Apache-2.0"}
    assert not catalogue.entries["qwen3-4b"].trial


def test_a_file_in_parts_is_joined_in_numeric_order():
    (wheels,) = [source for source in load().entries["qwen2.5-coder-1.5b"].sources if isinstance(source, WheelSource)]
    numbers = [int(re.search(r"part(\d+)\.bin$", member)[1]) for member in wheels.members]
    assert numbers == list(range(1, 23))
    assert [int(re.search(r"part(\d+)==", package)[1]) for package in wheels.packages] == numbers


def test_an_entry_carries_what_the_file_says(tmp_path):
    entry = load(written(tmp_path, GOOD)).entries["tiny"]
    assert (entry.size_bytes, entry.context_tokens, entry.trial, entry.narrow_schema, entry.local) == (
        10,
        1024,
        True,
        False,
        None,
    )
    assert entry.sources == (
        HubSource(path="owner/tiny-GGUF", revision="main", file="sub/tiny.gguf"),
        WheelSource(packages=("a-1==0.1", "a-2==0.1"), members=("a/1.bin", "a/2.bin")),
    )


@pytest.mark.parametrize(
    "hub", [pytest.param("https://hub.example", id="bare"), pytest.param("https://hub.example/", id="slash")]
)
def test_a_hub_source_knows_its_address(hub):
    source = HubSource(path="owner/tiny", revision="v1", file="tiny.gguf")
    assert source.url(hub) == "https://hub.example/owner/tiny/resolve/v1/tiny.gguf"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param('licence = "MIT"', "", "models.0.licence", id="missing key"),
        pytest.param('licence = "MIT"', 'licence = "MIT"\nlicense = "MIT"', "models.0.license", id="unknown key"),
        pytest.param('default = "tiny"', 'default = "tiny"\nextra = 1', "extra", id="unknown top-level key"),
        pytest.param('default = "tiny"', 'default = "huge"', "default", id="default names no model"),
        pytest.param("size_bytes = 10", "size_bytes = 0", "models.0.size_bytes", id="no size"),
        pytest.param("size_bytes = 10", "size_bytes = 10.5", "models.0.size_bytes", id="fraction of a byte"),
        pytest.param("0123456789abcdef0", "0123456789ABCDEF0", "models.0.sha256", id="digest in capitals"),
        pytest.param("trial = true", "trial = 1", "models.0.trial", id="number for a flag"),
        pytest.param("max_output_tokens = 256", "max_output_tokens = 1024", "models.0.max_output_tokens", id="no room to ask"),
        pytest.param('file = "tiny.gguf"\nsize', 'file = "../tiny.gguf"\nsize', "models.0.file", id="file outside the folder"),
        pytest.param('name = "tiny"', 'name = "tiny.gguf"', "models.0.name", id="name that reads as a path"),
        pytest.param('kind = "hub"', 'kind = "torrent"', "models.0.sources.0.kind", id="unknown kind"),
        pytest.param('kind = "hub"\n', "", "models.0.sources.0.kind", id="no kind"),
        pytest.param('path = "owner/tiny-GGUF"', 'path = "tiny"', "models.0.sources.0.path", id="no owner"),
        pytest.param('revision = "main"', 'revision = "a/b"', "models.0.sources.0.revision", id="odd revision"),
        pytest.param('"sub/tiny.gguf"', '"sub/../../tiny.gguf"', "models.0.sources.0.file", id="hub file with dots"),
        pytest.param('"a-2==0.1"', '"a-2"', "models.0.sources.1.packages.1", id="no version"),
        pytest.param('"a-2==0.1"', '"--index-url=x==0.1"', "models.0.sources.1.packages.1", id="an option for pip"),
        pytest.param('"a/2.bin"', '"/a/2.bin"', "models.0.sources.1.members.1", id="absolute member"),
        pytest.param(', "a/2.bin"', "", "models.0.sources.1.members", id="fewer members than packages"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, old, new, place):
    assert old in GOOD
    told = faults(tmp_path, GOOD.replace(old, new))
    assert [fault.split(":")[0] for fault in told] == [place]


def test_a_source_that_is_no_table_is_told(tmp_path):
    text = GOOD.split("[[models.sources]]", maxsplit=1)[0] + "sources = [3]\n"
    assert faults(tmp_path, text) == ("models.0.sources.0.kind: Must be one of: hub, wheel.",)


def test_every_fault_is_told_at_once(tmp_path):
    told = faults(tmp_path, GOOD.replace("size_bytes = 10", "size_bytes = 0").replace('path = "owner/tiny-GGUF"', ""))
    assert {fault.split(":")[0] for fault in told} == {"models.0.size_bytes", "models.0.sources.0.path"}


def test_two_models_of_one_name_are_refused(tmp_path):
    model = GOOD.split('default = "tiny"')[1]
    assert faults(tmp_path, GOOD + model) == ("models: names and files must differ from each other",)


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"default = ", id="not TOML"), pytest.param(b"\xff", id="not UTF-8"), pytest.param(None, id="no such file")],
)
def test_a_catalogue_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "models.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match=r"models\.toml cannot be read"):
        load(path)


def test_without_a_name_the_default_is_meant(tmp_path):
    catalogue = load()
    assert resolve(None, catalogue, tmp_path).name == "smollm2-135m"
    assert resolve("qwen3-4b", catalogue, tmp_path) is catalogue.entries["qwen3-4b"]


def test_an_unknown_name_is_told_with_the_known_ones(tmp_path):
    with pytest.raises(SetupError, match=r"'gpt-9'.*smollm2-135m, qwen2\.5-coder-1\.5b, qwen3-4b"):
        resolve("gpt-9", load(), tmp_path)


@pytest.mark.parametrize("ask", [pytest.param(str, id="full path"), pytest.param(lambda path: path.name, id="name")])
def test_a_path_to_a_file_makes_an_entry_of_its_own(tmp_path, ask):
    path = tmp_path / "My-Model.Q8.gguf"
    path.write_bytes(b"GGUF")
    entry = resolve(ask(path), load(), tmp_path)
    assert (entry.name, entry.local, entry.sources) == ("My-Model.Q8", path, ())
    assert (entry.context_tokens, entry.trial, entry.narrow_schema) == (8192, False, True)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("missing.gguf", id="no such file"),
        pytest.param("/nowhere/at/all", id="no such path"),
        pytest.param("~nobody-of-that-name/x.gguf", id="no such home"),
        pytest.param("./" + "x" * 5000, id="a name too long for the disk"),
        pytest.param("./", id="a folder"),
    ],
)
def test_a_path_that_leads_to_no_file_is_refused(tmp_path, name):
    with pytest.raises(SetupError, match="the model file"):
        resolve(name, load(), tmp_path)


@examples()
@given(name=st.text(st.characters(exclude_characters="\0")))
def test_any_name_gives_an_entry_or_a_setup_error(tmp_path_factory, name):
    catalogue = load()
    try:
        entry = resolve(name, catalogue, tmp_path_factory.getbasetemp())
    except SetupError:
        return
    assert entry in catalogue.entries.values() or entry.local.is_file()
