"""Requests whose end can be read in two ways, so that one part of a chain of servers may take for the next request what
another takes for the body of this one."""

from dataclasses import dataclass

SECOND = b"GET /problems/smuggled HTTP/1.1\r\nHost: x\r\nX-Request-Id: smuggled\r\n\r\n"
"""The request that an attacker would like to have answered in the place of somebody else's."""

_START = b"POST /analyze HTTP/1.1\r\nHost: x\r\nX-Request-Id: attack\r\nContent-Type: text/plain\r\n"
_ARTICLE = b"words"
_CHUNKED = b"5\r\nwords\r\n0\r\n\r\n"


@dataclass(frozen=True)
class Attack:
    """Bytes of one client, and how many requests the production server alone may make of them at most (0: all refused)."""

    what: str
    sent: bytes
    requests: int = 0


def _with(*fields: bytes, body: bytes, start: bytes = _START) -> bytes:
    return start + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


_WHOLE_AS_LENGTH = b"Content-Length: %d" % len(b"0\r\n\r\n" + SECOND)
_CHUNKED_AS_LENGTH = b"Content-Length: %d" % len(_CHUNKED)

ATTACKS = (
    # Content-Length beside Transfer-Encoding: what follows the last chunk is a body to one, a request to the other.
    Attack("CL.TE", _with(_WHOLE_AS_LENGTH, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SECOND)),
    Attack(
        "TE.CL",
        _with(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"%x\r\n" % len(SECOND) + SECOND + b"\r\n0\r\n\r\n"),
    ),
    Attack("CL.0", _with(b"Content-Length: 0", b"Transfer-Encoding: chunked", body=_CHUNKED + SECOND)),
    # Transfer codings that one side may not take for "chunked".
    *(
        Attack(f"TE.TE: {name}", _with(*fields, _CHUNKED_AS_LENGTH, body=_CHUNKED + SECOND))
        for name, fields in {
            "another coding": (b"Transfer-Encoding: xchunked",),
            "a second, unknown one": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: cow"),
            "an unknown one first": (b"Transfer-Encoding: cow", b"Transfer-Encoding: chunked"),
            "identity": (b"Transfer-Encoding: identity",),
            "identity before it": (b"Transfer-Encoding: identity, chunked",),
            "twice": (b"Transfer-Encoding: chunked, chunked",),
            "quoted": (b'Transfer-Encoding: "chunked"',),
            "a parameter": (b"Transfer-Encoding: chunked;q=1",),
            "a tab before it": (b"Transfer-Encoding:\tchunked",),
            "a vertical tab": (b"Transfer-Encoding: \x0bchunked",),
            "a zero byte": (b"Transfer-Encoding: chunked\x00",),
            "a space before the colon": (b"Transfer-Encoding : chunked",),
            "a tab before the colon": (b"Transfer-Encoding\t: chunked",),
            "a space before the name": (b" Transfer-Encoding: chunked",),
            "folded": (b"Transfer-Encoding:\r\n chunked",),
            "folded into another field": (b"X: y\r\n Transfer-Encoding: chunked",),
            "after a bare line feed": (b"X: y\nTransfer-Encoding: chunked",),
            "after a bare carriage return": (b"X: y\rTransfer-Encoding: chunked",),
            "no name": (b": chunked", b"Transfer-Encoding: chunked"),
            "not ASCII": (b"Transfer-Encoding: ch\xfcnked",),
        }.items()
    ),
    # Without a length beside them.
    *(
        Attack(f"coding alone: {name}", _with(field, body=_CHUNKED + SECOND))
        for name, field in {
            "another": b"Transfer-Encoding: xchunked",
            "compressed": b"Transfer-Encoding: gzip, chunked",
            "chunked is not last": b"Transfer-Encoding: chunked, identity",
            "a space before the colon": b"Transfer-Encoding : chunked",
        }.items()
    ),
    Attack(
        "coding in HTTP/1.0",
        _with(b"Transfer-Encoding: chunked", body=_CHUNKED + SECOND, start=_START.replace(b"HTTP/1.1", b"HTTP/1.0")),
    ),
    # Lengths.
    *(
        Attack(f"length: {name}", _with(*fields, body=_ARTICLE + SECOND))
        for name, fields in {
            "two that differ": (b"Content-Length: 5", b"Content-Length: %d" % (5 + len(SECOND))),
            "the same twice": (b"Content-Length: 5", b"Content-Length: 5"),
            "a list": (b"Content-Length: 5, %d" % (5 + len(SECOND)),),
            "the same in a list": (b"Content-Length: 5, 5",),
            "with a plus": (b"Content-Length: +5",),
            "with a minus": (b"Content-Length: -5",),
            "hexadecimal": (b"Content-Length: 0x5",),
            "with an underscore": (b"Content-Length: 1_0",),
            "a fraction": (b"Content-Length: 5.0",),
            "an exponent": (b"Content-Length: 5e0",),
            "empty": (b"Content-Length:",),
            "a space inside": (b"Content-Length: 1 0",),
            "beyond 64 bits": (b"Content-Length: 18446744073709551621",),
            "not ASCII digits": ("Content-Length: ٥".encode(),),
            "a space before the colon": (b"Content-Length : 5",),
            "folded": (b"Content-Length:\r\n 5",),
            "after a bare carriage return": (b"X: y\rContent-Length: 5",),
            "in words": (b"Content-Length: five",),
        }.items()
    ),
    # Chunks.
    *(
        Attack(f"chunk: {name}", _with(b"Transfer-Encoding: chunked", body=body + SECOND))
        for name, body in {
            "a size with a sign": b"+5\r\nwords\r\n0\r\n\r\n",
            "a negative size": b"-1\r\nwords\r\n0\r\n\r\n",
            "a size with 0x": b"0x5\r\nwords\r\n0\r\n\r\n",
            "a size with an underscore": b"0_5\r\nwords\r\n0\r\n\r\n",
            "a size beyond 64 bits": b"10000000000000005\r\nwords\r\n0\r\n\r\n",
            "an empty size": b"\r\nwords\r\n0\r\n\r\n",
            "a space before the size": b" 5\r\nwords\r\n0\r\n\r\n",
            "a size in words": b"five\r\nwords\r\n0\r\n\r\n",
            "a size ended by a line feed": b"5\nwords\r\n0\r\n\r\n",
            "data ended by a line feed": b"5\r\nwords\n0\r\n\r\n",
            "data longer than its size": b"3\r\nwords\r\n0\r\n\r\n",
            "data ended by other bytes": b"5\r\nwordsXX0\r\n\r\n",
            "an extension with a line feed": b"5;a\nb\r\nwords\r\n0\r\n\r\n",
            "a last chunk ended by a line feed": b"5\r\nwords\r\n0\n\n",
            "a forbidden trailer": b"5\r\nwords\r\n0\r\nContent-Length: 7\r\n\r\n",
            "a trailer that is a request": b"5\r\nwords\r\n0\r\nGET / HTTP/1.1\r\n\r\n",
        }.items()
    ),
    # Lines.
    Attack("line: bare line feeds", _with(b"Content-Length: 5", body=_ARTICLE + SECOND).replace(b"\r\n", b"\n")),
    Attack("line: a bare line feed ends the head", _START + b"Content-Length: 5\r\n\n" + _ARTICLE + SECOND),
    Attack("line: a bare carriage return ends the head", _START + b"Content-Length: 5\r\r" + _ARTICLE + SECOND),
    Attack("line: a zero byte in a value", _with(b"X: \x00", b"Content-Length: 5", body=_ARTICLE + SECOND)),
    Attack("line: two spaces in the first", _with(b"Content-Length: 5", body=_ARTICLE + SECOND).replace(b"POST ", b"POST  ")),
    Attack("line: a tab in the first", _with(b"Content-Length: 5", body=_ARTICLE + SECOND).replace(b"POST ", b"POST\t")),
    Attack("line: an unknown version", _with(b"Content-Length: 5", body=_ARTICLE + SECOND).replace(b"/1.1", b"/1.01", 1)),
    Attack("line: two hosts", _with(b"Host: y", b"Content-Length: 5", body=_ARTICLE + SECOND)),
    # HTTP/2 and other protocols that a server may change to.
    Attack(
        "upgrade: HTTP/2",
        _with(
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQAAP__",
            b"Content-Length: 5",
            body=_ARTICLE + SECOND,
        ),
        2,
    ),
    Attack("upgrade: HTTP/2 at once", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SECOND),
    # Two requests of one client, framed as they should be: both are its own.
    Attack("pipelined", _with(b"Content-Length: 5", body=_ARTICLE + SECOND), 2),
    Attack(
        "pipelined behind a field that only looks like a coding",
        _with(b"Transfer_Encoding: chunked", b"Content-Length: 5", body=_ARTICLE + SECOND),
        2,
    ),
    Attack("pipelined behind chunks", _with(b"Transfer-Encoding: chunked", body=_CHUNKED + SECOND), 2),
    Attack(
        "pipelined behind a GET with a body",
        _with(b"Content-Length: 5", body=_ARTICLE + SECOND).replace(b"POST /analyze", b"GET /healthz"),
        2,
    ),
)
