import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import Options
from service.web.routes import ANSWER_S
from tests.api.conftest import PROMPTS, TEXT, NeverTired, problem, start_service
from tests.examples import examples
from tests.fakes import ScriptedModel, claim, stance

JSON = "application/json"
PLAIN = "text/plain"


def reply(*claims):
    return json.dumps({"claims": list(claims)})


def test_an_article_as_json_comes_back_as_claims_with_proved_quotes():
    denial = stance("Ms Hale", "refutes", 2, "denied it")
    service = start_service(ScriptedModel(reply(claim(1, "Prices rose by 5 percent", stances=[denial]))))
    response = service.post({"article": {"text": TEXT, "language": "en"}})
    assert response.status_code == 200
    assert response.content_type == JSON
    answer = response.get_json()
    assert answer["status"] == "complete"
    (found,) = answer["claims"]
    quote = found["quote"]
    assert TEXT[quote["start"] : quote["end"]] == quote["text"] == "Prices rose by 5 percent"
    assert {held["holder"]: held["stance"] for held in found["stances"]}["Ms Hale"] == "refutes"
    assert answer["provenance"]["prompt"] == PROMPTS.select("extract_claims@1", "extract_claims").ref
    assert answer["article"]["code_points"] == len(TEXT)
    assert "text" not in answer["article"]


def test_what_cannot_be_proved_is_set_aside_and_shown():
    service = start_service(ScriptedModel(reply(claim(1, "Prices fell"))))
    answer = service.post({"article": {"text": TEXT}}).get_json()
    assert answer["claims"] == []
    assert answer["set_aside"] == [{"reason": "quote_not_found", "text": "Prices fell"}]


def test_bare_words_are_taken_as_plain_text(service):
    response = service.post(TEXT, content_type=PLAIN)
    assert response.status_code == 200
    assert response.get_json()["article"]["code_points"] == len(TEXT)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
@pytest.mark.parametrize("media_type", [JSON, PLAIN])
def test_utf_8_may_be_named(service, media_type, charset):
    body = json.dumps({"article": {"text": TEXT}})
    assert service.post(body, content_type=f"{media_type}; charset={charset}").status_code == 200


def test_a_byte_order_mark_of_plain_text_stays_a_character(service):
    response = service.post(b"\xef\xbb\xbfPrices rose.", content_type=PLAIN)
    assert response.get_json()["article"]["code_points"] == len("\ufeffPrices rose.")


def test_the_text_is_returned_when_asked_for(service):
    text = "Prices 👍\r\nrose."
    answer = service.post({"article": {"text": text}, "options": {"return_text": True}}).get_json()
    assert answer["article"]["text"] == text


def test_letters_come_back_as_letters(service):
    response = service.post({"article": {"text": TEXT, "title": "Żółć 👍"}})
    assert "Żółć 👍".encode() in response.get_data()


@pytest.mark.parametrize("ref", ["extract_claims@1", PROMPTS.select("extract_claims@1", "extract_claims").ref])
def test_a_prompt_may_be_named(service, ref):
    for response in (
        service.post({"article": {"text": TEXT}, "prompt": ref}),
        service.post(TEXT, content_type=PLAIN, query_string={"prompt": ref}),
    ):
        assert response.get_json()["provenance"]["prompt"].startswith("extract_claims@1#")


@pytest.mark.parametrize("ref", ["extract_claims@9", "repair_claims@1", "../../etc/passwd", "", "extract_claims@1#00000000"])
def test_an_unknown_prompt_is_refused(service, ref):
    problem(service.post({"article": {"text": TEXT}, "prompt": ref}), 422, "unknown-prompt")
    problem(service.post(TEXT, content_type=PLAIN, query_string={"prompt": ref}), 422, "unknown-prompt")


@pytest.mark.parametrize(
    ("asked", "header", "given"),
    [
        pytest.param(None, None, 120.0, id="the service's own"),
        pytest.param(30, None, 30, id="the caller's"),
        pytest.param(3_600, None, 120.0, id="never more than the service's"),
        pytest.param(10**90, None, 120.0, id="more than a float can be compared with"),
        pytest.param(None, "7.5", 7.5, id="the header's"),
        pytest.param(None, "900", 120.0, id="the header's, never more than the service's"),
        pytest.param(30, "10", 10.0, id="the shorter of both"),
        pytest.param(5, "10", 5, id="the shorter of both, the other way round"),
    ],
)
def test_the_shortest_deadline_counts(service, asked, header, given):
    document = {"article": {"text": TEXT}, "options": {} if asked is None else {"deadline_s": asked}}
    response = service.post(document, headers={} if header is None else {"Request-Timeout": header})
    assert response.status_code == 200
    assert service.model.seconds == [pytest.approx(given - ANSWER_S)]


def test_a_deadline_that_has_passed_is_told_as_such():
    service = start_service(NeverTired())

    class Slow(BytesIO):
        def read(self, *size):
            service.clock.advance(50)
            return super().read(*size)

    body = json.dumps({"article": {"text": TEXT}, "options": {"deadline_s": 10}}).encode()
    response = service.client.post("/analyze", input_stream=Slow(body), content_length=len(body), content_type=JSON)
    assert problem(response, 504, "deadline-exceeded")["retryable"] is True


@pytest.mark.parametrize("header", ["0", "-1", "soon", "1e3", "nan", "inf", "", "1.", "٣", "99999999999"])
def test_a_request_timeout_that_is_none_is_refused(service, header):
    faults = problem(service.post(TEXT, content_type=PLAIN, headers={"Request-Timeout": header}), 422, "invalid-request")[
        "errors"
    ]
    assert [fault["pointer"] for fault in faults] == [""]
    assert "Request-Timeout" in faults[0]["detail"]


def test_options_reach_the_prompt(service):
    service.post({"article": {"text": TEXT}, "options": {"max_claims": 3}})
    assert "at most 3 claims" in service.model.calls[0].messages[-1].content
    assert Options().max_claims is None


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        pytest.param(JSON, b"", 400, "empty-body", id="empty JSON"),
        pytest.param(PLAIN, b"", 400, "empty-body", id="empty text"),
        pytest.param("", b"", 400, "empty-body", id="nothing at all"),
        pytest.param("", b"x", 415, "unsupported-media-type", id="no content type"),
        pytest.param(JSON, b"   ", 400, "invalid-json", id="blank JSON"),
        pytest.param(JSON, b"{", 400, "invalid-json", id="half an object"),
        pytest.param(JSON, b'{"article": {"text": NaN}}', 400, "invalid-json", id="NaN"),
        pytest.param(JSON, b'{"article": Infinity}', 400, "invalid-json", id="infinity"),
        pytest.param(JSON, b'{"article": 1e999}', 400, "invalid-json", id="a number beyond floats"),
        pytest.param(JSON, b'{"article": {}, "article": {}}', 400, "invalid-json", id="duplicate key"),
        pytest.param(JSON, b"[" * 100_000, 400, "invalid-json", id="deep lists"),
        pytest.param(JSON, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400, "invalid-json", id="deep objects"),
        pytest.param(JSON, b"9" * 6_000, 400, "invalid-json", id="a very long integer"),
        pytest.param(JSON, b'{"article": "\xff"}', 400, "invalid-encoding", id="Latin-1 JSON"),
        pytest.param(JSON, '{"article": {"text": "x"}}'.encode("utf-16"), 400, "invalid-encoding", id="UTF-16 JSON"),
        pytest.param(
            JSON, b'\xef\xbb\xbf{"article": {"text": "x"}}', 400, "invalid-encoding", id="JSON with a byte order mark"
        ),
        pytest.param(PLAIN, b"caf\xe9", 400, "invalid-encoding", id="Latin-1 text"),
        pytest.param(PLAIN, b"\xed\xa0\x80", 400, "invalid-encoding", id="text with an encoded surrogate"),
        pytest.param(PLAIN, b" \n", 422, "invalid-request", id="blank text"),
        pytest.param(PLAIN, b"a\x00b", 422, "invalid-request", id="text with NUL"),
        pytest.param(JSON, b'{"article": {"text": "a\\ud800b"}}', 422, "invalid-request", id="half a surrogate pair"),
        pytest.param(JSON, b'{"\\udfff": 1}', 422, "invalid-request", id="half a surrogate pair in a key"),
        pytest.param(JSON, b"null", 422, "invalid-request", id="null"),
        pytest.param(JSON, b"{}", 422, "invalid-request", id="no article"),
        pytest.param(JSON, b'{"article": {"text": "a\\u0000b"}}', 422, "invalid-request", id="JSON with NUL"),
        pytest.param("application/x-www-form-urlencoded", b"a=b", 415, "unsupported-media-type", id="what curl sends"),
        pytest.param("multipart/form-data; boundary=x", b"--x--", 415, "unsupported-media-type", id="a form with files"),
        pytest.param("application/xml", b"<x/>", 415, "unsupported-media-type", id="XML"),
        pytest.param("application/jsonx", b"{}", 415, "unsupported-media-type", id="nearly JSON"),
        pytest.param("text/plain; charset=iso-8859-1", b"x", 415, "unsupported-media-type", id="Latin-1 by name"),
        pytest.param("application/json; charset=utf-16", b"{}", 415, "unsupported-media-type", id="UTF-16 by name"),
        pytest.param("nonsense", b"x", 415, "unsupported-media-type", id="a content type that is none"),
    ],
)
def test_what_cannot_be_read_is_refused(service, content_type, body, status, code):
    problem(service.client.post("/analyze", data=body, content_type=content_type), status, code)
    assert service.model.calls == []


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "identity, gzip", "chunked"])
def test_a_content_encoding_is_refused(service, coding):
    response = service.post(TEXT, content_type=PLAIN, headers={"Content-Encoding": coding})
    assert "content encoding" in problem(response, 415, "unsupported-media-type")["detail"]


def test_the_content_encoding_that_is_none_is_taken(service):
    assert service.post(TEXT, content_type=PLAIN, headers={"Content-Encoding": "Identity"}).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "query", "told"),
    [
        pytest.param(PLAIN, "max_claims=3", "max_claims is not taken here", id="an option"),
        pytest.param(PLAIN, "prompt=extract_claims&prompt=extract_claims", "more than once", id="two prompts"),
        pytest.param(PLAIN, f"prompt={'x' * 201}", "more than 200 characters", id="a long prompt"),
        pytest.param(PLAIN, "%00%0a=1", "with an odd name", id="a name not to be repeated"),
        pytest.param(JSON, "prompt=extract_claims", "prompt is not taken here", id="a prompt beside JSON"),
    ],
)
def test_a_query_parameter_nobody_reads_is_refused(service, content_type, query, told):
    body = TEXT if content_type == PLAIN else {"article": {"text": TEXT}}
    document = problem(service.post(body, content_type=content_type, query_string=query), 422, "invalid-request")
    assert [fault["pointer"] for fault in document["errors"]] == [""]
    assert told in document["errors"][0]["detail"]


def test_faults_of_body_query_and_headers_are_told_together(service):
    response = service.post({"article": {}}, query_string="x=1", headers={"Request-Timeout": "soon"})
    faults = problem(response, 422, "invalid-request")["errors"]
    assert [fault["pointer"] for fault in faults] == ["", "", "/article/text"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({"article": {"url": "https://example.org/"}}, "/article/url", id="url"),
    ],
)
def test_other_ways_to_hand_over_an_article_are_refused_by_name(service, body, pointer):
    (fault,) = problem(service.post(body), 422, "invalid-request")["errors"]
    assert fault["pointer"] == pointer
    assert "does not fetch" in fault["detail"]


@pytest.mark.parametrize("content_type", [JSON, PLAIN])
def test_an_article_longer_than_allowed_is_refused(content_type):
    service = start_service(NeverTired(), max_article_chars=10)
    body = "x" * 11 if content_type == PLAIN else {"article": {"text": "x" * 11}}
    assert "at most 10" in problem(service.post(body, content_type=content_type), 413, "article-too-long")["detail"]


def test_a_body_larger_than_allowed_is_refused():
    service = start_service(NeverTired(), max_request_bytes=10)
    assert "10 bytes" in problem(service.post("x" * 11, content_type=PLAIN), 413, "body-too-large")["detail"]
    assert service.post("x" * 10, content_type=PLAIN).status_code == 200


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


def streamed(service, stream, environ=CHUNKED):
    return service.client.post("/analyze", input_stream=stream, content_type=PLAIN, environ_overrides=environ)


def test_a_body_of_unknown_length_is_read_to_its_end(service):
    assert streamed(service, BytesIO(TEXT.encode())).get_json()["article"]["code_points"] == len(TEXT)


def test_a_body_of_unknown_length_is_refused_once_it_is_too_large():
    service = start_service(NeverTired(), max_request_bytes=100_000)
    problem(streamed(service, BytesIO(b"\0" * 100_001)), 413, "body-too-large")
    problem(streamed(service, BytesIO(b"\0" * 100_000)), 422, "invalid-request")


def test_a_body_of_unknown_length_is_empty_to_a_server_that_cannot_tell_its_end(service):
    response = streamed(service, BytesIO(TEXT.encode()), {"HTTP_TRANSFER_ENCODING": "chunked"})
    problem(response, 400, "empty-body")


def test_a_body_that_ends_early_is_never_read_as_a_whole_one(service):
    problem(streamed(service, BytesIO(b"half"), {"CONTENT_LENGTH": "8", "wsgi.input_terminated": True}), 400, "bad-request")


class Failing(BytesIO):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def read(self, *_size):
        raise self.error

    readinto = read


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(ConnectionResetError("gone"), 400, "bad-request", id="the client left"),
        pytest.param(TimeoutError(), 408, "request-timeout", id="the client was too slow"),
    ],
)
def test_a_body_that_does_not_arrive_is_told_as_such(service, error, status, code):
    problem(streamed(service, Failing(error)), status, code)


ANY_SERVICE = start_service(NeverTired(), max_request_bytes=2_000, max_article_chars=500)
content_types = st.sampled_from([JSON, PLAIN, "text/html", "", "application/json; charset=utf-8", "a/b"]) | st.text(
    st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20
)


def never_fails(response):
    assert response.status_code < 500
    assert response.content_type in {JSON, "application/problem+json"}
    json.loads(response.get_data())


@examples()  # the first page loads what reads pages
@given(st.binary(max_size=300), content_types)
def test_any_bytes_are_answered_without_failing(body, content_type):
    never_fails(ANY_SERVICE.client.post("/analyze", data=body, content_type=content_type))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["article", "prompt", "options", "text", "title", "language", "published_at", "max_claims", "_schema"])


@examples(75)
@given(st.dictionaries(names, st.dictionaries(names, json_values) | json_values))
def test_any_json_is_answered_without_failing(document):
    never_fails(ANY_SERVICE.post(document))


@examples()
@given(st.text(st.characters(), min_size=1))
def test_any_text_is_answered_without_failing_and_comes_back_as_it_was(text):
    response = ANY_SERVICE.post({"article": {"text": text}, "options": {"return_text": True}})
    never_fails(response)
    if response.status_code == 200:
        assert response.get_json()["article"]["text"] == text


@examples()
@given(
    st.dictionaries(
        st.sampled_from(["Host", "Request-Timeout", "X-Request-Id", "Content-Encoding", "Content-Length", "Accept", "Cookie"]),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=20),
    )
)
def test_any_headers_are_answered_without_failing(headers):
    never_fails(ANY_SERVICE.client.post("/analyze", data=TEXT, content_type=PLAIN, headers=headers))
