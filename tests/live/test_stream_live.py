"""An answer as events while the embedded model, with real weights, lists the claims."""

import os

import pytest

from service.app import create_app
from service.settings import from_environ
from service.wiring import build_services
from tests.events import ACCEPT, comments_of, events_of

pytestmark = pytest.mark.live

TEXT = "The bridge cost 40 million euros, Mayor Jane Roe said. It opened to traffic in May 2026."


def test_the_embedded_model_streams_and_the_connection_is_kept_alive_while_it_thinks():
    kept = {name: os.environ[name] for name in ("FACTCHECK_MODEL_DIR",) if name in os.environ}
    settings = from_environ(kept | {"FACTCHECK_HEARTBEAT_S": "0.1"})
    services = build_services(settings)
    try:
        asked = {"article": {"text": TEXT}, "prompt": "extract_claims@1"}
        body = create_app(settings, services).test_client().post("/analyze", json=asked, headers=ACCEPT).get_data()
    finally:
        services.close()
    events = events_of(body)
    assert (events[0].name, events[0].data["passages"]) == ("progress", 1)
    assert comments_of(body) > 0
    assert events[-1].name == "done"
    assert events[-1].data["usage"]["calls"] >= 1
    assert sum(event.name == "claim" for event in events) >= len(events[-1].data["claims"])
