"""What comes in, as JSON Schemas by name: read off the marshmallow schema that holds requests to it."""

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema as MarshmallowSchema

from service.settings import Settings
from service.web.fields import Boolean, Integer, Number, String
from service.web.openapi.schema import Schema
from service.web.schemas import AnalyzeSchema

_JSON_TYPES = {String: "string", Integer: "integer", Number: "number", Boolean: "boolean"}


def request_shapes(settings: Settings) -> dict[str, Schema]:
    """The shapes of the JSON body of `POST /analyze`, with the limits in `settings`: `AnalyzeRequest` and those it names."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec("", "", "3.1.0", plugins=[plugin])
    for kind, json_type in _JSON_TYPES.items():
        plugin.map_to_openapi_type(kind, json_type, None)  # type: ignore[no-untyped-call]  # apispec leaves it untyped
    spec.components.schema(_name(AnalyzeSchema), schema=AnalyzeSchema)
    shapes: dict[str, Schema] = spec.to_dict()["components"]["schemas"]
    article = shapes[f"Article{_SUFFIX}"]
    words: list[Schema] = [{"required": ["text"]}, {"required": ["html"]}]
    address = {"required": ["url"], "properties": {"url": {"type": "string"}}, "not": {"anyOf": words}}
    article["oneOf"] = [*words, address] if settings.fetch_urls else words
    article["properties"]["text"]["maxLength"] = settings.max_article_chars
    if not settings.history.enabled:
        shapes[f"Options{_SUFFIX}"]["properties"]["store"]["const"] = False
    return shapes


_SUFFIX = "Request"


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    assert issubclass(kind, MarshmallowSchema)  # noqa: S101 - apispec also takes the names of schemas; there are none here
    return kind.__name__.strip("_").removesuffix("Schema") + _SUFFIX
