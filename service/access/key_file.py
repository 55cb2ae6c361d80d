"""The file that API keys are kept in, and the secret they are hashed with.

JSON, written whole: a change made by `factcheck keys` is seen by every running service at its next request. Plain, because
there are tens of keys, read often and changed by hand.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from service.access.errors import AccessUnavailableError
from service.access.keys import Key, digest
from service.codec import Codec, CodecError
from service.errors import SetupError
from service.wholefile import PRIVATE, write_whole

MIN_PEPPER_CHARS = 32
RETRY_AFTER_S = 5.0

_FORMAT = 1
_PEPPER_BYTES = 32
_MARKED = "factcheck keys"  # its hash tells a wrong pepper from a wrong key


@dataclass(frozen=True)
class _Content:
    """All that is in the file. `pepper` is a hash by which the secret its keys were hashed with is known again."""

    format: int
    pepper: str
    keys: tuple[Key, ...]


_CONTENT = Codec(_Content)
_Seen = tuple[int, int, int]


def pepper_file(path: Path) -> Path:
    """Where the secret is kept that belongs to the keys at `path`, when no setting gives one."""
    return path.with_name(f"{path.name}.pepper")


def load_pepper(path: Path, given: str | None, *, make: bool = False) -> bytes:
    """The secret that keys are hashed with: the one `given`, or that in the file beside `path`.

    With `make`, one is made there for its owner's eyes when it is missing.
    Raises: SetupError.
    """
    if given is not None:
        return given.encode()
    file = pepper_file(path)
    try:
        if make:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (
                suppress(FileExistsError),
                os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as made,
            ):
                made.write(f"{secrets.token_hex(_PEPPER_BYTES)}\n")
        pepper = file.read_bytes().strip()
    except FileNotFoundError as error:
        raise SetupError(
            f"there is no {file}, which the keys are hashed with: make a first key with `factcheck keys create`, or set "
            "FACTCHECK_KEY_PEPPER"
        ) from error
    except OSError as error:
        raise SetupError(f"{file} cannot be read or written: {error.strerror}") from error
    if len(pepper) < MIN_PEPPER_CHARS:
        raise SetupError(f"{file} holds less than {MIN_PEPPER_CHARS} characters")
    return pepper


class KeyFile:
    """The keys at `path`, hashed with `pepper`. Thread-safe; several processes may change it."""

    def __init__(self, path: Path, pepper: bytes) -> None:
        self.path = path
        self._mark = digest(pepper, _MARKED)
        self._lock = Lock()
        self._seen: _Seen | None = None
        self._keys: Mapping[str, Key] = {}

    def current(self) -> Mapping[str, Key]:
        """The keys there are now, by id; the file is read anew when it has changed.

        Raises: AccessUnavailableError: a file that cannot be read lets nobody in, because a key may have been revoked in it.
        """
        try:
            seen = self._look()
            with self._lock:
                if seen != self._seen:
                    self._keys, self._seen = self._load(), seen
                return self._keys
        except OSError as error:
            raise AccessUnavailableError(f"the file of keys: {error.strerror}", retry_after_s=RETRY_AFTER_S) from error
        except SetupError as error:
            raise AccessUnavailableError("the file of keys does not hold keys", retry_after_s=RETRY_AFTER_S) from error

    def check(self) -> None:
        """Nothing, when the file holds keys that were hashed with this pepper.

        Raises: SetupError.
        """
        try:
            self._load()
        except FileNotFoundError as error:
            raise SetupError(
                f"there is no {self.path}: make a key with `factcheck keys create`, or correct FACTCHECK_KEYS_FILE"
            ) from error
        except OSError as error:
            raise SetupError(f"{self.path} cannot be read: {error.strerror}") from error

    def change(self, how: Callable[[Mapping[str, Key]], Mapping[str, Key]]) -> None:
        """Nothing; what `how` makes of the keys is in the file, which is made when it is missing. Others wait meanwhile.

        Raises: SetupError, and what `how` raises; then nothing has changed.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(self.path.parent):
                keys = self._load() if self.path.exists() else {}
                changed = tuple(how(keys).values())
                write_whole(self.path, f"{_CONTENT.dump(_Content(_FORMAT, self._mark, changed))}\n".encode())
        except OSError as error:
            raise SetupError(f"{self.path} cannot be changed: {error.strerror}") from error

    def _look(self) -> _Seen:
        found = self.path.stat()
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _load(self) -> Mapping[str, Key]:
        try:
            content = _CONTENT.load(self.path.read_text(encoding="utf-8"))
        except (CodecError, UnicodeError) as error:
            raise SetupError(f"{self.path} is not a file of keys") from error
        if content.format != _FORMAT:
            raise SetupError(f"{self.path} was written by another version of the service")
        if content.pepper != self._mark:
            raise SetupError(f"the keys in {self.path} were hashed with another pepper: see FACTCHECK_KEY_PEPPER")
        return {key.id: key for key in content.keys}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Within this, no other process of this machine changes keys in `folder`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
