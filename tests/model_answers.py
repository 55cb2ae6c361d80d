"""What the model double says: answers in the shape of the chat completions protocol, and the modes of its command line."""

import json
import re
import socket
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

CHARS_PER_TOKEN = 4
CLAIMS_PER_ANSWER = 5
QUOTE_CHARS = 60

_SCHEMA = re.compile(r"\bclaim_list_v(\d+)\b")
_NUMBERED = re.compile(r"^\[(\d+)\] (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Call:
    """A request the double received. Header names are lower case; `body` is None when it is not JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What the double sends back, after `wait_s`. With `raw`, that function writes to the socket, and it is closed."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    wait_s: float = 0.0
    raw: Callable[[socket.socket], None] | None = None


Replier = Callable[[Call], Answer]


def quote_of(sentence: str) -> str:
    """The first words of a sentence: up to `QUOTE_CHARS` characters, cut at a word's edge."""
    sentence = sentence.strip()
    if len(sentence) <= QUOTE_CHARS:
        return sentence
    cut = sentence[: QUOTE_CHARS + 1].rpartition(" ")[0].rstrip()
    return cut or sentence[:QUOTE_CHARS]


def claim(sentence: int, quote: str) -> dict[str, Any]:
    """One claim as the reply schema wants it, in the article's own voice."""
    return {
        "sentence": sentence,
        "quote": quote,
        "text": quote,
        "claimant": None,
        "stances": [],
        "article": "supports",
        "kind": "event",
        "worth": 0.5,
        "why": "states a fact",
    }


def claim_v2(sentence: int, quote: str) -> dict[str, Any]:
    """The same in version 2 of the reply schema."""
    return {
        "n": sentence,
        "quote": quote,
        "text": "",
        "by": 0,
        "as": "",
        "stances": [],
        "kind": "event",
        "worth": 5,
        "why": "fact",
    }


def claim_v3(sentence: int, quote: str) -> dict[str, Any]:
    """The same in version 3 of the reply schema."""
    return {name: value for name, value in claim_v2(sentence, quote).items() if name != "as"} | {"why": "public"}


def answer_for(user_message: str, *, version: int = 1) -> dict[str, Any]:
    """A valid reply to a prompt: one claim for each of its first numbered sentences, quoting its first words."""
    first = islice(_NUMBERED.finditer(user_message), CLAIMS_PER_ANSWER)
    found = [(int(match[1]), quote_of(match[2])) for match in first]
    return reply(found, version)


def reply(claims: Iterable[tuple[int, str]], version: int) -> dict[str, Any]:
    """A reply of claims, each a sentence's number and a quote, in a version of the reply schema."""
    make = {1: claim, 2: claim_v2, 3: claim_v3}[version]
    listed = [make(*one) for one in claims]
    return {"claims": listed} if version == 1 else {"sources": [], "claims": listed}


def article_of(body: Mapping[str, Any]) -> str:
    """The message of a request that holds the article's numbered sentences: the last one, as a repair round quotes it again."""
    return next((said for message in reversed(body["messages"]) if _NUMBERED.search(said := message["content"])), "")


def reply_to(body: Mapping[str, Any]) -> str:
    """The text of a valid reply to a request, about the very article in it."""
    return json.dumps(answer_for(article_of(body), version=version_of(body)), ensure_ascii=False)


def version_of(body: Mapping[str, Any]) -> int:
    """The version of the reply schema a request speaks of: by its schema's name, else by its system message."""
    if named := _SCHEMA.search(json.dumps(body.get("response_format"))):
        return int(named[1])
    system = str(body["messages"][0])
    return 3 if "name | role" in system else 2 if '"sources"' in system else 1


def completion(  # noqa: PLR0913 (one keyword for each field a test varies)
    content: Any,
    *,
    finish_reason: Any = "stop",
    refusal: Any = None,
    model: str = "double",
    input_tokens: int = 0,
    cached_tokens: int = 0,
    output_tokens: int = 0,
) -> dict[str, Any]:
    """A chat completion of one choice."""
    return {
        "id": "chatcmpl-double",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
                "finish_reason": finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
            "prompt_tokens_details": {"cached_tokens": cached_tokens},
        },
    }


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """`value` as an answer in JSON."""
    return Answer(json.dumps(value, ensure_ascii=False).encode("utf-8"), status, headers or {})


def error_answer(status: int, code: str, message: str = "refused", headers: Mapping[str, str] | None = None) -> Answer:
    """An error in the shape the chat completions protocol gives it."""
    return json_answer({"error": {"message": message, "type": code, "param": None, "code": code}}, status, headers)


class Modes:
    """The repliers of the command line, by name. Completions count tokens as characters and know a prefix cache."""

    names = (
        "ok",
        "refuse",
        "length",
        "prose",
        "429",
        "500",
        "hang",
        "html",
        "empty",
        "other-article",
        "schema-unsupported",
    )

    def __init__(self, mode: str = "ok", latency_s: float = 0.0) -> None:
        if mode not in self.names:
            raise ValueError(f"no such mode: {mode}")
        self._mode = mode
        self._latency_s = latency_s
        self._prompts: deque[str] = deque(maxlen=16)

    def __call__(self, call: Call) -> Answer:
        """The answer to one chat request."""
        if not isinstance(call.body, dict):
            return error_answer(400, "invalid_request_error")
        answer = self._answer(call)
        return replace(answer, wait_s=answer.wait_s + self._latency_s)

    def _answer(self, call: Call) -> Answer:
        match self._mode:
            case "429":
                return error_answer(429, "rate_limit_exceeded", headers={"retry-after": "1"})
            case "500":
                return error_answer(500, "server_error")
            case "html":
                return Answer(b"<html><body>please sign in</body></html>", content_type="text/html")
            case "hang":
                return Answer(wait_s=3600.0)
            case "schema-unsupported" if call.body.get("response_format", {}).get("type") == "json_schema":
                return error_answer(400, "invalid_request_error", "response_format json_schema is not supported")
            case _:
                return json_answer(self._completion(call))

    def _completion(self, call: Call) -> dict[str, Any]:
        messages = call.body["messages"]
        prompt = "".join(f"{message['role']}\n{message['content']}\n" for message in messages)
        text = reply_to(call.body)
        how: dict[str, Any] = {}
        match self._mode:
            case "refuse":
                text, how = None, {"refusal": "I cannot help with that."}
            case "length":
                text, how = text[: len(text) // 2], {"finish_reason": "length"}
            case "prose":
                text = f"Here are the claims I found.\n\n```json\n{text}\n```\nLet me know if you need more."
            case "empty":
                text = ""
            case "other-article":
                words = "Nothing of this kind was ever printed here"
                text = json.dumps(reply([(1, words)], version_of(call.body)))
        cached = max((_common_prefix(prompt, earlier) for earlier in tuple(self._prompts)), default=0)
        self._prompts.append(prompt)
        return completion(
            text,
            model=str(call.body.get("model")),
            input_tokens=len(prompt) // CHARS_PER_TOKEN,
            cached_tokens=cached // CHARS_PER_TOKEN,
            output_tokens=len(text or "") // CHARS_PER_TOKEN,
            **how,
        )


def _common_prefix(one: str, other: str) -> int:
    # Halving with slices compares in C; a loop over characters would cost more than the rest of the answer.
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
