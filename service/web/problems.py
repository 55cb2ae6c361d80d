"""How each failure is told to a caller: one table from error code to status and words (RFC 9457).

Nothing of an exception reaches the caller but the message and faults of a `RequestError`, which are written for them.
"""

from dataclasses import dataclass

from service.errors import (
    ArticleTooLongError,
    BodyTooLargeError,
    DeadlineExceededError,
    EmptyBodyError,
    FactCheckError,
    InvalidEncodingError,
    InvalidJsonError,
    ModelBusyError,
    ModelEmptyError,
    ModelError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
    NotAcceptableError,
    RequestError,
    UnknownPromptError,
    UnreadablePageError,
    UnsupportedMediaTypeError,
)


@dataclass(frozen=True)
class Problem:
    """One kind of failure. `detail` says what happened, `advice` what to do about it; both are shown to callers."""

    code: str
    status: int
    title: str
    detail: str
    advice: str
    retryable: bool = False


_ROWS = (
    Problem(
        EmptyBodyError.code,
        400,
        "The request has no body",
        "There is nothing to analyse: the request body is empty.",
        "Send the article as text/plain, or as JSON with the article's words in /article/text.",
    ),
    Problem(
        InvalidJsonError.code,
        400,
        "The body is not strict JSON",
        "The request body could not be read as JSON.",
        "Send one JSON object (RFC 8259): no NaN or Infinity, no key twice in one object, no extreme nesting.",
    ),
    Problem(
        InvalidEncodingError.code,
        400,
        "The body is not UTF-8",
        "The request body holds bytes that are not UTF-8.",
        "Convert the article to UTF-8 before sending it.",
    ),
    Problem(
        "bad-request",
        400,
        "The request is malformed",
        "The request breaks the rules of HTTP, or its body ended before it was complete.",
        "Send the request again, whole, with a conforming HTTP client.",
    ),
    Problem(
        "not-found",
        404,
        "There is nothing at this path",
        "This service has no such path.",
        "Articles are sent with POST to /analyze.",
    ),
    Problem(
        "method-not-allowed",
        405,
        "The method is not allowed here",
        "This path does not take that HTTP method.",
        "Use one of the methods named in the Allow header.",
    ),
    Problem(
        "request-timeout",
        408,
        "The request took too long to arrive",
        "The request body did not arrive in time.",
        "Send the request again over a connection that keeps up.",
        retryable=True,
    ),
    Problem(
        NotAcceptableError.code,
        406,
        "The answer cannot be given in that form",
        "The Accept header takes none of the media types that an analysis can be given in.",
        "Name one of them in the Accept header, or leave it out to get JSON.",
    ),
    Problem(
        ArticleTooLongError.code,
        413,
        "The article is too long",
        "The article is longer than this service, or the model it asks, can read.",
        "Send the article in parts.",
    ),
    Problem(
        BodyTooLargeError.code,
        413,
        "The body is too large",
        "The request body has more bytes than this service takes.",
        "Send a shorter article, or the article in parts.",
    ),
    Problem(
        "uri-too-long",
        414,
        "The address is too long",
        "The request line is longer than this service reads.",
        "Send the article in the body of the request, not in its address.",
    ),
    Problem(
        UnsupportedMediaTypeError.code,
        415,
        "The body's type is not supported",
        "This service does not read bodies of that type.",
        "Send application/json or text/plain in UTF-8, without a content encoding.",
    ),
    Problem(
        "expectation-failed",
        417,
        "The expectation cannot be met",
        "The Expect header asks for something this service does not do.",
        "Leave the Expect header out.",
    ),
    Problem(
        RequestError.code,
        422,
        "The request cannot be taken as it is",
        "The body was read, but something in the request is missing, unknown or out of range.",
        "Change what the errors list names: each entry has a JSON pointer (RFC 6901) and says what to change.",
    ),
    Problem(
        UnreadablePageError.code,
        422,
        "There is no article on the page",
        "No main text could be found on the HTML page.",
        "Send the article's own words as text/plain, or as JSON with its words in /article/text.",
    ),
    Problem(
        UnknownPromptError.code,
        422,
        "There is no such prompt",
        "The request names a prompt or a version of one that this service does not have.",
        "Choose one of those listed at /prompts, or leave the prompt out to use the active one.",
    ),
    Problem(
        ModelRefusedError.code,
        422,
        "The model declined to read the article",
        "The model, or a content filter in front of it, refused this article.",
        "Another model may take it; the same request will be refused again.",
    ),
    Problem(
        "headers-too-large",
        431,
        "The request headers are too large",
        "The request has more or longer header fields than this service reads.",
        "Send fewer or shorter headers.",
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
        ModelBusyError.code,
        503,
        "The model is busy",
        "The model's endpoint takes no more requests at the moment.",
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
