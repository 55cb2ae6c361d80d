"""What the service must make of requests that are out of order: rows 41 to 44 of the fault matrix."""

import gzip
import json
from dataclasses import dataclass

from tests.faults.stack import ARTICLE_WORD

MAX_BYTES = 400_000


@dataclass(frozen=True)
class Inbound:
    """A body, how it is sent, and what it must come to."""

    row: int
    what: str
    body: bytes
    status: int
    code: str
    headers: str = "content-type: application/json"
    chunked: bool = False

    @property
    def raw(self) -> bytes:
        """The whole request, as it goes over the wire."""
        length = "transfer-encoding: chunked" if self.chunked else f"content-length: {len(self.body)}"
        head = f"POST /analyze HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{self.headers}\r\n{length}\r\n\r\n".encode()
        if not self.chunked:
            return head + self.body
        pieces = [self.body[at : at + 50_000] for at in range(0, len(self.body), 50_000)]
        return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _document(members: str = "") -> bytes:
    return f'{{"article": {{"text": "{ARTICLE_WORD} spoke."}}{members}}}'.encode()


_LONG = json.dumps({"article": {"text": ARTICLE_WORD * 60_000}}).encode()
_PLAIN = "content-type: text/plain"

INBOUND = (
    Inbound(41, "half a character in the article, as JSON", b'{"article": {"text": "A \\ud800 B"}}', 422, "invalid-request"),
    Inbound(41, "half a character in the article, as bytes", b"A \xed\xa0\x80 B", 400, "invalid-encoding", _PLAIN),
    Inbound(42, "100,000 opening brackets", b"[" * 100_000, 400, "invalid-json"),
    Inbound(42, "objects 30,000 levels deep", b'{"article":' * 30_000, 400, "invalid-json"),
    Inbound(43, "NaN", _document(', "options": {"max_claims": NaN}'), 400, "invalid-json"),
    Inbound(43, "Infinity", _document(', "options": {"max_claims": Infinity}'), 400, "invalid-json"),
    Inbound(43, "1e999", _document(', "options": {"deadline_s": 1e999}'), 400, "invalid-json"),
    Inbound(43, "the same key twice", _document(', "prompt": "a", "prompt": "b"'), 400, "invalid-json"),
    Inbound(43, "UTF-16", _document().decode().encode("utf-16"), 400, "invalid-encoding"),
    Inbound(44, "more bytes than allowed", _LONG, 413, "body-too-large"),
    Inbound(44, "more bytes than allowed, in chunks", _LONG, 413, "body-too-large", chunked=True),
    Inbound(
        44, "a compressed body", gzip.compress(_LONG), 415, "unsupported-media-type", f"{_PLAIN}\r\ncontent-encoding: gzip"
    ),
)
