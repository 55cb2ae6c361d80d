"""Imports point one way; each foreign library has one home."""

import ast
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[2] / "service"
MODULES = sorted(path.relative_to(SERVICE.parent) for path in SERVICE.rglob("*.py"))

LAYERS = [
    {
        "service.domain",
        "service.earlier",
        "service.provenance",
        "service.tracing",
        "service.errors",
        "service.url_errors",
        "service.history_errors",
        "service.history_settings",
        "service.deadline",
        "service.strictjson",
        "service.settings",
        "service.gateways",
        "service.wholefile",
        "service.codec",
        "service.access.caller",
        "service.access.errors",
        "service.access.settings",
        "service.secret_files",
        "service.limit_errors",
        "service.limits.base",
        "service.limits.allowances",
        "service.limits.settings",
        "service.fencing",
    },
    {"service.access.base", "service.llm.base", "service.store.base", "service.fetch.base", "service.observing"},
    {"service.limits.limiter"},
    {"service.text", "service.prompting"},
    {"service.pipeline", "service.export"},
    {
        "service.access",
        "service.limits",
        "service.llm",
        "service.store",
        "service.fetch",
        "service.prompt_files",
        "service.logs",
        "service.metrics",
        "service.spans",
    },
    {"service.web"},
    {"service.wiring", "service.watchers"},
    {"service.app"},
    {"service.server", "service.worker", "service.receiving", "service.connections"},
    {"service.cli"},
]
ADAPTERS = LAYERS[5]
HOMES = {
    "openai": {"service.llm.openai_chat"},
    "tenacity": {"service.llm.retrying"},
    "itsdangerous": {"service.web.seal"},
    "apispec": {"service.web.openapi.request_shapes"},
    "jinja2": {"service.web.room.pages"},
    "jsonschema_rs": {"service.web.openapi.check"},
    "gunicorn": {"service.server", "service.worker"},
    "sqlite3": {"service.store.sqlite", "service.store.sqlite_layout"},
    "redis": {"service.store.redis"},
    "requests": {"service.fetch.safe_session"},
    "urllib3": {"service.fetch.safe_session"},
    "AntiSSRF": {"service.fetch.safe_session"},
    "protego": {"service.fetch.robots"},
    "w3lib": {"service.fetch.charset"},
    "prometheus_client": {"service.metrics"},
    "environs": {
        "service.settings",
        "service.access.settings",
        "service.history_settings",
        "service.limits.settings",
    },
    "jwt": {"service.access.key_set", "service.access.tokens"},
    "opentelemetry": {"service.spans"},
    "xllamacpp": {"service.llm.engine_child"},
    "sentencex": {"service.text.segment"},
    "py3langid": {"service.text.language"},
    "trafilatura": {"service.text.page"},
    "lxml": {"service.text.page", "service.text.page_copy", "service.text.page_stream"},
}


def dotted(path):
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    for node in ast.walk(ast.parse((SERVICE.parent / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(name):
    """The index of the layer that owns `name`: the one with its longest prefix."""
    best = max(
        ((len(prefix), index) for index, group in enumerate(LAYERS) for prefix in group if f"{name}.".startswith(f"{prefix}.")),
        default=None,
    )
    return None if best is None else best[1]


def test_every_module_belongs_to_a_layer():
    assert [str(path) for path in MODULES if path.stem != "__init__" and layer(dotted(path)) is None] == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_down(path):
    mine = layer(dotted(path))
    for name in imports(path):
        theirs = layer(name)
        if mine is not None and theirs is not None:
            assert theirs <= mine, f"{path} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_adapters_are_imported_by_the_wiring_and_the_command_line_only(path):
    if dotted(path).startswith(
        (
            "service.wiring",
            "service.watchers",
            "service.cli",
            "service.access",
            "service.limits",
            "service.llm",
            "service.store",
            "service.fetch",
            "service.app",
            "service.server",
            "service.worker",
            "service.prompt_files",
        )
    ):
        return
    for name in imports(path):
        if name.startswith("service.") and not name.startswith(
            ("service.llm.base", "service.store.base", "service.fetch.base", "service.access.base", "service.logs")
        ):
            assert layer(name) != LAYERS.index(ADAPTERS), f"{path} imports {name}"


@pytest.mark.parametrize(("library", "homes"), HOMES.items(), ids=list(HOMES))
def test_a_library_has_one_home(library, homes):
    assert {dotted(path) for path in MODULES if any(name.split(".")[0] == library for name in imports(path))} == homes


def test_flask_stays_in_the_web_layer_and_the_server():
    users = {dotted(path) for path in MODULES if any(name.split(".")[0] in {"flask", "werkzeug"} for name in imports(path))}
    assert all(user.startswith("service.web.") or user in {"service.app", "service.server", "service.worker"} for user in users)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_module_runs_over_three_hundred_lines(path):
    assert len((SERVICE.parent / path).read_text(encoding="utf-8").splitlines()) <= 300
