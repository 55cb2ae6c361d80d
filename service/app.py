"""The WSGI application: limits, paths, problem reports, and what every request and response has in common."""

import structlog
from flask import Flask, Response, g, request

from service.access.base import Access
from service.access.chosen import build_access
from service.observing import RequestServed
from service.pipeline.analyze import Services
from service.settings import Settings
from service.tracing import current, enter, server_span
from service.web.failures import register_failures
from service.web.gateway import behind_gateways, check_host
from service.web.guard import Guard
from service.web.openapi.check import AnswerCheck
from service.web.openapi.routes import Description
from service.web.request_id import request_id_from
from service.web.room.routes import Room
from service.web.routes import Routes
from service.web.security import SECURITY_HEADERS
from service.web.serving import ARRIVED
from service.wiring import build_sealer, build_services

_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)  # a caller can invent others to write to our log


def create_app(settings: Settings, services: Services | None = None, access: Access | None = None) -> Flask:
    """The application over `services`, or over those the settings ask for. Whoever runs it closes the services.

    `access` knows the callers; without it, what the settings ask for does.

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
        g.started = request.environ.get(ARRIVED, served.clock())
        g.request_id = request_id_from(request.headers.get("X-Request-Id"))
        g.record = {}
        enter(server_span(request.headers.get("traceparent"), request.headers.get("tracestate"), sample=served.traced))

    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        if trace := current():
            response.headers["traceparent"] = trace.parent
        response.headers.setdefault("Cache-Control", "no-store")
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        method = request.method if request.method in _METHODS else "other"
        route = request.url_rule.rule if request.url_rule else None

        def tell() -> None:
            took = served.clock() - g.started
            served.observer.tell(RequestServed(route, method, response.status_code, g.record.get("code"), took))
            structlog.get_logger().info(
                "request",
                request_id=g.request_id,
                method=method,
                route=route,
                status=response.status_code,
                duration_ms=round(took * 1000),
                **g.record,
            )
            if "audited" in g:
                _audit(response, named=not settings.keeps_nothing)

        if "stream" in g and response.is_streamed:
            g.stream.at_end(tell)
        else:
            tell()
        return response

    app.before_request(begin)
    app.before_request(lambda: check_host(request.environ, settings.gateways.hosts))
    known_by = access or build_access(settings.identity)
    Guard(known_by, open_metrics=settings.identity.open_metrics).register(app)
    app.after_request(finish)
    app.teardown_request(lambda _: enter(None))
    register_failures(app)
    routes = Routes(settings, served, build_sealer(settings), AnswerCheck(), known_by.ready)
    routes.register(app)
    Room(routes, keyed=known_by.challenge is not None).register(app)
    Description(settings).register(app)
    app.wsgi_app = behind_gateways(app.wsgi_app, settings.gateways.proxy_hops)  # type: ignore[assignment, method-assign]  # Flask's way
    return app


def _audit(response: Response, *, named: bool) -> None:
    """Nothing; a line tells who had which article analysed, by which prompt, and whether they got an answer."""
    structlog.get_logger().info(
        "analysed",
        request_id=g.request_id,
        client=request.remote_addr if named else None,
        caller=g.caller.id if named else None,
        article_sha256=g.audited,
        prompt=g.record.get("prompt"),
        status=response.status_code,
        code=g.record.get("code"),
    )
