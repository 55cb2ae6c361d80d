"""`Idempotency-Key`: a request sent again with the same key gets the answer of the first, and its work is not done again.

Saved is every answer that would be the same again, also of a failure; not one that says it may succeed later, because no
harm is done by trying. A request that cannot be taken never gets this far.
Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import uuid4

from flask import Request, Response, g

from service.codec import Codec, CodecError, canonical
from service.errors import IdempotencyKeyInUseError, IdempotencyKeyReusedError
from service.store.base import Shelf, Store
from service.web.asking import key_of
from service.web.problems import PROBLEMS
from service.web.schemas import AnalyzeRequest

KEPT_S = 86_400.0
REPLAYED = "Idempotent-Replayed"
_MARGIN_S = 5.0
_SAVED_HEADERS = ("Content-Type", "Content-Security-Policy", "Vary", "Location")
_LATER = frozenset({503, 504})


@dataclass(frozen=True)
class _Reply:
    """An answer as it was sent; `headers` are names and values."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True)
class _Record:
    """What is known of a key: what its request asked (`payload`, a hash), who works on it, and the answer once there is one."""

    payload: str
    worker: str
    reply: _Reply | None = None


_RECORDS = Codec(_Record)


@dataclass(frozen=True)
class Replays:
    """The answers to requests with a key."""

    store: Store

    def begin(
        self, request: Request, asked: AnalyzeRequest, form: str | None, seconds: float, tenant: str = ""
    ) -> Response | None:
        """The answer saved for the request's key; None when this request is to be answered by doing the work.

        `form` is the name of the form it is wanted in, `seconds` how long the work may take.
        Raises: IdempotencyKeyInUseError, IdempotencyKeyReusedError.
        """
        key = key_of(request.headers.get("Idempotency-Key"))
        if key is None:
            return None
        place = sha256(canonical([tenant, key]).encode()).hexdigest()
        # Who has run out of time sends the same request with more of it.
        payload = canonical([replace(asked, deadline_s=None), form])
        mine = _Record(sha256(payload.encode()).hexdigest(), uuid4().hex)
        claim = _RECORDS.dump(mine)
        found = _read(self.store.claim(Shelf.REPLIES, place, claim, seconds + _MARGIN_S))
        if found is None:
            g.claimed = (place, mine)
            return None
        if found.payload != mine.payload:
            raise IdempotencyKeyReusedError("This Idempotency-Key came with a request that asked for something else.")
        if found.reply is None:
            raise IdempotencyKeyInUseError("The first request with this Idempotency-Key has not been answered yet.")
        g.record["cache"] = "replay"
        response = Response(found.reply.body, found.reply.status, dict(found.reply.headers))
        response.headers[REPLAYED] = "true"
        return response

    def save(self, response: Response) -> Response:
        """`response`, which is saved when its request holds a key; or else the key is free again.

        One that is still being made is not looked at: whoever makes it hands over what came of it in the end.
        """
        if "claimed" not in g or response.is_streamed:
            return response
        place, mine = g.pop("claimed")
        claim = _RECORDS.dump(mine)
        code = g.record.get("code")
        if response.status_code in _LATER or (code and PROBLEMS[code].retryable):
            self.store.remove(Shelf.REPLIES, place, claim)
            return response
        headers = tuple((name, response.headers[name]) for name in _SAVED_HEADERS if name in response.headers)
        done = replace(mine, reply=_Reply(response.status_code, headers, response.get_data(as_text=True)))
        self.store.swap(Shelf.REPLIES, place, claim, _RECORDS.dump(done), KEPT_S)
        return response


def _read(text: str | None) -> _Record | None:
    try:
        return None if text is None else _RECORDS.load(text)
    except CodecError:
        return None
