"""What every ledger promises, wherever it counts."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from redis import Redis

from service.limits.base import NOTHING, Allowance, Amounts, Limit, NoLedger, Refusal, Tally, levels
from service.limits.redis import RedisLedger
from service.store.base import StoreError
from tests.examples import examples
from tests.ledgers import DAY_S, TTL, ledger_of, noon
from tests.redis_server import URL, fresh_prefix, need_redis

ROOT = Path(__file__).parents[2]
KINDS = ["memory", pytest.param("redis", marks=pytest.mark.loopback)]
A_DAY = Allowance(characters=1_000, tokens=500, money=100)
SOME = Amounts(400, 200, 40)


@pytest.fixture
def clock():
    return noon()


@pytest.fixture(params=KINDS)
def ledger(request, clock):
    with ledger_of(request.param, clock) as made:
        yield made


@pytest.fixture(params=KINDS)
def ticking(request):
    """A ledger with a clock of its own."""
    with ledger_of(request.param, None) as made:
        yield made


def let_in(ledger, ticket, allowance=A_DAY, tenant="desk"):
    assert ledger.enter(tenant, ticket, allowance, TTL)[1] is None


def refused(answer):
    return None if answer[1] is None else answer[1].limit


def test_what_is_reserved_is_held_until_it_is_settled_and_then_what_was_spent_is(ledger):
    let_in(ledger, "a")
    tally, refusal = ledger.reserve("desk", "a", A_DAY, SOME)
    assert (refusal, tally.open, tally.held, tally.spent) == (None, 1, SOME, NOTHING)
    tally = ledger.settle("desk", "a", Amounts(400, 90, 7))
    assert (tally.open, tally.held, tally.spent) == (0, NOTHING, Amounts(400, 90, 7))


def test_a_request_that_cost_nothing_gives_back_all_of_it(ledger):
    let_in(ledger, "a")
    ledger.reserve("desk", "a", A_DAY, SOME)
    assert ledger.settle("desk", "a", NOTHING).spent == NOTHING


@pytest.mark.parametrize("limit", ["characters", "tokens", "money"])
def test_each_budget_is_held_to_by_itself_and_a_refusal_holds_nothing(ledger, limit):
    allowance = Allowance(**{limit: 100})
    let_in(ledger, "a", allowance)
    let_in(ledger, "b", allowance)
    assert refused(ledger.reserve("desk", "a", allowance, Amounts(**{limit: 60}))) is None
    tally, refusal = ledger.reserve("desk", "b", allowance, Amounts(**{limit: 41}))
    assert (refusal.limit, tally.held) == (limit, Amounts(**{limit: 60}))
    assert refused(ledger.reserve("desk", "b", allowance, Amounts(**{limit: 40}))) is None


def test_what_is_not_asked_for_is_never_in_the_way(ledger):
    let_in(ledger, "a")
    ledger.settle("desk", "a", Amounts(tokens=10_000))  # dearer than it looked
    let_in(ledger, "b")
    assert refused(ledger.reserve("desk", "b", A_DAY, Amounts(characters=1))) is None
    let_in(ledger, "c")
    assert refused(ledger.reserve("desk", "c", A_DAY, Amounts(tokens=1))) is Limit.TOKENS


def test_a_ticket_reserves_once(ledger):
    let_in(ledger, "a")
    for amounts in (SOME, Amounts(900), SOME):
        tally, refusal = ledger.reserve("desk", "a", A_DAY, amounts)
        assert (refusal, tally.held) == (None, SOME)


def test_tenants_are_apart(ledger):
    allowance = Allowance(requests=1, concurrent=1, characters=100)
    for tenant in ("sports", "politics", "", "Sports", "sports:politics", "*"):
        let_in(ledger, "same ticket", allowance, tenant)
        assert refused(ledger.reserve(tenant, "same ticket", allowance, Amounts(100))) is None
        assert refused(ledger.enter(tenant, "another", allowance, TTL)) is Limit.REQUESTS


def test_as_many_requests_as_are_allowed_come_at_once_and_then_one_each_time_a_place_is_free(ledger, clock):
    allowance = Allowance(requests=3)
    for number in range(3):
        let_in(ledger, f"a{number}", allowance)
    assert ledger.enter("desk", "a3", allowance, TTL)[1] == Refusal(Limit.REQUESTS, 20)
    clock.advance(19.5)
    assert ledger.enter("desk", "a3", allowance, TTL)[1] == Refusal(Limit.REQUESTS, 1)
    clock.advance(0.5)
    let_in(ledger, "a3", allowance)
    assert refused(ledger.enter("desk", "a4", allowance, TTL)) is Limit.REQUESTS
    clock.advance(60)
    for number in range(3):
        let_in(ledger, f"b{number}", allowance)
    assert refused(ledger.enter("desk", "b3", allowance, TTL)) is Limit.REQUESTS


@pytest.mark.parametrize("requests", [1, 7, 59, 3_999])
def test_no_rounding_lets_in_one_more_or_less(requests, clock):
    with ledger_of("memory", clock) as ledger:
        allowance = Allowance(requests=requests)
        for _ in range(requests):
            let_in(ledger, "a", allowance)
            ledger.settle("desk", "a", NOTHING)
        assert refused(ledger.enter("desk", "a", allowance, TTL)) is Limit.REQUESTS


def test_so_many_are_answered_at_a_time(ledger):
    allowance = Allowance(concurrent=2)
    let_in(ledger, "a", allowance)
    let_in(ledger, "b", allowance)
    assert refused(ledger.enter("desk", "c", allowance, TTL)) is Limit.CONCURRENT
    ledger.settle("desk", "a", NOTHING)
    let_in(ledger, "c", allowance)


def test_who_is_refused_for_being_too_many_at_a_time_keeps_their_place_in_the_minute(ledger):
    allowance = Allowance(requests=2, concurrent=1)
    let_in(ledger, "a", allowance)
    assert refused(ledger.enter("desk", "b", allowance, TTL)) is Limit.CONCURRENT
    ledger.settle("desk", "a", NOTHING)
    let_in(ledger, "b", allowance)


def test_a_killed_process_holds_nothing_for_ever(ledger, clock):
    allowance = Allowance(concurrent=1, characters=100)
    let_in(ledger, "a", allowance)
    ledger.reserve("desk", "a", allowance, Amounts(100))
    clock.advance(TTL / 1_000_000 - 0.001)
    assert refused(ledger.enter("desk", "b", allowance, TTL)) is Limit.CONCURRENT
    clock.advance(0.001)
    let_in(ledger, "b", allowance)
    assert refused(ledger.reserve("desk", "b", allowance, Amounts(100))) is None


def test_who_was_given_up_and_ends_all_the_same_is_charged(ledger, clock):
    let_in(ledger, "a")
    ledger.reserve("desk", "a", A_DAY, SOME)
    clock.advance(TTL)
    assert ledger.reserve("desk", "a", A_DAY, SOME)[0].held == NOTHING
    assert ledger.settle("desk", "a", SOME).spent == SOME


def test_at_midnight_a_new_day_begins_and_what_yesterday_began_is_yesterdays(ledger, clock):
    clock.advance(DAY_S / 2 - 1)
    for ticket in ("a", "b"):
        let_in(ledger, ticket)
        ledger.reserve("desk", ticket, A_DAY, SOME)
    assert ledger.settle("desk", "a", SOME).spent == SOME
    clock.advance(1)
    tally = ledger.settle("desk", "b", SOME)
    assert (tally.spent, tally.held) == (NOTHING, NOTHING)
    let_in(ledger, "c")
    assert ledger.reserve("desk", "c", A_DAY, Amounts(1_000))[1] is None


def test_what_is_reserved_after_midnight_is_of_the_new_day(ledger, clock):
    clock.advance(DAY_S / 2 - 1)
    let_in(ledger, "a")
    clock.advance(1)
    assert ledger.reserve("desk", "a", A_DAY, SOME)[0].held == SOME
    assert ledger.settle("desk", "a", SOME).spent == SOME


def test_a_clock_put_back_over_midnight_gives_no_day_twice(ledger, clock):
    clock.advance(DAY_S / 2 - 1)
    let_in(ledger, "a")
    ledger.settle("desk", "a", SOME)
    clock.advance(2)
    let_in(ledger, "b")
    assert ledger.settle("desk", "b", Amounts(1)).spent == Amounts(1)
    clock.advance(-2)
    assert ledger.enter("desk", "c", A_DAY, TTL)[0].spent == SOME
    clock.advance(2)
    assert ledger.settle("desk", "c", NOTHING).spent == Amounts(1)
    clock.advance(DAY_S * 2)
    assert ledger.enter("desk", "d", A_DAY, TTL)[0].spent == NOTHING


def test_a_clock_put_back_keeps_nobody_out_for_longer_than_a_minute(ledger, clock):
    allowance = Allowance(requests=2, concurrent=2)
    clock.advance(10 * DAY_S)
    let_in(ledger, "a", allowance)
    let_in(ledger, "b", allowance)
    clock.advance(-10 * DAY_S)
    assert ledger.enter("desk", "c", allowance, TTL)[1] == Refusal(Limit.REQUESTS, 30)
    clock.advance(30)
    let_in(ledger, "c", allowance)  # the tickets of a time that has not come hold no place either


def test_what_was_spent_long_ago_is_forgotten(ledger, clock):
    let_in(ledger, "a")
    ledger.settle("desk", "a", SOME)
    clock.advance(2 * DAY_S)
    let_in(ledger, "b")
    clock.advance(-2 * DAY_S)
    assert ledger.enter("desk", "c", A_DAY, TTL)[0].spent == NOTHING


@pytest.mark.parametrize("limit", ["characters", "tokens", "money", "requests", "concurrent"])
def test_fifty_threads_on_the_last_unit_spend_exactly_that_unit(ticking, limit):
    allowance = Allowance(**{limit: 10})
    for number in range(9):
        let_in(ticking, f"before {number}", allowance)
        if limit in {"characters", "tokens", "money"}:
            ticking.settle("desk", f"before {number}", Amounts(**{limit: 1}))

    def take(number):
        ticket = f"t{number}"
        entered = ticking.enter("desk", ticket, allowance, TTL)
        if entered[1] is not None or limit in {"requests", "concurrent"}:
            return entered[1]
        refusal = ticking.reserve("desk", ticket, allowance, Amounts(**{limit: 1}))[1]
        ticking.settle("desk", ticket, NOTHING if refusal else Amounts(**{limit: 1}))
        return refusal

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(take, range(50)))
    assert outcomes.count(None) == 1
    if limit in {"characters", "tokens", "money"}:
        assert ticking.enter("desk", "after", Allowance(), TTL)[0].spent == Amounts(**{limit: 10})


PROCESS = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from service.limits.base import Allowance, Amounts, NOTHING
from service.limits.redis import RedisLedger

url, prefix, name = sys.argv[1:]
ledger, allowance = RedisLedger(url, prefix=prefix, wait_s=30), Allowance(tokens=100)

def take(number):
    ticket = f"{name}{number}"
    ledger.enter("desk", ticket, allowance, 60_000_000)
    refusal = ledger.reserve("desk", ticket, allowance, Amounts(tokens=7))[1]
    ledger.settle("desk", ticket, NOTHING if refusal else Amounts(tokens=1))
    return refusal is None

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(8) as pool:
    print(json.dumps(sum(pool.map(take, range(100)))))
"""


@pytest.mark.loopback
def test_two_processes_spend_exactly_what_there_is():
    url, prefix = need_redis(), fresh_prefix()
    # The last six units are less than one more could ask for: of 200 requests, 94 get their token.
    commands = [[sys.executable, "-c", PROCESS, url, prefix, name] for name in "ab"]
    running = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ours
        for command in commands
    ]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    granted = [json.loads(process.communicate(timeout=60)[0]) for process in running]
    with ledger_of("redis", None, prefix) as ledger:
        assert ledger.enter("desk", "z", Allowance(), TTL)[0].spent == Amounts(tokens=sum(granted))
    assert sum(granted) <= 94
    assert all(granted)


@pytest.mark.loopback
def test_redis_counts_a_deed_that_is_sent_again_once(clock):
    with ledger_of("redis", clock) as ledger:
        allowance = Allowance(requests=2, tokens=10)
        for _ in range(2):
            let_in(ledger, "a", allowance)
        for _ in range(2):
            assert ledger.reserve("desk", "a", allowance, Amounts(tokens=10))[0].held == Amounts(tokens=10)
        for _ in range(2):
            tally = ledger.settle("desk", "a", Amounts(tokens=3))
        assert (tally.spent, tally.held, tally.open) == (Amounts(tokens=3), NOTHING, 0)
        let_in(ledger, "b", allowance)
        assert refused(ledger.enter("desk", "c", allowance, TTL)) is Limit.REQUESTS


@pytest.mark.loopback
def test_redis_keeps_no_name_of_a_tenant_and_nothing_for_long():
    prefix = fresh_prefix()
    with ledger_of("redis", None, prefix) as ledger:
        let_in(ledger, "a", tenant="sports-desk")
        ledger.settle("sports-desk", "a", SOME)
        with Redis.from_url(URL) as client:
            keys = list(client.scan_iter(f"{prefix}:*"))
            assert len(keys) == 2
            assert all(b"sports" not in key and 0 < client.ttl(key) <= 3 * DAY_S for key in keys)


def test_a_redis_that_is_not_there_is_told():
    ledger = RedisLedger("redis://127.0.0.1:1", wait_s=0.1)
    for use in (
        lambda: ledger.enter("desk", "a", A_DAY, TTL),
        lambda: ledger.reserve("desk", "a", A_DAY, SOME),
        lambda: ledger.settle("desk", "a", SOME),
    ):
        with pytest.raises(StoreError):
            use()
    assert "cannot be reached" in ledger.ready()
    ledger.close()


def test_one_that_works_is_ready(ledger):
    assert ledger.ready() is None
    ledger.close()


def test_who_is_not_limited_has_no_account():
    ledger, strictest = NoLedger(), Allowance(1, 1, 1, 1, 1)
    for ticket in ("a", "b"):
        assert ledger.enter("desk", ticket, strictest, TTL) == (Tally(0), None)
        assert ledger.reserve("desk", ticket, strictest, SOME) == (Tally(0), None)
        assert ledger.settle("desk", ticket, SOME) == Tally(0)
    assert ledger.ready() is None
    ledger.close()


class Books(RuleBasedStateMachine):
    """Any order of deeds, over ledgers that must agree and a plain account of who holds and spent what."""

    kinds = ("memory",)

    def __init__(self):
        super().__init__()
        self.clock = noon()
        self.opened = [ledger_of(kind, self.clock) for kind in self.kinds]
        self.ledgers = [one.__enter__() for one in self.opened]
        self.serial = 0
        self.tickets = {}
        self.spent = {}

    @initialize(requests=st.none() | st.integers(1, 5), concurrent=st.none() | st.integers(1, 4), budget=st.integers(1, 60))
    def allow(self, requests, concurrent, budget):
        self.allowance = Allowance(requests, concurrent, budget, budget * 2, None)

    def told(self, deed):
        """What every ledger answers."""
        answers = [deed(ledger) for ledger in self.ledgers]
        assert all(answer == answers[0] for answer in answers)
        return answers[0]

    @property
    def now(self):
        return int(self.clock.now * 1_000_000)

    @property
    def today(self):
        return self.now // (DAY_S * 1_000_000)

    def of(self, tenant):
        return {ticket: state for ticket, state in self.tickets.items() if state["tenant"] == tenant}

    @rule(tenant=st.sampled_from("ab"))
    def enter(self, tenant):
        self.serial += 1
        refusal = self.told(lambda ledger: ledger.enter(tenant, str(self.serial), self.allowance, TTL))[1]
        if refusal is None:
            self.tickets[self.serial] = {"tenant": tenant, "begun": self.now, "day": self.today, "held": NOTHING}
        assert self.allowance.concurrent is None or len(self.of(tenant)) <= self.allowance.concurrent

    @rule(which=st.integers(0, 9), characters=st.integers(0, 40), tokens=st.integers(0, 80))
    @precondition(lambda self: self.tickets)
    def reserve(self, which, characters, tokens):
        ticket, state = list(self.tickets.items())[which % len(self.tickets)]
        amounts = Amounts(characters, tokens)
        refusal = self.told(lambda ledger: ledger.reserve(state["tenant"], str(ticket), self.allowance, amounts))[1]
        if refusal is None and state["held"] == NOTHING:
            state |= {"held": amounts, "day": self.today}

    @rule(which=st.integers(0, 9), part=st.integers(0, 2))
    @precondition(lambda self: self.tickets)
    def settle(self, which, part):
        ticket, state = list(self.tickets.items())[which % len(self.tickets)]
        del self.tickets[ticket]
        held, book = state["held"], (state["tenant"], state["day"])
        spent = Amounts(held.characters * part // 2, held.tokens * part // 2)
        self.told(lambda ledger: ledger.settle(state["tenant"], str(ticket), spent))
        self.spent[book] = self.spent.get(book, NOTHING) + spent

    @rule(seconds=st.sampled_from([0.001, 1, 20, 59.999, 60, 3_600, DAY_S / 2, DAY_S]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([0.5, 45, 7_200]))
    def put_back(self, seconds):
        self.clock.advance(-seconds)

    @invariant()
    def nothing_is_lost_and_no_day_is_overspent(self):
        self.tickets = {key: state for key, state in self.tickets.items() if abs(self.now - state["begun"]) < TTL}
        self.spent = {(tenant, day): spent for (tenant, day), spent in self.spent.items() if day >= self.today - 1}
        for tenant in "ab":
            tally = self.told(lambda ledger, tenant=tenant: ledger.settle(tenant, "nobody's", NOTHING))
            held = [state["held"] for state in self.of(tenant).values() if state["day"] == self.today]
            assert tally.open == len(self.of(tenant))
            assert tally.held == sum(held, NOTHING)
            assert tally.spent == self.spent.get((tenant, self.today), NOTHING)
            for limit in (Limit.CHARACTERS, Limit.TOKENS):
                assert tally.spent.of(limit) + tally.held.of(limit) <= self.allowance.of(limit)
            assert all(0 <= level.left <= level.quota for level in levels(tally, self.allowance))

    def teardown(self):
        for one in self.opened:
            one.__exit__(None, None, None)


class BooksInTwoPlaces(Books):
    """The same in memory and in Redis, which must agree to the last microsecond."""

    kinds = ("memory", "redis")


def test_whatever_happens_nothing_is_lost_and_no_day_is_overspent():
    run_state_machine_as_test(Books, settings=settings(examples(50), stateful_step_count=30))


@pytest.mark.loopback
def test_redis_keeps_the_same_books_as_memory():
    need_redis()
    run_state_machine_as_test(BooksInTwoPlaces, settings=settings(examples(15), stateful_step_count=20))
