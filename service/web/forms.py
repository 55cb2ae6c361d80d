"""An analysis as a response: our own JSON, or the form that was asked for."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Response, g

from service.domain import Analysis, Caveat
from service.errors import AnswerShapeError
from service.export.formats import Format
from service.export.json_answer import Origin, dump_analysis
from service.web.answers import json_response
from service.web.openapi.check import AnswerCheck
from service.web.seal import Sealer


@dataclass(frozen=True)
class Told:
    """An analysis and what is told beside it: where its article was fetched, its text, and the path it is stored at."""

    analysis: Analysis
    origin: Origin | None = None
    return_text: bool = False
    stored_at: str | None = None

    def stored(self, path: str) -> "Told":
        """The same, stored at `path`."""
        return replace(self, stored_at=path)

    def warned(self, caveat: Caveat) -> "Told":
        """The same, with one more thing to know before trusting it."""
        return replace(self, analysis=replace(self.analysis, warnings=(*self.analysis.warnings, caveat)))


@dataclass(frozen=True)
class Forms:
    """Writes answers down. Our JSON carries the seal that a later request can send back."""

    sealer: Sealer
    check: AnswerCheck

    def document(self, told: Told) -> dict[str, Any]:
        """The answer in our JSON, which has the shape that was published.

        Raises: AnswerShapeError.
        """
        seal = self.sealer.seal(told.analysis.memory, g.caller.tenant) if told.analysis.memory else None
        document = dump_analysis(
            told.analysis, return_text=told.return_text, seal=seal, origin=told.origin, stored_at=told.stored_at
        )
        if (broken := self.check.fault(document)) is not None:
            g.record["reason"] = f"the answer breaks its schema at {broken}"
            raise AnswerShapeError(g.record["reason"])
        return document

    def made(self, told: Told, form: Format | None) -> Response:
        """An answer that was made for this request, which says where it is stored, if it is.

        Raises: AnswerShapeError.
        """
        response = self.response(told, form)
        if told.stored_at:
            response.status_code = 201
            response.headers["Location"] = told.stored_at
        return response

    def response(self, told: Told, form: Format | None) -> Response:
        """The answer in `form`; None means our JSON.

        Raises: AnswerShapeError.
        """
        if form is None:
            response = json_response(self.document(told))
        else:
            response = Response(form.dump(told.analysis), content_type=form.media_type)
            if form.content_security_policy:
                response.headers["Content-Security-Policy"] = f"{form.content_security_policy}; frame-ancestors 'none'"
        response.vary.add("Accept")
        return response
