"""The server: asyncio in a thread of its own, raw streams, and a log of every call."""

import asyncio
import json
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from hashlib import sha256
from io import TextIOBase
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

from tests.faultserver.faults import Ending, Sending, whole
from tests.faultserver.plan import Draw, Plan
from tests.model_answers import Answer, Call, article_of, error_answer, json_answer

_HEAD_LIMIT = 65_536
_CLOSING_S = 0.01
_SLICES_PER_S = 20
_RESET = struct.pack("ii", 1, 0)
_NUMBER = "first_sentence"


class FaultServer:
    """A running server, as a context manager. `log` has an entry for each chat request, in the order they came.

    An entry tells `n` (from 1), `at_s` and `took_s`, the `mode` and its `row`, `connection` (from 1), what tells the article
    (`article`, a hash, and `first_sentence`), how it was asked (`format`, `max_tokens`, `stream`), and how it `ended`:
    "sent", or "gone" where the client left before. It holds no words of the article. With `log_file`, each is also
    written there as a line of JSON. `handshakes` counts attempts at TLS, `elsewhere` the requests to another path.
    """

    def __init__(self, plan: Plan | None = None, *, port: int = 0, log_file: Path | None = None) -> None:
        self.log: list[dict[str, Any]] = []
        self.connections = 0
        self.handshakes = 0
        self.elsewhere = 0
        self._plan = plan or Plan()
        self._draw = Draw(self._plan)
        self._started = time.monotonic()
        self._file: TextIOBase | None = log_file.open("w", encoding="utf-8", buffering=1) if log_file else None
        self._tasks: set[asyncio.Task[Any]] = set()
        # A bound socket that does not listen refuses connections, and keeps others from taking its port meanwhile.
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def base_url(self) -> str:
        """What a client is given as its `base_url`."""
        scheme = "https" if self._plan.listener.startswith("tls") else "http"
        return f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def follow(self, plan: Plan) -> None:
        """Nothing; calls from now on are answered by this plan, which must concern calls and not connections.

        Raises: ValueError.
        """
        if plan.listener or self._plan.listener:
            raise ValueError("what concerns every connection cannot be changed while the server runs")
        self._plan, self._draw = plan, Draw(plan)

    def close(self) -> None:
        """Nothing; the port is closed and every connection cut."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._loop.close()
            self._socket.close()
            if self._file:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def _run(self) -> None:
        server = None
        if self._plan.listener != "refused":
            context = self._untrusted() if self._plan.listener == "tls-untrusted" else None
            server = await asyncio.start_server(
                self._connected, sock=self._socket, ssl=context, limit=_HEAD_LIMIT, backlog=1024
            )
        self._ready.set()
        await self._stop.wait()
        if server:
            server.close()
        # A connection that was just accepted must begin before it can be cut; the loop knows it sooner than we do.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(others, timeout=_CLOSING_S)
        await asyncio.sleep(0)  # what was cut last is closed in the next round of the loop

    def _untrusted(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

        def count(*_: object) -> None:
            self.handshakes += 1

        context.sni_callback = count
        return context

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.connections += 1
        number = self.connections
        try:
            if self._plan.listener == "tls-plain-http":
                await reader.read(1)  # of a handshake, which most servers answer like this
                writer.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
                return
            while (call := await _read(reader)) is not None and await self._answer(call, number, reader, writer):
                pass
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other side left, or speaks no HTTP: some tests are about that
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    async def _answer(self, call: Call, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can be used again, once `call` is answered."""
        if not call.path.endswith("/v1/chat/completions"):
            return await self._send(whole(self._aside(call)), reader, writer)
        if not isinstance(call.body, dict):
            return await self._send(whole(error_answer(400, "invalid_request_error")), reader, writer)
        article = article_of(call.body)
        fault = self._draw.fault(article)
        entry = self._entry(call, article, connection) | {"mode": fault.name, "row": fault.row, "ended": "", "took_s": 0.0}
        self.log.append(entry)
        began = time.monotonic()
        try:
            if latency_s := self._draw.latency_s():
                await asyncio.sleep(latency_s)
            kept = await self._send(fault.send(call), reader, writer)
            entry["ended"] = "sent"
        except OSError:
            entry["ended"] = "gone"
            raise
        finally:
            entry["took_s"] = round(time.monotonic() - began, 4)
            if self._file:
                self._file.write(json.dumps(entry) + "\n")
        return kept

    def _entry(self, call: Call, article: str, connection: int) -> dict[str, Any]:
        body = call.body
        marked = article.find("\n[") + 1 if not article.startswith("[") else 0
        return {
            "n": len(self.log) + 1,
            "at_s": round(time.monotonic() - self._started, 4),
            "connection": connection,
            "article": sha256(article.encode("utf-8", "replace")).hexdigest()[:12],
            _NUMBER: article[marked + 1 : article.find("]", marked)] if article else "",
            "format": body.get("response_format", {}).get("type", "text"),
            "max_tokens": body.get("max_tokens", body.get("max_completion_tokens")),
            "stream": bool(body.get("stream")),
        }

    def _aside(self, call: Call) -> Answer:
        path = call.path.partition("?")[0]
        if path == "/__log":
            lines = "".join(json.dumps(entry) + "\n" for entry in self.log)
            if call.method == "DELETE":
                self.log.clear()
            return Answer(lines.encode(), content_type="application/jsonl")
        if path == "/v1/models":
            return json_answer({"object": "list", "data": [{"id": "fault-server", "object": "model"}]})
        self.elsewhere += 1
        return error_answer(404, "not_found")

    async def _send(self, sending: Sending, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        for part in sending.parts:
            if isinstance(part, bytes):
                await self._write(part, writer)
            else:
                await asyncio.sleep(part)
        match sending.ending:
            case Ending.SILENCE:
                while await reader.read(_HEAD_LIMIT):
                    pass  # until the client gives up
                raise ConnectionResetError
            case Ending.RESET:
                with suppress(OSError):
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
        return sending.ending is Ending.KEEP

    async def _write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        rate = self._plan.bandwidth
        if rate is None:
            writer.write(data)
            await writer.drain()
            return
        size = max(1, int(rate / _SLICES_PER_S))
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            await asyncio.sleep(len(piece) / rate)
            writer.write(piece)
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """The next request on a connection, or None at its end."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path = first.split(" ", 2)[:2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    body = None
    if content:
        with suppress(ValueError):
            body = json.loads(content)
    return Call(method, path, headers, body)
