"""Programs that tests run. A machine without one skips those tests, unless TESTS_NEED_PROGRAMS says that all must be there."""

import os
import shutil

import pytest


def need_program(name: str) -> str:
    """The path of the program."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        told = f"there is no {name} on this machine"
        pytest.fail(told) if os.environ.get("TESTS_NEED_PROGRAMS") else pytest.skip(told)
    return str(path)
