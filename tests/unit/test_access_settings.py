"""What is set about callers, and secrets given as files."""

from pathlib import Path

import pytest

from service.access.base import OpenAccess
from service.access.chosen import build_access, check_access
from service.access.settings import AccessSettings, Mode
from service.errors import SetupError
from service.secret_files import MAX_BYTES, SECRETS, file_setting, read_secrets
from service.settings import from_environ

SECRET = "a secret of more than thirty-two characters"
KEYS = {"FACTCHECK_ACCESS": "keys", "FACTCHECK_KEYS_FILE": "/keys/keys.json"}
JWT = {
    "FACTCHECK_ACCESS": "jwt",
    "FACTCHECK_JWT_ISSUER": "https://gateway.example.org/",
    "FACTCHECK_JWT_AUDIENCE": "factcheck",
    "FACTCHECK_JWKS_URL": "https://gateway.example.org/jwks.json",
}
HEADER = {"FACTCHECK_ACCESS": "header", "FACTCHECK_HEADER_SECRET": SECRET}


def faults_of(environ):
    with pytest.raises(SetupError) as caught:
        from_environ(environ)
    return list(caught.value.faults)


def test_by_default_nobody_is_asked():
    assert from_environ({}).identity == AccessSettings()
    assert isinstance(build_access(AccessSettings()), OpenAccess)
    assert OpenAccess().ready() is None


def test_each_way_is_read():
    assert from_environ(KEYS).identity.keys_file == Path("/keys/keys.json")
    told = JWT | {"FACTCHECK_JWT_ALGORITHMS": "ES256,ES384", "FACTCHECK_JWT_TENANT_CLAIM": "org"}
    read = from_environ(told).identity
    assert (read.access, read.jwt_algorithms, read.jwt_tenant_claim) == (Mode.JWT, ("ES256", "ES384"), "org")
    assert from_environ(HEADER).identity.header_secret == SECRET


def test_no_secret_is_shown():
    told = [repr(from_environ(HEADER)), repr(from_environ(KEYS | {"FACTCHECK_KEY_PEPPER": SECRET}))]
    assert not any(SECRET in text for text in told)


@pytest.mark.parametrize("environ", [KEYS, JWT, HEADER], ids=lambda environ: environ["FACTCHECK_ACCESS"])
def test_what_a_way_needs_and_what_another_would_be_set_in_vain(environ):
    mode, *needed = environ
    assert faults_of({mode: environ[mode]}) == [f"{name}: FACTCHECK_ACCESS={environ[mode]} needs it" for name in needed]
    faults = faults_of({name: environ[name] for name in needed})
    assert faults == [f"{name}: has no effect without FACTCHECK_ACCESS={environ[mode]}" for name in sorted(needed)]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"FACTCHECK_ACCESS": "password"}, id="no such way"),
        pytest.param(JWT | {"FACTCHECK_JWT_ALGORITHMS": "RS256,HS256"}, id="a shared secret"),
        pytest.param(JWT | {"FACTCHECK_JWT_ALGORITHMS": "none"}, id="no signature"),
        pytest.param(JWT | {"FACTCHECK_JWT_ALGORITHMS": ","}, id="no algorithm"),
        pytest.param(JWT | {"FACTCHECK_JWKS_URL": "http://gateway.example.org/jwks.json"}, id="keys over http"),
        pytest.param(JWT | {"FACTCHECK_JWKS_URL": "http://10.0.0.1/jwks.json"}, id="keys over http inside"),
        pytest.param(JWT | {"FACTCHECK_JWKS_URL": "file:///etc/passwd"}, id="a file"),
        pytest.param(JWT | {"FACTCHECK_JWKS_URL": "https:///jwks.json"}, id="no server"),
        pytest.param(JWT | {"FACTCHECK_JWKS_URL": "https://user:secret@gateway.example.org/"}, id="credentials"),
        pytest.param(HEADER | {"FACTCHECK_HEADER_SECRET": "short"}, id="a short secret"),
        pytest.param(KEYS | {"FACTCHECK_KEY_PEPPER": "short"}, id="a short pepper"),
    ],
)
def test_what_is_not_safe_is_refused(wrong):
    (fault,) = faults_of(wrong)
    assert "secret" not in fault
    assert "short" not in fault.lower().replace("shorter", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_keys_may_come_over_http_on_this_machine(host):
    assert from_environ(JWT | {"FACTCHECK_JWKS_URL": f"http://{host}:8080/jwks.json"})


def test_a_service_without_its_keys_does_not_start(tmp_path):
    settings = AccessSettings(access=Mode.KEYS, keys_file=tmp_path / "keys.json")
    with pytest.raises(SetupError, match="factcheck keys create"):
        check_access(settings)
    assert check_access(AccessSettings(access=Mode.HEADER, header_secret=SECRET)) is None


def test_authorities_that_are_not_there_are_told(tmp_path):
    with pytest.raises(SetupError, match="FACTCHECK_JWKS_CA_FILE"):
        check_access(AccessSettings(access=Mode.JWT, jwks_ca_file=tmp_path / "ca.pem"))
    (tmp_path / "ca.pem").touch()
    assert check_access(AccessSettings(access=Mode.JWT, jwks_ca_file=tmp_path / "ca.pem")) is None


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_be_a_file(name, tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n", "utf-8")
    assert read_secrets({file_setting(name): str(tmp_path / "secret"), "X": "1"}) == ({name: SECRET, "X": "1"}, [])


def test_a_secret_from_a_file_is_the_setting(tmp_path):
    (tmp_path / "key").write_text("sk-from-file\r\n", "utf-8")
    settings = from_environ({"OPENAI_API_KEY_FILE": str(tmp_path / "key")})
    assert settings.api_key == "sk-from-file"
    assert "sk-from-file" not in repr(settings)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n", id="blank"),
        pytest.param(b"one\ntwo\n", id="two lines"),
        pytest.param(b"s\x00cret", id="control character"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"x" * (MAX_BYTES + 1), id="too long"),
        pytest.param(None, id="missing"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_without_its_content(data, tmp_path):
    path = tmp_path / "secret"
    if data is not None:
        path.write_bytes(data)
    (fault,) = faults_of({"OPENAI_API_KEY_FILE": str(path)})
    assert fault.startswith("OPENAI_API_KEY_FILE: ")
    assert "one" not in fault.replace("one line", "")


def test_a_folder_and_a_path_that_is_none_are_told(tmp_path):
    assert len(faults_of({"OPENAI_API_KEY_FILE": str(tmp_path)})) == 1
    assert len(faults_of({"OPENAI_API_KEY_FILE": "\x00"})) == 1


def test_a_secret_is_given_once(tmp_path):
    (tmp_path / "key").write_text("sk-from-file", "utf-8")
    (fault,) = faults_of({"OPENAI_API_KEY_FILE": str(tmp_path / "key"), "OPENAI_API_KEY": "sk-1"})
    assert fault == "OPENAI_API_KEY_FILE: set either this or OPENAI_API_KEY, not both"
