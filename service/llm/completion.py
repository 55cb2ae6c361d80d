"""A chat completion read from its bytes: what is not one, or not whole, never becomes a reply."""

import re
import time
from collections.abc import Callable
from typing import Any

from service.errors import ModelEmptyError, ModelRefusedError, ModelReplyError, ModelTruncatedError
from service.llm.base import Reply, ResponseFormat, Tokens
from service.llm.complaint import failure, inner_complaint
from service.strictjson import StrictJsonError, TooDeepError, loads

_CUT_OFF = frozenset({"length", "max_tokens", "model_length"})
_REFUSED = "refusal"
_FILTERED = frozenset({"content_filter", "safety", _REFUSED})
_BROKEN_OFF = frozenset({"error", "abort", "cancelled"})
_MAX_NAME_CHARS = 200
_MAX_COUNT = 10**9
_BLANK = re.compile(r"\s{200}")


def read_completion(
    content: bytes, content_type: str, response_format: ResponseFormat, counted: Callable[[Tokens], None]
) -> Reply:
    """The reply in the body of a 200, its text as the model wrote it.

    `counted` is told the endpoint's own count of the tokens, also where there is no reply in it that can be used.

    Raises: ModelReplyError and its kinds, ModelRefusedError; for an error inside a 200, the ModelError it stands for.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if not media_type.endswith(("/json", "+json")):
        # A page of a gateway or a login in between: it may have been a hiccup, and is more often the set-up.
        raise ModelReplyError("the endpoint answered 200 with something that is not JSON", once=True)
    try:
        body = loads(content)
    except TooDeepError as error:
        raise ModelReplyError(f"the endpoint's completion {error.reason}", may_retry=False) from error
    except StrictJsonError as error:
        raise ModelReplyError(f"the endpoint's completion is not strict JSON: it {error.reason}") from error
    members = _object(body, "completion")
    tokens = _tokens(_mapping(members.get("usage")))
    counted(tokens)
    _refuse_inner_error(members)
    choice = _first_choice(members)
    return Reply(
        text=_text(choice),
        served_model=_name(members.get("model")),
        response_format=response_format,
        input_tokens=tokens.input,
        cached_tokens=tokens.cached,
        output_tokens=tokens.output,
    )


def _tokens(usage: dict[str, Any]) -> Tokens:
    return Tokens(
        input=_count(usage.get("prompt_tokens")),
        cached=_count(_mapping(usage.get("prompt_tokens_details")).get("cached_tokens")),
        output=_count(usage.get("completion_tokens")),
    )


def _first_choice(members: dict[str, Any]) -> dict[str, Any]:
    choices = members.get("choices")
    if choices is None or choices == []:
        raise ModelEmptyError("the endpoint's completion has no choices")
    if not isinstance(choices, list):
        raise ModelReplyError("the completion's choices are not a list")
    choice = _object(choices[0], "choice")
    _refuse_inner_error(choice)
    return choice


def _text(choice: dict[str, Any]) -> str:
    finish = choice.get("finish_reason")
    if finish is not None and not isinstance(finish, str):
        raise ModelReplyError("the completion's finish reason is not text")
    ending = (finish or "").lower()
    if ending in _CUT_OFF:
        raise ModelTruncatedError("the completion was cut off at its token limit", blank=_blank(choice))
    if ending in _FILTERED:
        raise ModelRefusedError("a content filter or a refusal ended the completion", filtered=ending != _REFUSED)
    if ending in _BROKEN_OFF:
        raise ModelReplyError("the endpoint says that the completion broke off")
    message = _object(choice.get("message"), "message")
    content, refusal = message.get("content"), message.get("refusal")
    for value, name in ((content, "content"), (refusal, "refusal")):
        if value is not None and not isinstance(value, str):
            raise ModelReplyError(f"the completion's {name} is not text")
    if refusal and refusal.strip():
        raise ModelRefusedError("the model refused")
    if content is None or not content.strip():
        if message.get("tool_calls"):
            raise ModelReplyError("the model called a tool instead of answering")
        raise ModelEmptyError("the completion has no content", once=True)
    return str(content)


def _blank(choice: dict[str, Any]) -> bool:
    content = _mapping(choice.get("message")).get("content")
    return isinstance(content, str) and _BLANK.search(content) is not None


def _refuse_inner_error(members: dict[str, Any]) -> None:
    error = members.get("error")
    if error:
        raise failure(inner_complaint(error), {}, time.time())


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ModelReplyError(f"the {name} is not an object")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value <= _MAX_COUNT else 0


def _name(value: Any) -> str:
    return value[:_MAX_NAME_CHARS] if isinstance(value, str) else ""
