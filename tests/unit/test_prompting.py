import json
import resource
import stat
import tomllib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SetupError, UnknownPromptError
from service.llm.base import Message, ReplySchema
from service.prompt_files import find_prompts, load_prompts, seal
from service.prompting import Prompt, PromptLibrary, diff, parse_prompt, parse_schema
from tests.examples import examples

HEAD = """\
format = 1
summary = "The first version."
inputs = ["title", "sentences"]
output = "claim_list.v1"

[params]
temperature = 0.0
max_output_tokens = 4000
"""
BODY = """\
=== system ===
You extract claims. Answer like {"claims": [{"a": {}}]}.

=== user ===
Title: {{ title }}

<article>
{{ sentences }}
</article>
"""
SCHEMA = {"type": "object", "properties": {"é": {"type": "string"}}, "additionalProperties": False}
SCHEMAS = {"claim_list.v1": ReplySchema("claim_list.v1", "0" * 64, SCHEMA)}
UNSEALED = "0" * 64


def file_text(head=HEAD, body=BODY):
    return f"+++\n{head}+++\n{body}"


def parsed(text):
    return parse_prompt(text, task="extract_claims", version=1, schemas=SCHEMAS)


def faults_of(text):
    with pytest.raises(SetupError) as caught:
        parsed(text)
    return caught.value.faults


def seal_of(text, schema=SCHEMA):
    canonical = json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode() + b"\0" + canonical.encode()).hexdigest()


def write_folder(root, files=None, *, index=None, schema=SCHEMA):
    """A folder of prompts: `files` by `task@n`, sealed, the first version of each task active unless `index` is given."""
    files = {"extract_claims@1": file_text()} if files is None else files
    (root / "schemas").mkdir()
    (root / "schemas" / "claim_list.v1.json").write_text(json.dumps(schema), encoding="utf-8")
    for name, text in files.items():
        path_of(root, name).parent.mkdir(exist_ok=True)
        path_of(root, name).write_text(text, encoding="utf-8", newline="")
    if index is None:
        active = "".join(f"{task} = 1\n" for task in sorted({name.split("@")[0] for name in files}))
        seals = "".join(f'"{name}" = "{seal_of(text, schema)}"\n' for name, text in files.items())
        index = f"[active]\n{active}\n[sha256]\n{seals}"
    (root / "index.toml").write_text(index, encoding="utf-8", newline="")
    return root


def path_of(root, name):
    task, version = name.split("@")
    return root / task / f"v{version}.md"


def load_faults(root, *, drafts=False):
    with pytest.raises(SetupError) as caught:
        load_prompts(root, drafts=drafts)
    return caught.value.faults


# --- one prompt ---------------------------------------------------------------------------------------------------------


def test_a_prompt_file_says_everything_about_its_prompt():
    prompt = parsed(file_text())
    assert (prompt.task, prompt.version, prompt.name) == ("extract_claims", 1, "extract_claims@1")
    assert (prompt.summary, prompt.temperature, prompt.max_output_tokens) == ("The first version.", 0.0, 4000)
    assert prompt.inputs == {"title", "sentences"}
    assert prompt.output is SCHEMAS["claim_list.v1"]
    assert (prompt.sealed, prompt.active) == (False, False)
    assert prompt.source == file_text()
    assert [block.role for block in prompt.blocks] == ["system", "user"]
    assert prompt.blocks[0].template == 'You extract claims. Answer like {"claims": [{"a": {}}]}.'


def test_the_hash_covers_the_file_and_the_schema_and_shows_in_the_ref():
    prompt = parsed(file_text())
    assert prompt.sha256 == seal_of(file_text())
    assert prompt.ref == f"extract_claims@1#{prompt.sha256[:12]}"


def test_the_repr_of_a_prompt_does_not_hold_its_text():
    assert "You extract" not in repr(parsed(file_text()))


def test_rendering_gives_one_message_per_block_in_order():
    body = BODY.replace("=== user ===", "=== user ===\nExample\n\n=== assistant ===\n[]\n\n=== user ===")
    assert parsed(file_text(body=body)).render({"title": "T", "sentences": "[1] S."}) == (
        Message("system", 'You extract claims. Answer like {"claims": [{"a": {}}]}.'),
        Message("user", "Example"),
        Message("assistant", "[]"),
        Message("user", "Title: T\n\n<article>\n[1] S.\n</article>"),
    )


def test_a_prompt_may_take_no_input():
    body = "=== system ===\nA\n=== user ===\nB\n"
    prompt = parsed(file_text(HEAD.replace('["title", "sentences"]', "[]"), body))
    assert prompt.render({}) == (Message("system", "A"), Message("user", "B"))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"title": "T"}, id="one missing"),
        pytest.param({"title": "T", "sentences": "S", "extra": "E"}, id="one too many"),
        pytest.param({}, id="none"),
    ],
)
def test_rendering_refuses_values_that_are_not_exactly_the_inputs(values):
    with pytest.raises(ValueError, match="takes exactly"):
        parsed(file_text()).render(values)


PROMPT = parsed(file_text())
HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            ["{{ title }}", "{{ sentences }}", "{{", "}}", "\n=== system ===\n", "=== user ===", "+++", "\\1", "\\g<0>", "\r\n"]
        ),
    ),
    max_size=6,
).map("".join)


@examples(200)
@given(title=HOSTILE, sentences=HOSTILE)
def test_values_are_never_expanded_and_never_change_a_role(title, sentences):
    messages = PROMPT.render({"title": title, "sentences": sentences})
    assert messages == (
        Message("system", 'You extract claims. Answer like {"claims": [{"a": {}}]}.'),
        Message("user", f"Title: {title}\n\n<article>\n{sentences}\n</article>"),
    )


@examples(200)
@given(
    body=st.lists(st.one_of(st.text(max_size=12), st.sampled_from(["{{ title }}", "{{", "=== user ===\n", "\n"]))).map("".join)
)
def test_any_body_is_a_prompt_or_is_refused(body):
    text = file_text(HEAD.replace(', "sentences"', ""), f"=== system ===\nS\n=== user ===\n{body}")
    try:
        prompt = parsed(text)
    except SetupError:
        return
    assert "{{" not in prompt.render({"title": "T"})[-1].content


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param("format = 1", "format = 2", "format: must be 1", id="other format"),
        pytest.param("format = 1", "format = true", "format: must be 1", id="bool is no integer"),
        pytest.param("format = 1\n", "", "format: missing", id="missing key"),
        pytest.param("format = 1", "format = 1\nouptut = 1", "'ouptut': no such key", id="unknown key"),
        pytest.param("temperature = 0.0", "temprature = 0.0", "params.'temprature': no such key", id="unknown parameter"),
        pytest.param("temperature = 0.0", "temprature = 0.0", "params.temperature: missing", id="missing parameter"),
        pytest.param('"The first version."', "1", "summary: must be one line of text", id="summary is a number"),
        pytest.param('"The first version."', '" "', "summary: must be one line of text", id="summary is blank"),
        pytest.param('"The first version."', '"a\\nb"', "summary: must be one line of text", id="summary of two lines"),
        pytest.param('["title", "sentences"]', '"title"', "inputs: must be a list", id="inputs is text"),
        pytest.param('["title", "sentences"]', "[1]", "inputs: must be a list", id="an input is a number"),
        pytest.param('["title", "sentences"]', '["title", "title"]', "inputs: must be a list", id="an input twice"),
        pytest.param('["title", "sentences"]', '["Title", "sentences"]', "inputs: must be a list", id="an odd input name"),
        pytest.param('["title", "sentences"]', '["title"]', "inputs: 'sentences' is used but not declared", id="undeclared"),
        pytest.param('"sentences"]', '"sentences", "date"]', "inputs: 'date' is declared but not used", id="unused"),
        pytest.param('"claim_list.v1"', '"claim_list"', "output: must be the name of a schema", id="output without version"),
        pytest.param('"claim_list.v1"', '"../secret.v1"', "output: must be the name of a schema", id="output is a path"),
        pytest.param('"claim_list.v1"', "1", "output: must be the name of a schema", id="output is a number"),
        pytest.param('"claim_list.v1"', '"other.v1"', "output: there is no usable schemas/other.v1.json", id="no such schema"),
        pytest.param("0.0", "2.1", "params.temperature: must be a float from 0.0 to 2.0", id="too hot"),
        pytest.param("0.0", "-0.1", "params.temperature: must be", id="too cold"),
        pytest.param("0.0", "nan", "params.temperature: must be", id="temperature is not a number"),
        pytest.param("0.0", "0", "params.temperature: must be", id="temperature is an integer"),
        pytest.param("0.0", '"0.0"', "params.temperature: must be", id="temperature is text"),
        pytest.param("4000", "0", "params.max_output_tokens: must be an integer of 1 or more", id="no tokens"),
        pytest.param("4000", "true", "params.max_output_tokens: must be", id="tokens is a bool"),
        pytest.param("4000", "4000.0", "params.max_output_tokens: must be", id="tokens is a float"),
        pytest.param("[params]", "[[params]]", "params: must be a table", id="params is a list"),
        pytest.param("format = 1", "format 1", "front matter is not TOML: ", id="not TOML"),
        pytest.param("format = 1", "format = 1\nformat = 1", "front matter is not TOML: ", id="a key twice"),
        pytest.param("format = 1", "format = " + "[" * 5000, "front matter is not TOML: ", id="nested too deep"),
    ],
)
def test_front_matter_is_refused(old, new, fault):
    assert any(told.startswith(fault) for told in faults_of(file_text(HEAD.replace(old, new))))


def test_a_fault_of_the_toml_is_told_by_its_line_in_the_file():
    assert "line 3" in faults_of(file_text("format = 1\nsummary\n"))[0]


def test_a_prompt_that_continues_a_conversation_needs_no_system_block():
    prompt = parsed(file_text(HEAD, "=== user ===\n{{ title }}\n{{ sentences }}\n"))
    assert [block.role for block in prompt.blocks] == ["user"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param("hello\nthere\n" + BODY, "line 11: text before the first block", id="text before the first block"),
        pytest.param("", "the last block must be `=== user ===`", id="no block"),
        pytest.param(BODY + BODY, "the last block must be", id="a second system block"),
        pytest.param(BODY + "=== assistant ===\nB\n", "the last block must be", id="last block is not the user's"),
        pytest.param(BODY.replace("system", "tool"), "line 11: no such role: 'tool'", id="unknown role"),
        pytest.param("=== system ===\n \n" + BODY[BODY.index("=== user") :], "line 11: this block is empty", id="empty block"),
        pytest.param("===system===\nA\n" + BODY, "line 11: a block begins with", id="header without blanks"),
        pytest.param(BODY + " === user ===\nA\n", "line 20: a block begins with", id="indented header"),
        pytest.param(BODY + "=== user\nA\n", "line 20: a block begins with", id="half a header"),
        pytest.param(
            BODY.replace("{}", "{{ title }}"), "line 12: a system block takes no placeholder", id="system placeholder"
        ),
        pytest.param(
            BODY + "{{ canary }}\n", "line 20: `{{ canary }}` stands in a system block only", id="the mark for all to see"
        ),
        pytest.param(BODY + "{{x}\n", "line 20: a placeholder is written", id="half closed"),
        pytest.param(BODY + "{{ x\n}}\n", "line 20: a placeholder is written", id="over two lines"),
        pytest.param(BODY + "{{ a b }}\n", "line 20: a placeholder is written", id="two names"),
        pytest.param(BODY + "{{title}}\n", "line 20: a placeholder is written", id="without blanks"),
        pytest.param(BODY + "{{ Title }}\n", "line 20: a placeholder is written", id="capital"),
        pytest.param(BODY + "{{ title | upper }}\n", "line 20: a placeholder is written", id="filter"),
        pytest.param(BODY + "{{{ title }}}\n", "line 20: a placeholder is written", id="three braces"),
        pytest.param(BODY + "{ title }}\n", "line 20: a placeholder is written", id="half opened"),
        pytest.param(BODY + "{{ x }}\n", "inputs: 'x' is used but not declared", id="undeclared input"),
        pytest.param(BODY + "a\rb\n", "line 20: control character U+000D", id="lone carriage return"),
        pytest.param(BODY + "a\0b\n", "line 20: control character U+0000", id="NUL"),
    ],
)
def test_a_body_is_refused(body, fault):
    assert any(told.startswith(fault) for told in faults_of(file_text(body=body)))


def test_the_system_block_may_hold_the_mark_that_the_service_gives_it_and_needs_none():
    prompt = parsed(file_text(body=BODY.replace("You extract", "{{ canary }} You extract")))
    given_both = prompt.render({"title": "{{ canary }}", "sentences": "S"}, "mark")
    assert given_both[0].content.startswith("mark You extract")
    assert given_both[1].content.startswith("Title: {{ canary }}\n")
    assert prompt.render({"title": "T", "sentences": "S"})[0].content.startswith(" You extract")


def test_no_input_may_take_the_place_of_the_mark():
    faults = faults_of(file_text(HEAD.replace('"title"', '"title", "canary"')))
    assert faults == ("inputs: 'canary' is declared but not used",)


def test_a_line_of_equals_signs_is_text():
    assert parsed(file_text(body=BODY + "Heading\n=======\n")).blocks[-1].template.endswith("=======")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(BODY, id="none"),
        pytest.param("+++\n" + HEAD, id="not closed"),
        pytest.param("\n" + file_text(), id="not in the first line"),
    ],
)
def test_a_file_without_front_matter_is_refused(text):
    assert faults_of(text) == ("must begin with front matter between two lines `+++`",)


def test_all_faults_of_a_file_are_told_together_without_its_text():
    body = BODY.replace("{{ title }}", "{{title}} secret")
    told = faults_of(file_text(HEAD.replace("format = 1", "format = 2"), body))
    assert told == (
        "format: must be 1",
        "line 15: a placeholder is written `{{ name }}`, exactly so",
        "inputs: 'title' is declared but not used",
    )


# --- reply schemas ------------------------------------------------------------------------------------------------------


def test_a_schema_is_hashed_over_its_canonical_form():
    spaced = parse_schema("claim_list.v1", '{ "type" : "object", "a": "é" }')
    tight = parse_schema("claim_list.v1", '{"a":"\\u00e9","type":"object"}')
    assert spaced == tight
    assert spaced.sha256 == sha256('{"a":"é","type":"object"}'.encode()).hexdigest()
    assert spaced.document == {"type": "object", "a": "é"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param('{"type": "object", "type": "object"}', "not strict JSON: holds the same key twice", id="a key twice"),
        pytest.param('{"type": "object", "maximum": NaN}', "not strict JSON: holds NaN", id="NaN"),
        pytest.param('{"type": "object", "maximum": 1e999}', "not strict JSON: ", id="infinite"),
        pytest.param('{"type": "object", "a": "\\ud800"}', "not strict JSON: ", id="half a surrogate pair"),
        pytest.param("{", "not strict JSON: ", id="not JSON"),
        pytest.param("[" * 100_000, "not strict JSON: ", id="nested too deep"),
        pytest.param("[]", "must be a JSON object", id="no object"),
        pytest.param('{"type": "array"}', "must be a JSON object", id="schema of a list"),
        pytest.param("{}", "must be a JSON object", id="schema of anything"),
    ],
)
def test_a_schema_is_refused(text, fault):
    with pytest.raises(SetupError) as caught:
        parse_schema("claim_list.v1", text)
    assert caught.value.faults[0].startswith(fault)


# --- the folder ---------------------------------------------------------------------------------------------------------


def test_a_folder_loads_in_order_of_task_and_version(tmp_path):
    files = {name: file_text() for name in ("b_task@10", "b_task@1", "b_task@2", "a_task@1")}
    library = load_prompts(write_folder(tmp_path, files))
    assert [prompt.name for prompt in library] == ["a_task@1", "b_task@1", "b_task@2", "b_task@10"]
    assert [prompt.active for prompt in library] == [True, True, False, False]
    assert all(prompt.sealed for prompt in library)


def test_crlf_files_are_the_same_prompts_as_lf_files(tmp_path):
    write_folder(tmp_path)
    path_of(tmp_path, "extract_claims@1").write_bytes(file_text().replace("\n", "\r\n").encode())
    (prompt,) = load_prompts(tmp_path)
    assert prompt.source == file_text()
    assert prompt.sha256 == seal_of(file_text())


def test_hidden_files_and_files_beside_the_tasks_are_left_alone(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "CHANGELOG.md").write_text("why\n", encoding="utf-8")
    (tmp_path / ".git").mkdir()
    (tmp_path / "extract_claims" / ".v1.md.swp").write_bytes(b"\xff")
    assert len(list(load_prompts(tmp_path))) == 1


def test_an_unsealed_version_is_refused_unless_drafts_are_wanted(tmp_path):
    write_folder(tmp_path, index="[active]\nextract_claims = 1\n")
    assert load_faults(tmp_path) == ("extract_claims/v1.md: not sealed: `factcheck prompts seal extract_claims@1` does it",)
    (prompt,) = load_prompts(tmp_path, drafts=True)
    assert (prompt.sealed, prompt.active) == (False, True)


def test_a_task_without_an_active_version_is_refused_unless_drafts_are_wanted(tmp_path):
    write_folder(tmp_path, index=f'[sha256]\n"extract_claims@1" = "{seal_of(file_text())}"\n')
    assert load_faults(tmp_path) == ("index.toml: active: extract_claims has no active version",)
    (prompt,) = load_prompts(tmp_path, drafts=True)
    assert (prompt.sealed, prompt.active) == (True, False)


CHANGED = (
    "extract_claims/v1.md: it or its schema claim_list.v1 was changed after sealing: restore it and write the next version"
)


@pytest.mark.parametrize("drafts", [False, True])
def test_a_changed_file_is_refused(tmp_path, drafts):
    write_folder(tmp_path)
    path_of(tmp_path, "extract_claims@1").write_text(file_text() + "one more line\n", encoding="utf-8")
    assert load_faults(tmp_path, drafts=drafts) == (CHANGED,)


def test_a_changed_schema_is_refused(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "schemas" / "claim_list.v1.json").write_text('{"type": "object"}', encoding="utf-8")
    assert load_faults(tmp_path) == (CHANGED,)


@pytest.mark.parametrize(
    ("index", "fault"),
    [
        pytest.param("active = 1\n", "[active] and [sha256] must be tables", id="active is no table"),
        pytest.param("sha256 = []\n", "[active] and [sha256] must be tables", id="sha256 is no table"),
        pytest.param("[aktive]\n", "'aktive': no such table", id="unknown table"),
        pytest.param("[active]\nextract_claims = true\n", "active: 'extract_claims' must name", id="version is a bool"),
        pytest.param("[active]\nextract_claims = 0\n", "active: 'extract_claims' must name", id="version is zero"),
        pytest.param('[active]\n"../x" = 1\n', "active: '../x' must name", id="task is a path"),
        pytest.param(f'[sha256]\n"a@01" = "{UNSEALED}"\n', "sha256: 'a@01' must be", id="leading zero"),
        pytest.param(f'[sha256]\n"a@1" = "{"A" * 64}"\n', "sha256: 'a@1' must be", id="capital digits"),
        pytest.param('[sha256]\n"a@1" = 1\n', "sha256: 'a@1' must be", id="hash is a number"),
        pytest.param(f'[sha256]\n"a@1" = "{UNSEALED}"\n', "sha256: a@1 has no file any more", id="sealed file is gone"),
        pytest.param("[active]\nextract_claims = 2\n", "active: extract_claims = 2, but there is no", id="active is gone"),
        pytest.param("[active\n", "not TOML: ", id="not TOML"),
        pytest.param("a = " + "[" * 5000, "not TOML: ", id="nested too deep"),
        pytest.param("\ufeff[active]\n", "begins with a byte order mark", id="byte order mark"),
    ],
)
def test_an_index_is_refused(tmp_path, index, fault):
    write_folder(tmp_path, index=index)
    assert load_faults(tmp_path, drafts=True)[0].startswith(f"index.toml: {fault}")


@pytest.mark.parametrize(
    ("path", "content", "fault"),
    [
        pytest.param("extract_claims/V2.md", b"", "'extract_claims/V2.md': a version is named", id="capital"),
        pytest.param("extract_claims/v02.md", b"", "'extract_claims/v02.md': a version is named", id="leading zero"),
        pytest.param("extract_claims/v2.md.bak", b"", "'extract_claims/v2.md.bak': a version is named", id="backup"),
        pytest.param("extract_claims/v\u0662.md", b"", "'extract_claims/v\u0662.md': a version is named", id="foreign digit"),
        pytest.param("Extract/v1.md", b"", "'Extract': a task is named", id="odd task name"),
        pytest.param("extract_claims/v2.md", b"\xff", "extract_claims/v2.md: not UTF-8 at byte 0", id="not UTF-8"),
        pytest.param(
            "extract_claims/v2.md", b"\xef\xbb\xbf+++", "extract_claims/v2.md: begins with a byte order mark", id="mark"
        ),
        pytest.param("extract_claims/v2.md/x", b"", "extract_claims/v2.md: cannot be read: ", id="a folder"),
        pytest.param("schemas/claims.json", b"{}", "schemas/claims.json: a schema is named like", id="odd schema name"),
        pytest.param("schemas/other.v1.json", b"[]", "schemas/other.v1.json: must be a JSON object", id="broken schema"),
    ],
)
def test_a_file_that_does_not_belong_is_refused_by_name(tmp_path, path, content, fault):
    write_folder(tmp_path)
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_bytes(content)
    (told,) = load_faults(tmp_path, drafts=True)
    assert told.startswith(fault)


def test_all_faults_of_all_files_are_told_together(tmp_path):
    write_folder(
        tmp_path,
        {"a_task@1": file_text(HEAD.replace("format = 1", "format = 2")), "b_task@1": file_text(body="")},
        index="[aktive]\n",
    )
    (tmp_path / "schemas" / "other.v1.json").write_text("[]", encoding="utf-8")
    with pytest.raises(SetupError, match=r"index\.toml") as caught:
        load_prompts(tmp_path)
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "index.toml",
        "schemas/other.v1.json",
        "a_task/v1.md",
        "b_task/v1.md",
        "b_task/v1.md",
        "b_task/v1.md",
    ]


def test_an_empty_folder_and_a_missing_one_are_refused(tmp_path):
    told = load_faults(tmp_path)
    assert [fault.split(":")[0] for fault in told] == ["index.toml", "schemas", "there is no <task>/v<n>.md"]
    assert load_faults(tmp_path / "nowhere")[0].startswith("cannot be read: ")


def test_installed_prompts_are_found_before_the_ones_of_a_checkout(tmp_path):
    package = tmp_path / "service"
    package.mkdir()
    with pytest.raises(SetupError, match="the installation is incomplete"):
        find_prompts(package)
    (tmp_path / "prompts").mkdir()
    assert find_prompts(package) == tmp_path / "prompts"
    (package / "_prompts").mkdir()
    assert find_prompts(package) == package / "_prompts"


def test_a_checkout_holds_prompts():
    assert find_prompts().is_dir()


# --- choosing one -------------------------------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path) -> PromptLibrary:
    files = {
        "extract_claims@1": file_text(),
        "extract_claims@2": file_text(body=BODY + "Answer in English.\n"),
        "repair_reply@1": file_text(),
    }
    return load_prompts(write_folder(tmp_path, files))


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        pytest.param(None, "extract_claims@1", id="nothing asked for"),
        pytest.param("extract_claims", "extract_claims@1", id="the task"),
        pytest.param("extract_claims@1", "extract_claims@1", id="the active version"),
        pytest.param("extract_claims@2", "extract_claims@2", id="another version"),
    ],
)
def test_a_ref_selects_a_prompt(library, ref, name):
    assert library.select(ref, "extract_claims").name == name


@pytest.mark.parametrize("digits", [8, 12, 64])
def test_a_hash_in_a_ref_may_be_short_but_must_match(library, digits):
    prompt = library.select("extract_claims@2", "extract_claims")
    assert library.select(f"extract_claims@2#{prompt.sha256[:digits]}", "extract_claims") is prompt
    with pytest.raises(UnknownPromptError):
        library.select(f"extract_claims@1#{prompt.sha256[:digits]}", "extract_claims")


@pytest.mark.parametrize(
    "ref",
    [
        pytest.param("", id="empty"),
        pytest.param("repair_reply@1", id="another task"),
        pytest.param("extract_claims@3", id="unknown version"),
        pytest.param("extract_claims@01", id="leading zero"),
        pytest.param("extract_claims@1\n", id="line end"),
        pytest.param("extract_claims@\u0661", id="foreign digit"),
        pytest.param("extract_claims@" + "9" * 5000, id="huge version"),
        pytest.param("extract_claims@1#" + seal_of(file_text())[:7], id="hash too short"),
        pytest.param("extract_claims#" + seal_of(file_text())[:12], id="hash without version"),
        pytest.param("../extract_claims@1", id="path"),
    ],
)
def test_an_unknown_ref_is_refused_with_the_refs_that_exist(library, ref):
    with pytest.raises(UnknownPromptError) as caught:
        library.select(ref, "extract_claims")
    one, two, _ = library
    assert caught.value.message.endswith(f"; there is: {one.ref} (active), {two.ref}")


def test_a_task_without_prompts_has_none_to_offer(library):
    with pytest.raises(UnknownPromptError, match="no prompt 'judge'; there is: none"):
        library.select(None, "judge")


@examples(200)
@given(ref=st.text(max_size=300))
def test_a_refused_ref_is_quoted_escaped_and_no_longer_than_80_characters(ref):
    with pytest.raises(UnknownPromptError) as caught:
        PromptLibrary(()).select(ref, "extract_claims")
    assert caught.value.message == f"no prompt {ref[:80]!r}{'…' if len(ref) > 80 else ''}; there is: none"
    assert caught.value.message.isprintable()


# --- sealing ------------------------------------------------------------------------------------------------------------

ONE = f'"extract_claims@1" = "{seal_of(file_text())}"'
TWO_TEXT = file_text(body=BODY + "Answer in English.\n")
TWO = f'"extract_claims@2" = "{seal_of(TWO_TEXT)}"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            f"# head\n[active]\nextract_claims = 1\n\n[sha256]   # append-only\n{ONE}\n",
            f"# head\n[active]\nextract_claims = 1\n\n[sha256]   # append-only\n{ONE}\n{TWO}\n",
            id="last table",
        ),
        pytest.param(
            f"[sha256]\n{ONE}  # first\n\n# who is on\n[active]\nextract_claims = 1",
            f"[sha256]\n{ONE}  # first\n{TWO}\n\n# who is on\n[active]\nextract_claims = 1",
            id="first table",
        ),
        pytest.param(f"[sha256]\n{ONE}", f"[sha256]\n{ONE}\n{TWO}\n", id="no line end at the end"),
        pytest.param(f"[sha256]\r\n{ONE}", f"[sha256]\r\n{ONE}\r\n{TWO}\r\n", id="CRLF, no line end at the end"),
        pytest.param(
            f"[sha256]\r\n{ONE}\r\n\r\n[active]\r\nextract_claims = 1\r\n",
            f"[sha256]\r\n{ONE}\r\n{TWO}\r\n\r\n[active]\r\nextract_claims = 1\r\n",
            id="CRLF",
        ),
        pytest.param("[sha256]\n", f"[sha256]\n{TWO}\n", id="empty table"),
        pytest.param("", f"[sha256]\n{TWO}\n", id="empty file"),
        pytest.param(
            "[active]\nextract_claims = 1\n", f"[active]\nextract_claims = 1\n[sha256]\n{TWO}\n", id="no table of seals"
        ),
        pytest.param(
            "[active]\r\nextract_claims = 1",
            f"[active]\r\nextract_claims = 1\r\n[sha256]\r\n{TWO}\r\n",
            id="no table of seals, CRLF, no line end at the end",
        ),
    ],
)
def test_sealing_adds_one_line_and_keeps_the_rest(tmp_path, before, after):
    write_folder(tmp_path, {"extract_claims@1": file_text(), "extract_claims@2": TWO_TEXT}, index=before)
    prompt = seal(tmp_path, "extract_claims@2")
    assert (prompt.name, prompt.sealed) == ("extract_claims@2", True)
    assert (tmp_path / "index.toml").read_bytes().decode() == after
    assert prompt in load_prompts(tmp_path, drafts=True)


def test_sealing_keeps_the_mode_of_the_index_and_leaves_nothing_behind(tmp_path):
    write_folder(tmp_path, index="")
    (tmp_path / "index.toml").chmod(0o640)
    seal(tmp_path, "extract_claims@1")
    assert stat.S_IMODE((tmp_path / "index.toml").stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["extract_claims", "index.toml", "schemas"]


def test_sealing_a_sealed_prompt_changes_nothing(tmp_path):
    write_folder(tmp_path)
    before = (tmp_path / "index.toml").stat()
    assert seal(tmp_path, "extract_claims@1").sealed
    assert (tmp_path / "index.toml").stat() == before


def test_a_changed_sealed_prompt_is_not_sealed_again(tmp_path):
    write_folder(tmp_path)
    path_of(tmp_path, "extract_claims@1").write_text(TWO_TEXT, encoding="utf-8")
    with pytest.raises(SetupError, match="write the next version"):
        seal(tmp_path, "extract_claims@1")


@pytest.mark.parametrize("name", ["extract_claims@2", "extract_claims", "../extract_claims@1", ""])
def test_a_prompt_that_is_not_there_is_not_sealed(tmp_path, name):
    with pytest.raises(UnknownPromptError, match=r"there is: extract_claims@1#[0-9a-f]{12} \(active\)"):
        seal(write_folder(tmp_path), name)


@pytest.mark.parametrize(
    "index",
    [
        pytest.param(f"sha256 = {{ {ONE} }}\n", id="inline table"),
        pytest.param(f'["sha256"]\n{ONE}\n', id="quoted header"),
    ],
)
def test_an_index_that_cannot_be_added_to_is_left_as_it_is(tmp_path, index):
    write_folder(tmp_path, {"extract_claims@1": file_text(), "extract_claims@2": TWO_TEXT}, index=index)
    with pytest.raises(SetupError, match=r"a plain \[sha256\] table"):
        seal(tmp_path, "extract_claims@2")
    assert (tmp_path / "index.toml").read_text(encoding="utf-8") == index


def test_a_full_disk_leaves_the_index_whole(tmp_path):
    write_folder(tmp_path, index="[active]\nextract_claims = 1\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(SetupError, match="cannot be written"):
            seal(tmp_path, "extract_claims@1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert tomllib.loads((tmp_path / "index.toml").read_text(encoding="utf-8")) == {"active": {"extract_claims": 1}}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["extract_claims", "index.toml", "schemas"]


# --- comparing ----------------------------------------------------------------------------------------------------------


def test_a_diff_shows_what_changed_in_the_file(library):
    one, two, _ = library
    told = diff(one, two)
    assert told.startswith(f"--- {one.ref}\n+++ {two.ref}\n@@ ")
    assert [line for line in told.splitlines() if line.startswith(("+", "-"))][2:] == ["+Answer in English."]


def test_a_diff_shows_what_changed_in_the_schema():
    other = {"claim_list.v1": ReplySchema("claim_list.v1", "1" * 64, {"type": "object"})}
    new: Prompt = parse_prompt(file_text(), task="extract_claims", version=1, schemas=other)
    told = diff(parsed(file_text()), new)
    assert told.startswith("--- claim_list.v1\n+++ claim_list.v1\n")
    assert '-    "é": {\n' in told


def test_a_prompt_does_not_differ_from_itself():
    assert diff(parsed(file_text()), parsed(file_text())) == ""
