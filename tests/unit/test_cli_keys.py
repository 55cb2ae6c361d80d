"""`factcheck keys`: what is printed, what is kept, and what is refused."""

import io
import json

import pytest
from click.testing import CliRunner

from service.access.caller import Scope
from service.access.chosen import build_access
from service.access.errors import CredentialRefusedError
from service.cli import main
from service.cli.effects import Effects
from service.errors import SetupError
from service.settings import from_environ
from tests.fakes import FixedClock

PEPPER = "a pepper of more than thirty-two characters"
DAY_S = 86_400


class Desk:
    """A command line that keeps its keys in one file, at a time of the test's own."""

    def __init__(self, folder):
        self.path = folder / "keys" / "keys.json"
        self.environ = {"FACTCHECK_ACCESS": "keys", "FACTCHECK_KEYS_FILE": str(self.path)}
        self.clock = FixedClock(1_700_000_000.5)

    def run(self, *args, status=0):
        def unused(*_args, **_kwargs):
            raise AssertionError("no key needs that")

        effects = Effects(
            environ=self.environ,
            build_services=unused,
            serve=unused,
            fetch=unused,
            find_prompts=unused,
            configure_logs=unused,
            is_terminal=lambda stream: isinstance(stream, io.StringIO),
            clock=self.clock,
        )
        result = CliRunner().invoke(main, ["keys", *args], obj=effects, catch_exceptions=False)
        assert result.exit_code == status, result.output
        return result

    def create(self, *args):
        return self.run("create", "--tenant", "desk-a", *args).stdout.strip()

    def listed(self):
        return json.loads(self.run("list", "--json").stdout)

    def caller(self, key):
        """Who the service takes the holder of `key` for. Its clock is the real one, so only keys without an end get in."""
        return build_access(from_environ(self.environ).identity).caller({"Authorization": f"Bearer {key}"}.get, "")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_key_is_printed_once_and_lets_its_holder_in(desk):
    key = desk.create("--days", "0", "--name", "Desk 1")
    assert desk.caller(key).tenant == "desk-a"
    assert desk.caller(key).scopes == {Scope.ANALYZE}
    shown = desk.run("list").output
    assert "Desk 1" in shown
    assert key.split("_")[1] in shown
    assert key not in shown + desk.path.read_text("utf-8")
    assert key.rpartition("_")[2] not in shown + desk.path.read_text("utf-8")


def test_words_go_to_stderr_and_the_key_alone_to_stdout(desk):
    result = desk.run("create", "--tenant", "desk-a", "--scope", "prompts", "--scope", "admin", "--scope", "prompts")
    assert len(result.stdout.split()) == 1
    assert "not shown again" in result.stderr
    assert "expires 2024-11-13" in result.stderr
    (row,) = desk.listed()
    assert row["scopes"] == ["prompts", "admin"]
    assert "never expires" in desk.run("create", "--tenant", "b", "--days", "0").stderr


def test_the_list_tells_all_but_the_keys(desk):
    key = desk.create("--days", "1")
    desk.clock.advance(DAY_S + 1)
    desk.create("--days", "0")
    old, new = desk.listed()
    assert old == {
        "id": key.split("_")[1],
        "state": "expired",
        "tenant": "desk-a",
        "scopes": ["analyze"],
        "created": "2023-11-14T22:13:20Z",
        "expires": "2023-11-15T22:13:20Z",
        "name": "",
    }
    assert (new["state"], new["expires"]) == ("active", None)
    lines = desk.run("list").output.splitlines()
    assert lines[0].split() == ["ID", "STATE", "TENANT", "SCOPES", "CREATED", "EXPIRES", "NAME"]
    assert len(lines) == 3


def test_a_revoked_key_is_refused_by_a_service_that_runs(desk):
    key = desk.create("--days", "0")
    access = build_access(from_environ(desk.environ).identity)
    headers = {"Authorization": f"Bearer {key}"}
    assert access.caller(headers.get, "")
    desk.run("revoke", key.split("_")[1])
    with pytest.raises(CredentialRefusedError):
        access.caller(headers.get, "")
    assert desk.listed()[0]["state"] == "revoked"


def test_a_rotated_key_is_good_for_a_while_beside_the_new_one(desk):
    old = desk.create("--days", "10", "--scope", "prompts", "--name", "Desk 1")
    desk.clock.advance(4 * DAY_S)
    new = desk.run("rotate", old.split("_")[1], "--hours", "2").stdout.strip()
    first, second = desk.listed()
    assert (first["state"], first["expires"]) == ("active", "2023-11-19T00:13:20Z")
    assert second == first | {
        "id": new.split("_")[1],
        "created": "2023-11-18T22:13:20Z",
        "expires": "2023-11-28T22:13:20Z",
    }
    desk.clock.advance(2 * 3_600)
    assert [row["state"] for row in desk.listed()] == ["expired", "active"]


def test_a_rotated_key_never_lives_longer_for_it(desk):
    old = desk.create("--days", "1")
    before = desk.listed()[0]["expires"]
    desk.run("rotate", old.split("_")[1], "--hours", "8760")
    assert desk.listed()[0]["expires"] == before


def test_a_key_without_an_end_gets_one_when_it_is_rotated(desk):
    old = desk.create("--days", "0")
    new = desk.run("rotate", old.split("_")[1], "--hours", "0").stdout.strip()
    first, second = desk.listed()
    assert (first["state"], second["state"], second["expires"]) == ("expired", "active", None)
    assert desk.caller(new)


def test_a_key_that_is_over_is_not_rotated(desk):
    key_id = desk.create().split("_")[1]
    desk.run("revoke", key_id)
    assert "revoked" in desk.run("rotate", key_id, status=2).stderr
    assert len(desk.listed()) == 1


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_a_key_that_is_not_there_is_told(desk, command):
    desk.create()
    assert "there is no key 00000000" in desk.run(command, "00000000", status=2).stderr


@pytest.mark.parametrize(
    "arguments",
    [("--tenant", "two words"), ("--tenant", ""), ("--scope", "root"), ("--days", "-1"), ()],
    ids=["words", "empty", "scope", "days", "no tenant"],
)
def test_what_makes_no_key_is_refused_and_nothing_is_kept(desk, arguments):
    given = arguments if not arguments or "--tenant" in arguments else ("--tenant", "desk-a", *arguments)
    desk.run("create", *given, status=2)
    assert not desk.path.exists()


def test_nothing_is_made_by_looking(desk):
    assert "factcheck keys create" in desk.run("list", status=2).stderr
    assert "factcheck keys create" in desk.run("revoke", "00000000", status=2).stderr
    assert not desk.path.exists()


def test_a_pepper_that_was_lost_is_not_replaced(desk):
    desk.create()
    pepper = desk.path.with_name("keys.json.pepper")
    pepper.unlink()
    assert "keys.json.pepper" in desk.run("create", "--tenant", "b", status=2).stderr
    assert not pepper.exists()


def test_the_pepper_can_be_set(desk):
    desk.environ["FACTCHECK_KEY_PEPPER"] = PEPPER
    key = desk.create("--days", "0")
    assert not desk.path.with_name("keys.json.pepper").exists()
    assert desk.caller(key)
    desk.environ["FACTCHECK_KEY_PEPPER"] = PEPPER[::-1]
    with pytest.raises(SetupError, match="another pepper"):
        desk.caller(key)


def test_keys_are_for_a_service_that_asks_for_them(desk):
    desk.environ.clear()
    assert "FACTCHECK_ACCESS=keys" in desk.run("list", status=2).stderr
