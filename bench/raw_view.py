"""As bench/bare_view.py, but without the SDK: the request body posted with httpx2, the reply's text returned.

Served by gunicorn as `raw_view:create_app()`; the endpoint comes from OPENAI_BASE_URL.
"""

import os
from typing import Any

import httpx2
from bare_view import prepared
from flask import Flask, request


def create_app() -> Flask:
    app = Flask(__name__, static_folder=None)
    limits = httpx2.Limits(max_connections=1_000, max_keepalive_connections=1_000)
    client = httpx2.Client(base_url=os.environ["OPENAI_BASE_URL"], limits=limits, timeout=60)
    asked = prepared()

    @app.post("/analyze")
    def analyze() -> dict[str, Any]:
        if not request.get_json()["article"]["text"]:
            return {"text": None}
        return {"text": client.post("/chat/completions", json=asked).json()["choices"][0]["message"]["content"]}

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app
