"""What an operator can set about limits."""

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from environs import Env
from marshmallow import validate

from service.limits.allowances import MOST, MOST_MONEY, money_of
from service.limits.base import MONEY_UNIT, Allowance


class WithoutRedis(StrEnum):
    """What happens while Redis does not work: requests are refused, or each process counts for itself."""

    REFUSE = "refuse"
    LOCAL = "local"


@dataclass(frozen=True)
class LimitSettings:
    """How much each tenant may have, where `limits_file` does not say otherwise; None is without limit.

    Each field is the variable of its name behind `FACTCHECK_`. Requests are those a minute, `limit_concurrent` analyses at
    a time; characters, tokens and money (in the currency of the prices in the file) those of a day, which begins at
    midnight UTC.
    """

    limit_requests: int | None = None
    limit_concurrent: int | None = None
    limit_characters: int | None = None
    limit_tokens: int | None = None
    limit_money: Decimal | None = None
    limits_file: Path | None = None
    limits_without_redis: WithoutRedis = WithoutRedis.REFUSE

    @property
    def usual(self) -> Allowance:
        """What a tenant may have who is not named in the file."""
        money = None if self.limit_money is None else money_of(self.limit_money)
        return Allowance(self.limit_requests, self.limit_concurrent, self.limit_characters, self.limit_tokens, money)


LIMIT_SETTING_NAMES = frozenset(f"FACTCHECK_{one.name.upper()}" for one in fields(LimitSettings))


def read_limits(env: Env) -> LimitSettings:
    """The settings in `env`, which notes what is malformed."""
    whole = validate.Range(min=1, max=MOST)
    amount = validate.Range(min=Decimal(1) / MONEY_UNIT, max=MOST_MONEY)
    return LimitSettings(
        limit_requests=env.int("FACTCHECK_LIMIT_REQUESTS", None, validate=whole),
        limit_concurrent=env.int("FACTCHECK_LIMIT_CONCURRENT", None, validate=whole),
        limit_characters=env.int("FACTCHECK_LIMIT_CHARACTERS", None, validate=whole),
        limit_tokens=env.int("FACTCHECK_LIMIT_TOKENS", None, validate=whole),
        limit_money=env.decimal("FACTCHECK_LIMIT_MONEY", None, validate=amount),
        limits_file=env.path("FACTCHECK_LIMITS_FILE", None),
        limits_without_redis=env.enum("FACTCHECK_LIMITS_WITHOUT_REDIS", WithoutRedis.REFUSE, enum=WithoutRedis, by_value=True),
    )
