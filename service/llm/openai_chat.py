"""Any endpoint that speaks OpenAI's chat completions: their errors go in, ours come out."""

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx2
import openai

from service.deadline import Deadline
from service.errors import (
    ClientGoneError,
    DeadlineExceededError,
    FactCheckError,
    ModelMisconfiguredError,
    ModelReplyError,
    ModelUnavailableError,
    SetupError,
)
from service.llm.base import ModelCall, ModelTraits, Reply
from service.llm.complaint import Complaint, failure, read_complaint
from service.llm.completion import read_completion
from service.llm.negotiation import Negotiation, Terms
from service.llm.transport import BoundedTransport, for_the_sake_of
from service.tracing import headers_of_a_call

DEFAULT_BASE_URL = "https://api.openai.com/v1"
CONNECT_TIMEOUT_S = 5.0

_NO_KEY = "none"


class OpenAIChatModel:
    """A model behind an OpenAI-compatible `base_url`; None is OpenAI itself, and an empty key is for endpoints without keys.

    `extra_body` is added to every request, over our own members. `http_client` stands in for the bounded client in tests;
    it is closed with the model. Thread-safe. Asks once: repeats are `RetryingModel`'s, but for the steps of a negotiation.
    Raises: SetupError when the URL or the key cannot be used at all.
    """

    def __init__(
        self,
        traits: ModelTraits,
        base_url: str | None,
        api_key: str,
        *,
        http_client: httpx2.Client | None = None,
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        url = base_url or DEFAULT_BASE_URL
        if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
            raise SetupError("the API key holds characters that no HTTP header can carry")
        self._traits = traits
        self._extra_body = dict(extra_body or {})
        self._negotiation = Negotiation()
        try:
            self._client = openai.OpenAI(
                api_key=api_key or _NO_KEY,
                base_url=url,
                max_retries=0,
                default_headers={"Accept-Encoding": "identity"},
                http_client=http_client or httpx2.Client(transport=BoundedTransport(url), follow_redirects=False),
            )
        except httpx2.InvalidURL as error:
            raise SetupError("the model's base URL is not a URL") from error

    @property
    def traits(self) -> ModelTraits:
        """What is known of this model before it is asked."""
        return self._traits

    def ready(self) -> str | None:
        """None: whether a remote endpoint would answer is known only by paying for a call."""
        return None

    def close(self) -> None:
        """Nothing; the connections are closed."""
        self._client.close()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """A whole answer to `call`; `calls` counts the requests it took to agree on the parameters.

        Raises: ModelError, DeadlineExceededError.
        """
        with _translated(deadline), for_the_sake_of(deadline.interest):
            return self._negotiated(call, deadline)

    def _negotiated(self, call: ModelCall, deadline: Deadline) -> Reply:
        terms = self._negotiation.terms
        calls = 0
        while call.budget.spend():
            calls += 1
            try:
                response = self._post(terms, call, deadline)
            except openai.APIStatusError as error:
                complaint = _complaint(error, call)
                weaker = terms.after(complaint)
                if weaker is None:
                    self._negotiation.give_up()
                    raise failure(complaint, error.response.headers, time.time()) from error
                terms = weaker
                continue
            self._negotiation.settle(terms)
            content_type = response.headers.get("content-type", "")
            reply = read_completion(response.content, content_type, terms.format_of(call), call.budget.note)
            return replace(reply, calls=calls)
        self._negotiation.leave_off(terms)
        raise ModelUnavailableError("the endpoint refused the parameters of every call that was left", may_retry=False)

    def _post(self, terms: Terms, call: ModelCall, deadline: Deadline) -> httpx2.Response:
        left = deadline.check()
        return self._client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            body=terms.body(self._traits.name, call) | self._extra_body,
            options={
                "timeout": httpx2.Timeout(left, connect=min(CONNECT_TIMEOUT_S, left)),
                "follow_redirects": False,
                "headers": dict(headers_of_a_call()),
            },
        )


@contextmanager
def _translated(deadline: Deadline) -> Iterator[None]:
    """Our errors for theirs. Only status numbers and our own words: what they say may quote the article or the key."""
    try:
        yield
    except (openai.APITimeoutError, httpx2.TimeoutException) as error:
        raise _too_slow(deadline) from error
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        raise _gone() if deadline.interest.lost else _unreachable(error) from error
    except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError) as error:
        raise ModelReplyError("the endpoint's answer cannot be read") from error
    except UnicodeEncodeError as error:
        raise ModelMisconfiguredError("the prompt holds characters that cannot be sent") from error
    except (ValueError, RecursionError) as error:
        raise ModelReplyError("the endpoint's answer cannot be parsed") from error


def _complaint(error: openai.APIStatusError, call: ModelCall) -> Complaint:
    said = " ".join(message.content for message in call.messages)
    return read_complaint(error.status_code, error.response.content).without_echo(said)


def _too_slow(deadline: Deadline) -> FactCheckError:
    if deadline.interest.lost:
        return _gone()
    if deadline.remaining_s() <= 0:
        return DeadlineExceededError("the request's time was spent waiting for the endpoint")
    return ModelUnavailableError("the endpoint did not answer in time")


def _gone() -> FactCheckError:
    return ClientGoneError("nobody waits for this call any more")


def _unreachable(error: Exception) -> FactCheckError:
    causes = tuple(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ModelUnavailableError("the endpoint's certificate is not trusted", may_retry=False)
    if any(isinstance(cause, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError) for cause in causes):
        return ModelMisconfiguredError("the request cannot be sent to this base URL")
    return ModelUnavailableError("the endpoint could not be reached, or broke off")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # httpcore clears the cause of what it raises again, but not the context.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
