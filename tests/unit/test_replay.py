import json
import stat
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deadline import Deadline
from service.errors import DeadlineExceededError, ModelBusyError, ModelUnavailableError, SetupError
from service.llm.base import Message, ModelCall, ModelTraits, Reply, ReplySchema, ResponseFormat
from service.llm.replay import RecordingModel, ReplayModel, recorded_traits, recording_key
from tests.examples import examples
from tests.fakes import TRAITS, FixedClock, ScriptedModel

SCHEMA = ReplySchema("claim_list.v1", "0" * 64, {"type": "object"})
CALL = ModelCall((Message("system", "List claims."), Message("user", "SECRET ARTICLE")), SCHEMA, 0.0, 800)
REPLY = Reply('{"claims": [" \u2028 \u00e4 🌉"]}\r\n', "served-1", ResponseFormat.JSON_OBJECT, 100, 40, 20, calls=3, retries=1)


def deadline():
    return Deadline.after(60, FixedClock())


def recorded(folder, *replies, calls=(CALL,)):
    model = RecordingModel(ScriptedModel(*replies), folder)
    return [model.complete(call, deadline()) for call in calls]


def replay(folder, call=CALL):
    return ReplayModel(folder, recorded_traits(folder)).complete(call, deadline())


def test_a_recorded_reply_comes_back_bit_for_bit(tmp_path):
    assert recorded(tmp_path, REPLY) == [REPLY]
    assert replay(tmp_path) == REPLY
    assert replay(tmp_path) == REPLY


@examples()
@given(st.text(), st.integers(0, 10**9))
def test_any_text_comes_back_bit_for_bit(tmp_path_factory, text, tokens):
    folder = tmp_path_factory.mktemp("replies")
    reply = replace(REPLY, text=text, input_tokens=tokens)
    recorded(folder, reply)
    assert replay(folder) == reply


def test_a_reply_with_half_a_surrogate_pair_comes_back_too(tmp_path):
    reply = replace(REPLY, text="\ud83c")
    recorded(tmp_path, reply)
    assert replay(tmp_path) == reply


def test_a_recording_holds_neither_the_article_nor_anything_but_what_was_asked_and_answered(tmp_path):
    recorded(tmp_path, REPLY)
    path = tmp_path / f"{recording_key(CALL, TRAITS.name)}.json"
    document = json.loads(path.read_bytes())
    assert document.keys() == {"format", "key", "request", "reply"}
    assert document["request"].keys() == {
        "model",
        "messages_sha256",
        "schema",
        "schema_sha256",
        "temperature",
        "max_output_tokens",
    }
    assert document["reply"].keys() == set(Reply.__dataclass_fields__)
    everything = "".join(file.read_text(encoding="ascii") for file in tmp_path.iterdir())
    assert "SECRET" not in everything
    assert "List claims" not in everything


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(CALL, messages=CALL.messages[:1]), id="messages"),
        pytest.param(replace(CALL, messages=(Message("user", "List claims."), CALL.messages[1])), id="role"),
        pytest.param(replace(CALL, schema=replace(SCHEMA, name="other.v1")), id="schema name"),
        pytest.param(replace(CALL, schema=replace(SCHEMA, sha256="1" * 64)), id="schema hash"),
        pytest.param(replace(CALL, temperature=0.5), id="temperature"),
        pytest.param(replace(CALL, max_output_tokens=801), id="most tokens"),
    ],
)
def test_another_call_has_another_key(other):
    assert recording_key(other, "m") != recording_key(CALL, "m")


def test_another_model_has_another_key():
    assert recording_key(CALL, "one") != recording_key(CALL, "two")


def test_the_key_of_a_call_never_changes():
    assert recording_key(CALL, "m") == "19a2b85dafcbbc0623c83efe5c6ea5b1d23f3f66bdafec6e3eb3bef2ee0f4399"


def test_a_call_that_was_not_recorded_is_refused_by_its_key(tmp_path):
    recorded(tmp_path, REPLY)
    other = replace(CALL, max_output_tokens=801)
    with pytest.raises(ModelUnavailableError) as caught:
        replay(tmp_path, other)
    assert recording_key(other, TRAITS.name) in str(caught.value)
    assert not caught.value.may_retry


def test_failures_are_passed_on_and_not_recorded(tmp_path):
    with pytest.raises(ModelBusyError):
        recorded(tmp_path, ModelBusyError("busy"))
    assert [path.name for path in tmp_path.iterdir()] == ["traits.json"]


def test_the_latest_reply_to_a_call_stands(tmp_path):
    recorded(tmp_path, REPLY, replace(REPLY, text="{}"), calls=(CALL, CALL))
    assert replay(tmp_path).text == "{}"


def test_the_traits_are_the_recorded_models(tmp_path):
    traits = ModelTraits("big", "host", 1000, 100, trial=True, narrow_schema=True)
    model = RecordingModel(ScriptedModel(traits=traits, not_ready="loading"), tmp_path)
    assert (model.traits, model.ready()) == (traits, "loading")
    assert recorded_traits(tmp_path) == traits
    assert ReplayModel(tmp_path, traits).traits == traits


def test_a_replay_is_ready_when_its_folder_is_there(tmp_path):
    assert ReplayModel(tmp_path, TRAITS).ready() is None
    assert ReplayModel(tmp_path / "none", TRAITS).ready() == "the folder of recordings is missing"


def test_a_replay_keeps_to_the_deadline(tmp_path):
    recorded(tmp_path, REPLY)
    with pytest.raises(DeadlineExceededError):
        ReplayModel(tmp_path, TRAITS).complete(CALL, Deadline.after(0, FixedClock()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(lambda _: "{", "cannot be read", id="cut short"),
        pytest.param(lambda _: "[]", "cannot be read", id="no object"),
        pytest.param(lambda document: {**document, "format": 2}, "cannot be read", id="another format"),
        pytest.param(lambda document: {**document, "key": "0"}, "is of another call", id="another key"),
        pytest.param(lambda _: {"format": 1}, r"damaged \(KeyError\)", id="no key"),
        pytest.param(lambda document: {**document, "reply": {"text": "x"}}, r"damaged \(KeyError\)", id="half a reply"),
        pytest.param(lambda document: {**document, "reply": None}, r"damaged \(TypeError\)", id="no reply"),
        pytest.param(
            lambda document: {**document, "reply": {**document["reply"], "response_format": "xml"}},
            r"damaged \(ValueError\)",
            id="unknown format of reply",
        ),
        pytest.param(
            lambda document: {**document, "reply": {**document["reply"], "mood": "good"}},
            r"damaged \(TypeError\)",
            id="unknown field",
        ),
    ],
)
def test_a_damaged_recording_is_named(tmp_path, change, told):
    recorded(tmp_path, REPLY)
    path = tmp_path / f"{recording_key(CALL, TRAITS.name)}.json"
    changed = change(json.loads(path.read_bytes()))
    path.write_text(changed if isinstance(changed, str) else json.dumps(changed), encoding="utf-8")
    with pytest.raises(SetupError, match=told) as caught:
        replay(tmp_path)
    assert path.name in str(caught.value)


def test_a_folder_without_recordings_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"holds no recordings: traits\.json is missing"):
        recorded_traits(tmp_path)


@pytest.mark.parametrize("content", ['{"format": 1}', '{"format": 1, "traits": {"name": "x"}}'], ids=repr)
def test_damaged_traits_are_named(tmp_path, content):
    (tmp_path / "traits.json").write_text(content, encoding="utf-8")
    with pytest.raises(SetupError, match=r"traits\.json is damaged"):
        recorded_traits(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_before_any_call(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match="cannot be written"):
        RecordingModel(ScriptedModel(), tmp_path / "file")


def test_a_recording_that_cannot_be_put_in_place_leaves_no_part_of_itself(tmp_path):
    model = RecordingModel(ScriptedModel(REPLY), tmp_path)
    (tmp_path / f"{recording_key(CALL, TRAITS.name)}.json").mkdir()
    with pytest.raises(SetupError, match="cannot be written"):
        model.complete(CALL, deadline())
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]


def test_many_threads_may_record_one_call(tmp_path):
    model = RecordingModel(ScriptedModel(*[REPLY] * 16), tmp_path)
    threads = [threading.Thread(target=model.complete, args=(CALL, deadline())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replay(tmp_path) == REPLY
    assert len(list(tmp_path.iterdir())) == 2


def test_a_recording_is_for_its_owner_only(tmp_path):
    recorded(tmp_path, REPLY)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
