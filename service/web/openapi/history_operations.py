"""The paths of stored analyses, described."""

from typing import Any

from service.history_errors import AnalysisNotFoundError, HistoryUnavailableError
from service.web.openapi.parts import Described, answer, failures, parameter

_CODES = (AnalysisNotFoundError.code, HistoryUnavailableError.code)
_KEY: Described = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "The last part of `analysis_url`.",
    "schema": {"type": "string"},
}


def stored_analysis(content: dict[str, Any]) -> dict[str, Described]:
    """The methods of the path of one stored analysis, which is given in the forms of `content`."""
    return {
        "get": {
            "operationId": "stored_analysis",
            "summary": "An answer that was stored",
            "description": "The same answer as it was given when it was stored; in JSON with the article's text.",
            "parameters": [_KEY, parameter("X-Request-Id"), parameter("If-None-Match")],
            "responses": _sorted(
                failures("not-acceptable", *_CODES)
                | {
                    "200": answer(
                        "The answer. `Accept` chooses the form; JSON where it does not say.", content, ["ETag", "Vary"]
                    ),
                    "304": answer("What the caller has still holds.", headers=["ETag"]),
                }
            ),
        },
        "delete": {
            "operationId": "delete_analysis",
            "summary": "Delete an answer that was stored",
            "parameters": [_KEY, parameter("X-Request-Id")],
            "responses": _sorted(failures(*_CODES) | {"204": answer("It is gone.")}),
        },
    }


def _sorted(responses: dict[str, Described]) -> dict[str, Described]:
    return dict(sorted(responses.items()))
