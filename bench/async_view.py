"""As bench/bare_view.py, on FastAPI and AsyncOpenAI: request and reply are validated with pydantic, nothing is proved.

Served by uvicorn as `async_view:create_app --factory`; the endpoint comes from OPENAI_BASE_URL.
"""

from typing import Any

import openai
from bare_view import prepared
from fastapi import FastAPI
from pydantic import BaseModel


class Article(BaseModel):
    text: str


class Asked(BaseModel):
    article: Article


class Claim(BaseModel):
    model_config = {"extra": "allow"}
    quote: str


class Found(BaseModel):
    claims: list[Claim]


def create_app() -> FastAPI:
    app = FastAPI()
    client = openai.AsyncOpenAI(api_key="none")
    asked: dict[str, Any] = prepared()

    @app.post("/analyze")
    async def analyze(_: Asked) -> Found:
        completion = await client.chat.completions.create(**asked)
        return Found.model_validate_json(completion.choices[0].message.content or "")

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app
