"""Files written whole: whoever reads one meets the old file or the new one, never half of either."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

PRIVATE = 0o600


def write_whole(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Nothing; `data` is at `path`: also after a power failure, what is there is all of the new data or of the old.

    The file keeps the permissions of the one it replaces; a new one gets `mode`, less what the process' umask takes away.
    Raises: OSError; then nothing has changed.
    """
    # Hidden, and with an ending of its own, so that what lists the folder leaves it out.
    part = path.with_name(f".{token_hex(8)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def write_json(path: Path, document: Any) -> None:
    """Nothing; `document` is at `path` as JSON in ASCII, in a folder that is made where it is missing.

    Raises: OSError; ValueError, TypeError for what JSON cannot hold.
    """
    text = json.dumps(document, ensure_ascii=True, allow_nan=False, indent=1) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode("ascii"))
