"""Every failure of a request as one `application/problem+json` answer, whoever raised it.

The only place that catches what nobody expected: the caller gets a code and a request id, the log a class and places
in the code. What such an exception says is shown to nobody, because it may quote the article.
"""

import math
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from service.access.errors import AccessDeniedError, AccessUnavailableError, CredentialRefusedError
from service.errors import (
    FactCheckError,
    Fault,
    IdempotencyKeyInUseError,
    ModelBusyError,
    ModelError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelUnavailableError,
    OverloadedError,
    RequestError,
)
from service.limit_errors import LimitError
from service.logs import frames
from service.url_errors import UrlFetchFailedError
from service.web.answers import json_response
from service.web.limit_problems import VIOLATED
from service.web.problems import PROBLEMS, Problem, problem_of_status

PROBLEM_JSON = "application/problem+json"
_MAX_RETRY_AFTER_S = 86_400.0
_BUSY_RETRY_AFTER_S = 5.0  # for an endpoint that says "busy" without saying how long
_IN_USE_RETRY_AFTER_S = 1
_KEPT_HEADERS = ("Allow", "Retry-After")
# Their messages are about the endpoint. Those of a ModelReplyError are about a reply, which is made of article words.
FOR_OPERATORS = (ModelUnavailableError, ModelBusyError, ModelQuotaError, ModelMisconfiguredError)


def register_failures(app: Flask) -> None:
    """Make `app` answer every failure with a problem report."""
    app.register_error_handler(FactCheckError, answer_failure)
    app.register_error_handler(HTTPException, _http_failure)
    app.register_error_handler(Exception, _unexpected_failure)


def reported(work: Callable[[], None]) -> Response | None:
    """None when `work` is done; else the report of its failure, for work that the application does not wait for itself."""
    try:
        work()
    except FactCheckError as error:
        return answer_failure(error)
    except Exception as error:  # noqa: BLE001 - as in the handlers above: whatever it is, the caller gets a report
        return _unexpected_failure(error)
    return None


def problem_document(
    problem: Problem, request_id: str, *, status: int | None = None, error: FactCheckError | None = None
) -> dict[str, Any]:
    """The body of a problem report; a `RequestError` adds its own words and its faults, a `LimitError` its words and limit."""
    detail = problem.detail
    faults: tuple[Fault, ...] = ()
    if isinstance(error, RequestError):
        detail, faults = error.message, error.faults
    if isinstance(error, LimitError):
        detail = error.message
    document: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": status or problem.status,
        "detail": detail,
        "code": problem.code,
        "request_id": request_id,
        "retryable": problem.retryable,
    }
    if error is not None and error.passage is not None:
        document["passage"] = {"start": error.passage[0], "end": error.passage[1]}
    if isinstance(error, LimitError) and error.limit is not None:
        document[VIOLATED] = [error.limit]
    if faults:
        document["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return document


def retry_after_s(error: FactCheckError) -> int | None:
    """Whole seconds for a `Retry-After` header, from 1 to a day, or None when there is nothing sensible to say."""
    if isinstance(error, IdempotencyKeyInUseError):
        return _IN_USE_RETRY_AFTER_S
    if not isinstance(error, ModelError | OverloadedError | AccessUnavailableError | LimitError) or not error.retryable:
        return None
    wait_s = error.retry_after_s
    if wait_s is None and isinstance(error, ModelBusyError):
        wait_s = _BUSY_RETRY_AFTER_S
    if wait_s is None or math.isnan(wait_s):
        return None
    return math.ceil(min(max(wait_s, 1.0), _MAX_RETRY_AFTER_S))


def answer_failure(error: FactCheckError) -> Response:
    """The problem report of `error`, which is noted for the request's log line."""
    problem = PROBLEMS[error.code]
    g.record["error"] = type(error).__qualname__
    if isinstance(error, (*FOR_OPERATORS, UrlFetchFailedError, AccessUnavailableError)):
        g.record["reason"] = str(error)
    if isinstance(error, CredentialRefusedError):
        g.record["reason"] = error.reason
    response = _report(problem, problem.status, error)
    if (wait_s := retry_after_s(error)) is not None:
        response.headers["Retry-After"] = str(wait_s)
    if isinstance(error, AccessDeniedError):
        response.headers["WWW-Authenticate"] = error.challenge
    return response


def _http_failure(error: HTTPException) -> Response:
    status = error.code or 500
    response = _report(problem_of_status(status), status)
    for name, value in error.get_headers():
        if name in _KEPT_HEADERS:
            response.headers[name] = value
    return response


def _unexpected_failure(error: Exception) -> Response:
    problem = PROBLEMS[FactCheckError.code]
    structlog.get_logger().error(
        "unexpected failure", request_id=g.request_id, error=type(error).__qualname__, at=frames(error)
    )
    g.record["error"] = type(error).__qualname__
    return _report(problem, problem.status)


def _report(problem: Problem, status: int, error: FactCheckError | None = None) -> Response:
    g.record["code"] = problem.code
    document = problem_document(problem, g.request_id, status=status, error=error)
    return json_response(document, status, PROBLEM_JSON)
