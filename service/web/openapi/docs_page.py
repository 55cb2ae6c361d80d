"""The OpenAPI document as one page for people: no script, nothing fetched, its only style let in by its hash."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any

from service.web.openapi.schema import SCHEMAS

_STYLE = """
:root{color-scheme:light dark}
body{max-width:60rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
code,pre{font:.9em/1.4 ui-monospace,monospace}
pre{max-height:30rem;overflow:auto;padding:1rem;border:1px solid}
table{border-collapse:collapse;width:100%}
th,td{padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8888;text-align:start;vertical-align:top}
h2{margin-top:2.5rem;border-bottom:2px solid}
"""
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CODE = re.compile("`([^`]+)`")


def docs_page(document: Mapping[str, Any]) -> str:
    """The page that shows `document`."""
    info = document["info"]
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    parts = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f'<p>{_prose(info["description"])}</p><p><a href="/openapi.json">This as OpenAPI {document["openapi"]}</a></p>',
        *(part for method, path, operation in operations for part in _operation(method, path, operation, document)),
        "<h2>Shapes</h2>",
        *(_shape(name, schema) for name, schema in document["components"]["schemas"].items()),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<title>{escape(info["title"])}</title><meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h2 id="{escape(operation["operationId"])}"><code>{method} {escape(path)}</code></h2>'
    yield f"<p>{_prose(operation['summary'])}. {_prose(operation.get('description', ''))}</p>"
    yield _table("Parameter", [_parameter_row(_resolved(given, document)) for given in operation["parameters"]])
    if body := operation.get("requestBody"):
        yield f"<h3>Request</h3><p>{_prose(body['description'])}</p>{_contents(body['content'])}"
    yield "<h3>Answers</h3>"
    answers = [(status, _resolved(answer, document)) for status, answer in operation["responses"].items()]
    yield _table("Status", [(status, _prose(answer["description"]) + _forms(answer)) for status, answer in answers])
    yield _examples(operation["responses"].get("200", {}).get("content", {}))


def _parameter_row(parameter: Mapping[str, Any]) -> tuple[str, str]:
    return parameter["name"], f"({parameter['in']}) {_prose(parameter['description'])}"


def _resolved(given: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in given:
        return given
    found: Any = document
    for part in given["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    resolved: Mapping[str, Any] = found
    return resolved


def _contents(content: Mapping[str, Any]) -> str:
    rows = [(kind, _kind(form["schema"])) for kind, form in content.items()]
    return _table("Media type", rows) + _examples(content)


def _forms(answer: Mapping[str, Any]) -> str:
    forms = [f"<code>{escape(kind)}</code>: {_kind(form['schema'])}" for kind, form in answer.get("content", {}).items()]
    return "".join(f"<br>{form}" for form in forms)


def _examples(content: Mapping[str, Any]) -> str:
    shown = [example["value"] for form in content.values() for example in form.get("examples", {}).values()]
    blocks = (escape(json.dumps(value, ensure_ascii=False, indent=1)) for value in shown)
    return "".join(f"<details><summary>Example</summary><pre>{block}</pre></details>" for block in blocks)


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    shown = _fields(schema) or f"<p>{_kind(schema)}</p>"
    about = schema.get("description", "")
    return f'<h3 id="shape-{escape(name)}">{escape(name)}</h3><p>{_prose(about)}</p>{shown}'


def _fields(schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (name + ("" if name in required else "?"), f"{_kind(one)}. {_prose(one.get('description', ''))}{_inner(one)}")
        for name, one in schema.get("properties", {}).items()
    ]
    return _table("Field", rows) if rows else ""


def _inner(schema: Mapping[str, Any]) -> str:
    return _fields(schema) or (_fields(schema["items"]) if "items" in schema else "")


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(SCHEMAS))
        return f'<a href="#shape-{name}">{name}</a>'
    if "enum" in schema:
        return " | ".join(f"<code>{escape('null' if value is None else str(value))}</code>" for value in schema["enum"])
    if "allOf" in schema:
        return _kind(schema["allOf"][0])
    if "anyOf" in schema:
        return " | ".join(_kind(choice) for choice in schema["anyOf"])
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    kinds = schema.get("type", "any")
    return escape(kinds if isinstance(kinds, str) else " | ".join(kinds))


def _table(heading: str, rows: list[tuple[str, str]]) -> str:
    shown = "".join(f"<tr><td><code>{escape(name)}</code></td><td>{told}</td></tr>" for name, told in rows)
    return f'<table><tr><th scope="col">{heading}</th><th scope="col">What it is</th></tr>{shown}</table>'


def _prose(words: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(words))
