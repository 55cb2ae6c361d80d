"""The Redis that tests talk to. A machine without one skips them, unless TESTS_NEED_REDIS says that there must be one."""

import os
from uuid import uuid4

import pytest
from redis import Redis
from redis.exceptions import RedisError

URL = "redis://127.0.0.1:6379/0"


def need_redis() -> str:
    """The address of a Redis that answers."""
    with Redis.from_url(URL, socket_connect_timeout=1, socket_timeout=1) as client:
        try:
            client.ping()
        except (RedisError, OSError):
            told = f"no Redis answers at {URL}"
            pytest.fail(told) if os.environ.get("TESTS_NEED_REDIS") else pytest.skip(told)
    return URL


def fresh_prefix() -> str:
    """The beginning of keys that no other test uses."""
    return f"factcheck-test-{uuid4().hex}"
