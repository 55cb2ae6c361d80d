import pytest

from service.errors import SetupError
from service.settings import Settings
from service.wiring import DEFAULT_REMOTE_MODEL, build_services, fetch_weights


def test_a_key_alone_means_the_default_remote_model():
    services = build_services(Settings(api_key="sk-1"))
    traits = services.model.traits
    services.close()
    assert (traits.name, traits.trial, traits.narrow_schema) == (DEFAULT_REMOTE_MODEL, False, False)


def test_an_endpoint_is_named_by_its_host_only():
    services = build_services(Settings(base_url="http://127.0.0.1:9/v1/secret-path", model="m", context_tokens=4_096))
    traits = services.model.traits
    services.close()
    assert (traits.name, traits.endpoint, traits.context_tokens) == ("m", "127.0.0.1", 4_096)


def test_an_unknown_embedded_model_is_refused_at_start_up(tmp_path):
    with pytest.raises(SetupError, match="smollm2-135m"):
        build_services(Settings(model="gpt-9", model_dir=tmp_path))


def test_weights_that_cannot_be_had_are_told_at_start_up(tmp_path):
    with pytest.raises(SetupError, match=r"nowhere\.gguf"):
        fetch_weights(Settings(model="./nowhere.gguf", model_dir=tmp_path))


def test_a_remote_endpoint_needs_no_weights(tmp_path):
    fetch_weights(Settings(api_key="sk-1", model_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.loopback
def test_weights_of_one_s_own_are_served_as_an_embedded_model(tmp_path):
    """The file is no model, so the engine cannot start; the service is built all the same and says why it is not ready."""
    weights = tmp_path / "own.gguf"
    weights.write_bytes(b"GGUF" + bytes(1_000))
    services = build_services(Settings(model=str(weights), model_dir=tmp_path))
    try:
        assert services.model.traits.name == "own"
        assert services.model.ready() is not None
    finally:
        services.close()


def test_passages_are_never_longer_than_a_reply_has_room_for():
    services = build_services(Settings(api_key="sk-1", max_output_tokens=2_400))
    services.close()
    assert services.model.traits.passage_chars == 2_000


def test_a_model_without_room_for_a_passage_is_refused_at_start_up():
    with pytest.raises(SetupError, match="no room"):
        build_services(Settings(api_key="sk-1", max_output_tokens=64))
