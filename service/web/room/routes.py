"""The paths of the reading room."""

import re
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from service.domain import Analysis
from service.errors import FactCheckError, Fault, InvalidRequestError, UnsupportedMediaTypeError
from service.export.compare import compare
from service.export.formats import FORMATS, Format, negotiate
from service.export.json_answer import Origin, dump_analysis
from service.export.json_reading import AnswerUnreadableError, read_answer
from service.pipeline.analyze import EXTRACT_TASK, choose
from service.web.answers import cacheable, json_response
from service.web.failures import answer_failure
from service.web.openapi.check import AnswerCheck
from service.web.reading import read_body, read_json, storing_faults
from service.web.room.assets import compressed, load_assets
from service.web.room.forms import Given, read_form
from service.web.room.pages import CONTENT_SECURITY_POLICY, Asked, Offer, Pages
from service.web.room.shown import Shown
from service.web.room.versus import Versus
from service.web.routes import Routes
from service.web.schemas import load_request, refusal

_HARMLESS = re.compile(r"[a-z0-9_]{1,60}")
_FORMATS = {"": None, "json": None, **{form.name: form for form in FORMATS}}


class Room:
    """The page of one service. It keeps nothing: what it shows comes with each request.

    `keyed` tells that callers must say who they are: then the page shows nothing of the service before they did.
    """

    def __init__(self, routes: Routes, *, keyed: bool = False) -> None:
        self._routes = routes
        self._settings = routes.settings
        self._assets = load_assets()
        self._pages = Pages(self._assets)
        self._check = AnswerCheck(grown=True)
        self._offer = self._offered(keyed=keyed)

    def register(self, app: Flask) -> None:
        """Let `app` answer at these paths."""
        # An empty path would be sent on to "/", in HTML and with whatever the query holds.
        app.add_url_rule("/", view_func=self.page, endpoint="room", strict_slashes=False)
        app.add_url_rule("/room", view_func=self.form, endpoint="room_form", methods=["POST"])
        app.add_url_rule("/room/view", view_func=self.view, endpoint="room_view", methods=["POST"])
        app.add_url_rule("/room/compare", view_func=self.compare, endpoint="room_compare", methods=["POST"])
        app.add_url_rule("/room/export", view_func=self.export, endpoint="room_export", methods=["POST"])
        app.add_url_rule("/room/static/<digest>/<name>", view_func=self.static, endpoint="room_static")

    def page(self) -> Response:
        """The page with an empty form."""
        return cacheable(self._html(self._pages.whole(self._offer, Given())), "no-cache")

    def static(self, digest: str, name: str) -> Response:
        """A script or style sheet of the page."""
        response = self._assets.response(digest, name)
        if response is None:
            raise NotFound
        return cacheable(compressed(response, request), "public, max-age=31536000, immutable")

    def form(self) -> Response:
        """What came of the form, for a browser without scripts: the page with the result, or with what went wrong."""
        given = Given()
        try:
            given = read_form(request, self._settings.max_request_bytes)
            if given.form not in _FORMATS:
                raise InvalidRequestError("There is no such form of an answer.", [Fault("/as", "Choose one of the list.")])
            asked = load_request(given.document(), self._settings.max_article_chars, fetch_urls=self._settings.fetch_urls)
            if faults := list(storing_faults(asked, request, self._settings)):
                raise refusal(faults)
            told = self._routes.answer(asked)
        except FactCheckError as error:
            return self._failed(given, error)
        if given.form:
            return _exported(told.analysis, _FORMATS[given.form], told.origin)
        return self._html(self._pages.whole(self._offer, given, Shown(told.analysis, stored_at=told.stored_at)))

    def view(self) -> Response:
        """The part of the page that shows the answer in the request.

        Raises: RequestError.
        """
        return self._html(self._pages.result(Shown(self._read(self._document()))))

    def compare(self) -> Response:
        """The part of the page that shows the answers `one` and `other` in the request beside each other.

        Raises: RequestError.
        """
        document = self._document()
        if not isinstance(document, dict) or document.keys() != {"one", "other"}:
            raise InvalidRequestError("Two answers are compared.", [Fault("", 'Send {"one": an answer, "other": an answer}.')])
        one, other = Shown(self._read(document["one"]), "one-"), Shown(self._read(document["other"]), "other-")
        versus = Versus(one, other, compare(document["one"], document["other"]))
        return self._html(self._pages.comparison(versus))

    def export(self) -> Response:
        """The answer in the request, in the form that `Accept` asks for.

        Raises: RequestError.
        """
        form = negotiate(request.headers.get("Accept"))
        return _exported(self._read(self._document()), form, None)

    def _document(self) -> Any:
        if request.mimetype != "application/json":
            # Nothing but JSON: a form on another site cannot send it, so nobody shows words of theirs as ours.
            raise UnsupportedMediaTypeError("Send the answer as application/json.")
        return read_json(read_body(request, self._settings.max_request_bytes))

    def _read(self, document: Any) -> Analysis:
        if (broken := self._check.fault(document)) is not None:
            raise InvalidRequestError("This is no answer of this service.", [Fault("", f"It breaks its schema at {broken}.")])
        try:
            return read_answer(document)
        except AnswerUnreadableError as error:
            raise InvalidRequestError(f"This answer cannot be shown. {error}", [Fault("", str(error))]) from error

    def _failed(self, given: Given, error: FactCheckError) -> Response:
        report = answer_failure(error)
        page = self._html(self._pages.whole(self._offer, given, problem=report.get_json()))
        page.status_code = report.status_code
        for name in ("Retry-After", "WWW-Authenticate"):
            if name in report.headers:
                page.headers[name] = report.headers[name]
        return page

    def _html(self, html: str) -> Response:
        response = Response(html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return compressed(response, request)

    def _offered(self, *, keyed: bool) -> Offer:
        services = self._routes.services
        models = (services.model, *(fallback.model for fallback in services.fallbacks))
        return Offer(
            prompts=() if keyed else [prompt for prompt in services.prompts if prompt.task == EXTRACT_TASK],
            usual="" if keyed else choose(None, services).name,
            models=() if keyed else [Asked(model.traits.name, model.traits.endpoint) for model in models],
            fetch_urls=self._settings.fetch_urls,
            history=self._settings.history.enabled,
            keyed=keyed,
        )


def _exported(analysis: Analysis, form: Format | None, origin: Origin | None) -> Response:
    """A file of `analysis`, for keeping rather than for showing."""
    if form is None:
        response = json_response(dump_analysis(analysis, return_text=True, origin=origin))
    else:
        response = Response(form.dump(analysis), content_type=form.media_type)
    name = f"claims-{analysis.id}" if _HARMLESS.fullmatch(analysis.id) else "claims"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}{form.extension if form else ".json"}"'
    response.vary.add("Accept")
    return response
