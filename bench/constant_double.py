"""A model that costs almost nothing: every chat request gets the first one's answer, after a fixed time.

    python bench/constant_double.py LATENCY_MS

The articles of bench/closed_loop.py differ in their last characters only, which no answer quotes. Prints its base URL.
"""

import asyncio
import json
import sys

from tests.model_answers import Call, Modes

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


class Endpoint(asyncio.Protocol):
    """One connection; requests on it follow one another."""

    answer = b""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._data = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head_end = self._data.find(b"\r\n\r\n")
        if head_end < 0:
            return
        at = self._data.lower().find(b"content-length:", 0, head_end)
        end = head_end + 4 + int(self._data[at + 15 : self._data.find(b"\r\n", at)])
        if len(self._data) >= end:
            if not Endpoint.answer:
                body = Modes()(Call("POST", "/v1/chat/completions", {}, json.loads(self._data[head_end + 4 : end]))).body
                Endpoint.answer = HEAD % len(body) + body
            del self._data[:end]
            asyncio.get_running_loop().call_later(self._latency_s, self._send)

    def _send(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(Endpoint.answer)


async def main(latency_s: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(latency_s), "127.0.0.1", 0, backlog=1024)
    print(f"OPENAI_BASE_URL=http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) / 1000))
