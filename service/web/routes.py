"""The service's paths: each reads a request, calls what answers it and writes the answer down."""

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from service.deadline import Deadline
from service.domain import Analysis
from service.export.formats import negotiate
from service.export.json_answer import dump_analysis
from service.pipeline.analyze import Services, analyze, choose
from service.settings import Settings
from service.web.answers import dump_prompt, json_response
from service.web.problem_pages import index_page, problem_page
from service.web.problems import PROBLEMS
from service.web.reading import read_request


@dataclass(frozen=True)
class Routes:
    """The paths of one service."""

    settings: Settings
    services: Services

    def register(self, app: Flask) -> None:
        """Let `app` answer at these paths."""
        app.add_url_rule("/analyze", view_func=self.analyze, methods=["POST"])
        app.add_url_rule("/healthz", view_func=self.healthz)
        app.add_url_rule("/readyz", view_func=self.readyz)
        app.add_url_rule("/prompts", view_func=self.prompts)
        app.add_url_rule("/problems", view_func=self.problems)
        app.add_url_rule("/problems/<code>", view_func=self.problem)

    def analyze(self) -> Response:
        """The claims of the article in the request.

        Raises: RequestError, ModelError, DeadlineExceededError.
        """
        export = negotiate(request.headers.get("Accept"))
        asked = read_request(request, self.settings)
        prompt = choose(asked.prompt, self.services)
        g.record |= {"prompt": prompt.ref, "model": self.services.model.traits.name}
        seconds = min(self.settings.deadline_s, asked.deadline_s or self.settings.deadline_s)
        deadline = Deadline(g.started + seconds, self.services.clock)
        analysis = analyze(asked.article, asked.options, prompt, self.services, deadline)
        _record(analysis)
        if export is None:
            return _varying(json_response(dump_analysis(analysis, return_text=asked.return_text)))
        response = _varying(Response(export.dump(analysis), content_type=export.media_type))
        if export.content_security_policy:
            response.headers["Content-Security-Policy"] = f"{export.content_security_policy}; frame-ancestors 'none'"
        return response

    def healthz(self) -> Response:
        """Whether the process is alive: always, when this is read."""
        return json_response({"status": "ok"})

    def readyz(self) -> Response:
        """Whether an article could be analysed now, with the reasons when not."""
        reason = self.services.model.ready()
        if reason is None:
            return json_response({"status": "ready"})
        return json_response({"status": "not-ready", "reasons": [reason]}, 503)

    def prompts(self) -> Response:
        """Every prompt a request may name."""
        return _cacheable(json_response([dump_prompt(prompt) for prompt in self.services.prompts]), "no-cache")

    def problems(self) -> Response:
        """Every error code, as a page."""
        return _cacheable(Response(index_page(), mimetype="text/html"), "max-age=3600")

    def problem(self, code: str) -> Response:
        """What one error code means, as a page."""
        if code not in PROBLEMS:
            raise NotFound
        return _cacheable(Response(problem_page(PROBLEMS[code]), mimetype="text/html"), "max-age=3600")


def _varying(response: Response) -> Response:
    response.vary.add("Accept")
    return response


def _cacheable(response: Response, cache_control: str) -> Response:
    response.headers["Cache-Control"] = cache_control
    response.set_etag(sha256(response.get_data()).hexdigest())
    response.make_conditional(request)
    return response


def _record(analysis: Analysis) -> None:
    usage = analysis.usage
    g.record |= {
        "model": analysis.provenance.model.served,
        "calls": usage.calls,
        "retries": usage.retries,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "cache": usage.cache,
        "claims": len(analysis.claims),
        "set_aside": dict(Counter(str(refused.reason) for refused in analysis.set_aside)),
    }
