"""How the failures that a caller can mend are told: one row for each error code with a status from 400 to 499."""

from dataclasses import dataclass

from service.errors import (
    ArticleTooLongError,
    BodyTooLargeError,
    EmptyBodyError,
    IdempotencyKeyInUseError,
    IdempotencyKeyReusedError,
    InvalidEncodingError,
    InvalidJsonError,
    ModelRefusedError,
    NotAcceptableError,
    RequestError,
    UnknownHostError,
    UnknownPromptError,
    UnreadablePageError,
    UnsupportedMediaTypeError,
)
from service.history_errors import AnalysisNotFoundError
from service.url_errors import UrlForbiddenByRobotsError, UrlNotAllowedError, UrlNotAnArticleError, UrlRefusedError


@dataclass(frozen=True)
class Problem:
    """One kind of failure. `detail` says what happened, `advice` what to do about it; both are shown to callers."""

    code: str
    status: int
    title: str
    detail: str
    advice: str
    retryable: bool = False


REQUEST_PROBLEMS = (
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
        UnknownHostError.code,
        400,
        "The service is not reached under this host name",
        "The request's Host header, or the URL in its first line, names a host that this service is not.",
        "Ask for the service by the name its operator gave it (FACTCHECK_HOSTS).",
    ),
    Problem(
        "not-found",
        404,
        "There is nothing at this path",
        "This service has no such path.",
        "Articles are sent with POST to /analyze.",
    ),
    Problem(
        AnalysisNotFoundError.code,
        404,
        "There is no such analysis",
        "No analysis is stored at this address: it was deleted, its time is over, or it never was.",
        "Have the article analysed again, with /options/store set to true to have the answer stored.",
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
        IdempotencyKeyInUseError.code,
        409,
        "The first request with this key is still being worked on",
        "A request with the same Idempotency-Key has not been answered yet.",
        "Wait as long as the Retry-After header says, then send the request again with the same key to get its answer.",
        retryable=True,
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
        "Send a shorter article, or the article in parts; of an earlier answer its seal is enough.",
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
        UrlNotAllowedError.code,
        422,
        "The address is not fetched from",
        "The article's address does not lead to a page on a public web server.",
        "Give an http or https address that anyone can open, or send the article's words as /article/text.",
    ),
    Problem(
        UrlForbiddenByRobotsError.code,
        422,
        "The site does not want the page to be fetched",
        "The site asks robots not to fetch this page.",
        "Open the page yourself and send the article's words as /article/text.",
    ),
    Problem(
        UrlRefusedError.code,
        422,
        "The site does not give the page",
        "The site says that there is no such page, or that it is not for everyone.",
        "Correct the address, or send the article's words as /article/text.",
    ),
    Problem(
        UrlNotAnArticleError.code,
        422,
        "There is no article at the address",
        "What is at the article's address is no page that an article can be read from.",
        "Give the address of the article itself, or send its words as /article/text.",
    ),
    Problem(
        UnknownPromptError.code,
        422,
        "There is no such prompt",
        "The request names a prompt or a version of one that this service does not have.",
        "Choose one of those listed at /prompts, or leave the prompt out to use the active one.",
    ),
    Problem(
        IdempotencyKeyReusedError.code,
        422,
        "The key belongs to another request",
        "A request with the same Idempotency-Key asked for something else.",
        "Make a new key for each new request; send an old key only with the request it was made for.",
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
)
