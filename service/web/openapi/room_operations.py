"""The paths of the reading room, described: pages and parts of them for people, who need none of this."""

from service.export.formats import FORMATS, JSON
from service.settings import Settings
from service.web.failures import PROBLEM_JSON
from service.web.openapi.parts import Described, answer, failures, in_json, kept, page, parameter
from service.web.openapi.schema import Schema, ref, text

_FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
_HTML = "text/html"
_FOLDED = ["Vary"]
_BODY = ("empty-body", "invalid-json", "invalid-encoding", "request-timeout", "body-too-large", "unsupported-media-type")
_PROBLEM_STATUSES = ("400", "413", "415", "422", "499", "500", "502", "503", "504")


def room_paths(settings: Settings) -> dict[str, Described]:
    """The paths of the page of a service with these settings."""
    return {
        "/": {"get": kept("room", "The reading room: the claims of an article, seen in it", page("A page for people."))},
        "/room": {"post": _form(settings)},
        "/room/view": {"post": _view()},
        "/room/compare": {"post": _compare()},
        "/room/export": {"post": _export()},
        "/room/static/{digest}/{name}": {"get": _static()},
    }


def _form(settings: Settings) -> Described:
    fields = {
        "text": text("The article's words.", maxLength=settings.max_article_chars),
        "file": {"type": "string", "format": "binary", "description": "A file with its words, or the HTML page it stands on."},
        "as": text("The form of the answer: one of the names of `--format`; the page when empty."),
        **{
            name: text(f"As `{name}` in JSON.")
            for name in ("url", "title", "language", "prompt", "max_claims", "min_check_worthiness", "allow_partial", "store")
        },
    }
    told = page("The page, with what went wrong on it.") | {PROBLEM_JSON: {"schema": ref("Problem")}}
    answers = {
        "200": answer(
            "The page with the claims, or a file of them.",
            page("A page for people.")
            | {JSON: {"schema": ref("Analysis")}}
            | {form.media_type.partition(";")[0]: {"schema": _file(form.name)} for form in FORMATS if form.name != "html"},
            _FOLDED,
        ),
        **{status: answer("What went wrong, on the page where it can be shown there.", told) for status in _PROBLEM_STATUSES},
    }
    return {
        "operationId": "room_form",
        "summary": "The page's form, for browsers without scripts",
        "description": "Asks what `POST /analyze` asks, and shows the answer. For programs there is `POST /analyze`.",
        "parameters": [parameter("X-Request-Id")],
        "requestBody": {
            "required": True,
            "description": "The fields of the form.",
            "content": {kind: {"schema": {"type": "object", "properties": fields}} for kind in _FORM_TYPES},
        },
        "responses": dict(sorted((failures("request-timeout", "body-too-large") | answers).items())),
    }


def _view() -> Described:
    return _shown("room_view", "An answer of this service as a part of the page", page("A part of the page."))


def _compare() -> Described:
    two = {"type": "object", "properties": {name: ref("Analysis") for name in ("one", "other")}, "required": ["one", "other"]}
    summary = "Two answers of this service beside each other, as a part of the page"
    return _shown("room_compare", summary, page("A part of the page."), body=two)


def _export() -> Described:
    forms = in_json("Analysis") | {form.media_type.partition(";")[0]: {"schema": _file(form.name)} for form in FORMATS}
    return _shown(
        "room_export", "An answer of this service in the form that `Accept` asks for", forms, more=("not-acceptable",)
    )


def _shown(name: str, summary: str, content: Described, *, more: tuple[str, ...] = (), body: Schema | None = None) -> Described:
    answers = {"200": answer(f"{summary}.", content, _FOLDED)}
    return {
        "operationId": name,
        "summary": summary,
        "description": "No model is asked. The answer holds its text (`return_text`), and every quote is proved anew.",
        "parameters": [parameter("X-Request-Id")],
        "requestBody": {
            "required": True,
            "description": "What `POST /analyze` answered.",
            "content": {JSON: {"schema": body or ref("Analysis")}},
        },
        "responses": dict(sorted((failures(*_BODY, "invalid-request", "client-gone", *more) | answers).items())),
    }


def _static() -> Described:
    places = [
        {"name": name, "in": "path", "required": True, "description": told, "schema": {"type": "string"}}
        for name, told in (("digest", "Changes with what the files hold."), ("name", "The file."))
    ]
    content = {kind: {"schema": text("A file of the page.")} for kind in ("text/css", "text/javascript")}
    return kept("room_static", "A script or style sheet of the page", content, *places, more=("not-found",))


def _file(name: str) -> Described:
    return {"type": "object"} if name == "annotation" else text("The claims.")
