"""API keys: whose they are, and the file they are kept in."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.bearer import MAX_TOKEN_CHARS, BearerAccess
from service.access.caller import Caller, Scope
from service.access.errors import AccessUnavailableError, CredentialMissingError, CredentialRefusedError
from service.access.key_file import KeyFile, load_pepper, pepper_file
from service.access.keys import Key, Keys, digest, new_id, new_text
from service.errors import SetupError
from tests.examples import examples
from tests.fakes import FixedClock

PEPPER = b"a pepper of more than thirty-two characters"
ID = "0a1b2c3d"
TEXT = f"fck_{ID}_{'5a' * 32}"
KEY = Key(ID, "Desk 1", "desk-a", (Scope.ANALYZE, Scope.ADMIN), 1_000, 2_000, None, digest(PEPPER, TEXT))


def keys(*known, now=1_500.0):
    return Keys(lambda: {key.id: key for key in known or (KEY,)}, PEPPER, FixedClock(now))


def refused(token, *known, now=1_500.0):
    with pytest.raises(CredentialRefusedError) as caught:
        keys(*known, now=now).caller(token)
    return caught.value


def test_a_key_has_256_random_bits_and_is_told_by_its_id():
    first, second = new_text(ID), new_text(ID)
    assert first != second
    assert first.startswith(f"fck_{ID}_")
    assert len(first.rpartition("_")[2]) * 4 == 256


def test_a_key_names_its_caller():
    assert keys().caller(TEXT) == Caller(f"key:{ID}", "desk-a", frozenset({Scope.ANALYZE, Scope.ADMIN}))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(f"{TEXT[:-1]}{'0' if TEXT[-1] != '0' else '1'}", id="another secret"),
        pytest.param(TEXT.replace(ID, "ffffffff"), id="another id"),
        pytest.param(TEXT.upper(), id="upper case"),
        pytest.param(TEXT[:-1], id="cut off"),
        pytest.param(f"{TEXT}0", id="longer"),
        pytest.param(digest(PEPPER, TEXT), id="its hash"),
        pytest.param(f"fck_{ID}_{digest(PEPPER, TEXT)}", id="its hash for a secret"),
        pytest.param("fck__", id="empty parts"),
        pytest.param("", id="nothing"),
    ],
)
def test_every_other_key_is_unknown_in_the_same_words(token):
    told = refused(token)
    assert (told.message, told.reason) == ("This key is not known here.", "no such key")


@examples()
@given(st.text())
def test_no_text_is_a_key_by_chance(token):
    assert refused(token).reason == "no such key"


def test_a_key_ends_at_its_time():
    assert keys(now=1_999.9).caller(TEXT)
    assert refused(TEXT, now=2_000.0).reason == f"key {ID} is expired"
    assert keys(replace(KEY, expires_at=None), now=9e9).caller(TEXT)


def test_a_revoked_key_is_told_so_to_its_holder_alone():
    revoked = replace(KEY, revoked_at=1_200)
    assert "revoked" in refused(TEXT, revoked).message
    assert "revoked" not in refused(new_text(ID), revoked).message


def test_a_hash_of_another_pepper_fits_no_key():
    assert refused(TEXT, replace(KEY, digest=digest(b"x" * 32, TEXT))).reason == "no such key"


def test_an_id_is_given_once():
    assert new_id({}) not in {"", None}
    taken = {f"{number:08x}": None for number in range(10)}
    assert new_id(taken) not in taken


class Ids(dict):
    """Says of the first three ids it is asked about that they are taken."""

    asked = 0

    def __contains__(self, _key):
        self.asked += 1
        return self.asked <= 3


def test_an_id_that_is_taken_is_not_given():
    taken = Ids()
    new_id(taken)
    assert taken.asked == 4


def bearer(value):
    return BearerAccess(keys()).caller({"Authorization": value}.get, "192.0.2.1")


@pytest.mark.parametrize("value", [f"Bearer {TEXT}", f"bearer {TEXT}", f"BEARER  {TEXT}"])
def test_a_key_is_sent_as_a_bearer_token(value):
    assert bearer(value).id == f"key:{ID}"


@pytest.mark.parametrize("value", [None, ""])
def test_who_sends_no_key_is_told_how(value):
    with pytest.raises(CredentialMissingError) as caught:
        bearer(value)
    assert caught.value.challenge == 'Bearer realm="factcheck"'


@pytest.mark.parametrize(
    "value",
    [
        TEXT,
        f"Basic {TEXT}",
        "Bearer",
        "Bearer ",
        f"Bearer {TEXT},Bearer {TEXT}",
        f"Bearer {TEXT} x",
        f"Bearer\t{TEXT}",
        f" Bearer {TEXT}",
        f"Bearer {TEXT}\n",
        f"Bearer ключ{TEXT}",
        f"Bearer {'x' * MAX_TOKEN_CHARS}",
    ],
)
def test_any_other_header_is_refused(value):
    with pytest.raises(CredentialRefusedError) as caught:
        bearer(value)
    assert TEXT not in f"{caught.value.message}{caught.value.reason}"
    assert 'error="invalid_token"' in caught.value.challenge


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


def kept(path, *known, pepper=PEPPER):
    file = KeyFile(path, pepper)
    file.change(lambda _: {key.id: key for key in known})
    return file


def test_what_is_kept_is_read_again_and_holds_no_key(path):
    kept(path, KEY)
    assert KeyFile(path, PEPPER).current() == {ID: KEY}
    text = path.read_text("utf-8")
    assert TEXT not in text
    assert TEXT.rpartition("_")[2] not in text
    assert PEPPER.decode() not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_change_made_by_another_process_is_seen_at_once(path):
    served = kept(path, KEY)
    assert served.current()
    kept(path, replace(KEY, revoked_at=1_200))
    assert served.current()[ID].revoked_at == 1_200
    kept(path)
    assert served.current() == {}


def test_a_file_that_has_not_changed_is_read_once(path):
    file = kept(path, KEY)
    assert file.current() is file.current()


def test_changes_made_at_once_are_all_kept(path):
    kept(path)
    start = threading.Barrier(8)

    def add(number):
        start.wait(60)
        KeyFile(path, PEPPER).change(lambda known: {**known, str(number): replace(KEY, id=str(number))})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert len(KeyFile(path, PEPPER).current()) == 8


def test_a_change_that_fails_changes_nothing(path):
    file = kept(path, KEY)

    def fail(_known):
        raise SetupError("no")

    with pytest.raises(SetupError):
        file.change(fail)
    assert file.current() == {ID: KEY}


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"format": 1}', '{"format":1,"keys":[{"id":"x"}],"pepper":"x"}', "\udcff", '{"format":1,"keys":[],"x":1}'],
)
def test_a_broken_file_lets_nobody_in(path, text):
    file = kept(path, KEY)
    assert file.current()
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(AccessUnavailableError):
        file.current()
    with pytest.raises(SetupError, match="is not a file of keys"):
        file.check()
    assert Keys(file.current, PEPPER, FixedClock()).ready() == "the file of keys does not hold keys"


def test_a_file_that_is_gone_lets_nobody_in_until_it_is_back(path):
    file = kept(path, KEY)
    aside = path.rename(path.with_name("aside"))
    with pytest.raises(AccessUnavailableError) as caught:
        file.current()
    assert str(path) not in str(caught.value)
    with pytest.raises(SetupError, match="factcheck keys create"):
        file.check()
    aside.rename(path)
    assert file.current() == {ID: KEY}
    assert Keys(file.current, PEPPER, FixedClock()).ready() is None


def test_keys_of_another_pepper_or_version_are_told_at_start(path):
    kept(path, KEY)
    with pytest.raises(SetupError, match="FACTCHECK_KEY_PEPPER"):
        KeyFile(path, b"x" * 32).check()
    path.write_text(path.read_text("utf-8").replace('"format":1', '"format":2'), "utf-8")
    with pytest.raises(SetupError, match="another version"):
        KeyFile(path, PEPPER).check()


def test_a_folder_is_no_file_of_keys(tmp_path):
    with pytest.raises(SetupError, match="cannot be read"):
        KeyFile(tmp_path, PEPPER).check()
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(SetupError, match="cannot be changed"):
        KeyFile(tmp_path / "file" / "keys.json", PEPPER).change(dict)


def test_a_pepper_is_made_once_for_its_owners_eyes(path):
    made = load_pepper(path, None, make=True)
    assert load_pepper(path, None, make=True) == load_pepper(path, None) == made
    assert len(made) == 64
    assert stat.S_IMODE(pepper_file(path).stat().st_mode) == 0o600
    assert load_pepper(path, "given") == b"given"


def test_a_pepper_that_is_missing_or_short_is_told(path):
    with pytest.raises(SetupError, match="factcheck keys create"):
        load_pepper(path, None)
    pepper_file(path).write_text("short", "utf-8")
    with pytest.raises(SetupError, match="less than 32") as caught:
        load_pepper(path, None)
    assert "short" not in str(caught.value)
    pepper_file(path).unlink()
    pepper_file(path).mkdir()
    with pytest.raises(SetupError, match="cannot be read"):
        load_pepper(path, None)
