"""The browser that tests look through. A machine without one skips them, unless TESTS_NEED_BROWSER says there must be one."""

import os
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def need_chromium() -> str:
    """The path of a Chromium."""
    if not CHROMIUM.exists():
        told = f"there is no {CHROMIUM}: apt-get install chromium"
        pytest.fail(told) if os.environ.get("TESTS_NEED_BROWSER") else pytest.skip(told)
    return str(CHROMIUM)
