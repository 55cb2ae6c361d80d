import pytest
import structlog
from structlog.testing import capture_logs

from service.limit_errors import LimitsUnavailableError
from service.limits.base import NOTHING, Allowance, Amounts, Limit
from service.limits.guarded import REST_S, GuardedLedger
from service.limits.memory import MemoryLedger
from service.store.base import StoreError
from tests.fakes import FixedClock
from tests.ledgers import TTL, noon

ALLOWED = Allowance(requests=10, concurrent=2, tokens=100)
TEN = Amounts(tokens=10)


class Failing(MemoryLedger):
    """A ledger that can be out of reach."""

    def __init__(self, clock):
        super().__init__(clock)
        self.out = False
        self.left = None  # how often it can be asked until it fails
        self.asked = 0
        self.closed = False

    def _opened(self, tenant):
        self.asked += 1
        if self.out or self.left == 0:
            raise StoreError("out of reach")
        self.left = None if self.left is None else self.left - 1
        return super()._opened(tenant)

    def ready(self):
        return "out of reach" if self.out else None

    def close(self):
        self.closed = True


class Setting:
    def __init__(self, *, local):
        self.clock = FixedClock()
        self.shared = Failing(noon())
        self.ledger = GuardedLedger(self.shared, MemoryLedger(noon()) if local else None, self.clock)

    def enter(self, ticket="a", allowance=ALLOWED):
        return self.ledger.enter("desk", ticket, allowance, TTL)

    def reserve(self, ticket="a", amounts=TEN):
        return self.ledger.reserve("desk", ticket, ALLOWED, amounts)

    def settle(self, ticket="a", spent=TEN):
        return self.ledger.settle("desk", ticket, spent)

    def known(self):
        """What the shared ledger knows of the tenant, whatever is wrong with the way to it."""
        return MemoryLedger.enter(self.shared, "desk", "looking", Allowance(), 1)[0]


@pytest.fixture
def strict():
    return Setting(local=False)


@pytest.fixture
def lax():
    return Setting(local=True)


def test_while_it_works_it_is_as_it_is(strict):
    assert strict.enter()[1] is None
    assert strict.reserve()[0].held == TEN
    assert strict.settle().spent == TEN
    assert strict.ledger.ready() is None
    strict.ledger.close()
    assert strict.shared.closed


def test_a_failure_refuses_everyone(strict):
    strict.shared.out = True
    with pytest.raises(LimitsUnavailableError) as raised:
        strict.enter()
    assert (raised.value.retryable, raised.value.limit, raised.value.retry_after_s) == (True, None, REST_S)
    assert "requests are refused: out of reach" in strict.ledger.ready()


def test_a_request_let_in_before_the_failure_gets_nothing_either_and_what_it_spent_is_told_later(strict):
    strict.enter()
    strict.shared.out = True
    with pytest.raises(LimitsUnavailableError):
        strict.reserve()
    with pytest.raises(LimitsUnavailableError):
        strict.settle()
    strict.shared.out = False
    strict.clock.advance(REST_S)
    assert strict.enter("b")[1] is None
    assert (strict.known().spent, strict.known().open) == (TEN, 2)  # b, and who looks


def test_a_place_that_failed_is_left_alone_for_a_while(strict):
    strict.shared.out = True
    for _ in range(3):
        with pytest.raises(LimitsUnavailableError):
            strict.enter()
    assert strict.shared.asked == 1
    strict.clock.advance(REST_S)
    with pytest.raises(LimitsUnavailableError):
        strict.enter()
    assert strict.shared.asked == 2


def test_a_failure_is_logged_when_it_begins_and_when_it_ends(strict):
    structlog.reset_defaults()
    with capture_logs() as log:
        strict.shared.out = True
        for _ in range(2):
            assert strict.ledger.ready()
            strict.clock.advance(REST_S)
        strict.shared.out = False
        assert strict.ledger.ready() is None
        strict.enter()
    assert [line["event"] for line in log] == ["the limits cannot be counted", "the limits can be counted again"]
    assert log[0]["reason"] == "out of reach"


def test_or_each_process_counts_for_itself(lax):
    lax.shared.out = True
    assert lax.enter("a")[1] is None
    assert lax.enter("b")[1] is None
    assert lax.enter("c")[1].limit is Limit.CONCURRENT
    assert lax.reserve("a", Amounts(tokens=60))[1] is None
    assert lax.reserve("b", Amounts(tokens=60))[1].limit is Limit.TOKENS
    assert "each process counts for itself: out of reach" in lax.ledger.ready()
    assert lax.settle("a").spent == TEN


def test_what_was_spent_meanwhile_is_counted_together_afterwards(lax):
    lax.shared.out = True
    lax.enter("a")
    lax.reserve("a")
    lax.settle("a")
    lax.enter("b")
    lax.shared.out = False
    lax.clock.advance(REST_S)
    lax.enter("c")
    assert lax.known().spent == TEN
    lax.settle("b", Amounts(tokens=5))  # it ends where it began, and is counted there with the next
    lax.settle("c", NOTHING)
    assert lax.known().spent == Amounts(tokens=15)


def test_a_request_let_in_before_the_failure_goes_on_in_the_process(lax):
    lax.enter("a")
    lax.shared.out = True
    assert lax.reserve("a", Amounts(tokens=60))[0].held == Amounts(tokens=60)
    assert lax.settle("a").held == NOTHING
    lax.shared.out = False
    lax.clock.advance(REST_S)
    lax.enter("b")
    assert (lax.known().spent, lax.known().open) == (TEN, 2)


def test_what_is_owed_is_told_in_parts_and_none_of_it_is_lost(strict):
    for number in range(30):
        strict.enter(str(number), Allowance())
    strict.shared.out = True
    for number in range(30):
        with pytest.raises(LimitsUnavailableError):
            strict.settle(str(number), Amounts(tokens=1))
    strict.shared.out = False
    strict.clock.advance(REST_S)
    strict.enter("x", Allowance())
    assert strict.known().spent == Amounts(tokens=20)
    strict.enter("y", Allowance())
    assert strict.known().spent == Amounts(tokens=30)


def test_what_is_owed_stays_owed_when_the_place_fails_again(strict):
    strict.enter("a")
    strict.shared.out = True
    with pytest.raises(LimitsUnavailableError):
        strict.settle("a")
    strict.shared.out = False
    strict.clock.advance(REST_S)
    strict.shared.left = 1
    strict.enter("b")
    strict.shared.left = None
    strict.enter("c", Allowance())
    assert strict.known().spent == TEN
