import pytest

from service.errors import SetupError
from service.fetch.base import NoFetcher
from service.fetch.web import WebFetcher
from service.pipeline.schedule import Limits
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


@pytest.mark.parametrize(("wanted", "kind"), [(False, NoFetcher), (True, WebFetcher)])
def test_pages_are_fetched_only_where_the_settings_say_so(wanted, kind):
    services = build_services(Settings(api_key="sk-1", fetch_urls=wanted))
    services.close()
    assert type(services.fetcher) is kind


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
        assert services.schedule.limits == Limits(calls=1, articles=1, patience_s=None)
    finally:
        services.close()


def test_passages_are_never_longer_than_a_reply_has_room_for():
    services = build_services(Settings(api_key="sk-1", max_output_tokens=2_400))
    services.close()
    assert services.model.traits.passage_chars == 2_000


def test_a_model_without_room_for_a_passage_is_refused_at_start_up():
    with pytest.raises(SetupError, match="no room"):
        build_services(Settings(api_key="sk-1", max_output_tokens=64))


def test_each_model_listed_is_built_and_watched_on_its_own(tmp_path):
    settings = Settings(
        api_key="sk-1",
        fallback=("2", "1"),
        fallback_1_base_url="http://127.0.0.1:9/v1",
        fallback_1_model="m1",
        fallback_2_base_url="http://127.0.0.2:9/v1",
        fallback_2_model="m2",
        model_dir=tmp_path,
    )
    services = build_services(settings)
    services.close()
    assert [(one.model.traits.name, one.stand_in) for one in services.fallbacks] == [("m2", False), ("m1", False)]
    states = services.upstreams()
    assert [(state.model, state.endpoint, state.circuit) for state in states] == [
        (DEFAULT_REMOTE_MODEL, "api.openai.com", "closed"),
        ("m2", "127.0.0.2", "closed"),
        ("m1", "127.0.0.1", "closed"),
    ]
    assert list(tmp_path.iterdir()) == []


def test_as_many_calls_are_made_at_a_time_as_is_set():
    services = build_services(Settings(api_key="sk-1", max_model_calls=7, parallel_calls=3))
    services.close()
    assert services.schedule.limits == Limits(calls=7, calls_per_article=3)
