"""How each failure is told to a caller: one table from error code to status and words (RFC 9457).

Nothing of an exception reaches the caller but the message and faults of a `RequestError`, which are written for them.
"""

from service.errors import (
    BodyTooLargeError,
    ClientGoneError,
    DeadlineExceededError,
    FactCheckError,
    ModelBusyError,
    ModelEmptyError,
    ModelError,
    ModelMisconfiguredError,
    ModelPausedError,
    ModelQuotaError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
    OverloadedError,
    UnsupportedMediaTypeError,
)
from service.fencing import PromptLeakedError
from service.history_errors import HistoryUnavailableError
from service.url_errors import UrlFetchFailedError
from service.web.access_problems import ACCESS_PROBLEMS
from service.web.limit_problems import LIMIT_PROBLEMS
from service.web.request_problems import REQUEST_PROBLEMS, Problem

__all__ = ["PROBLEMS", "Problem", "problem_of_status"]

_ROWS = (
    *REQUEST_PROBLEMS,
    *ACCESS_PROBLEMS,
    *LIMIT_PROBLEMS,
    Problem(
        ClientGoneError.code,
        499,
        "The client has left",
        "The connection was closed from the other side before there was an answer, so the analysis was ended.",
        "Keep the connection open, in both directions, until the answer has come.",
        retryable=True,
    ),
    Problem(
        FactCheckError.code,
        500,
        "The service failed",
        "Something unexpected happened inside the service.",
        "Report the request id to whoever runs the service.",
    ),
    Problem(
        "not-implemented",
        501,
        "The service cannot do that",
        "The request uses a feature of HTTP that this service does not have.",
        "Send a plain HTTP/1.1 request.",
    ),
    Problem(
        UrlFetchFailedError.code,
        502,
        "The page could not be fetched",
        "The site of the article, or the way to it, failed.",
        "Send the request again later, or send the article's words as /article/text.",
        retryable=True,
    ),
    Problem(
        ModelError.code,
        502,
        "The model's endpoint failed",
        "The model behind this service could not answer.",
        "Report the request id to whoever runs the service.",
    ),
    Problem(
        ModelUnavailableError.code,
        502,
        "The model cannot be reached",
        "The model behind this service could not be reached, or failed, also when asked again.",
        "Send the request again later.",
        retryable=True,
    ),
    Problem(
        ModelReplyError.code,
        502,
        "The model's endpoint answered with something unreadable",
        "What came back from the model's endpoint was not a chat completion.",
        "Send the request again; if it happens every time, report the request id to whoever runs the service.",
        retryable=True,
    ),
    Problem(
        ModelEmptyError.code,
        502,
        "The model answered with nothing",
        "The model's answer was empty.",
        "Send the request again.",
        retryable=True,
    ),
    Problem(
        ModelTruncatedError.code,
        502,
        "The model's answer was cut off",
        "The model reached its output limit before its answer was complete; half an answer is never used.",
        "Send the request again, or the article in parts.",
        retryable=True,
    ),
    Problem(
        ModelSchemaError.code,
        502,
        "The model's answer does not follow the schema",
        "The model's answer could not be believed, also after it was asked to correct it.",
        "Send the request again; if it happens every time, the model is not up to the prompt.",
        retryable=True,
    ),
    Problem(
        "service-unreachable",
        502,
        "The service did not answer its gateway",
        "The gateway in front of this service could not reach it, or waited in vain; whether anything was begun is not known.",
        "Send the request again later, with an Idempotency-Key, so that what was begun is not done twice.",
        retryable=True,
    ),
    Problem(
        PromptLeakedError.code,
        502,
        "The model repeated its instructions",
        "The model wrote down what only its instructions hold, as an article may tell it to; nothing of its answer is used.",
        "Read the article for words that address the model, and send it without them.",
    ),
    Problem(
        OverloadedError.code,
        503,
        "The service is busy",
        "This service has as much work as it can do; nothing was begun for this request.",
        "Wait as long as the Retry-After header says, then send the request again.",
        retryable=True,
    ),
    Problem(
        HistoryUnavailableError.code,
        503,
        "Stored analyses cannot be reached",
        "The place where this service stores analyses cannot be used at the moment.",
        "Send the request again later.",
        retryable=True,
    ),
    Problem(
        ModelBusyError.code,
        503,
        "The model is busy",
        "The model's endpoint takes no more requests at the moment.",
        "Wait as long as the Retry-After header says, then send the request again.",
        retryable=True,
    ),
    Problem(
        ModelPausedError.code,
        503,
        "The model is not asked at the moment",
        "The model behind this service kept failing, or asked to be left alone, so that it is not asked for a while.",
        "Wait as long as the Retry-After header says, then send the request again.",
        retryable=True,
    ),
    Problem(
        ModelQuotaError.code,
        503,
        "The model account is exhausted",
        "The account this service has with its model's provider is used up.",
        "Waiting does not help: whoever runs the service must raise the quota.",
    ),
    Problem(
        ModelMisconfiguredError.code,
        503,
        "The model is not set up correctly",
        "The model's endpoint rejects the way this service is set up.",
        "Waiting does not help: whoever runs the service must correct its settings.",
    ),
    Problem(
        DeadlineExceededError.code,
        504,
        "The time for the request is spent",
        "The analysis was not finished within the time this request was given.",
        "Send the request again with a longer /options/deadline_s, or the article in parts.",
        retryable=True,
    ),
)
PROBLEMS = {row.code: row for row in _ROWS}
"""Every code a caller can meet."""

_CODE_OF_STATUS = {
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    413: BodyTooLargeError.code,
    414: "uri-too-long",
    415: UnsupportedMediaTypeError.code,
    417: "expectation-failed",
    431: "headers-too-large",
    501: "not-implemented",
}


def problem_of_status(status: int) -> Problem:
    """The row for an HTTP status that a framework or server chose; the status of the row may be a more general one."""
    if code := _CODE_OF_STATUS.get(status):
        return PROBLEMS[code]
    return PROBLEMS["bad-request" if 400 <= status < 500 else FactCheckError.code]  # noqa: PLR2004 - the classes of RFC 9110
