"""The least a Flask view in front of a model can do, to measure the service against: the SDK's stock call and its text.

It sends what the service sends for an article, prepared beforehand: it cuts no sentences, checks no request, proves
nothing and logs nothing. Served by gunicorn as `bare_view:create_app()`; the endpoint comes from OPENAI_BASE_URL.
"""

from typing import Any

import openai
from closed_loop import article
from flask import Flask, request

from service.llm.base import ModelCall
from service.llm.negotiation import Terms
from service.pipeline.extract import numbered
from service.prompt_files import find_prompts, load_prompts
from service.text.segment import segment

MODEL = "gpt-4.1-mini"


def prepared() -> dict[str, Any]:
    """The service's own request body for an article, as arguments of the SDK's stock call."""
    prompt = load_prompts(find_prompts()).select(None, "extract_claims")
    values = dict.fromkeys(prompt.inputs, "") | {"title": "(none)", "sentences": numbered(segment(article(0), "en"))}
    call = ModelCall(prompt.render(values), prompt.output, prompt.temperature, prompt.max_output_tokens)
    return Terms().body(MODEL, call)


def create_app() -> Flask:
    app = Flask(__name__, static_folder=None)
    client = openai.OpenAI(api_key="none")
    asked = prepared()

    @app.post("/analyze")
    def analyze() -> dict[str, str | None]:
        if not request.get_json()["article"]["text"]:
            return {"text": None}
        return {"text": client.chat.completions.create(**asked).choices[0].message.content}

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app
