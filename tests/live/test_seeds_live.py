"""The whole service over the real embedded model: both seeds, in order, as `make run` sends them."""

import os
from pathlib import Path

import pytest

from service.app import create_app
from service.settings import from_environ
from service.wiring import build_services

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))
pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def answers():
    settings = from_environ({name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")})
    services = build_services(settings)
    client = create_app(settings, services).test_client()
    told = []
    for seed in SEEDS:
        response = client.post(
            "/analyze", data=seed.read_bytes(), content_type="text/plain", headers={"Request-Timeout": "120"}
        )
        assert response.status_code == 200, response.get_json()
        told.append((seed.read_text(encoding="utf-8"), response.get_json()))
    yield told
    services.close()


def test_every_quote_is_the_slice_of_the_article_at_its_offsets(answers):
    for text, answer in answers:
        utf16 = text.encode("utf-16-le")
        assert answer["claims"]
        for claim in answer["claims"]:
            quote = claim["quote"]
            assert text[quote["start"] : quote["end"]] == quote["text"]
            assert utf16[2 * quote["start_utf16"] : 2 * quote["end_utf16"]].decode("utf-16-le") == quote["text"]


def test_no_claim_is_said_twice(answers):
    for _, answer in answers:
        texts = [claim["text"] for claim in answer["claims"]]
        assert len(texts) == len(set(texts))


def test_each_article_costs_one_call_and_the_second_finds_the_prefix_cached(answers):
    assert [answer["usage"]["calls"] for _, answer in answers] == [1, 1]
    assert answers[1][1]["usage"]["cached_tokens"] > 500


def test_the_answer_says_that_it_is_a_trial_model(answers):
    assert ["trial_model" in [warning["code"] for warning in answer["warnings"]] for _, answer in answers] == [True, True]
