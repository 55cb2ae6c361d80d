"""How hypothesis looks for counterexamples: without a clock of its own, and the same way each time in CI."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tests",
    deadline=None,  # how long one example takes says more about the machine than about the code
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("tests")
