from dataclasses import fields
from pathlib import Path

import pytest

from service.errors import SetupError
from service.settings import SETTING_NAMES, Settings, from_environ


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


def test_the_name_of_the_data_folder_is_known():
    assert from_environ({"FACTCHECK_DATA": "/data"}) == Settings()


def test_every_setting_has_a_name_in_the_environment():
    assert len(SETTING_NAMES) == len(fields(Settings))
