"""The limiter that the settings ask for."""

import json
from collections.abc import Sequence

from service.errors import SetupError
from service.limits.allowances import read_allowances
from service.limits.guarded import GuardedLedger
from service.limits.limiter import Limiter
from service.limits.memory import MemoryLedger
from service.limits.redis import RedisLedger
from service.limits.settings import LimitSettings, WithoutRedis
from service.observing import Observer


def build_limiter(
    settings: LimitSettings, redis_url: str | None, models: Sequence[str], observer: Observer, *, longest_s: float
) -> Limiter:
    """What holds each tenant to their limits: counted in Redis where there is one, and nobody is limited unless it is said.

    `models` are the names of those that cost money; a request takes at most `longest_s` seconds.
    Raises: SetupError for the file of limits, and when money is limited and one of the models has no price.
    """
    allowances = read_allowances(settings.usual, settings.limits_file)
    unpriced = sorted(set(models) - set(allowances.prices))
    if allowances.limit_money and unpriced:
        faults = [f"[prices.{json.dumps(name)}] is missing: input and output, each for a million tokens" for name in unpriced]
        raise SetupError("money is limited, but FACTCHECK_LIMITS_FILE does not say what every model costs", faults)
    if not allowances.limit_anything:
        return Limiter(allowances)
    if redis_url is None:
        return Limiter(allowances, MemoryLedger(), observer, longest_s=longest_s)
    instead = MemoryLedger() if settings.limits_without_redis is WithoutRedis.LOCAL else None
    return Limiter(allowances, GuardedLedger(RedisLedger(redis_url), instead), observer, longest_s=longest_s)
