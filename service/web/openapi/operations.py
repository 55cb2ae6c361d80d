"""Every path of the service, described: what it takes and all that it may answer."""

from service.export.formats import EVENT_STREAM, FORMATS, JSON
from service.history_errors import AnalysisNotFoundError
from service.settings import Settings
from service.web.checks import PRINTABLE
from service.web.idempotency import REPLAYED
from service.web.limit_problems import POLICY, STATE
from service.web.openapi.events import event_stream
from service.web.openapi.examples import example
from service.web.openapi.history_operations import stored_analysis
from service.web.openapi.parts import Described, answer, get, in_json, kept, page, parameter, problems
from service.web.openapi.room_operations import room_paths
from service.web.openapi.schema import Schema, ref, text
from service.web.problems import PROBLEMS

LIMITS = (POLICY, STATE)
_METRICS = "text/plain"
_ELSEWHERE = {"not-found", "method-not-allowed", AnalysisNotFoundError.code}
_HTML_POLICY = "Self-contained; its Content-Security-Policy lets its own style in and nothing else."


def paths(settings: Settings) -> dict[str, Described]:
    """The paths of a service with these settings, each with its methods."""
    return {
        "/analyze": {"post": _analyze(settings)},
        "/analyses/{key}": stored_analysis(_FORMS),
        "/healthz": {"get": get("healthz", "The process is alive", {"200": answer("Alive.", in_json("Alive"))})},
        "/readyz": {
            "get": get(
                "readyz",
                "An article could be analysed now",
                {
                    "200": answer("Ready.", in_json("Readiness")),
                    "503": answer("Not ready, with the reasons.", in_json("Readiness")),
                },
            )
        },
        "/metrics": {
            "get": get(
                "metrics",
                "What the service has done since its start, for Prometheus",
                {"200": answer("The figures.", {_METRICS: {"schema": {"type": "string"}}})},
            )
        },
        "/prompts": {"get": kept("prompts", "The prompts a request may name", in_json("Prompts"))},
        "/models": {"get": kept("models", "The models this service asks", in_json("Models"))},
        "/problems": {"get": kept("problems", "Every error code, as a page", page("A page for people."))},
        "/problems/{code}": {"get": _problem_page()},
        "/openapi.json": {"get": kept("openapi", "This document", {JSON: {"schema": {"type": "object"}}})},
        "/docs": {"get": kept("docs", "This document, as a page", page(f"A page for people. {_HTML_POLICY}"))},
        **room_paths(settings),
    }


def _problem_page() -> Described:
    code = {
        "name": "code",
        "in": "path",
        "required": True,
        "description": "An error code.",
        "schema": {"type": "string", "enum": list(PROBLEMS)},
    }
    return kept("problem", "What one error code means and what to do", page("A page for people."), code, more=("not-found",))


def _analyze(settings: Settings) -> Described:
    answered = answer(
        "The claims of the article. `Accept` chooses the form; JSON where it does not say.",
        in_json("Analysis", examples={"bridge": {"value": example("answer")}}) | _EXPORTS | {EVENT_STREAM: event_stream()},
        ["Vary", REPLAYED, *LIMITS],
    )
    stored = answer("The same, stored: it can be read again.", _FORMS, ["Location", "Vary", REPLAYED, *LIMITS])
    failed = problems(code for code in PROBLEMS if code not in _ELSEWHERE)
    for report in failed.values():
        report["headers"] |= {name: {"$ref": f"#/components/headers/{name}"} for name in (REPLAYED, *LIMITS)}
    return {
        "operationId": "analyze",
        "summary": "The claims of one article",
        "description": "Every quote in the answer is proved to stand in the article. A failed model call is an error, never "
        f"an answer without claims. A body has at most {settings.max_request_bytes} bytes, an article at most "
        f"{settings.max_article_chars} characters; an answer takes at most {settings.deadline_s:g} seconds.",
        "parameters": [
            parameter(name) for name in ("Request-Timeout", "Idempotency-Key", "Cache-Control", "X-Request-Id", "prompt")
        ],
        "requestBody": {
            "required": True,
            "description": "The article in JSON, or the article alone.",
            "content": {
                JSON: {"schema": ref("AnalyzeRequest"), "examples": {"bridge": {"value": example("request")}}},
                **{kind: {"schema": _words(settings)} for kind in ("text/plain", "text/markdown")},
                "text/html": {"schema": text("The page the article stands on; its main text is taken.", minLength=1)},
            },
        },
        "responses": {"200": answered, "201": stored, **failed},
    }


def _words(settings: Settings) -> Schema:
    return text("The article's words, in UTF-8.", pattern=PRINTABLE, maxLength=settings.max_article_chars)


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0]


def _export(name: str) -> Schema:
    if name == "annotation":
        return {"type": "object", "description": "A W3C Web Annotation collection."}
    return text(
        {
            "html": f"A page with the quotes highlighted. {_HTML_POLICY}",
            "markdown": "A document for people.",
            "csv": "One claim a row, with a header row.",
            "jsonl": "One claim a line, each by itself enough to know where it came from; `claim` is a `Claim`.",
        }[name]
    )


_EXPORTS = {_bare(form.media_type): {"schema": _export(form.name)} for form in FORMATS}
_FORMS = in_json("Analysis") | _EXPORTS
"""Every form an answer can be read in."""
