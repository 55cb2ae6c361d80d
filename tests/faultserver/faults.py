"""Every way an endpoint is known to fail, by name and by its row of the fault matrix, as what goes over the wire."""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache
from http.client import responses
from typing import Any

from tests.model_answers import Answer, Call, completion, error_answer, json_answer, reply_to

UPSTREAM_WORDS = "upstream-canary-5dc1"
"""Stands in every error and page of these endpoints: it must never reach a client or a log."""

CHARS_PER_TOKEN = 4
LONG_WAIT_S = 3_600
_BLOCK_BYTES = 1_000_000


class Ending(Enum):
    """What becomes of the connection once the parts are sent."""

    KEEP = auto()
    CLOSE = auto()
    RESET = auto()
    SILENCE = auto()


@dataclass(frozen=True)
class Sending:
    """What goes over the wire for one request: `parts` are bytes to write, or seconds to wait."""

    parts: Iterable[bytes | float]
    ending: Ending = Ending.KEEP


@dataclass(frozen=True)
class Fault:
    """One way to fail. `row` is that of the fault matrix, 0 for a good answer; `what` says it in a few words.

    `listener` faults concern the connection, before any request: "refused", "tls-untrusted" or "tls-plain-http".
    """

    name: str
    row: int
    what: str
    send: Callable[[Call], Sending]
    listener: bool = False


FAULTS: dict[str, Fault] = {}


def _fault(row: int, name: str, what: str) -> Callable[[Callable[[Call], Answer | Sending]], Any]:
    def register(answer: Callable[[Call], Answer | Sending]) -> Callable[[Call], Answer | Sending]:
        def send(call: Call) -> Sending:
            found = answer(call)
            return found if isinstance(found, Sending) else whole(found)

        FAULTS[name] = Fault(name, row, what, send)
        return answer

    return register


def whole(answer: Answer) -> Sending:
    """An answer as it should be sent."""
    return Sending((head(answer.status, answer.content_type, len(answer.body), answer.headers) + answer.body,))


def head(status: int, content_type: str, length: int, headers: Mapping[str, str] | None = None) -> bytes:
    """The head of an answer, with the blank line after it."""
    lines = [
        f"HTTP/1.1 {status} {responses.get(status, 'Status')}",
        f"content-type: {content_type}",
        f"content-length: {length}",
    ]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def good(call: Call) -> Sending:
    """A valid completion about the article in the request."""
    return whole(_completed(call, reply_to(call.body)))


def _completed(call: Call, content: Any, **how: Any) -> Answer:
    read = sum(len(message["content"]) for message in call.body["messages"])
    written = len(content) if isinstance(content, str) else 0
    tokens = {"input_tokens": read // CHARS_PER_TOKEN, "output_tokens": written // CHARS_PER_TOKEN}
    return json_answer(completion(content, model=str(call.body.get("model")), **tokens, **how))


def _echo(call: Call) -> str:
    """What careless endpoints write into their errors: the tail of the key, and what was sent."""
    key = call.headers.get("authorization", "")[-8:]
    said = call.body["messages"][-1]["content"][-400:]
    return f"{UPSTREAM_WORDS} key ...{key} input: {said}"


def _refused(call: Call, status: int, code: str, message: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    return error_answer(status, code, f"{message} {_echo(call)}".strip(), headers)


def _page(call: Call, status: int) -> Answer:
    html = f"<!doctype html><html><body><h1>{UPSTREAM_WORDS}</h1><p>{_echo(call)}</p></body></html>"
    return Answer(html.encode(), status, content_type="text/html; charset=utf-8")


def _json(body: bytes) -> Answer:
    return Answer(body)


FAULTS["ok"] = Fault("ok", 0, "a good answer", good)

# A 200 that is no completion.


@_fault(1, "html-200", "200 with a page in HTML")
def _(call: Call) -> Answer:
    return _page(call, 200)


@_fault(2, "empty-body", "200 with an empty body")
def _(_call: Call) -> Answer:
    return _json(b"")


@_fault(2, "truncated-envelope", "200 with half a JSON document")
def _(call: Call) -> Answer:
    body = _completed(call, reply_to(call.body)).body
    return _json(body[: len(body) // 2])


@_fault(3, "not-utf8", "200 with bytes that are not UTF-8")
def _(_call: Call) -> Answer:
    return _json(b'{"choices": [{"message": {"content": "\xff\xfe"}}]}')


@_fault(4, "deep-json", "200 with JSON 200,000 levels deep")
def _(_call: Call) -> Answer:
    return _json(b"[" * 200_000)


@_fault(5, "huge-integer", "200 with an integer of 6,000 digits")
def _(_call: Call) -> Answer:
    return _json(b'{"created": ' + b"9" * 6_000 + b"}")


@_fault(6, "error-in-200", "an error inside a 200, of no known kind")
def _(call: Call) -> Answer:
    return json_answer({"error": {"message": _echo(call)}})


@_fault(6, "busy-in-200", "an error inside a 200: too many requests")
def _(call: Call) -> Answer:
    return json_answer({"error": {"code": 429, "message": _echo(call)}})


@_fault(7, "no-choices", "a completion without choices")
def _(_call: Call) -> Answer:
    return json_answer(completion("") | {"choices": []})


@_fault(7, "null-choices", "a completion with null for its choices")
def _(_call: Call) -> Answer:
    return json_answer(completion("") | {"choices": None})


@_fault(8, "null-content", "no content: reasoning took all the tokens")
def _(call: Call) -> Answer:
    return _completed(call, None)


@_fault(8, "empty-content", "empty content")
def _(call: Call) -> Answer:
    return _completed(call, "")


@_fault(9, "length", "cut off at its token limit")
def _(call: Call) -> Answer:
    text = reply_to(call.body)
    return _completed(call, text[: len(text) // 2], finish_reason="length")


@_fault(10, "whitespace-loop", "white space up to the token limit, while held to a schema")
def _(call: Call) -> Answer:
    if "response_format" not in call.body:
        return _completed(call, reply_to(call.body))
    return _completed(call, reply_to(call.body)[:20] + "\n" * 4_000, finish_reason="length")


@_fault(10, "whitespace-always", "white space up to the token limit, whatever is asked")
def _(call: Call) -> Answer:
    return _completed(call, reply_to(call.body)[:20] + "\n" * 4_000, finish_reason="length")


@_fault(11, "content-filter", "ended by a content filter")
def _(call: Call) -> Answer:
    return _completed(call, "", finish_reason="content_filter")


@_fault(12, "refusal", "the model refuses")
def _(call: Call) -> Answer:
    return _completed(call, None, refusal=_echo(call))


@_fault(13, "fence", "a code fence around the JSON")
def _(call: Call) -> Answer:
    return _completed(call, f"```json\n{reply_to(call.body)}\n```")


@_fault(13, "prose", "prose and a code fence around the JSON")
def _(call: Call) -> Answer:
    return _completed(call, f"Here is what I found.\n\n```json\n{reply_to(call.body)}\n```\nLet me know if you need more.")


@_fault(13, "think", "a think block before the JSON")
def _(call: Call) -> Answer:
    return _completed(call, f"<think>\nwell, {UPSTREAM_WORDS}\n</think>\n{reply_to(call.body)}")


@_fault(14, "wrong-schema", "valid JSON of another schema")
def _(call: Call) -> Answer:
    return _completed(call, json.dumps({"facts": [{"statement": _echo(call)}], "claims": "several"}))


@_fault(15, "duplicate-keys", "the same key twice in the reply")
def _(call: Call) -> Answer:
    return _completed(call, f'{{"claims": [], {reply_to(call.body)[1:]}')


@_fault(15, "nan", "NaN in the reply")
def _(call: Call) -> Answer:
    return _completed(call, f'{{"worth": NaN, {reply_to(call.body)[1:]}')


@_fault(15, "lone-surrogate", "half a character in the reply")
def _(call: Call) -> Answer:
    return _completed(call, f'{{"\\ud800": 1, {reply_to(call.body)[1:]}')


# An endpoint that says no.


@_fault(16, "busy-briefly", "429 with a Retry-After of one second")
def _(call: Call) -> Answer:
    return _refused(call, 429, "rate_limit_exceeded", headers={"retry-after": "1"})


@_fault(17, "busy", "429 without a Retry-After")
def _(call: Call) -> Answer:
    return _refused(call, 429, "rate_limit_exceeded")


@_fault(18, "busy-for-an-hour", "429 with a Retry-After of an hour")
def _(call: Call) -> Answer:
    return _refused(call, 429, "rate_limit_exceeded", headers={"retry-after": str(LONG_WAIT_S)})


@_fault(19, "quota", "429 because the account is exhausted")
def _(call: Call) -> Answer:
    return _refused(call, 429, "insufficient_quota")


@_fault(20, "http-500", "500 in JSON")
def _(call: Call) -> Answer:
    return _refused(call, 500, "server_error")


@_fault(20, "http-502", "502 with a page in HTML")
def _(call: Call) -> Answer:
    return _page(call, 502)


@_fault(20, "http-503", "503 in JSON")
def _(call: Call) -> Answer:
    return _refused(call, 503, "overloaded_error")


@_fault(21, "http-500-no-retry", "500 with x-should-retry: false")
def _(call: Call) -> Answer:
    return _refused(call, 500, "server_error", headers={"x-should-retry": "false"})


@_fault(22, "http-408", "408")
def _(call: Call) -> Answer:
    return _refused(call, 408, "timeout")


@_fault(22, "http-409", "409")
def _(call: Call) -> Answer:
    return _refused(call, 409, "conflict")


@_fault(23, "context-length", "400: the prompt does not fit the context")
def _(call: Call) -> Answer:
    return _refused(call, 400, "context_length_exceeded", "This model's maximum context length is 4096 tokens.")


def _only_formats(call: Call, status: int, *formats: str | None) -> Answer:
    wanted = call.body.get("response_format", {}).get("type")
    if wanted in formats:
        return _completed(call, reply_to(call.body))
    return _refused(call, status, "invalid_request_error", f"response_format {wanted} is not supported")


@_fault(24, "no-json-schema", "400: json_schema is not supported")
def _(call: Call) -> Answer:
    return _only_formats(call, 400, "json_object", None)


@_fault(24, "no-json-schema-500", "500: json_schema is not supported")
def _(call: Call) -> Answer:
    return _only_formats(call, 500, "json_object", None)


@_fault(24, "no-response-format", "400: no response format is supported")
def _(call: Call) -> Answer:
    return _only_formats(call, 400, None)


@_fault(24, "no-grammar", "500 about the grammar, whatever is asked")
def _(_call: Call) -> Answer:
    return error_answer(500, "server_error", f"failed to parse grammar {UPSTREAM_WORDS}")


@_fault(25, "http-401", "401, showing the tail of the key")
def _(call: Call) -> Answer:
    return _refused(call, 401, "invalid_api_key", "Incorrect API key provided:")


@_fault(25, "http-403", "403")
def _(call: Call) -> Answer:
    return _refused(call, 403, "permission_denied")


@_fault(26, "redirect", "307 to another origin")
def _(call: Call) -> Answer:
    port = call.headers.get("host", ":9").rpartition(":")[2]
    return Answer(status=307, headers={"location": f"http://localhost:{port}/elsewhere/chat/completions"})


# The wire.


def _no_request(_call: Call) -> Sending:
    return Sending((), Ending.CLOSE)


for _name, _row, _what in (
    ("refused", 27, "nobody listens on the port"),
    ("tls-untrusted", 29, "a certificate that nobody we trust has signed"),
    ("tls-plain-http", 29, "plain HTTP on the port of an https URL"),
):
    FAULTS[_name] = Fault(_name, _row, _what, _no_request, listener=True)


@_fault(28, "reset", "the connection is reset before the answer")
def _(_call: Call) -> Sending:
    return Sending((), Ending.RESET)


def _half(call: Call) -> bytes:
    (sent,) = good(call).parts
    return sent[: len(sent) * 3 // 4] if isinstance(sent, bytes) else b""


@_fault(28, "reset-mid-body", "the connection is reset in the body")
def _(call: Call) -> Sending:
    return Sending((_half(call), 0.02), Ending.RESET)


@_fault(28, "close-mid-body", "the connection is closed in the body")
def _(call: Call) -> Sending:
    return Sending((_half(call),), Ending.CLOSE)


@_fault(30, "silence", "no answer at all")
def _(_call: Call) -> Sending:
    return Sending((), Ending.SILENCE)


def _trickled(data: bytes, every_s: float) -> Iterator[bytes | float]:
    yield data
    while True:
        yield b" "
        yield every_s


@_fault(31, "slow-trickle", "a byte now and then, for ever")
def _(_call: Call) -> Sending:
    return Sending(_trickled(head(200, "application/json", 10**9), 0.05))


@_fault(32, "huge-body", "60 MB of body")
def _(_call: Call) -> Sending:
    return Sending((head(200, "application/json", 60 * _BLOCK_BYTES), *[b" " * _BLOCK_BYTES] * 60))


@_fault(33, "gzip-bomb", "a gzip body of 0.3 MB that inflates to 300 MB")
def _(_call: Call) -> Sending:
    body = _bomb()
    return Sending((head(200, "application/json", len(body), {"content-encoding": "gzip"}) + body,))


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = b" " * _BLOCK_BYTES
    # A fully flushed block stands by itself, so it can be repeated without being packed again.
    first, later = (packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    check = 0
    for _ in range(300):
        check = zlib.crc32(block, check)
    trailer = check.to_bytes(4, "little") + (300 * _BLOCK_BYTES).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + first + later * 299 + packer.flush() + trailer


# Answers in a stream. An endpoint in one of these modes streams whether it is asked to or not.


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _frame(value: Any) -> bytes:
    return _chunked(b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n")


def _delta(content: str | None, finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-double",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {} if content is None else {"content": content}, "finish_reason": finish}],
    }


def _stream(call: Call, *last: bytes, cut: bool = False, ending: Ending = Ending.KEEP) -> Sending:
    text = reply_to(call.body)
    pieces = [text[at : at + 40] for at in range(0, len(text), 40)]
    frames = [_frame(_delta(piece)) for piece in (pieces[: len(pieces) // 2] if cut else pieces)]
    start = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return Sending((start, *frames, *last), ending)


_DONE = _frame(b"[DONE]")
_END = b"0\r\n\r\n"
_STOP = _frame(_delta(None, "stop"))


@_fault(0, "sse", "a good answer in a stream")
def _(call: Call) -> Sending:
    return _stream(call, _STOP, _DONE, _END)


@_fault(34, "sse-no-end", "a stream that ends without finish_reason and without [DONE]")
def _(call: Call) -> Sending:
    return _stream(call, _END, cut=True)


@_fault(35, "sse-cut", "a stream that is closed in the middle")
def _(call: Call) -> Sending:
    return _stream(call, cut=True, ending=Ending.CLOSE)


@_fault(35, "sse-reset", "a stream that is reset in the middle")
def _(call: Call) -> Sending:
    sending = _stream(call, cut=True, ending=Ending.RESET)
    return replace(sending, parts=(*sending.parts, 0.02))


@_fault(36, "sse-bad-frame", "a stream with a frame that is not JSON")
def _(call: Call) -> Sending:
    return _stream(call, _frame(b'{"choices": ['), _STOP, _DONE, _END, cut=True)


@_fault(37, "sse-error-frame", "a stream with an error in a frame")
def _(call: Call) -> Sending:
    return _stream(call, _frame({"error": {"message": _echo(call), "type": "server_error", "code": 500}}), _END, cut=True)


@_fault(38, "sse-stall", "a stream that stops without closing")
def _(call: Call) -> Sending:
    return _stream(call, cut=True, ending=Ending.SILENCE)


@_fault(39, "stream-plain-json", "a stream asked for, plain JSON given")
def _(call: Call) -> Answer:
    return _completed(call, reply_to(call.body))


@_fault(40, "sse-usage-only", "a stream with a chunk that holds only usage")
def _(call: Call) -> Sending:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return _stream(call, _STOP, _frame({"choices": [], "usage": usage}), _DONE, _END)
