"""Secrets given as files: each secret setting may be set as `NAME_FILE`, the path of a file that holds it.

An environment is inherited by child processes and shown by container engines; a file need not be.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

SECRETS: Final = (
    "OPENAI_API_KEY",
    "FACTCHECK_FALLBACK_1_API_KEY",
    "FACTCHECK_FALLBACK_2_API_KEY",
    "FACTCHECK_SEAL_KEY",
    "FACTCHECK_REDIS_URL",
    "FACTCHECK_KEY_PEPPER",
    "FACTCHECK_HEADER_SECRET",
)
"""Every setting that is a secret, or holds one."""

MAX_BYTES: Final = 10_000


def file_setting(name: str) -> str:
    """The variable that names the file of the secret `name`."""
    return f"{name}_FILE"


SECRET_FILES: Final = frozenset(map(file_setting, SECRETS))


def read_secrets(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The settings `given`, with what their files hold in place of the files' names; and what is wrong with those.

    White space around a secret is not part of it. Nothing that is told holds any of a file.
    """
    read, faults = dict(given), []
    for name in SECRETS:
        path = read.pop(file_setting(name), None)
        if path is None:
            continue
        if name in given:
            faults.append(f"{file_setting(name)}: set either this or {name}, not both")
            continue
        try:
            read[name] = _secret(Path(path))
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) and error.strerror else "must name a file of one line of text"
            faults.append(f"{file_setting(name)}: {told}")
    return read, faults


def _secret(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    text = data.decode("utf-8").strip()
    if not text or len(data) > MAX_BYTES or not text.isprintable():
        raise ValueError
    return text
