import json
import re

import pytest

from service.domain import Kind, StanceLabel
from service.pipeline.analyze import REPAIR_TASK
from service.pipeline.replies import read_reply
from service.prompt_files import find_prompts, load_prompts

LIBRARY = load_prompts(find_prompts())
EXTRACT = LIBRARY.select("extract_claims@1", "extract_claims")
ITEM = EXTRACT.output.document["properties"]["claims"]["items"]
SYSTEM = EXTRACT.blocks[0].template


def test_every_prompt_file_is_sealed():
    assert all(prompt.sealed for prompt in LIBRARY)


def test_the_stance_labels_of_code_schema_and_prompt_are_the_same():
    labels = [label.value for label in StanceLabel]
    stance = ITEM["properties"]["stances"]["items"]["properties"]["stance"]
    assert stance["enum"] == labels
    assert ITEM["properties"]["article"]["enum"] == labels
    assert set(re.findall(r'"((?:support|refute|discuss)\w*)"', SYSTEM)) == set(labels)


def test_the_kinds_of_code_schema_and_prompt_are_the_same():
    kinds = [kind.value for kind in Kind]
    assert ITEM["properties"]["kind"]["enum"] == kinds
    line = next(line for line in SYSTEM.splitlines() if line.startswith('- "kind"'))
    assert re.findall(r'"(\w+)"', line)[1:] == kinds


def test_the_prompt_explains_every_field_of_the_schema():
    assert re.findall(r'^- "(\w+)":', SYSTEM, re.MULTILINE) == ITEM["required"] == list(ITEM["properties"])


def test_the_example_in_the_prompt_is_a_valid_reply():
    example = next(line for line in SYSTEM.splitlines() if line.startswith('{"claims"'))
    proposed, repairs = read_reply(example, EXTRACT.output.name)
    assert len(proposed) == 1
    assert repairs == ()


def test_the_constant_part_comes_first_and_holds_nothing_of_the_article():
    first = EXTRACT.render({"title": "A", "limits": "", "sentences": "[1] One."})
    second = EXTRACT.render({"title": "B", "limits": "x", "sentences": "[1] Two."})
    assert first[0] == second[0]
    assert first[0].role == "system"


def test_instructions_and_schema_stay_within_1500_tokens():
    schema = json.dumps(EXTRACT.output.document, separators=(",", ":"))
    assert (len(SYSTEM) + len(schema)) / 4 <= 1500


def test_the_repair_prompt_asks_for_the_same_schema():
    assert LIBRARY.select(None, REPAIR_TASK).output == EXTRACT.output


@pytest.mark.parametrize("prompt", list(LIBRARY), ids=lambda prompt: prompt.name)
def test_every_version_has_an_entry_in_the_changelog(prompt):
    assert f"## {prompt.name}\n" in (find_prompts() / "CHANGELOG.md").read_text(encoding="utf-8")
