"""JSON answers, and prompts as the caller sees them."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from service.prompting import Prompt


def json_response(document: Mapping[str, Any] | list[Any], status: int = 200, mimetype: str = "application/json") -> Response:
    """`document` as a response in UTF-8, keys in the order given."""
    body = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(body.encode(), status=status, mimetype=mimetype)


def dump_prompt(prompt: Prompt) -> dict[str, Any]:
    """One prompt as `/prompts` lists it: what it is, not what it says."""
    return {
        "ref": prompt.ref,
        "name": prompt.name,
        "task": prompt.task,
        "version": prompt.version,
        "active": prompt.active,
        "sealed": prompt.sealed,
        "summary": prompt.summary,
        "sha256": prompt.sha256,
        "output": {"name": prompt.output.name, "sha256": prompt.output.sha256},
    }
