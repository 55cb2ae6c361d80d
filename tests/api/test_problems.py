import json
import math

import pytest
from werkzeug.exceptions import BadGateway, ImATeapot, ServiceUnavailable, default_exceptions

from service.errors import (
    DeadlineExceededError,
    EmptyBodyError,
    FactCheckError,
    Fault,
    InvalidRequestError,
    ModelBusyError,
    ModelContextError,
    ModelEmptyError,
    ModelError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
    RequestError,
    SetupError,
)
from service.web.failures import problem_document, retry_after_s
from service.web.problems import PROBLEMS, problem_of_status
from tests.api.conftest import TEXT, problem, start_service
from tests.fakes import ScriptedModel

SECRET = "the words of an embargoed article"


def tree(kind):
    yield kind
    for child in kind.__subclasses__():
        if child is not SetupError and child.__module__ in {"service.errors", "service.url_errors"}:
            yield from tree(child)


@pytest.mark.parametrize("kind", list(tree(FactCheckError)), ids=lambda kind: kind.__name__)
def test_every_error_has_a_row_that_agrees_with_it(kind):
    row = PROBLEMS[kind.code]
    assert row.retryable is kind.retryable
    assert 400 <= row.status < 600
    assert row.title
    assert row.detail.endswith(".")
    assert row.advice.endswith(".")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(ModelError("x"), 502, "upstream-error", id="ModelError"),
        pytest.param(ModelUnavailableError("x"), 502, "upstream-unavailable", id="unavailable"),
        pytest.param(ModelBusyError("x"), 503, "upstream-busy", id="busy"),
        pytest.param(ModelQuotaError("x"), 503, "upstream-quota", id="quota"),
        pytest.param(ModelMisconfiguredError("x"), 503, "upstream-misconfigured", id="misconfigured"),
        pytest.param(ModelRefusedError("x"), 422, "model-refused", id="refused"),
        pytest.param(ModelContextError("x"), 413, "article-too-long", id="context"),
        pytest.param(ModelReplyError("x"), 502, "upstream-invalid-response", id="reply"),
        pytest.param(ModelEmptyError("x"), 502, "upstream-empty", id="empty"),
        pytest.param(ModelTruncatedError("x"), 502, "upstream-truncated", id="truncated"),
        pytest.param(ModelSchemaError("x"), 502, "upstream-schema", id="schema"),
        pytest.param(DeadlineExceededError("x"), 504, "deadline-exceeded", id="deadline"),
        pytest.param(FactCheckError("x"), 500, "internal-error", id="base"),
        pytest.param(ValueError("x"), 500, "internal-error", id="unexpected"),
        pytest.param(RecursionError(), 500, "internal-error", id="recursion"),
        pytest.param(MemoryError(), 500, "internal-error", id="memory"),
    ],
)
def test_each_failure_of_the_model_has_its_own_answer(error, status, code):
    error.args = (SECRET,)
    service = start_service(ScriptedModel(error, error))  # what is too long for it is asked for again, in a smaller part
    response = service.post({"article": {"text": TEXT}})
    document = problem(response, status, code)
    assert document["retryable"] is getattr(error, "retryable", False)
    assert SECRET not in response.get_data(as_text=True)
    assert type(error).__name__ not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        pytest.param(ModelBusyError("x", retry_after_s=7), "7", id="told"),
        pytest.param(ModelBusyError("x", retry_after_s=7.01), "8", id="rounded up"),
        pytest.param(ModelBusyError("x", retry_after_s=0), "1", id="at least a second"),
        pytest.param(ModelBusyError("x", retry_after_s=-3), "1", id="never in the past"),
        pytest.param(ModelBusyError("x"), "5", id="busy without saying how long"),
        pytest.param(ModelBusyError("x", retry_after_s=math.inf), "86400", id="at most a day"),
        pytest.param(ModelBusyError("x", retry_after_s=math.nan), None, id="no number"),
        pytest.param(ModelUnavailableError("x", retry_after_s=2), "2", id="unavailable, told"),
        pytest.param(ModelUnavailableError("x"), None, id="unavailable without saying how long"),
        pytest.param(ModelQuotaError("x", retry_after_s=60), None, id="waiting does not help"),
        pytest.param(DeadlineExceededError("x"), None, id="deadline"),
    ],
)
def test_retry_after_is_told_when_it_is_known(error, seconds):
    service = start_service(ScriptedModel(error))
    assert service.post({"article": {"text": TEXT}}).headers.get("Retry-After") == seconds


def test_a_request_that_must_change_gets_no_retry_after():
    assert retry_after_s(EmptyBodyError("x")) is None


def test_a_request_error_is_told_in_its_own_words_with_its_faults():
    error = InvalidRequestError("Two things.", [Fault("/a", "Do this."), Fault("/b", "Do that.")])
    document = problem_document(PROBLEMS[error.code], "r1", error=error)
    assert document["detail"] == "Two things."
    assert document["errors"] == [{"pointer": "/a", "detail": "Do this."}, {"pointer": "/b", "detail": "Do that."}]


def test_without_faults_there_is_no_errors_list():
    assert "errors" not in problem_document(PROBLEMS[RequestError.code], "r1", error=RequestError("x"))


@pytest.mark.parametrize("status", sorted(default_exceptions))
def test_every_status_a_framework_may_choose_is_a_problem_report(status):
    app = start_service(ScriptedModel()).client.application

    def fail():
        raise default_exceptions[status]

    app.add_url_rule("/fail", view_func=fail)
    response = app.test_client().get("/fail")
    problem(response, status, problem_of_status(status).code)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad-request"), (418, "bad-request"), (499, "bad-request"), (500, "internal-error"), (503, "internal-error")],
)
def test_a_status_without_a_row_gets_a_general_one(status, code):
    assert problem_of_status(status).code == code


@pytest.mark.parametrize("error", [ImATeapot, BadGateway, ServiceUnavailable])
def test_rows_fall_back_by_class_of_status(error):
    assert problem_of_status(error.code).code in {"bad-request", "internal-error"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_refused_with_those_allowed(service, method):
    response = service.client.open("/analyze", method=method)
    assert response.headers["Allow"] == "POST"
    if method == "HEAD":
        assert (response.status_code, response.get_data()) == (405, b"")
    else:
        problem(response, 405, "method-not-allowed")


@pytest.mark.parametrize(
    "path",
    ["/analyse", "/analyze/", "/analyze//", "/analyze/../etc", "/%ff", "/problems/", "/problems/none", "/static/x", "/🙂"],
)
def test_an_unknown_path_is_told_as_such(service, path):
    problem(service.client.get(path), 404, "not-found")


def test_what_nobody_expected_is_logged_by_class_and_place_only(log):
    service = start_service(ScriptedModel(KeyError(SECRET)))
    document = problem(service.post({"article": {"text": TEXT}}), 500, "internal-error")
    failure, request = log()
    assert failure["event"] == "unexpected failure"
    assert failure["error"] == request["error"] == "KeyError"
    assert failure["request_id"] == request["request_id"] == document["request_id"]
    assert any(place.startswith("service/pipeline/read.py:") for place in failure["at"])
    assert SECRET not in json.dumps(log())


def test_why_the_endpoint_failed_is_logged_for_the_operator(log):
    start_service(ScriptedModel(ModelMisconfiguredError("the endpoint rejects our key"))).post({"article": {"text": TEXT}})
    (request,) = log()
    assert request["reason"] == "the endpoint rejects our key"
    assert request["code"] == "upstream-misconfigured"
    assert request["error"] == "ModelMisconfiguredError"


def test_what_is_said_about_a_reply_is_not_logged(log):
    start_service(ScriptedModel(ModelSchemaError(SECRET))).post({"article": {"text": TEXT}})
    (request,) = log()
    assert request["code"] == "upstream-schema"
    assert SECRET not in json.dumps(log())
