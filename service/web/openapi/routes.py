"""The paths that describe the service: the document for programs, the page for people."""

from flask import Flask, Response

from service.settings import Settings
from service.web.answers import cacheable, json_response
from service.web.openapi.docs_page import CONTENT_SECURITY_POLICY, docs_page
from service.web.openapi.document import openapi_document

_CACHE_CONTROL = "no-cache"


class Description:
    """What the service with these settings says of itself."""

    def __init__(self, settings: Settings) -> None:
        self._document = openapi_document(settings)
        self._page = docs_page(self._document)

    def register(self, app: Flask) -> None:
        """Let `app` answer at these paths."""
        app.add_url_rule("/openapi.json", view_func=self.openapi)
        app.add_url_rule("/docs", view_func=self.docs)

    def openapi(self) -> Response:
        """The OpenAPI document."""
        return cacheable(json_response(self._document), _CACHE_CONTROL)

    def docs(self) -> Response:
        """The document as a page."""
        response = Response(self._page, mimetype="text/html")
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return cacheable(response, _CACHE_CONTROL)
