import json
from email.utils import formatdate

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import (
    ModelBusyError,
    ModelContextError,
    ModelError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelUnavailableError,
)
from service.llm.complaint import Complaint, failure, inner_complaint, read_complaint, retry_after_s
from tests.examples import examples

NOW = 1_700_000_000.0
SECRET = "the-words-of-the-article"


def told(status, **error):
    return read_complaint(status, json.dumps({"error": error}).encode())


def kind_of(complaint, **headers):
    return type(failure(complaint, headers, NOW))


@pytest.mark.parametrize(
    ("complaint", "expected"),
    [
        pytest.param(told(401), ModelMisconfiguredError, id="401"),
        pytest.param(told(402), ModelQuotaError, id="402"),
        pytest.param(told(403), ModelMisconfiguredError, id="403"),
        pytest.param(told(404), ModelMisconfiguredError, id="404"),
        pytest.param(told(408), ModelUnavailableError, id="408"),
        pytest.param(told(409), ModelUnavailableError, id="409"),
        pytest.param(told(413), ModelContextError, id="413"),
        pytest.param(told(418), ModelMisconfiguredError, id="418"),
        pytest.param(told(422), ModelMisconfiguredError, id="422"),
        pytest.param(told(429), ModelBusyError, id="429"),
        pytest.param(told(429, code="insufficient_quota"), ModelQuotaError, id="429 quota by code"),
        pytest.param(told(429, type="insufficient_quota"), ModelQuotaError, id="429 quota by type"),
        pytest.param(told(307), ModelReplyError, id="307"),
        pytest.param(told(500), ModelUnavailableError, id="500"),
        pytest.param(told(503), ModelUnavailableError, id="503"),
        pytest.param(told(599), ModelUnavailableError, id="599"),
        pytest.param(told(400, message="bad"), ModelMisconfiguredError, id="400"),
        pytest.param(told(400, code="content_filter"), ModelRefusedError, id="400 content filter"),
        pytest.param(told(400, code="context_length_exceeded"), ModelContextError, id="OpenAI context"),
        pytest.param(
            told(400, code=400, message="the request exceeds the available context size", type="exceed_context_size_error"),
            ModelContextError,
            id="llama.cpp context by type",
        ),
        pytest.param(
            told(500, message="the request exceeds the available context size. try increasing the context size"),
            ModelContextError,
            id="llama.cpp context in English",
        ),
        pytest.param(
            told(400, message="This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
            ModelContextError,
            id="vLLM context",
        ),
        pytest.param(
            told(400, message="The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
            ModelContextError,
            id="vLLM decoder prompt",
        ),
        pytest.param(told(400, message="prompt is too long: 9 tokens > 8 maximum"), ModelContextError, id="prompt too long"),
    ],
)
def test_tells_the_troubles_apart(complaint, expected):
    assert kind_of(complaint) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", Complaint(400), id="empty"),
        pytest.param(b"Bad Request: TEMPERATURE", Complaint(400, text="bad request: temperature"), id="plain text"),
        pytest.param(b"<!doctype html><a itemtype='https://schema.org/x'>", Complaint(400), id="html"),
        pytest.param(b"\xff\xfe", Complaint(400, text="\ufffd\ufffd"), id="not UTF-8"),
        pytest.param(b"[" * 5000, Complaint(400, text="[" * 4000), id="deep"),
        pytest.param(b'{"error": "No"}', Complaint(400, text="no"), id="text under error"),
        pytest.param(b'{"detail": "Not Found"}', Complaint(400, text="not found"), id="FastAPI text"),
        pytest.param(
            b'{"detail": [{"loc": ["body", "seed", 0], "msg": "Bad", "input": "secret"}, 7]}',
            Complaint(400, text="bad body seed"),
            id="FastAPI faults, without their input",
        ),
        pytest.param(b'{"detail": [{"loc": "body"}]}', Complaint(400), id="FastAPI faults of another shape"),
        pytest.param(
            b'{"object": "error", "message": "Bad", "type": "BadRequestError", "param": null, "code": 400}',
            Complaint(400, code="400", kind="badrequesterror", text="bad"),
            id="vLLM",
        ),
        pytest.param(
            b'{"error": {"message": {"a": 1}, "code": [], "type": {"b": 2}, "param": "X"}}',
            Complaint(400, param="x"),
            id="wrong types",
        ),
        pytest.param(b'["no"]', Complaint(400), id="list"),
        pytest.param(b"null", Complaint(400), id="null"),
    ],
)
def test_reads_what_an_endpoint_writes_in_any_shape(body, expected):
    assert read_complaint(400, body) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param({"code": 429}, ModelBusyError, id="number"),
        pytest.param({"code": "503"}, ModelUnavailableError, id="number in text"),
        pytest.param({"code": "rate_limit_exceeded"}, ModelBusyError, id="code"),
        pytest.param({"code": None, "type": "authentication_error"}, ModelMisconfiguredError, id="type"),
        pytest.param({"code": "weird", "type": "overloaded_error"}, ModelUnavailableError, id="type beside an unknown code"),
        pytest.param({"code": "insufficient_quota"}, ModelQuotaError, id="quota"),
        pytest.param({"code": "context_length_exceeded"}, ModelContextError, id="context"),
        pytest.param({"message": "maximum context length is 10 tokens"}, ModelContextError, id="context in English"),
        pytest.param({"code": 200}, ModelReplyError, id="not an error status"),
        pytest.param({"code": 9999}, ModelReplyError, id="not a status"),
        pytest.param({"message": "Upstream failed"}, ModelReplyError, id="unknown"),
        pytest.param("Upstream failed", ModelReplyError, id="text"),
        pytest.param(["a"], ModelReplyError, id="list"),
    ],
)
def test_an_error_inside_a_200_is_mapped_by_its_code_or_type(error, expected):
    assert kind_of(inner_complaint(error)) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"retry-after": "7"}, 7.0, id="seconds"),
        pytest.param({"retry-after": " 1.5 "}, 1.5, id="fraction"),
        pytest.param({"retry-after": "0"}, 0.0, id="zero"),
        pytest.param({"retry-after-ms": "250", "retry-after": "9"}, 0.25, id="milliseconds first"),
        pytest.param({"retry-after-ms": "soon", "retry-after": "9"}, 9.0, id="milliseconds unreadable"),
        pytest.param({"retry-after": "-1"}, None, id="negative"),
        pytest.param({"retry-after": "nan"}, None, id="NaN"),
        pytest.param({"retry-after": "1e999"}, None, id="infinite"),
        pytest.param({"retry-after": "soon"}, None, id="words"),
        pytest.param({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0, id="date"),
        pytest.param({"retry-after": formatdate(NOW - 30, usegmt=True)}, None, id="date gone by"),
        pytest.param({"retry-after": "Mon, 99 Foo 0000 99:99:99 GMT"}, None, id="broken date"),
    ],
)
def test_reads_how_long_to_wait(headers, expected):
    assert retry_after_s(httpx2.Headers(headers), NOW) == expected


def test_a_wait_goes_with_busy_and_with_unavailable():
    assert failure(told(429), {"retry-after": "7"}, NOW).retry_after_s == 7
    assert failure(told(503), {"retry-after": "8"}, NOW).retry_after_s == 8


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, True, id="no word"),
        pytest.param({"x-should-retry": "true"}, True, id="told to"),
        pytest.param({"x-should-retry": "False"}, False, id="told not to"),
    ],
)
@pytest.mark.parametrize("status", [500, 408])
def test_obeys_an_endpoint_that_asks_not_to_be_asked_again(status, headers, expected):
    error = failure(told(status), headers, NOW)

    assert isinstance(error, ModelUnavailableError)
    assert error.may_retry is expected


@examples(200)
@given(st.integers(300, 599), st.binary(max_size=80) | st.text(max_size=40).map(lambda t: json.dumps({"error": t}).encode()))
def test_any_body_and_status_make_one_of_our_errors(status, body):
    assert isinstance(failure(read_complaint(status, body), {}, NOW), ModelError)


@examples(200)
@given(st.text(max_size=40))
def test_any_header_text_is_a_wait_or_none(text):
    wait = retry_after_s({"retry-after": text}, NOW)

    assert wait is None or wait >= 0


def test_no_message_quotes_the_endpoint():
    for status in (307, 400, 401, 402, 413, 429, 500):
        error = failure(told(status, message=SECRET, code=SECRET, type=SECRET), {}, NOW)
        assert SECRET not in repr(error)


PROMPT = "List the claims as json_schema says. [1] The maximum context length of a bridge is 40 metres, she said."


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(PROMPT, id="as it is"),
        pytest.param(PROMPT.upper().replace(" [1]", "\n\n  [1]"), id="in other letters and spaces"),
        pytest.param(PROMPT[20:], id="its end"),
    ],
)
def test_what_an_endpoint_repeats_of_the_prompt_is_not_its_complaint(said):
    complaint = told(500, message=f"Something broke: {said}")

    heard = complaint.without_echo(PROMPT)

    assert complaint.about_context
    assert not heard.about_context
    assert not heard.about_format
    assert kind_of(heard) is ModelUnavailableError


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("response_format json_schema is not supported", (True, False), id="format"),
        pytest.param(
            "This model's maximum context length is 4096 tokens. You sent: " + PROMPT,
            (False, True),
            id="context, then the prompt",
        ),
        pytest.param("no", (False, False), id="a word"),
    ],
)
def test_what_an_endpoint_says_before_it_repeats_the_prompt_is_kept(message, expected):
    heard = told(400, message=message).without_echo(PROMPT)

    assert (heard.about_format, heard.about_context) == expected


@examples(200)
@given(st.text(max_size=60), st.text(max_size=120))
def test_leaving_out_an_echo_only_ever_shortens(said, text):
    complaint = Complaint(500, text=text.lower())
    left = complaint.without_echo(said)

    assert " ".join(complaint.text.split()).startswith(" ".join(left.text.split()))
