"""The embedded model standing in for an endpoint that is down, with real weights."""

import os
from pathlib import Path

import pytest

from service.app import create_app
from service.settings import from_environ
from service.wiring import build_services

pytestmark = pytest.mark.live

SEED = Path(__file__).parents[2] / "seeds" / "000_5d23d1c23963b52b.txt"


def test_the_embedded_model_stands_in_and_says_so():
    kept = {name: os.environ[name] for name in ("FACTCHECK_MODEL_DIR",) if name in os.environ}
    settings = from_environ(kept | {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "FACTCHECK_FALLBACK": "embedded"})
    services = build_services(settings)
    try:
        answer = (
            create_app(settings, services).test_client().post("/analyze", json={"article": {"text": SEED.read_text("utf-8")}})
        )
    finally:
        services.close()
    told = answer.get_json()
    assert (answer.status_code, told["status"]) == (200, "stand_in")
    assert {"fallback_model", "trial_model"} <= {warning["code"] for warning in told["warnings"]}
    assert told["provenance"]["model"]["endpoint"] == "embedded"
    assert told["usage"]["calls"] > 3
