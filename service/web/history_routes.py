"""The paths of stored analyses."""

from dataclasses import dataclass

from flask import Flask, Response, g, request

from service.domain import Caveat
from service.export.formats import negotiate
from service.history_errors import HistoryUnavailableError
from service.web.answers import cacheable
from service.web.forms import Forms, Told
from service.web.history import History, Stored

NOT_STORED = Caveat("not_stored", "The answer was to be stored, and could not be: it can be read here and nowhere else.")
_CACHE_CONTROL = "private, no-cache"


@dataclass(frozen=True)
class HistoryRoutes:
    """Reading, and deleting, what was stored."""

    history: History
    forms: Forms

    def register(self, app: Flask) -> None:
        """Let `app` answer at these paths."""
        app.add_url_rule("/analyses/<key>", view_func=self.stored_analysis)
        app.add_url_rule("/analyses/<key>", view_func=self.delete_analysis, methods=["DELETE"])

    def keep(self, told: Told) -> Told:
        """`told` with the path it is stored at, or with the warning that it could not be stored."""
        try:
            key = self.history.keep(Stored(told.analysis, told.origin), g.caller.tenant)
        except HistoryUnavailableError:
            return told.warned(NOT_STORED)
        return told.stored(f"/analyses/{key}")

    def stored_analysis(self, key: str) -> Response:
        """A stored analysis in the form that is asked for; our JSON has the article's text.

        Raises: NotAcceptableError, AnalysisNotFoundError, HistoryUnavailableError.
        """
        form = negotiate(request.headers.get("Accept"))
        stored = self.history.find(key, g.caller.tenant)
        told = Told(stored.analysis, stored.origin, return_text=True, stored_at=f"/analyses/{key}")
        return cacheable(self.forms.response(told, form), _CACHE_CONTROL)

    def delete_analysis(self, key: str) -> Response:
        """Nothing, once the analysis is gone.

        Raises: AnalysisNotFoundError, HistoryUnavailableError.
        """
        self.history.remove(key, g.caller.tenant)
        response = Response(status=204)
        del response.headers["Content-Type"]  # of nothing there is no type
        return response
