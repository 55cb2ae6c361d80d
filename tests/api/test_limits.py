"""Limits as callers meet them, over the whole service."""

import threading
from contextlib import ExitStack
from decimal import Decimal

import pytest

from service.access.caller import ALL_SCOPES, Caller
from service.errors import ModelUnavailableError
from service.limits.allowances import Allowances, Price
from service.limits.base import NOTHING, Allowance, Amounts
from service.limits.guarded import GuardedLedger
from service.limits.limiter import Limiter
from service.limits.memory import MemoryLedger
from service.limits.redis import RedisLedger
from service.llm.base import Tokens
from service.metrics import Metrics
from service.pipeline.analyze import Services
from service.pipeline.answers import Answers
from service.settings import Settings
from service.store.base import StoreError
from service.store.memory import MemoryStore
from tests.api.conftest import NO_CLAIMS, PROMPTS, TEXT, NeverTired, problem
from tests.described import create_app
from tests.fakes import ScriptedModel
from tests.ledgers import noon

UNTIL_MIDNIGHT = 43_200
PRICES = {"scripted": Price(Decimal(1), Decimal("0.5"), Decimal(4))}
ARTICLE = {"data": TEXT, "content_type": "text/plain"}


class ByHeader:
    """Believes what a header says."""

    challenge = None

    def caller(self, header, _peer):
        tenant = header("X-Tenant") or "desk"
        return Caller(f"test:{tenant}", tenant, ALL_SCOPES)

    def ready(self):
        return None


class Desk:
    """A service whose callers have `allowed`; `tenants` have something else."""

    def __init__(self, model=None, *, tenants=None, **allowed):
        self.clock = noon()
        self.model = model or NeverTired()
        self.metrics = Metrics("1")
        self.ledger = MemoryLedger(self.clock)
        store = MemoryStore(1_000_000)
        allowances = Allowances(Allowance(**allowed), tenants or {}, PRICES)
        services = Services(
            self.model,
            PROMPTS,
            clock=self.clock,
            store=store,
            answers=Answers(store, 60),
            limits=Limiter(allowances, self.ledger, self.metrics),
            observer=self.metrics,
        )
        self.client = create_app(Settings(), services, ByHeader()).test_client()

    def post(self, text=TEXT, tenant="desk", **headers):
        return self.client.post("/analyze", data=text, content_type="text/plain", headers={"X-Tenant": tenant, **headers})

    def tally(self, tenant="desk"):
        return self.ledger.settle(tenant, "looking", NOTHING)


def test_where_nobody_is_limited_no_header_says_anything():
    answer = Desk().post()
    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers
    assert "RateLimit-Policy" not in answer.headers


def test_the_headers_say_what_is_allowed_and_what_is_left():
    everything = Desk(ScriptedModel(NO_CLAIMS), requests=60, concurrent=4, characters=1_000, tokens=90_000, money=2_000_000)
    headers = everything.post().headers
    assert headers["RateLimit-Policy"] == (
        '"requests";q=60;w=60, "concurrent";q=4;qu="concurrent-requests", "characters";q=1000;qu="characters";w=86400, '
        '"tokens";q=90000;qu="tokens";w=86400, "money";q=2000000;qu="millionths";w=86400'
    )
    # 100 tokens sent, 40 of them kept by the endpoint, and 20 received: 60 + 20 + 80 millionths.
    assert headers["RateLimit"] == (
        f'"requests";r=59;t=1, "concurrent";r=4, "characters";r={1_000 - len(TEXT)};t=43200, '
        '"tokens";r=89880;t=43200, "money";r=1999840;t=43200'
    )
    assert "Retry-After" not in headers


def test_too_many_requests_a_minute_are_told_when_to_come_again():
    desk = Desk(requests=2)
    assert [desk.post().status_code for _ in range(2)] == [200, 200]
    refused = desk.post()
    told = problem(refused, 429, "rate-limited")
    assert told["detail"] == "2 requests a minute are allowed, and as many have come."
    assert (told["retryable"], told["violated-policies"]) == (True, ["requests"])
    assert refused.headers["Retry-After"] == "30"
    assert refused.headers["RateLimit"] == '"requests";r=0;t=30'
    assert refused.headers["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert len(desk.model.calls) == 1  # the second was answered with what was kept
    assert b'factcheck_limited_total{limit="requests"} 1.0' in desk.metrics.text()
    desk.clock.advance(30)
    assert desk.post().status_code == 200


def test_a_request_that_cannot_be_read_takes_its_place_in_the_minute():
    desk = Desk(requests=1)
    assert desk.post("").status_code == 400
    assert desk.post().status_code == 429


def test_tenants_do_not_share_and_one_may_have_something_else():
    desk = Desk(requests=1, tenants={"sports": Allowance(requests=2), "archive": Allowance()})
    for tenant, times in (("desk", 1), ("sports", 2), ("other", 1)):
        assert [desk.post(tenant=tenant).status_code for _ in range(times + 1)] == [200] * times + [429]
    assert [desk.post(tenant="archive").status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("limit", "quota", "words"),
    [
        ("characters", 60, "This article may take 58 characters, and 9 of today's 60 are left."),
        ("tokens", 4_200, "tokens, and 4080 of today's 4200 are left."),
        ("money", 16_250, "of money, and 0.01609 of today's 0.01625 are left."),
    ],
)
def test_a_budget_that_is_used_up_is_told_until_when(limit, quota, words):
    desk = Desk(ScriptedModel(NO_CLAIMS, NO_CLAIMS), **{limit: quota})
    assert desk.post().status_code == 200
    refused = desk.post(TEXT + " Again.", **{"Cache-Control": "no-cache"})
    told = problem(refused, 429, "budget-exhausted")
    assert told["detail"].endswith(words)
    assert told["violated-policies"] == [limit]
    assert refused.headers["Retry-After"] == str(UNTIL_MIDNIGHT)
    desk.clock.advance(UNTIL_MIDNIGHT)
    assert desk.post(TEXT + " Again.").status_code == 200


@pytest.mark.parametrize("limit", ["characters", "tokens", "money"])
def test_an_article_that_needs_more_than_a_whole_day_is_too_long(limit):
    desk = Desk(**{limit: 10})
    refused = desk.post()
    assert problem(refused, 413, "article-too-long")["detail"].endswith("of a whole day: send it in parts.")
    assert "Retry-After" not in refused.headers
    assert desk.model.calls == []


class Waiting(NeverTired):
    """Answers when it is let."""

    def __init__(self):
        super().__init__()
        self.asked, self.let = threading.Event(), threading.Event()

    def complete(self, call, deadline):
        self.asked.set()
        assert self.let.wait(30)
        return super().complete(call, deadline)


def test_so_many_are_worked_on_at_a_time_and_what_they_hold_may_come_back_soon():
    desk = Desk(Waiting(), concurrent=2, tokens=5_000)
    first = threading.Thread(target=desk.post)
    first.start()
    assert desk.model.asked.wait(30)
    refused = desk.post(TEXT + " Again.")
    told = problem(refused, 429, "budget-exhausted")
    assert (told["violated-policies"], refused.headers["Retry-After"]) == (["tokens"], "5")
    second = threading.Thread(target=desk.post)  # the same article, which is being worked on
    with ExitStack() as held:
        held.enter_context(desk.client.application.extensions["factcheck"].limits.admission("desk"))
        refused = desk.post(TEXT + " Again.")
        assert problem(refused, 429, "rate-limited")["violated-policies"] == ["concurrent"]
        assert refused.headers["Retry-After"] == "1"
    desk.model.let.set()
    first.join()
    second.start()
    second.join()
    assert (desk.tally().open, desk.tally().held) == (0, NOTHING)


def test_an_answer_that_was_kept_costs_characters_and_no_tokens():
    desk = Desk(ScriptedModel(NO_CLAIMS), tokens=100_000, characters=1_000)
    assert [desk.post().get_json()["usage"]["cache"] for _ in range(2)] == ["miss", "hit"]
    assert desk.tally().spent == Amounts(2 * len(TEXT), 120, 160)


def test_a_request_that_is_replayed_costs_nothing_but_its_place():
    desk = Desk(ScriptedModel(NO_CLAIMS), requests=5, tokens=100_000, characters=1_000)
    assert [desk.post(**{"Idempotency-Key": "k"}).status_code for _ in range(2)] == [200, 200]
    assert desk.tally().spent == Amounts(len(TEXT), 120, 160)


def test_a_refused_request_can_be_sent_again_with_its_key():
    desk = Desk(ScriptedModel(NO_CLAIMS, NO_CLAIMS), characters=60)
    desk.post()
    assert desk.post(TEXT + " Again.", **{"Idempotency-Key": "k"}).status_code == 429
    desk.clock.advance(UNTIL_MIDNIGHT)
    assert desk.post(TEXT + " Again.", **{"Idempotency-Key": "k"}).status_code == 200


def test_work_shared_with_another_request_is_paid_for_once():
    desk = Desk(Waiting(), tokens=100_000, characters=1_000)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(desk.post().get_json()["usage"]["cache"])) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert desk.model.asked.wait(30)
    desk.model.let.set()
    for thread in threads:
        thread.join()
    assert answers.count("miss") == 1
    estimated = len(desk.model.calls)
    assert estimated == 1
    assert desk.tally().spent.characters == 3 * len(TEXT)


def test_a_request_that_failed_costs_what_its_calls_did_and_no_characters():
    desk = Desk(ScriptedModel("not json", "nor this"), tokens=100_000, characters=1_000)
    assert desk.post().status_code == 502
    assert desk.tally().spent == Amounts(0, 240, 320)
    unreachable = Desk(ScriptedModel(ModelUnavailableError("gone")), tokens=100_000, characters=1_000)
    assert unreachable.post().status_code == 502
    assert unreachable.tally().spent == NOTHING


def test_calls_that_end_after_their_request_are_charged_all_the_same():
    limiter = Limiter(Allowances(Allowance(tokens=100)), MemoryLedger(noon()))
    with limiter.admission("desk") as admission:
        admission.count("m", Tokens(10, 0, 5))
    admission.count("m", Tokens(20, 0, 0))
    assert limiter.ledger.settle("desk", "looking", NOTHING).spent == Amounts(0, 35, 0)


def test_an_answer_that_goes_on_is_in_until_it_ends():
    limiter = Limiter(Allowances(Allowance(concurrent=1)), MemoryLedger(noon()))
    with ExitStack() as stack:
        stack.enter_context(limiter.admission("desk"))
        held = stack.pop_all()
    assert limiter.ledger.settle("desk", "looking", NOTHING).open == 1
    held.close()
    assert limiter.ledger.settle("desk", "looking", NOTHING).open == 0


def lost(*, local):
    """A service whose Redis is not there."""
    ledger = GuardedLedger(RedisLedger("redis://127.0.0.1:1", wait_s=0.1), MemoryLedger(noon()) if local else None)
    limiter = Limiter(Allowances(Allowance(requests=1, tokens=100_000)), ledger)
    services = Services(NeverTired(), PROMPTS, clock=noon(), limits=limiter)
    return create_app(Settings(), services).test_client()


def test_without_its_redis_nothing_is_given_out():
    client = lost(local=False)
    refused = client.post("/analyze", **ARTICLE)
    told = problem(refused, 503, "limits-unavailable")
    assert (told["retryable"], refused.headers["Retry-After"]) == (True, "5")
    assert "violated-policies" not in told
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert "requests are refused" in ready.get_json()["degraded"][0]


def test_or_each_process_counts_for_itself_where_that_is_set():
    client = lost(local=True)
    assert [client.post("/analyze", **ARTICLE).status_code for _ in range(2)] == [200, 429]
    assert "each process counts for itself" in client.get("/readyz").get_json()["degraded"][0]


def test_a_redis_that_goes_while_an_article_is_read_takes_no_answer_away():
    class Going(MemoryLedger):
        def settle(self, *_):
            raise StoreError("gone")

    limiter = Limiter(Allowances(Allowance(requests=5)), GuardedLedger(Going(noon()), None))
    services = Services(NeverTired(), PROMPTS, clock=noon(), limits=limiter)
    answer = create_app(Settings(), services).test_client().post("/analyze", **ARTICLE)
    assert (answer.status_code, answer.headers["RateLimit"]) == (200, '"requests";r=4;t=12')
