"""Writes docs/openapi.json anew from the code, and its examples from the README: `python -m scripts.openapi`.

Refuses to break clients unless the first number of the version went up; with `--allow-breaking` it is written all the
same: for what was never released.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.settings import Settings
from service.web.openapi.document import openapi_document

ROOT = Path(__file__).parents[1]
COMMITTED = ROOT / "docs" / "openapi.json"
_EXAMPLES = ROOT / "service" / "web" / "openapi"


def breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What clients of `old` would miss in `new`, and what they would have to send and do not.

    Nothing when the first number of the version went up.
    """
    if _major(new) > _major(old):
        return []
    kept = set(_promises(new))
    missed = [f"gone: {promise}" for promise in dict.fromkeys(_promises(old)) if promise not in kept]
    known = old["components"]["schemas"]
    before = set(_demands(old))
    return missed + [
        f"demanded: {name}.{field}" for name, field in _demands(new) if name in known and (name, field) not in before
    ]


def _major(document: dict[str, Any]) -> int:
    return int(document["info"]["version"].split(".")[0])


def _promises(document: dict[str, Any]) -> Iterator[str]:
    """Every path, method, parameter, status, media type, header, error code, field and enum value, each as one line."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            place = f"{method.upper()} {path}"
            yield place
            yield from (f"{place}, parameter {given.get('$ref') or given['name']}" for given in operation.get("parameters", ()))
            yield from _forms(f"{place}, request", operation.get("requestBody", {}))
            for status, given in operation["responses"].items():
                answer = document["components"]["responses"][given["$ref"].rpartition("/")[2]] if "$ref" in given else given
                yield f"{place}, status {status}"
                yield from (f"{place}, status {status}, header {name}" for name in answer.get("headers", ()))
                yield from _forms(f"{place}, status {status}", answer)
    for name, schema in document["components"]["schemas"].items():
        yield name
        yield from _values(name, schema)


def _forms(place: str, body: dict[str, Any]) -> Iterator[str]:
    for kind, form in body.get("content", {}).items():
        yield f"{place}, {kind}"
        yield from _values(f"{place}, {kind}", form["schema"])


def _values(place: str, schema: dict[str, Any]) -> Iterator[str]:
    yield from (f"{place} = {value!r}" for value in schema.get("enum", ()))
    for name, field in schema.get("properties", {}).items():
        yield f"{place}.{name}"
        yield from _values(f"{place}.{name}", field)
    for choice in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        yield from _values(place, choice)
    yield from _values(f"{place}[]", schema["items"]) if "items" in schema else ()


def _demands(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Request"):
            yield from ((name, field) for field in schema.get("required", ()))


def main(arguments: list[str], committed: Path = COMMITTED) -> int:
    """The exit status: 1 when the document would break clients and was left as it is."""
    made = openapi_document(Settings())
    if committed.exists() and "--allow-breaking" not in arguments:
        broken = breaking_changes(json.loads(committed.read_text(encoding="utf-8")), made)
        if broken:
            print(f"Clients of {committed.name} would break:", *broken, sep="\n  ", file=sys.stderr)
            print(
                "Raise the first number of the version, or pass --allow-breaking for what was never released.", file=sys.stderr
            )
            return 1
    committed.write_text(json.dumps(made, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0


def take_examples(readme: Path = ROOT / "README.md", folder: Path = _EXAMPLES) -> None:
    """Nothing; the README's first request and answer are the document's examples."""
    blocks = re.findall(r"```json\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    for name, block in zip(("request", "answer"), blocks, strict=False):
        text = json.dumps(json.loads(block), ensure_ascii=False, indent=1)
        (folder / f"example_{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    take_examples()
    sys.exit(main(sys.argv[1:]))
