from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from service.errors import SetupError
from service.settings import SETTING_NAMES, Endpoint, Settings, from_environ


def faults_of(environ):
    with pytest.raises(SetupError) as caught:
        from_environ(environ)
    return caught.value.faults


def test_nothing_set_means_the_embedded_model_on_loopback():
    settings = from_environ({"PATH": "/bin"})
    assert settings == Settings()
    assert settings.embedded
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_a_key_or_an_address_means_a_remote_endpoint(name):
    assert not from_environ({name: "http://127.0.0.1:9/v1"}).embedded


def test_every_value_is_read_as_its_type():
    settings = from_environ(
        {"FACTCHECK_PORT": "9000", "FACTCHECK_DEADLINE_S": "2.5", "FACTCHECK_MODEL_DIR": "/models", "FACTCHECK_MODEL": "m"}
    )
    assert (settings.port, settings.deadline_s, settings.model_dir, settings.model) == (9000, 2.5, Path("/models"), "m")


def test_an_empty_value_counts_as_not_set():
    assert from_environ({"FACTCHECK_PORT": " ", "OPENAI_API_KEY": ""}) == Settings()


def test_all_faults_are_told_together():
    faults = faults_of(
        {"FACTCHECK_PROT": "1", "FACTCHECK_PORT": "80OO", "FACTCHECK_ATTEMPTS": "9", "OPENAI_BASE_URL": "file:///etc/passwd"}
    )
    assert [fault.split(":")[0] for fault in faults] == [
        "FACTCHECK_PROT",
        "FACTCHECK_ATTEMPTS",
        "FACTCHECK_PORT",
        "OPENAI_BASE_URL",
    ]


def test_an_address_with_credentials_is_refused():
    (fault,) = faults_of({"OPENAI_BASE_URL": "https://user:secret@example.org/v1"})
    assert "secret" not in fault


def test_the_key_is_not_shown():
    assert "sk-secret" not in repr(from_environ({"OPENAI_API_KEY": "sk-secret"}))


def test_the_key_of_the_seals_is_not_shown():
    key = "k" * 32
    assert from_environ({"FACTCHECK_SEAL_KEY": key}).seal_key == key
    assert key not in repr(from_environ({"FACTCHECK_SEAL_KEY": key}))


def test_a_short_key_for_the_seals_is_refused_and_not_repeated():
    (fault,) = faults_of({"FACTCHECK_SEAL_KEY": "too short"})
    assert fault.startswith("FACTCHECK_SEAL_KEY")
    assert "too short" not in fault


def test_the_name_of_the_data_folder_is_known():
    assert from_environ({"FACTCHECK_DATA": "/data"}) == Settings()


def test_every_setting_has_a_name_in_the_environment():
    assert len(SETTING_NAMES) == count_of(Settings())


def count_of(settings):
    values = [getattr(settings, field.name) for field in fields(settings)]
    return sum(count_of(value) if is_dataclass(value) else 1 for value in values)


def test_answers_are_kept_in_one_place_only():
    (fault,) = faults_of({"FACTCHECK_CACHE_FILE": "/cache/a", "FACTCHECK_REDIS_URL": "redis://127.0.0.1:6379/0"})
    assert "FACTCHECK_CACHE_FILE" in fault
    assert from_environ({"FACTCHECK_CACHE_FILE": "/cache/a"}).cache_file == Path("/cache/a")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "redis:///0",
        "redis://host:port",
        "redis://host:0",
        "redis://host?socket_timeout=9",
        "redis://h#1",
        "redis://[::1",
    ],
)
def test_an_address_that_is_no_redis_is_refused_without_showing_it(url):
    (fault,) = faults_of({"FACTCHECK_REDIS_URL": url})
    assert url not in fault


def test_the_password_of_redis_is_not_shown():
    assert "secret" not in repr(from_environ({"FACTCHECK_REDIS_URL": "rediss://user:secret@cache.example.org:6380/1"}))


REMOTE = {"OPENAI_API_KEY": "sk-1"}
FIRST = {"FACTCHECK_FALLBACK_1_BASE_URL": "https://one.test/v1", "FACTCHECK_FALLBACK_1_MODEL": "m1"}
SECOND = {"FACTCHECK_FALLBACK_2_BASE_URL": "https://two.test/v1", "FACTCHECK_FALLBACK_2_MODEL": "m2"}


def test_fallbacks_are_kept_in_the_order_they_are_listed():
    given = REMOTE | FIRST | SECOND | {"FACTCHECK_FALLBACK": "2, embedded,1", "FACTCHECK_FALLBACK_1_API_KEY": "sk-2"}
    assert from_environ(given).fallbacks == (
        Endpoint("https://two.test/v1", None, "m2"),
        None,
        Endpoint("https://one.test/v1", "sk-2", "m1"),
    )


def test_nothing_stands_in_unless_the_operator_lists_it():
    assert from_environ(REMOTE).fallbacks == ()


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param(REMOTE | {"FACTCHECK_FALLBACK": "gpt-5,1"} | FIRST, ["FACTCHECK_FALLBACK"], id="unknown entry"),
        pytest.param(REMOTE | FIRST | {"FACTCHECK_FALLBACK": "1,1"}, ["FACTCHECK_FALLBACK"], id="twice"),
        pytest.param({"FACTCHECK_FALLBACK": "embedded"}, ["FACTCHECK_FALLBACK"], id="embedded for itself"),
        pytest.param(
            REMOTE | {"FACTCHECK_FALLBACK": "1,2"},
            [f"FACTCHECK_FALLBACK_{number}_{name}" for number in (1, 2) for name in ("BASE_URL", "MODEL")],
            id="listed but not set",
        ),
        pytest.param(REMOTE | FIRST, ["FACTCHECK_FALLBACK_1_BASE_URL", "FACTCHECK_FALLBACK_1_MODEL"], id="set but not listed"),
        pytest.param(
            REMOTE | FIRST | {"FACTCHECK_FALLBACK": "1", "FACTCHECK_FALLBACK_1_BASE_URL": "one.test"},
            ["FACTCHECK_FALLBACK_1_BASE_URL"],
            id="no address",
        ),
    ],
)
def test_what_is_wrong_with_fallbacks_is_told_by_the_name_of_the_setting(given, names):
    assert [fault.split(":")[0] for fault in faults_of(given)] == names


def test_a_fallback_s_key_that_cannot_be_sent_is_refused_without_repeating_it():
    given = REMOTE | FIRST | {"FACTCHECK_FALLBACK": "1", "FACTCHECK_FALLBACK_1_API_KEY": "sk secret"}
    (fault,) = faults_of(given)
    assert fault.startswith("FACTCHECK_FALLBACK_1_API_KEY")
    assert "secret" not in fault


def test_a_key_in_the_wrong_place_is_not_repeated():
    assert all("sk-secret" not in fault for fault in faults_of(REMOTE | {"FACTCHECK_FALLBACK": "sk-secret"}))


def test_the_keys_of_fallbacks_are_not_shown():
    settings = from_environ(REMOTE | FIRST | {"FACTCHECK_FALLBACK": "1", "FACTCHECK_FALLBACK_1_API_KEY": "sk-secret"})
    assert "sk-secret" not in f"{settings!r} {settings.fallbacks!r}"


@pytest.mark.parametrize(("value", "wanted"), [("on", True), ("off", False), (" ", False)])
def test_articles_are_fetched_by_their_addresses_only_when_that_is_turned_on(value, wanted):
    assert from_environ({"FACTCHECK_FETCH_URLS": value}).fetch_urls is wanted


def test_what_is_neither_on_nor_off_does_not_turn_it_on():
    with pytest.raises(SetupError, match="FACTCHECK_FETCH_URLS"):
        from_environ({"FACTCHECK_FETCH_URLS": "127.0.0.1"})


@pytest.mark.parametrize("level", ["warning", "error"])
def test_an_audit_that_the_log_level_would_swallow_is_refused(level):
    (fault,) = faults_of({"FACTCHECK_AUDIT": "on", "FACTCHECK_LOG_LEVEL": level})
    assert fault.startswith("FACTCHECK_LOG_LEVEL: must be info or debug")
    assert from_environ({"FACTCHECK_AUDIT": "on"}).audit
    assert not from_environ({"FACTCHECK_LOG_LEVEL": level}).audit


def test_answers_are_stored_and_streams_kept_alive_as_set():
    plain, read = (
        Settings(),
        from_environ({"FACTCHECK_HISTORY": "on", "FACTCHECK_HISTORY_TTL_S": "60", "FACTCHECK_HEARTBEAT_S": "5"}),
    )
    assert (plain.history.enabled, plain.history.history_ttl_s, plain.heartbeat_s) == (False, 2_592_000, 15)
    assert (read.history.enabled, read.history.history_ttl_s, read.heartbeat_s) == (True, 60, 5)
    with pytest.raises(SetupError) as caught:
        from_environ({"FACTCHECK_HISTORY": "maybe", "FACTCHECK_HISTORY_TTL_S": "0", "FACTCHECK_HEARTBEAT_S": "0"})
    assert str(caught.value).count("FACTCHECK_H") == 3
