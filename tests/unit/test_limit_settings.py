from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import main
from service.cli.effects import production
from service.errors import SetupError
from service.limits.base import Allowance
from service.limits.settings import LimitSettings, WithoutRedis
from service.settings import from_environ

GIVEN = {
    "FACTCHECK_LIMIT_REQUESTS": "60",
    "FACTCHECK_LIMIT_CONCURRENT": "4",
    "FACTCHECK_LIMIT_CHARACTERS": "2000000",
    "FACTCHECK_LIMIT_TOKENS": "5000000",
    "FACTCHECK_LIMIT_MONEY": "12.5",
    "FACTCHECK_LIMITS_FILE": "/etc/limits.toml",
    "FACTCHECK_LIMITS_WITHOUT_REDIS": "local",
}


def test_nothing_is_limited_unless_it_is_said():
    assert from_environ({}).limits == LimitSettings()
    assert LimitSettings().usual == Allowance()


def test_every_limit_is_read_and_money_is_exact():
    limits = from_environ(GIVEN).limits
    assert limits.usual == Allowance(60, 4, 2_000_000, 5_000_000, 12_500_000)
    assert (limits.limits_file, limits.limits_without_redis) == (Path("/etc/limits.toml"), WithoutRedis.LOCAL)


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "10000000000000"])
@pytest.mark.parametrize("name", [name for name in GIVEN if "LIMIT_" in name and "MONEY" not in name])
def test_a_limit_that_is_no_whole_number_is_refused(name, value):
    with pytest.raises(SetupError, match=name):
        from_environ({name: value})


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "much", "0.0000001", "1e9"])
def test_money_that_is_no_amount_is_refused(value):
    with pytest.raises(SetupError, match="FACTCHECK_LIMIT_MONEY"):
        from_environ({"FACTCHECK_LIMIT_MONEY": value})


def test_what_happens_without_redis_is_one_of_two_things():
    with pytest.raises(SetupError, match="FACTCHECK_LIMITS_WITHOUT_REDIS"):
        from_environ({"FACTCHECK_LIMITS_WITHOUT_REDIS": "allow"})


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_settings_command_shows_them(options):
    shown = CliRunner().invoke(main, ["settings", *options], obj=production(GIVEN), catch_exceptions=False).output
    assert all(name in shown for name in GIVEN)
    assert str(Decimal("12.5")) in shown
