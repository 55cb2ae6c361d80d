"""Nothing of an article, a prompt, a reply or a key is left where it does not belong: looked for after all a service can do.

One production server with everything on that tells or keeps: the most talkative log, the audit, metrics, spans, an SQLite
cache. It is sent good and bad requests to every path while the endpoint fails in many ways; then all it said is searched.
"""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from redis import Redis

from service.app import create_app
from service.pipeline.analyze import Services
from service.pipeline.answers import Answers
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from service.store.redis import RedisStore
from service.web.problems import PROBLEMS
from tests.api.conftest import PROMPTS, NeverTired
from tests.api.running import Running, running
from tests.collector_double import CollectorDouble, collecting
from tests.faultserver import UPSTREAM_WORDS, FaultServer, Plan
from tests.faultserver.faults import FAULTS
from tests.redis_server import URL, fresh_prefix, need_redis

pytestmark = pytest.mark.loopback

KEY = "sk-canary-key-7302-ostrich"
SEAL_KEY = "canary-seal-key-ostrich-0123456789"
WORD = "Zebrawood"
IN_HEADERS = "header-canary-heron"
SENTENCES = [
    line for line in load_prompts(find_prompts()).select(None, "extract_claims").blocks[0].template.splitlines() if line
]
SECRETS = {
    "a key": KEY,
    "the seal's key": SEAL_KEY,
    "an article": WORD,
    "the endpoint's words": UPSTREAM_WORDS,
    "a prompt": max(SENTENCES, key=len),
    "another line of the prompt": SENTENCES[0],
}
FORMS = ["application/json", "application/jsonl", "text/csv", "text/markdown", "text/html", "application/ld+json"]
GOOD_WEATHER = 20
MIX = {"ok": 60.0} | {name: 1.0 for name, fault in FAULTS.items() if not fault.listener and name != "ok"}

AT_FAULT = {
    "article-too-long",
    "body-too-large",
    "empty-body",
    "expectation-failed",
    "headers-too-large",
    "idempotency-key-reused",
    "invalid-encoding",
    "invalid-json",
    "invalid-request",
    "method-not-allowed",
    "not-acceptable",
    "not-found",
    "unknown-prompt",
    "unreadable-page",
    "unsupported-media-type",
    "uri-too-long",
}
"""Problems of requests; those of the service itself, of a client that left and of a leak are looked for by others."""


def article(n):
    return f"Ms {WORD}{n} said on Monday that the {WORD} bridge had cost {n} million euros. Mr {WORD} denied it."


JSON = "application/json"
BAD = [
    ("POST", "/analyze", JSON, ""),
    ("POST", "/analyze", JSON, f'{{"article": "{WORD}'),
    ("POST", "/analyze", JSON, f'{{"article": {{"text": "{WORD}", "text": "{WORD}"}}}}'),
    ("POST", "/analyze", JSON, json.dumps({"article": {"text": WORD, "colour": WORD}, "weather": [WORD]})),
    ("POST", "/analyze", JSON, json.dumps({"article": {"text": article(1)}, "options": {"max_claims": WORD}})),
    ("POST", "/analyze", JSON, json.dumps({"article": {"text": article(1)}, "prompt": "no_such_prompt@1"})),
    ("POST", "/analyze", JSON, json.dumps({"article": {"text": article(1)}, "previous": {"seal": WORD}})),
    ("POST", "/analyze", JSON, json.dumps({"article": {"url": f"http://127.0.0.1/{WORD}"}})),
    ("POST", "/analyze", "text/plain", b"\xff" + WORD.encode()),
    ("POST", "/analyze", "text/plain", WORD * 3_000),
    ("POST", "/analyze", "text/plain", WORD * 30_000),
    ("POST", "/analyze", "text/html", f"<html><body><nav>{WORD}</nav></body></html>"),
    ("POST", "/analyze", f"image/{WORD.lower()}", WORD),
    ("PUT", "/analyze", "text/plain", article(1)),
    ("GET", f"/{WORD}?{WORD}={quote(article(1))}", "text/plain", ""),
    ("GET", f"/{WORD * 700}", "text/plain", ""),
]


@dataclass
class Heard:
    """All that was heard of a server: problems by code, other bodies that quote no article, and its process at the end."""

    problems: dict[str, str]
    bodies: list[str]
    log: str
    traces: list[bytes]
    spans: set[str]
    cache: Path
    limits: str


def answer(server: Running, method, path, body, **headers):
    connection = server.connect()
    try:
        sent = {"Content-Type": JSON, "X-Canary": IN_HEADERS, "tracestate": f"v={IN_HEADERS}", "Cookie": IN_HEADERS} | headers
        connection.request(method, path, body, sent | {"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read().decode(), str(response.headers)
    finally:
        connection.close()


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache") / "answers.sqlite3"
    with collecting() as collector, FaultServer(Plan(mix=MIX, seed=7, after=GOOD_WEATHER)) as endpoint:
        settings = {
            "base_url": endpoint.base_url,
            "api_key": KEY,
            "seal_key": SEAL_KEY,
            "model": "first",
            "log_level": "debug",
            "audit": True,
            "traces": collector.url,
            "cache_file": str(cache),
            "deadline_s": 30,
            "attempts": 2,
            "max_article_chars": 20_000,
            "max_request_bytes": 100_000,
        }
        with running(settings=settings) as server:
            yield listened(server, collector, cache)


def listened(server: Running, collector: CollectorDouble, cache: Path) -> Heard:
    problems: dict[str, str] = {}
    bodies: list[str] = []

    def ask(method, path, body, **headers):
        status, said, head = answer(server, method, path, body, **headers)
        bodies.append(head)
        if status >= 400:
            problems[json.loads(said)["code"]] = problems.get(json.loads(said)["code"], "") + said
        elif path != "/analyze":
            bodies.append(said)
        return said

    def analyze(n, **headers):
        return ask("POST", "/analyze", json.dumps({"article": {"text": article(n)}}), **headers)

    for n, form in enumerate(FORMS):
        analyze(n, Accept=form)
    for n in (100, 100, 101):
        analyze(n, **{"Idempotency-Key": f"{WORD}-key"})
    seal = json.loads(analyze(102))["seal"]
    ask("POST", "/analyze", json.dumps({"article": {"text": article(102) + " More."}, "previous": {"seal": seal}}))
    analyze(103, Accept="image/png")
    analyze(104, Expect="the unexpected")
    analyze(105, Padding="x" * 9_000)
    for method, path, kind, body in BAD:
        ask(method, path, body, **{"Content-Type": kind})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(partial(analyze, **{"Request-Timeout": "2"}), range(200, 280)))
    for path in ("/healthz", "/readyz", "/metrics", "/prompts", "/models", "/problems", "/openapi.json", "/docs"):
        ask("GET", path, None)
    for code in PROBLEMS:
        ask("GET", f"/problems/{code}", None)
    collector.wait_for("GET /docs")
    listed = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    processes = (server.process.pid, *listed.read_text().split())
    limits = "".join(Path(f"/proc/{pid}/limits").read_text() for pid in processes)
    names = {span.name for span in collector.spans}
    return Heard(problems, bodies, server.said, collector.bodies, names, cache, limits)


def found_in(told: str | bytes, secrets=SECRETS):
    text = told if isinstance(told, str) else told.decode("latin-1")
    return [name for name, secret in secrets.items() if secret.casefold() in text.casefold()]


def test_the_service_was_brought_to_every_problem_that_can_be_made_from_outside(heard):
    assert AT_FAULT - heard.problems.keys() == set()
    assert len(heard.problems.keys() - AT_FAULT) >= 3, "of the endpoint's faults, which are drawn"


def test_no_problem_report_tells_any_of_it(heard):
    assert {code: told for code, said in heard.problems.items() if (told := found_in(said))} == {}


def test_no_page_metric_or_header_tells_any_of_it(heard):
    assert found_in("\n".join(heard.bodies), SECRETS | {"a header": IN_HEADERS}) == []
    assert any("factcheck_requests_total" in body for body in heard.bodies)


def test_the_log_tells_none_of_it_at_its_most_talkative(heard):
    assert found_in(heard.log, SECRETS | {"a header": IN_HEADERS}) == []
    assert heard.log.count('"event": "request"') > 100
    assert '"event": "analysed"' in heard.log


def test_no_span_tells_any_of_it(heard):
    assert found_in(b"".join(heard.traces), SECRETS | {"a header": IN_HEADERS}) == []
    assert {"POST /analyze", "chat first", "extract", "GET /metrics"} <= heard.spans


def test_no_key_of_the_cache_tells_any_of_it(heard):
    with sqlite3.connect(heard.cache) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        keys = []
        for table in tables:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            for column in (name for name in columns if name != "text"):
                keys += [str(value) for (value,) in database.execute(f"SELECT {column} FROM {table}")]  # noqa: S608 - its own names
    assert len(keys) > 20
    assert found_in("\n".join(keys)) == []


def test_no_key_in_redis_tells_any_of_it():
    prefix = fresh_prefix()
    store = RedisStore(need_redis(), prefix=prefix, wait_s=5)
    app = create_app(Settings(), Services(NeverTired(), PROMPTS, store=store, answers=Answers(store, 60)))
    app.test_client().post("/analyze", json={"article": {"text": article(1)}}, headers={"Idempotency-Key": WORD})
    with Redis.from_url(URL) as client:
        keys = [key.decode() for key in client.scan_iter(f"{prefix}:*")]
        client.delete(*keys)
    store.close()
    assert len(keys) == 2
    assert found_in("\n".join(keys)) == []


def test_no_process_of_the_service_dumps_its_core(heard):
    lines = [line.split() for line in heard.limits.splitlines() if line.startswith("Max core file size")]
    assert len(lines) >= 2
    assert all(line[4:6] == ["0", "0"] for line in lines)
