"""An answer as server-sent events: how far the work is, each claim as it is proved, at the end the whole answer or a problem.

The work is done in a thread of its own, so that the one that sends can tell those between it and the client, now and then,
that the connection is in use. Source: the event stream format of the HTML standard, section 9.2.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

from flask import Response

from service.deadline import Interest
from service.export.formats import EVENT_STREAM
from service.export.json_answer import dump_claim
from service.pipeline.following import Follower, Progress, Proved
from service.web.answers import json_text
from service.web.failures import reported

OPENING_S: Final = 2.0
"""How long a failure has to come in to be answered with its own status, while nothing was sent.

A request that gets no place at the model is turned away sooner.
"""

_BEAT: Final = b": the work goes on\n\n"

Answer = Callable[[Follower], Mapping[str, Any]]
"""What comes to the answer as JSON, and tells how far it is until then."""


@dataclass(frozen=True)
class _Event:
    """One event; `report` is there when it is a problem, which must be the last one."""

    name: str
    data: str
    report: Response | None = None

    @property
    def last(self) -> bool:
        return self.name in {"done", "problem"}

    def encoded(self, number: int) -> bytes:
        return f"id: {number}\nevent: {self.name}\ndata: {self.data}\n\n".encode()


class EventStream(Iterator[bytes]):
    """The bytes of one stream, iterated and closed by the server.

    It ends with `done` or `problem`. However it ends, also by being closed early, `interest` is lost, the work is waited for,
    and what was held for it is given back; `save` is given the events that matter, as a response of their own.
    """

    def __init__(self, interest: Interest, heartbeat_s: float, save: Callable[[Response], object]) -> None:
        self._interest = interest
        self._heartbeat_s = heartbeat_s
        self._held = ExitStack()
        self._save = save
        self._context = copy_context()
        self._events: SimpleQueue[_Event | None] = SimpleQueue()
        self._ahead: list[_Event | None] = []
        self._numbered = 0
        self._progress: _Event | None = None
        self._last: _Event | None = None
        self._over = self._settled = False
        self._thread: Thread | None = None

    def respond(self, answer: Answer, held: ExitStack) -> Response:
        """The response that streams `answer`; or the report of a failure that came before there was anything to send.

        What is `held` is the stream's from now on.
        """
        # A context can be entered by one thread at a time, and this one's is asked for again when the stream ends.
        self._thread = Thread(target=copy_context().run, args=(self._work, answer), name="stream", daemon=True)
        self._thread.start()
        self._held = held.pop_all()
        first = self._next(OPENING_S)
        if first and first.report:
            self._settled = True
            self.close()
            return first.report
        self._ahead.append(first)
        response = _response(self)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"  # nginx would keep events until it has a page of them
        return response

    def beat(self) -> None:
        """Nothing; the client is sent something that means nothing, soon."""
        self._events.put(None)

    def at_end(self, call: Callable[[], object]) -> None:
        """Nothing; `call` is made when the stream has ended, seeing what is to be seen here now."""
        self._held.callback(copy_context().run, call)

    def __next__(self) -> bytes:
        if self._over:
            self.close()
            raise StopIteration
        event = self._ahead.pop() if self._ahead else self._next(self._heartbeat_s)
        if event is None:
            return _BEAT
        if event.last:
            self._over = True
            self._settle()
        self._numbered += 1
        return event.encoded(self._numbered)

    def close(self) -> None:
        """Nothing; whatever the stream held is given back. May be called more than once."""
        self._over = True
        self._interest.lose()
        if self._thread:
            self._thread.join()
        self._settle()
        self._held.close()

    def _next(self, seconds: float) -> _Event | None:
        try:
            return self._events.get(timeout=seconds)
        except Empty:
            return None

    def _settle(self) -> None:
        """Nothing; what the request came to is saved, where its client asked for that."""
        if not self._settled and self._last:
            self._settled = True
            events = (None if self._last.report else self._progress, self._last)
            body = b"".join(event.encoded(number) for number, event in enumerate(filter(None, events), 1))
            self._context.run(self._save, _response(body))

    def _work(self, answer: Answer) -> None:
        def work() -> None:
            self._send(_Event("done", json_text(answer(self._follow))))

        if report := reported(work):
            self._send(_Event("problem", report.get_data(as_text=True), report))

    def _follow(self, news: Progress | Proved) -> None:
        if isinstance(news, Proved):
            self._send(_Event("claim", json_text(dump_claim(news.claim))))
        else:
            self._progress = _Event("progress", json_text(dump_progress(news)))
            self._send(self._progress)

    def _send(self, event: _Event) -> None:
        if event.last:
            self._last = event
        self._events.put(event)


def _response(body: bytes | EventStream) -> Response:
    response = Response(body, content_type=EVENT_STREAM)
    response.vary.add("Accept")
    return response


def dump_progress(progress: Progress) -> dict[str, Any]:
    """How far the work is, as clients see it."""
    return {
        "passages": progress.passages,
        "read": progress.read,
        "failed": progress.failed,
        "claims": progress.claims,
        "step": progress.stage,
    }
