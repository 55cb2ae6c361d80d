"""The OpenAPI document of the service (3.1), made from the schemas, tables and limits that the code itself uses."""

from typing import Any

from service.pipeline.assemble import SERVICE_VERSION
from service.settings import Settings
from service.web.openapi.access import ACCESS_RESPONSES, SECURITY_SCHEMES, guarded
from service.web.openapi.operations import paths
from service.web.openapi.parts import HEADERS, PARAMETERS, RESPONSES
from service.web.openapi.request_shapes import request_shapes
from service.web.openapi.shapes import SHAPES

_ABOUT = (
    "A news article in; the claims in it out: what is claimed, who claims it, who stands where on it, and how worth checking "
    "it is. Every quote is proved to stand in the article. Every path that answers GET answers HEAD. A path that is none "
    "of these is answered with 404 `not-found`, a method that is not taken with 405 `method-not-allowed` and the header "
    "`Allow`. Every failure is `application/problem+json`. Answers may grow new fields; a field is not taken away, nor is "
    "one of the words it may hold, while the first number of the version stays."
)


def openapi_document(settings: Settings) -> dict[str, Any]:
    """The document of a service with these settings, which say its limits."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "factcheck",
            "version": SERVICE_VERSION,
            "summary": "The claims in news articles, every quote proved.",
            "description": _ABOUT,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [],
        "paths": guarded(paths(settings), settings.identity),
        "components": {
            "schemas": dict(sorted((request_shapes(settings) | SHAPES).items())),
            "headers": dict(HEADERS),
            "parameters": dict(PARAMETERS),
            "responses": RESPONSES | ACCESS_RESPONSES,
            "securitySchemes": dict(SECURITY_SCHEMES),
        },
    }
