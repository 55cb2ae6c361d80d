"""The adapter against every way an endpoint is known to go wrong, over a mock transport: `test_transport.py` has sockets."""

import json
import logging
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from types import MappingProxyType

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deadline import Deadline
from service.errors import (
    DeadlineExceededError,
    FactCheckError,
    ModelBusyError,
    ModelContextError,
    ModelEmptyError,
    ModelError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelTruncatedError,
    ModelUnavailableError,
    SetupError,
)
from service.llm.base import CallBudget, Message, ModelCall, ModelTraits, Reply, ReplySchema, ResponseFormat
from service.llm.openai_chat import CONNECT_TIMEOUT_S, OpenAIChatModel
from service.llm.retrying import RetryingModel
from tests.examples import examples
from tests.fakes import FixedClock
from tests.model_double import completion

KEY = "sk-canary-key-4711"
SECRET = "the-words-of-the-article"
TRAITS = ModelTraits("asked-model", "double.test", 32_768, 8_192)
CALL = ModelCall(
    (Message("system", "rules"), Message("user", SECRET)),
    ReplySchema("claim_list.v1", "0", {"type": "object"}),
    temperature=0.0,
    max_output_tokens=50,
)


def fresh(**changes) -> ModelCall:
    """The call as a new question: with all its requests still to spend."""
    return replace(CALL, **{"budget": CallBudget()} | changes)


GOOD = completion('{"claims": []}', model="served-model", input_tokens=120, cached_tokens=80, output_tokens=9)

Handler = Callable[[httpx2.Request], httpx2.Response]


@contextmanager
def adapter(handler: Handler, **changes) -> Iterator[OpenAIChatModel]:
    client = httpx2.Client(transport=httpx2.MockTransport(handler))
    with closing(OpenAIChatModel(TRAITS, "http://double.test/v1", KEY, http_client=client, **changes)) as model:
        yield model


def ask(handler: Handler, deadline_s: float = 5.0) -> Reply:
    with adapter(handler) as model:
        return model.complete(fresh(), Deadline.after(deadline_s))


def answers(value, status: int = 200, **headers: str) -> Handler:
    return lambda _: httpx2.Response(status, json=value, headers=headers)


def sends(content: bytes, content_type: str = "application/json", status: int = 200) -> Handler:
    return lambda _: httpx2.Response(status, content=content, headers={"content-type": content_type})


def breaks(error: Exception, cause: Exception | None = None) -> Handler:
    def handler(_: httpx2.Request) -> httpx2.Response:
        raise error from cause

    return handler


def complains(status: int, headers: dict[str, str] | None = None, **error) -> Handler:
    return answers({"error": {"message": SECRET, "type": None, "param": None, "code": None} | error}, status, **(headers or {}))


def choice(**changes) -> Handler:
    return answers(GOOD | {"choices": [GOOD["choices"][0] | changes]})


def message(**members) -> Handler:
    return choice(message={"role": "assistant", **members})


def refusal_of(handler: Handler, deadline_s: float = 5.0) -> FactCheckError:
    """What the adapter raises, proved to say nothing of the key, the prompt or the endpoint's words."""
    with pytest.raises(FactCheckError) as caught:
        ask(handler, deadline_s)
    error = caught.value
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, FactCheckError):
            assert all(word not in f"{link} {link!r}" for word in (KEY, KEY[-4:], SECRET, "double.test"))
        link = link.__cause__ or link.__context__
    return error


# What is asked.


def test_a_call_becomes_one_request_in_the_strongest_terms():
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json=GOOD)

    reply = ask(handler)

    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "http://double.test/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert json.loads(request.content) == {
        "model": "asked-model",
        "messages": [{"role": "system", "content": "rules"}, {"role": "user", "content": SECRET}],
        "max_tokens": 50,
        "temperature": 0.0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "claim_list_v1", "strict": True, "schema": {"type": "object"}},
        },
    }
    assert reply == Reply(
        '{"claims": []}', "served-model", ResponseFormat.JSON_SCHEMA, input_tokens=120, cached_tokens=80, output_tokens=9
    )


def test_the_same_call_is_sent_in_the_same_bytes():
    seen: list[bytes] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.content)
        return httpx2.Response(200, json=GOOD)

    with adapter(handler) as model:
        for _ in range(3):
            model.complete(fresh(), Deadline.after(5))

    assert len(set(seen)) == 1


def test_an_attempt_may_take_what_is_left_and_no_longer():
    seen: list[dict[str, float]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.extensions["timeout"])
        return httpx2.Response(200, json=GOOD)

    with adapter(handler) as model:
        model.complete(fresh(), Deadline(at=60.0, clock=lambda: 0.0))
        model.complete(fresh(), Deadline(at=2.0, clock=lambda: 0.0))

    assert seen == [
        {"connect": CONNECT_TIMEOUT_S, "read": 60.0, "write": 60.0, "pool": 60.0},
        {"connect": 2.0, "read": 2.0, "write": 2.0, "pool": 2.0},
    ]


def test_extra_members_are_sent_over_our_own():
    seen: list[dict] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(json.loads(request.content))
        return httpx2.Response(200, json=GOOD)

    with adapter(handler, extra_body=MappingProxyType({"cache_prompt": True, "temperature": 1})) as model:
        model.complete(fresh(), Deadline.after(5))

    assert (seen[0]["cache_prompt"], seen[0]["temperature"]) == (True, 1)


def test_an_endpoint_without_keys_is_asked_with_none_of_ours(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    seen: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["authorization"])
        return httpx2.Response(200, json=GOOD)

    client = httpx2.Client(transport=httpx2.MockTransport(handler))
    with closing(OpenAIChatModel(TRAITS, "http://double.test", "", http_client=client)) as model:
        model.complete(fresh(), Deadline.after(5))

    assert seen == ["Bearer none"]


def test_no_url_means_openai_itself_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere.test/v1")
    seen: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        return httpx2.Response(200, json=GOOD)

    client = httpx2.Client(transport=httpx2.MockTransport(handler))
    with closing(OpenAIChatModel(TRAITS, None, KEY, http_client=client)) as model:
        model.complete(fresh(), Deadline.after(5))

    assert seen == ["https://api.openai.com/v1/chat/completions"]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(f"{KEY}\n", id="line end"),
        pytest.param(f"{KEY} x", id="space"),
        pytest.param(f"{KEY}é", id="not ASCII"),
    ],
)
def test_a_key_no_header_can_carry_is_refused_at_start_up(key):
    with pytest.raises(SetupError) as caught:
        OpenAIChatModel(TRAITS, "http://double.test", key)

    assert KEY not in repr(caught.value)


def test_a_url_that_is_none_is_refused_at_start_up():
    with pytest.raises(SetupError):
        OpenAIChatModel(TRAITS, "http://double.test:port/v1", KEY)


def test_traits_are_kept_and_a_remote_model_counts_as_ready():
    with adapter(answers(GOOD)) as model:
        assert model.traits is TRAITS
        assert model.ready() is None


# What comes back and cannot be believed.


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        pytest.param(sends(b"<html>sign in</html>", "text/html"), ModelReplyError, id="1 html"),
        pytest.param(sends(json.dumps(GOOD).encode(), "text/plain"), ModelReplyError, id="1 JSON that says it is not"),
        pytest.param(lambda _: httpx2.Response(200, content=json.dumps(GOOD)), ModelReplyError, id="1 no content type"),
        pytest.param(sends(b"data: {}\n\n", "text/event-stream"), ModelReplyError, id="1 a stream nobody asked for"),
        pytest.param(sends(b""), ModelReplyError, id="2 empty"),
        pytest.param(sends(json.dumps(GOOD).encode()[:-9]), ModelReplyError, id="2 cut off"),
        pytest.param(sends(b'{"choices": "\xff"}'), ModelReplyError, id="3 not UTF-8"),
        pytest.param(sends(b"[" * 200_000), ModelReplyError, id="4 deep"),
        pytest.param(sends(b'{"created": ' + b"9" * 6000 + b"}"), ModelReplyError, id="5 huge integer"),
        pytest.param(answers({"error": {"code": 429, "message": SECRET}}), ModelBusyError, id="6 busy in a 200"),
        pytest.param(answers({"error": {"code": "insufficient_quota"}}), ModelQuotaError, id="6 quota in a 200"),
        pytest.param(answers({"error": {"message": SECRET}, "choices": None}), ModelReplyError, id="6 unknown in a 200"),
        pytest.param(choice(error={"code": 502, "message": SECRET}), ModelUnavailableError, id="6 error in a choice"),
        pytest.param(answers(GOOD | {"choices": []}), ModelEmptyError, id="7 no choices"),
        pytest.param(answers(GOOD | {"choices": None}), ModelEmptyError, id="7 null choices"),
        pytest.param(answers({}), ModelEmptyError, id="7 absent choices"),
        pytest.param(message(content=None), ModelEmptyError, id="8 null content"),
        pytest.param(message(), ModelEmptyError, id="8 absent content"),
        pytest.param(message(content=""), ModelEmptyError, id="8 empty content"),
        pytest.param(message(content=" \n\t" * 99), ModelEmptyError, id="8 white space"),
        pytest.param(choice(finish_reason="length"), ModelTruncatedError, id="9 cut off at its limit"),
        pytest.param(choice(finish_reason="length", message=None), ModelTruncatedError, id="9 cut off, nothing said"),
        pytest.param(choice(finish_reason="content_filter"), ModelRefusedError, id="11 content filter"),
        pytest.param(message(content=None, refusal=SECRET), ModelRefusedError, id="12 refusal"),
        pytest.param(message(content="{}", refusal=SECRET), ModelRefusedError, id="12 refusal beside content"),
        pytest.param(sends(b'{"model": "a", "model": "b"}'), ModelReplyError, id="15 same key twice"),
        pytest.param(sends(b'{"created": NaN}'), ModelReplyError, id="15 NaN"),
        pytest.param(sends(b'{"choices": [{"message": {"content": "\\ud800"}}]}'), ModelReplyError, id="15 surrogate"),
        pytest.param(message(content=None, tool_calls=[{"id": "x"}]), ModelReplyError, id="tool call"),
        pytest.param(choice(finish_reason="error"), ModelReplyError, id="broke off"),
        pytest.param(choice(finish_reason=7), ModelReplyError, id="finish reason a number"),
        pytest.param(message(content=["a"]), ModelReplyError, id="content a list"),
        pytest.param(message(content="a", refusal=7), ModelReplyError, id="refusal a number"),
        pytest.param(choice(message="hello"), ModelReplyError, id="message text"),
        pytest.param(answers(GOOD | {"choices": {"0": {}}}), ModelReplyError, id="choices an object"),
        pytest.param(answers(GOOD | {"choices": ["hello"]}), ModelReplyError, id="choice text"),
        pytest.param(answers([GOOD]), ModelReplyError, id="a list"),
        pytest.param(answers(None), ModelReplyError, id="null"),
        pytest.param(answers("hello"), ModelReplyError, id="text"),
    ],
)
def test_a_200_that_is_no_whole_answer_is_told_apart(handler, expected):
    assert type(refusal_of(handler)) is expected


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        pytest.param(complains(429, {"retry-after": "7"}), ModelBusyError, id="16 busy"),
        pytest.param(complains(429), ModelBusyError, id="17 busy, no wait told"),
        pytest.param(complains(429, {"retry-after": "3600"}), ModelBusyError, id="18 busy for an hour"),
        pytest.param(complains(429, code="insufficient_quota"), ModelQuotaError, id="19 quota"),
        pytest.param(complains(500), ModelUnavailableError, id="20 500"),
        pytest.param(sends(b"<h1>Bad Gateway</h1>", "text/html", 502), ModelUnavailableError, id="20 502 html"),
        pytest.param(complains(408), ModelUnavailableError, id="22 408"),
        pytest.param(complains(409), ModelUnavailableError, id="22 409"),
        pytest.param(complains(400, code="context_length_exceeded"), ModelContextError, id="23 context"),
        pytest.param(complains(400), ModelMisconfiguredError, id="400"),
        pytest.param(complains(401, message=f"wrong key: {KEY}"), ModelMisconfiguredError, id="25 401"),
        pytest.param(complains(403), ModelMisconfiguredError, id="25 403"),
        pytest.param(complains(404), ModelMisconfiguredError, id="404"),
        pytest.param(answers({"error": "invalid_grant", "error_description": KEY}, 401), ModelMisconfiguredError, id="OAuth"),
        pytest.param(sends(b"[" * 100_000, status=500), ModelUnavailableError, id="deep error"),
        pytest.param(sends(b"\xff\xfe" * 99, status=400), ModelMisconfiguredError, id="error not UTF-8"),
    ],
)
def test_statuses_become_our_errors(handler, expected):
    assert type(refusal_of(handler)) is expected


@pytest.mark.parametrize(
    ("handler", "may_retry", "once"),
    [
        pytest.param(sends(b"<html>sign in</html>", "text/html"), True, True, id="1 html"),
        pytest.param(sends(b""), True, False, id="2 empty"),
        pytest.param(sends(b"[" * 200_000), False, False, id="4 deep"),
        pytest.param(answers(GOOD | {"choices": []}), True, False, id="7 no choices"),
        pytest.param(message(content=""), True, True, id="8 empty content"),
        pytest.param(complains(500), True, False, id="20 500"),
        pytest.param(complains(408), True, True, id="22 408"),
        pytest.param(complains(409), True, True, id="22 409"),
        pytest.param(answers({}, 307, location="http://elsewhere.test"), False, False, id="26 redirect"),
    ],
)
def test_each_failure_tells_what_another_try_is_worth(handler, may_retry, once):
    error = refusal_of(handler)

    assert isinstance(error, ModelError)
    assert (error.may_retry, error.once) == (may_retry, once)


@pytest.mark.parametrize(
    ("content", "blank"),
    [
        pytest.param('{"claims": [' + "\n" * 200, True, id="white space to the limit"),
        pytest.param('{"claims": [' + "\n" * 199, False, id="a little white space"),
        pytest.param('{"claims": [{"quote": "and so on', False, id="words to the limit"),
        pytest.param(["\n" * 200], False, id="no text"),
    ],
)
def test_a_cut_off_reply_lost_in_white_space_is_told_apart(content, blank):
    error = refusal_of(choice(finish_reason="length", message={"content": content}))

    assert isinstance(error, ModelTruncatedError)
    assert error.blank is blank


def test_a_wait_asked_for_is_passed_on():
    assert refusal_of(complains(429, {"retry-after": "7"})).retry_after_s == 7


def test_an_endpoint_may_forbid_a_retry():
    error = refusal_of(complains(500, {"x-should-retry": "false"}))

    assert isinstance(error, ModelUnavailableError)
    assert not error.may_retry


def test_a_redirect_is_not_followed_even_by_a_client_that_would():
    seen: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.host)
        return httpx2.Response(307, headers={"location": "http://elsewhere.test/v1"})

    client = httpx2.Client(transport=httpx2.MockTransport(handler), follow_redirects=True)
    with (
        closing(OpenAIChatModel(TRAITS, "http://double.test/v1", KEY, http_client=client)) as model,
        pytest.raises(ModelReplyError, match="307"),
    ):
        model.complete(fresh(), Deadline.after(5))

    assert seen == ["double.test"]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(httpx2.ConnectError(SECRET), id="27 refused"),
        pytest.param(httpx2.RemoteProtocolError(SECRET), id="28 broke off"),
        pytest.param(httpx2.ReadError(SECRET), id="28 reset"),
        pytest.param(httpx2.ProxyError(SECRET), id="proxy"),
        pytest.param(httpx2.ConnectTimeout(SECRET), id="connection takes too long"),
        pytest.param(ssl.SSLError(SECRET), id="29 TLS"),
    ],
)
def test_a_connection_that_fails_may_be_tried_again(error):
    failed = refusal_of(breaks(error))

    assert isinstance(failed, ModelUnavailableError)
    assert failed.may_retry


def test_a_certificate_that_is_not_trusted_is_not_tried_again():
    failed = refusal_of(breaks(httpx2.ConnectError(SECRET), ssl.SSLCertVerificationError(SECRET)))

    assert isinstance(failed, ModelUnavailableError)
    assert not failed.may_retry


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(httpx2.UnsupportedProtocol(SECRET), id="no such protocol"),
        pytest.param(httpx2.LocalProtocolError(SECRET), id="request that cannot be written"),
    ],
)
def test_a_request_that_cannot_be_sent_is_the_operators_to_mend(error):
    assert isinstance(refusal_of(breaks(error)), ModelMisconfiguredError)


def test_silence_until_the_deadline_is_the_deadlines_error():
    clock = FixedClock()

    def handler(_: httpx2.Request) -> httpx2.Response:
        clock.advance(10)
        raise httpx2.ReadTimeout(SECRET)

    with adapter(handler) as model, pytest.raises(DeadlineExceededError):
        model.complete(fresh(), Deadline.after(5, clock))


def test_nothing_is_asked_after_the_deadline():
    with pytest.raises(DeadlineExceededError):
        ask(breaks(AssertionError("asked")), deadline_s=-1.0)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(openai.OpenAIError(SECRET), id="SDK"),
        pytest.param(httpx2.StreamClosed(), id="stream"),
        pytest.param(httpx2.HTTPError(SECRET), id="client"),
        pytest.param(json.JSONDecodeError(SECRET, "", 0), id="parser"),
        pytest.param(UnicodeDecodeError("utf-8", b"", 0, 1, SECRET), id="decoder"),
        pytest.param(RecursionError(SECRET), id="recursion"),
    ],
)
def test_what_escapes_the_sdk_is_an_answer_that_cannot_be_read(error):
    assert type(refusal_of(breaks(error))) is ModelReplyError


def test_a_prompt_that_is_not_unicode_is_not_the_endpoints_fault():
    call = ModelCall((Message("user", "\ud800"),), CALL.schema, 0.0, 1)
    with adapter(answers(GOOD)) as model, pytest.raises(ModelMisconfiguredError):
        model.complete(call, Deadline.after(5))


@examples(150)
@given(
    st.sampled_from([200, 204, 301, 400, 404, 422, 429, 500]),
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "choices", "message", "content", "code", "usage", "model", "finish_reason", "detail"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)
def test_no_answer_whatever_makes_a_foreign_error(status, content):
    try:
        reply = ask(sends(content, status=status))
    except (ModelError, DeadlineExceededError):
        return
    assert reply.text.strip()


# What comes back and is good.


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param({"prompt_tokens": 5, "completion_tokens": 3}, (5, 0, 3), id="no cache told"),
        pytest.param(None, (0, 0, 0), id="null"),
        pytest.param("many", (0, 0, 0), id="text"),
        pytest.param({"prompt_tokens": "5", "completion_tokens": 3.0}, (0, 0, 0), id="not integers"),
        pytest.param({"prompt_tokens": -5, "completion_tokens": True}, (0, 0, 0), id="not counts"),
        pytest.param({"prompt_tokens": 10**30, "prompt_tokens_details": None}, (0, 0, 0), id="not credible"),
        pytest.param({"prompt_tokens_details": {"cached_tokens": 4}}, (0, 4, 0), id="cache alone"),
    ],
)
def test_token_counts_are_the_endpoints_own_or_zero(usage, expected):
    reply = ask(answers(GOOD | {"usage": usage}))

    assert (reply.input_tokens, reply.cached_tokens, reply.output_tokens) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"model": None}, "", id="null"),
        pytest.param({"model": 7}, "", id="number"),
        pytest.param({"model": "m" * 999}, "m" * 200, id="endless"),
    ],
)
def test_a_served_model_that_is_no_name_is_left_empty(changes, expected):
    assert ask(answers(GOOD | changes)).served_model == expected


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(choice(finish_reason=None), id="no finish reason"),
        pytest.param(choice(finish_reason="eos_token"), id="another word for stop"),
        pytest.param(answers(GOOD | {"error": None}), id="null error"),
        pytest.param(sends(json.dumps(GOOD).encode(), "application/vnd.x+json; charset=utf-8"), id="another JSON type"),
        pytest.param(sends(json.dumps(GOOD).encode(), "Application/JSON"), id="capitals"),
    ],
)
def test_harmless_differences_are_accepted(handler):
    assert ask(handler).text == '{"claims": []}'


def test_the_text_is_passed_on_as_the_model_wrote_it():
    said = "Here you are:\n```json\n{}\n```\n"

    assert ask(message(content=said)).text == said


# Negotiation.


class Picky:
    """An endpoint that refuses, one at a time, the members it does not take. `asked` logs what each request held."""

    def __init__(
        self, *, formats=("json_schema", "json_object", None), limit="max_tokens", temperature=True, status=400
    ) -> None:
        self._formats = formats
        self._limit = limit
        self._temperature = temperature
        self._status = status
        self.asked: list[tuple[str | None, str, bool]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        wanted = body.get("response_format", {}).get("type")
        limit = "max_tokens" if "max_tokens" in body else "max_completion_tokens"
        self.asked.append((wanted, limit, "temperature" in body))
        if wanted not in self._formats:
            return self._refuse(self._status, "response_format")
        if limit != self._limit:
            return self._refuse(400, limit)
        if "temperature" in body and not self._temperature:
            return self._refuse(400, "temperature")
        return httpx2.Response(200, json=GOOD)

    def _refuse(self, status: int, parameter: str) -> httpx2.Response:
        return httpx2.Response(status, json={"error": {"message": f"Unsupported: {parameter}", "param": parameter}})


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_a_schema_that_is_not_supported_is_asked_for_in_words_and_that_is_remembered(status):
    endpoint = Picky(formats=("json_object", None), status=status)
    with adapter(endpoint) as model:
        first = model.complete(fresh(), Deadline.after(5))
        second = model.complete(fresh(), Deadline.after(5))

    assert (first.response_format, first.calls, first.retries) == (ResponseFormat.JSON_OBJECT, 2, 0)
    assert (second.response_format, second.calls) == (ResponseFormat.JSON_OBJECT, 1)
    assert [wanted for wanted, *_ in endpoint.asked] == ["json_schema", "json_object", "json_object"]


def test_an_endpoint_that_takes_next_to_nothing_is_met_over_two_questions():
    endpoint = Picky(formats=(None,), limit="max_completion_tokens", temperature=False)
    with adapter(endpoint) as model:
        with pytest.raises(ModelUnavailableError) as caught:
            model.complete(fresh(), Deadline.after(5))
        second = model.complete(fresh(), Deadline.after(5))
        third = model.complete(fresh(), Deadline.after(5))

    assert not caught.value.may_retry
    assert (second.response_format, second.calls, third.calls) == (ResponseFormat.TEXT, 2, 1)
    assert endpoint.asked[-1] == (None, "max_completion_tokens", False)


def test_an_endpoint_that_refuses_everything_is_never_asked_more_than_a_question_may_cost_and_nothing_is_remembered():
    asked: list[str | None] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(json.loads(request.content).get("response_format", {}).get("type"))
        return httpx2.Response(400, json={"error": {"message": "max_tokens temperature response_format"}})

    errors = []
    with adapter(handler) as model:
        for _ in range(4):
            with pytest.raises(ModelError) as caught:
                model.complete(fresh(), Deadline.after(5))
            errors.append(type(caught.value))

    assert errors == [ModelUnavailableError, ModelMisconfiguredError] * 2
    assert asked == (["json_schema"] * 3 + ["json_object", None]) * 2


def test_steps_taken_by_calls_at_once_are_all_remembered():
    endpoint = Picky(formats=(None,), limit="max_completion_tokens", temperature=False)
    with adapter(endpoint) as model, ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: model.complete(fresh(budget=CallBudget(5)), Deadline.after(5)), range(16)))
        last = model.complete(fresh(), Deadline.after(5))

    assert all(reply.calls <= 5 for reply in replies)
    assert last.calls == 1


def test_a_call_without_schema_mode_is_not_held_to_the_schema_and_changes_nothing_for_others():
    endpoint = Picky()
    with adapter(endpoint) as model:
        free = model.complete(fresh(schema_mode=False), Deadline.after(5))
        held = model.complete(fresh(), Deadline.after(5))

    assert [wanted for wanted, *_ in endpoint.asked] == [None, "json_schema"]
    assert (free.response_format, held.response_format) == (ResponseFormat.TEXT, ResponseFormat.JSON_SCHEMA)


@pytest.mark.parametrize("status", [400, 500])
def test_words_of_the_article_in_an_error_choose_no_format(status):
    said = "The grammar of json_schema, the minister said, is beyond the maximum context length of voters."
    call = fresh(messages=(Message("user", said),))
    asked: list[bytes] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.content)
        return httpx2.Response(status, json={"error": {"message": f"Cannot answer: {said}"}})

    with adapter(handler) as model, pytest.raises((ModelMisconfiguredError, ModelUnavailableError)):
        model.complete(call, Deadline.after(5))

    assert len(asked) == 1


def test_the_deadline_also_ends_a_negotiation():
    clock = FixedClock()
    endpoint = Picky(formats=(None,))

    def handler(request: httpx2.Request) -> httpx2.Response:
        clock.advance(3)
        return endpoint(request)

    with adapter(handler) as model, pytest.raises(DeadlineExceededError):
        model.complete(fresh(), Deadline.after(5, clock))

    assert len(endpoint.asked) == 2


# Together with the retry loop, and the log.


def test_the_sdk_does_not_retry_under_the_retry_loop():
    asked: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(500)

    with adapter(handler) as inner:
        model = RetryingModel(inner, attempts=3, sleep=lambda _: None, random=lambda: 0.0)
        with pytest.raises(ModelUnavailableError):
            model.complete(fresh(), Deadline.after(5))

    assert len(asked) == 3


def test_retries_and_negotiation_are_counted_together():
    endpoint = Picky(formats=("json_object",))
    failures = iter([httpx2.Response(503)])

    with adapter(lambda request: next(failures, None) or endpoint(request)) as inner:
        model = RetryingModel(inner, attempts=3, sleep=lambda _: None, random=lambda: 0.0)
        reply = model.complete(fresh(), Deadline.after(5))

    assert (reply.calls, reply.retries) == (3, 1)


def test_repeats_and_other_parameters_share_the_calls_of_a_question():
    endpoint = Picky(formats=("json_object",))
    answered = iter([httpx2.Response(503), None, httpx2.Response(503)])
    call = fresh()

    with adapter(lambda request: next(answered, None) or endpoint(request)) as inner:
        model = RetryingModel(inner, attempts=3, sleep=lambda _: None, random=lambda: 0.0)
        with pytest.raises(ModelUnavailableError):
            model.complete(call, Deadline.after(5))

    assert (call.budget.spent, call.budget.left) == (3, 0)


@pytest.mark.parametrize("handler", [answers(GOOD), complains(500), complains(401, message=KEY), sends(SECRET.encode())])
def test_nothing_secret_is_logged_at_any_level(handler, caplog):
    with caplog.at_level(logging.DEBUG), adapter(handler) as model, suppress(ModelError):
        model.complete(fresh(), Deadline.after(5))

    assert KEY not in caplog.text
    assert SECRET not in caplog.text
