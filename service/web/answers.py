"""JSON answers, and prompts as the caller sees them."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from flask import Response, request

from service.llm.base import ModelTraits, UpstreamState
from service.prompting import Prompt


def json_response(document: Mapping[str, Any] | list[Any], status: int = 200, mimetype: str = "application/json") -> Response:
    """`document` as a response in UTF-8, keys in the order given."""
    return Response(json_text(document).encode(), status=status, mimetype=mimetype)


def json_text(document: Mapping[str, Any] | list[Any]) -> str:
    """`document` as JSON on one line, keys in the order given."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def cacheable(response: Response, cache_control: str) -> Response:
    """`response` with a strong tag of its bytes; 304 without a body where the request names that tag."""
    response.headers["Cache-Control"] = cache_control
    response.set_etag(sha256(response.get_data()).hexdigest())
    response.make_conditional(request)
    return response


def dump_upstream(state: UpstreamState) -> dict[str, Any]:
    """One model as `/readyz` shows it."""
    dumped: dict[str, Any] = {"model": state.model, "endpoint": state.endpoint, "circuit": state.circuit}
    if state.reason is not None:
        dumped["reason"] = state.reason
    if state.probe_in_s is not None:
        dumped["probe_in_s"] = round(state.probe_in_s, 1)
    return dumped | {
        "calls": state.calls,
        "failures": state.failures,
        "openings": state.openings,
        "retry_tokens": round(state.retry_tokens, 1),
    }


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


def dump_model(traits: ModelTraits, prompt: Prompt, *, stand_in: bool) -> dict[str, Any]:
    """One model as `/models` lists it, with the prompt it is asked with where a request names none."""
    return {
        "name": traits.name,
        "endpoint": traits.endpoint,
        "prompt": prompt.ref,
        "context_tokens": traits.context_tokens,
        "max_output_tokens": traits.max_output_tokens,
        "passage_chars": traits.passage_chars,
        "trial": traits.trial,
        "stand_in": stand_in,
    }
