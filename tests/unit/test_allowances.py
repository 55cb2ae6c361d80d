from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SetupError
from service.limits.allowances import Allowances, Price, read_allowances
from service.limits.base import Allowance
from service.limits.chosen import build_limiter
from service.limits.guarded import GuardedLedger
from service.limits.memory import MemoryLedger
from service.limits.settings import LimitSettings, WithoutRedis
from service.observing import Unobserved
from tests.examples import examples

USUAL = Allowance(requests=60, tokens=1_000)
FILE = """
[tenants.sports]
requests = 30
tokens = "unlimited"
money = 12.5

[tenants."politics desk"]
concurrent = 2
characters = 2_000_000
money = 3

[prices."gpt-4.1-mini"]
input = 0.40
cached = 0.10
output = 1.60

[prices.other]
input = 2
output = 8
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "limits.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def test_without_a_file_all_have_the_same():
    assert read_allowances(USUAL, None) == Allowances(USUAL)
    assert read_allowances(USUAL, None).of("anyone") == USUAL


def test_a_file_changes_for_a_tenant_what_it_tells_and_nothing_else(written):
    read = read_allowances(USUAL, written(FILE))
    assert read.of("sports") == Allowance(requests=30, tokens=None, money=12_500_000)
    assert read.of("politics desk") == Allowance(60, 2, 2_000_000, 1_000, 3_000_000)
    assert read.of("Sports") == read.of("") == USUAL
    assert read.prices["gpt-4.1-mini"] == Price(Decimal("0.40"), Decimal("0.10"), Decimal("1.60"))
    assert read.prices["other"] == Price(Decimal(2), Decimal(2), Decimal(8))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        pytest.param(
            "[tenant.a]\nrequests=1\n",
            ["tenant: there is no such table; there are [tenants.NAME] and [prices.MODEL]"],
            id="table",
        ),
        pytest.param("tenants = 1", ["tenants: must hold tables, such as [tenants.NAME]"], id="no tables"),
        pytest.param("[tenants]\na = 1", ["tenants.a: must be a table"], id="no table"),
        pytest.param(
            "[tenants.a]\nrequest = 1\nrequests = 0\nconcurrent = true\ntokens = -1\nmoney = 0\ncharacters = 'none'\n",
            [
                "tenants.a.request: there is no such limit; there are requests, concurrent, characters, tokens, money",
                'tenants.a.requests: must be a whole number from 1 or "unlimited"',
                'tenants.a.concurrent: must be a whole number from 1 or "unlimited"',
                'tenants.a.characters: must be a whole number from 1 or "unlimited"',
                'tenants.a.tokens: must be a whole number from 1 or "unlimited"',
                'tenants.a.money: must be an amount of money above 0 or "unlimited"',
            ],
            id="all told",
        ),
        pytest.param(
            "[tenants.a]\nmoney = nan\n[tenants.b]\nmoney = inf\n[tenants.c]\ntokens = 1.5\n[tenants.d]\nmoney = 1e-9\n",
            [
                'tenants.a.money: must be an amount of money above 0 or "unlimited"',
                'tenants.b.money: must be an amount of money above 0 or "unlimited"',
                'tenants.c.tokens: must be a whole number from 1 or "unlimited"',
                'tenants.d.money: must be an amount of money above 0 or "unlimited"',
            ],
            id="odd numbers",
        ),
        pytest.param(
            "[prices.m]\ninput = -1\noutputs = 2\n",
            [
                "prices.m.outputs: there is no such price; there are input, cached, output",
                "prices.m: must tell input and output, each for a million tokens",
                "prices.m.input: must be an amount of money for a million tokens, 0 or more",
            ],
            id="prices",
        ),
    ],
)
def test_everything_wrong_in_a_file_is_told_together(written, text, faults):
    with pytest.raises(SetupError) as raised:
        read_allowances(USUAL, written(text))
    assert list(raised.value.faults) == faults


@pytest.mark.parametrize("text", [b"\xff", b"not toml"], ids=["bytes", "words"])
def test_what_is_not_toml_is_told(written, text):
    with pytest.raises(SetupError, match="not TOML in UTF-8"):
        read_allowances(USUAL, written(text))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        read_allowances(USUAL, tmp_path / "none.toml")


@examples()
@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_cached_tokens_are_among_those_sent_and_no_part_of_a_unit_is_lost(fresh, cached, output):
    price = Price(Decimal("0.37"), Decimal("0.11"), Decimal("1.6"))
    exact = Decimal("0.37") * fresh + Decimal("0.11") * cached + Decimal("1.6") * output
    assert 0 <= price.of(fresh + cached, cached, output) - exact < 1


def test_an_endpoint_that_counts_more_cached_tokens_than_were_sent_pays_nothing_back():
    assert Price(Decimal(10), Decimal(1), Decimal(0)).of(5, 7, 0) == 7


def built(redis_url=None, models=(), **given):
    return build_limiter(LimitSettings(**given), redis_url, models, Unobserved(), longest_s=10)


def test_nobody_is_limited_unless_it_is_said():
    limiter = built(models=["m"])
    assert not limiter.allowances.limit_anything
    assert limiter.ready() is None
    limiter.close()


def test_one_process_counts_in_memory_and_many_in_redis():
    assert isinstance(built(limit_requests=1).ledger, MemoryLedger)
    limiter = built("redis://127.0.0.1:1", limit_requests=1)
    assert isinstance(limiter.ledger, GuardedLedger)
    assert "requests are refused" in limiter.ready()
    limiter.close()
    limiter = built("redis://127.0.0.1:1", limit_requests=1, limits_without_redis=WithoutRedis.LOCAL)
    assert "each process counts for itself" in limiter.ready()
    limiter.close()


def test_money_is_limited_only_where_every_model_has_its_price(written):
    with pytest.raises(SetupError) as raised:
        built(limit_money=Decimal(5), models=["other", "gpt-9"], limits_file=written(FILE))
    assert list(raised.value.faults) == ['[prices."gpt-9"] is missing: input and output, each for a million tokens']
    with pytest.raises(SetupError):
        built(models=["gpt-9"], limits_file=written(FILE))  # where only some tenant's money is
    assert built(limit_money=Decimal(5), models=["other"], limits_file=written(FILE)).allowances.usual.money == 5_000_000
    assert built(limit_money=Decimal(5), models=[]).allowances.limit_money
