"""Every way this service fails, as one tree.

FactCheckError                      code (public, stable) and retryable
├── RequestError                    the caller must change the request
│   ├── NotAcceptableError
│   ├── UnknownHostError            the service is not asked for under that name
│   ├── EmptyBodyError
│   ├── InvalidJsonError
│   ├── InvalidEncodingError
│   ├── InvalidRequestError         carries every fault with its JSON pointer
│   ├── UnreadablePageError
│   ├── UnknownPromptError
│   ├── UnsupportedMediaTypeError
│   ├── IdempotencyKeyInUseError    its first request is still being worked on
│   ├── IdempotencyKeyReusedError   it belongs to a request that asked for something else
│   ├── BodyTooLargeError
│   └── ArticleTooLongError
├── ModelError                      the model or its endpoint failed us
│   ├── ModelUnavailableError       connection, 5xx, engine not running
│   │   └── ModelPausedError        not asked for a while, because it kept failing
│   ├── ModelBusyError              429, with the wait the endpoint asked for
│   ├── ModelQuotaError             the operator's account is exhausted
│   ├── ModelMisconfiguredError     wrong key, unknown model, forbidden
│   ├── ModelRefusedError           content filter or refusal
│   ├── ModelContextError           the endpoint says the prompt is too long
│   ├── PromptLeakedError           the reply repeats what the instructions alone hold: in fencing.py
│   └── ModelReplyError             an answer that cannot be believed
│       ├── ModelEmptyError         no choices, or no content
│       ├── ModelTruncatedError     cut off before its end
│       └── ModelSchemaError        not JSON, or off-schema, after the repair round
├── UrlFetchFailedError             and four of the caller's: in url_errors.py
├── HistoryUnavailableError         and one of the caller's: in history_errors.py
├── LimitError                      a tenant's limits are in the way: in limit_errors.py
├── AnswerShapeError                our own answer is not what we said it would be
├── DeadlineExceededError           the request's time is spent
├── OverloadedError                 we have as much work as we can do
├── ClientGoneError                 nobody waits for the answer any more
└── SetupError                      settings, prompt files, weights: start-up only

The message of an error is for our log. Only a RequestError's message may be shown to the caller: it is written
for them and never quotes their article. HTTP statuses and public texts belong to `web/problems.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: where (JSON pointer, RFC 6901) and what to change."""

    pointer: str
    detail: str


class FactCheckError(Exception):
    """Base of all our errors. `code` is public and stable; `retryable` says whether the same request may work later.

    `for_all` says whether the same request of somebody else, made at the same time, would fail as well;
    it is set to False on an error that only the time of this request kept from being overcome.
    `passage` is the range of the article, in code points, whose reading failed, where it was read in several.
    """

    code: ClassVar[str] = "internal-error"
    retryable: ClassVar[bool] = False
    for_all: bool = True
    passage: tuple[int, int] | None = None


class RequestError(FactCheckError):
    """The caller must change the request. The message and the faults are shown to them."""

    code = "invalid-request"

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.faults = tuple(faults)


class UnknownHostError(RequestError):
    """The request asks for a host that this service is not."""

    code = "unknown-host"


class EmptyBodyError(RequestError):
    """The request has no body."""

    code = "empty-body"


class InvalidJsonError(RequestError):
    """The body is not strict JSON: syntax, NaN, duplicate keys, depth, digits."""

    code = "invalid-json"


class InvalidEncodingError(RequestError):
    """The body is not UTF-8."""

    code = "invalid-encoding"


class InvalidRequestError(RequestError):
    """The body is JSON but not a request we can take."""

    code = "invalid-request"


class UnreadablePageError(RequestError):
    """There is no article to be read on an HTML page."""

    code = "unreadable-page"


class UnknownPromptError(RequestError):
    """The request names a prompt this service does not have."""

    code = "unknown-prompt"


class NotAcceptableError(RequestError):
    """The client takes none of the media types there are. The message lists them."""

    code = "not-acceptable"


class UnsupportedMediaTypeError(RequestError):
    """The content type of the body is none we read."""

    code = "unsupported-media-type"


class IdempotencyKeyInUseError(RequestError):
    """The first request with this key has not been answered yet."""

    code = "idempotency-key-in-use"
    retryable = True


class IdempotencyKeyReusedError(RequestError):
    """The key came with a request that asked for something else."""

    code = "idempotency-key-reused"


class BodyTooLargeError(RequestError):
    """The body has more bytes than this service takes."""

    code = "body-too-large"


class ArticleTooLongError(RequestError):
    """The article has more characters than one analysis takes."""

    code = "article-too-long"


class ModelError(FactCheckError):
    """The model or its endpoint failed. `retry_after_s` is the wait the endpoint asked for, in seconds.

    `may_retry` is False where it told us not to ask again, or where the same would happen; `once` is True where one more
    try is worth its price and a second one is not.
    """

    code = "upstream-error"

    def __init__(self, message: str, *, retry_after_s: float | None = None, may_retry: bool = True, once: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.may_retry = may_retry
        self.once = once


class ModelUnavailableError(ModelError):
    """The endpoint could not be reached or answered 5xx."""

    code = "upstream-unavailable"
    retryable = True


class ModelPausedError(ModelUnavailableError):
    """The endpoint kept failing or asked to be left alone, so that it is not asked until `retry_after_s` have passed."""

    code = "upstream-paused"

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message, retry_after_s=retry_after_s, may_retry=False)


class ModelBusyError(ModelError):
    """The endpoint answered 429."""

    code = "upstream-busy"
    retryable = True


class ModelQuotaError(ModelError):
    """The account behind the key is exhausted: waiting does not help, an operator does."""

    code = "upstream-quota"


class ModelMisconfiguredError(ModelError):
    """The endpoint rejects our key, model name or parameters."""

    code = "upstream-misconfigured"


class ModelRefusedError(ModelError):
    """The model or its content filter declined to read the article. `filtered` says that it was a filter."""

    code = "model-refused"

    def __init__(self, message: str, *, filtered: bool = False) -> None:
        super().__init__(message, may_retry=False)
        self.filtered = filtered


class ModelContextError(ModelError):
    """The endpoint says that the prompt does not fit its context window."""

    code = "article-too-long"


class ModelReplyError(ModelError):
    """The endpoint answered 200 with something that is not a chat completion."""

    code = "upstream-invalid-response"
    retryable = True


class ModelEmptyError(ModelReplyError):
    """The completion has no choices or no content."""

    code = "upstream-empty"


class ModelTruncatedError(ModelReplyError):
    """The completion was cut off at its token limit; it is never read as a whole one.

    `blank` says that white space filled it: a decoder held to a schema can write that for ever.
    """

    code = "upstream-truncated"

    def __init__(self, message: str, *, blank: bool = False) -> None:
        super().__init__(message)
        self.blank = blank


class ModelSchemaError(ModelReplyError):
    """The reply is not JSON or breaks its schema, also after one repair round."""

    code = "upstream-schema"


class AnswerShapeError(FactCheckError):
    """An answer of ours breaks the shape that was published: a fault of the service, told without the answer's content."""


class DeadlineExceededError(FactCheckError):
    """The time this request was given is spent."""

    code = "deadline-exceeded"
    retryable = True
    for_all = False


class OverloadedError(FactCheckError):
    """There is as much work as can be done: the request was turned away before any was done for it."""

    code = "overloaded"
    retryable = True
    for_all = False

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ClientGoneError(FactCheckError):
    """The client closed its connection before it was answered, so the work for it was ended."""

    code = "client-gone"
    retryable = True
    for_all = False


class SetupError(FactCheckError):
    """The service cannot start as it is set up. `faults` lists everything wrong, not only the first."""

    code = "setup-error"

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__("\n".join([message, *(f"  - {fault}" for fault in faults)]))
        self.faults = tuple(faults)
