"""One setting keeps nothing, whatever the others say."""

import json
import sqlite3

import pytest
from redis import Redis

from service.app import create_app
from service.errors import SetupError
from service.settings import from_environ
from service.store.base import NoStore
from service.wiring import build_services, build_store
from tests.model_double import ModelDouble
from tests.redis_server import URL, need_redis

pytestmark = pytest.mark.loopback

WORD = "Zebrawood"
TEXT = f"Ms {WORD} said on Monday that the {WORD} bridge had cost 40 million euros."


def ask(client, **headers):
    return client.post("/analyze", json={"article": {"text": TEXT}}, headers={"Idempotency-Key": "k1"} | headers)


def settings_of(double, **environ):
    given = {"OPENAI_BASE_URL": double.base_url, "FACTCHECK_MODEL": "m", "FACTCHECK_CACHE_TTL_S": "600"}
    return from_environ(given | {"FACTCHECK_RETENTION": "none"} | environ)


def answers_twice(settings):
    """What the same request came to twice."""
    services = build_services(settings)
    try:
        client = create_app(settings, services).test_client()
        return [ask(client).get_json()["usage"] for _ in range(2)]
    finally:
        services.close()


def test_in_memory_nothing_is_left_of_an_article():
    with ModelDouble() as double:
        first, second = answers_twice(settings_of(double))
        assert len(double.calls) == 2
    assert (first["cache"], second["cache"]) == ("miss", "miss")
    assert type(build_store(settings_of(double))) is NoStore


def test_no_cache_file_is_even_made(tmp_path):
    file = tmp_path / "answers.sqlite3"
    with ModelDouble() as double:
        answers_twice(settings_of(double, FACTCHECK_CACHE_FILE=str(file)))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_put_into_redis():
    with ModelDouble() as double, Redis.from_url(need_redis()) as client:
        answers_twice(settings_of(double, FACTCHECK_REDIS_URL=URL))
        for key in client.scan_iter("factcheck*"):
            value = client.get(key) if client.type(key) == b"string" else b""
            assert WORD.encode() not in key + (value or b"")


def test_without_it_the_article_is_kept_where_the_settings_say(tmp_path):
    """So the tests above would find it."""
    file = tmp_path / "answers.sqlite3"
    with ModelDouble() as double:
        usages = answers_twice(settings_of(double, FACTCHECK_CACHE_FILE=str(file), FACTCHECK_RETENTION="usual"))
    assert len(usages) == 2
    with sqlite3.connect(file) as database:
        kept = json.dumps(database.execute("SELECT text FROM kept").fetchall())
    assert WORD in kept


def test_the_audit_then_has_the_hash_and_neither_name_nor_address(log):
    with ModelDouble() as double:
        settings = settings_of(double, FACTCHECK_AUDIT="on")
        services = build_services(settings)
        ask(create_app(settings, services).test_client())
        services.close()
    (line,) = [line for line in log() if line["event"] == "analysed"]
    assert (line["client"], line["caller"]) == (None, None)
    assert len(line["article_sha256"]) == 64
    assert WORD not in json.dumps(log())


def test_a_misspelt_wish_is_refused_and_not_taken_for_the_usual():
    with pytest.raises(SetupError, match="FACTCHECK_RETENTION"):
        from_environ({"FACTCHECK_RETENTION": "off"})


def test_no_answer_is_stored_for_its_caller_either():
    assert not from_environ({"FACTCHECK_RETENTION": "none", "FACTCHECK_HISTORY": "on"}).history.enabled
    assert from_environ({"FACTCHECK_HISTORY": "on"}).history.enabled
