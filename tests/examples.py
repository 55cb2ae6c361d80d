"""How many examples property tests try: what each says, or HYPOTHESIS_EXAMPLES where that is more."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES_VARIABLE = "HYPOTHESIS_EXAMPLES"
_USUAL = 100


def examples(count=_USUAL, *, suppress=(), environ=os.environ):
    """Settings for `count` examples or more. None is timed: the first builds tables, and a machine may be busy."""
    asked = int(environ.get(EXAMPLES_VARIABLE) or 0)
    return settings(max_examples=max(count, asked), deadline=None, suppress_health_check=[HealthCheck.too_slow, *suppress])
