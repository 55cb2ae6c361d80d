"""The WSGI application: limits, paths, problem reports, and what every request and response has in common."""

import structlog
from flask import Flask, Response, g, request

from service.pipeline.analyze import Services
from service.settings import Settings
from service.web.failures import register_failures
from service.web.request_id import request_id_from
from service.web.routes import Routes
from service.web.security import SECURITY_HEADERS
from service.wiring import build_services

_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)  # a caller can invent others to write to our log


def create_app(settings: Settings, services: Services | None = None) -> Flask:
    """The application over `services`, or over those the settings ask for. Whoever runs it closes the services.

    The services are kept in `app.extensions["factcheck"]`.
    Raises: SetupError.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # Flask would answer OPTIONS with an empty HTML page
    app.url_map.merge_slashes = False  # nor redirect with an HTML one
    served = services or build_services(settings)
    app.extensions["factcheck"] = served

    def begin() -> None:
        g.started = served.clock()
        g.request_id = request_id_from(request.headers.get("X-Request-Id"))
        g.record = {}

    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        response.headers.setdefault("Cache-Control", "no-store")
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        structlog.get_logger().info(
            "request",
            request_id=g.request_id,
            method=request.method if request.method in _METHODS else "other",
            route=request.url_rule and request.url_rule.rule,
            status=response.status_code,
            duration_ms=round((served.clock() - g.started) * 1000),
            **g.record,
        )
        return response

    app.before_request(begin)
    app.after_request(finish)
    register_failures(app)
    Routes(settings, served).register(app)
    return app
