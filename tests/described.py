"""Holds what the service answers to what it says of itself: every response of a `CheckedClient` is looked at."""

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient

from service import app as app_under_test
from service.access.base import Access
from service.pipeline.analyze import Services
from service.settings import Settings
from service.web.openapi.document import openapi_document
from service.web.openapi.shapes import sealed

DOCUMENT = openapi_document(Settings())


class CheckedClient(FlaskClient):
    """A test client whose every response is one that the OpenAPI document describes."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        response = super().open(*args, **kwargs)
        check(response.request.method, response.request.path, response)
        return response


def create_app(settings: Settings, services: Services | None = None, access: Access | None = None) -> Flask:
    """The application, whose test clients are checked."""
    app = app_under_test.create_app(settings, services, access)
    app.test_client_class = CheckedClient
    return app


def check(method: str, path: str, response: Any) -> None:
    """Nothing.

    Raises: AssertionError when the document does not describe `response`.
    """
    operation = _operation(method, path)
    media_type = response.mimetype
    body = response.get_data()
    if operation is None:
        described = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        assert response.status_code >= 400, f"{method} {path} is not described and was answered {response.status_code}"
    else:
        described = operation["responses"].get(str(response.status_code))
        assert described, f"{method} {path} does not say that it may answer {response.status_code}"
        if "$ref" in described:
            described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
        for name in described["headers"]:
            header = DOCUMENT["components"]["headers"][name]
            assert name in response.headers or not header.get("required"), f"{method} {path} misses {name}"
            if name in response.headers:
                value = response.headers[name]
                whole = header["schema"].get("type") == "integer"
                assert _validator(json.dumps(header["schema"])).is_valid(int(value) if whole else value), f"{name}: {value}"
    if method == "HEAD" or response.status_code in {204, 304}:
        assert body == b""
        return
    assert media_type in described["content"], f"{method} {path} does not say that it may answer with {media_type}"
    schema = described["content"][media_type]["schema"]
    if media_type.endswith("json"):
        value = json.loads(body)
        _validator(json.dumps(schema)).validate(value)
        if name := schema.get("$ref", "").rpartition("/")[2]:
            _sealed(name).validate(value)  # nothing is there that is not told, either
    elif media_type != "application/jsonl":
        assert schema["type"] == "string"


def _operation(method: str, path: str) -> Any:
    wanted = "get" if method == "HEAD" else method.lower()
    for template, methods in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and wanted in methods:
            return methods[wanted]
    return None


@cache
def _validator(schema: str) -> Any:
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": DOCUMENT["components"]})


@cache
def _sealed(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(sealed(name))
