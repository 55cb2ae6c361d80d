"""The service's paths: each reads a request, calls what answers it and writes the answer down."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from service.access.caller import Caller
from service.deadline import Deadline, Interest
from service.domain import Analysis
from service.export.formats import EVENT_STREAM, negotiate, prefers_stream
from service.limits.limiter import Admission
from service.observing import AnswerReplayed
from service.pipeline.analyze import Services, choose
from service.pipeline.answers import MADE
from service.pipeline.following import Follower, Progress, nobody
from service.pipeline.metering import afford
from service.pipeline.remember import remember
from service.settings import Settings
from service.web.answers import cacheable, dump_model, dump_prompt, dump_upstream, json_response
from service.web.asking import caching_of
from service.web.event_stream import EventStream
from service.web.fetching import with_article
from service.web.forms import Forms, Told
from service.web.hangups import HangUps
from service.web.history import History
from service.web.history_routes import HistoryRoutes
from service.web.idempotency import Replays
from service.web.limit_problems import tell_limits
from service.web.openapi.check import AnswerCheck
from service.web.problem_pages import index_page, problem_page
from service.web.problems import PROBLEMS
from service.web.reading import read_request
from service.web.schemas import AnalyzeRequest
from service.web.seal import Sealer
from service.web.serving import DRAINING, client_connection, stream_connection

ANSWER_S, ANSWER_SHARE = 0.25, 0.05
"""What is kept of a request's time, in seconds and at most which share of it, to write its answer in."""

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Routes:
    """The paths of one service."""

    settings: Settings
    services: Services
    sealer: Sealer
    check: AnswerCheck
    callers_known: Callable[[], str | None]
    hangups: HangUps = field(default_factory=HangUps)

    @property
    def _replays(self) -> Replays:
        return Replays(self.services.store)

    @property
    def _forms(self) -> Forms:
        return Forms(self.sealer, self.check)

    @property
    def _history(self) -> HistoryRoutes:
        return HistoryRoutes(History(self.services.history, self.settings.history.history_ttl_s), self._forms)

    def register(self, app: Flask) -> None:
        """Let `app` answer at these paths."""
        self._history.register(app)
        app.after_request(self._replays.save)
        app.after_request(tell_limits)
        app.add_url_rule("/analyze", view_func=self.analyze, methods=["POST"])
        app.add_url_rule("/healthz", view_func=self.healthz)
        app.add_url_rule("/readyz", view_func=self.readyz)
        app.add_url_rule("/metrics", view_func=self.metrics)
        app.add_url_rule("/prompts", view_func=self.prompts)
        app.add_url_rule("/models", view_func=self.models)
        app.add_url_rule("/problems", view_func=self.problems)
        app.add_url_rule("/problems/<code>", view_func=self.problem)

    def analyze(self) -> Response:
        """The claims of the article in the request, or a stream of events that ends with them.

        Raises: RequestError, UrlFetchFailedError, ModelError, DeadlineExceededError, OverloadedError, ClientGoneError,
        LimitError.
        """
        caller = g.caller
        with ExitStack() as held:
            held.enter_context(self._admitted(caller))
            held.enter_context(self.services.gate.passed(caller.id))
            return self._analyze(caller, held)

    def answer(self, asked: AnalyzeRequest) -> Told:
        """The answer to a question that came in another way than as JSON.

        Raises: as `analyze` does.
        """
        with self._admitted(g.caller), self.services.gate.passed(g.caller.id):
            deadline = self._begin(asked)
            with self.hangups.watched(client_connection(request.environ), deadline.interest):
                return self._made(self._with_article(asked, deadline), deadline, g.caller)

    def _admitted(self, caller: Caller) -> Admission:
        admission = self.services.limits.admission(caller.tenant)
        g.admission = admission
        return admission

    def _begin(self, asked: AnalyzeRequest) -> Deadline:
        """When the answer must be there; what is asked is noted."""
        prompt = choose(asked.prompt, self.services)
        g.record |= {"prompt": prompt.ref, "model": self.services.model.traits.name}
        self._audit(asked)
        seconds = self._seconds(asked)
        # What is answered at the very end would come after it.
        return Deadline(g.started + seconds - min(ANSWER_S, seconds * ANSWER_SHARE), self.services.clock)

    def _seconds(self, asked: AnalyzeRequest) -> float:
        return min(self.settings.deadline_s, asked.deadline_s or self.settings.deadline_s)

    def _with_article(self, asked: AnalyzeRequest, deadline: Deadline) -> AnalyzeRequest:
        asked = with_article(asked, self.services.fetcher, deadline, self.settings.max_article_chars)
        self._audit(asked)
        return asked

    def _made(self, asked: AnalyzeRequest, deadline: Deadline, caller: Caller, follow: Follower = nobody) -> Told:
        """The answer, worked out, and stored where that was asked for."""
        analysis = remember(
            asked.article,
            asked.options,
            asked.prompt,
            afford(g.admission, asked.article, asked.prompt, self.services),
            deadline,
            previous=None if asked.previous is None else self.sealer.open(asked.previous, caller.tenant),
            caching=caching_of(request),
            tenant=caller.tenant,
            caller=caller.id,
            follow=follow,
        )
        _record(analysis)
        told = Told(analysis, asked.origin, asked.return_text)
        return self._history.keep(told) if asked.store else told

    def _analyze(self, caller: Caller, held: ExitStack) -> Response:
        accept = request.headers.get("Accept")
        streamed = prefers_stream(accept)
        form = None if streamed else negotiate(accept, also=(EVENT_STREAM,))
        asked = read_request(request, self.settings)
        deadline = self._begin(asked)
        wanted = EVENT_STREAM if streamed else (form.name if form else None)
        if saved := self._replays.begin(request, asked, wanted, self._seconds(asked), caller.tenant):
            self.services.observer.tell(AnswerReplayed())
            return saved
        with self.hangups.watched(client_connection(request.environ), deadline.interest):
            asked = self._with_article(asked, deadline)
            told = None if streamed else self._made(asked, deadline, caller)
        if told is None:
            return self._streamed(partial(self._made, asked, deadline, caller), deadline.interest, held)
        return self._forms.made(told, form)

    def _streamed(self, made: Callable[[Follower], Told], interest: Interest, held: ExitStack) -> Response:
        """The response that tells the progress of the work, and its end; what is `held` is so until then."""

        def answer(follow: Follower) -> dict[str, Any]:
            told = made(follow)
            if told.analysis.usage.cache != MADE:
                follow(Progress.of_a_whole(told.analysis.coverage, len(told.analysis.claims)))
            return self._forms.document(told)

        g.stream = stream = EventStream(interest, self.settings.heartbeat_s, self._replays.save)
        held.enter_context(self.hangups.watched(stream_connection(request.environ), interest, stream.beat))
        return stream.respond(answer, held)

    def _audit(self, asked: AnalyzeRequest) -> None:
        """Nothing; where it is asked for, it is noted what is to be analysed: None while its page has not been fetched."""
        if self.settings.audit:
            g.audited = None if asked.page_url else sha256(asked.article.text.encode("utf-8")).hexdigest()

    def healthz(self) -> Response:
        """Whether the process is alive: always, when this is read."""
        return json_response({"status": "ok"})

    def readyz(self) -> Response:
        """Whether an article could be analysed now, with the reasons when not, and how each model's endpoint does.

        What is `degraded` makes the service slower meanwhile, or its limits stricter or laxer.
        An endpoint in trouble does not make the service less ready: it answers at once, and knows when to try again.
        """
        reason = "the service is being stopped" if request.environ.get(DRAINING) else self._not_ready()
        degraded = [why for part in (self.services.store, self.services.limits) if (why := part.ready()) is not None]
        told: dict[str, Any] = {"status": "ready"} if reason is None else {"status": "not-ready", "reasons": [reason]}
        if states := self.services.upstreams():
            told["models"] = [dump_upstream(state) for state in states]
        if degraded:
            told["degraded"] = degraded
        return json_response(told, 200 if reason is None else 503)

    def _not_ready(self) -> str | None:
        return self.services.model.ready() or self.callers_known()

    def metrics(self) -> Response:
        """What the service has done since its start, for Prometheus."""
        return Response(self.services.metrics(), content_type=PROMETHEUS_TEXT)

    def prompts(self) -> Response:
        """Every prompt a request may name."""
        return cacheable(json_response([dump_prompt(prompt) for prompt in self.services.prompts]), "no-cache")

    def models(self) -> Response:
        """The models this service asks, in their order."""
        services = self.services
        asked = [(services.model, False), *((fallback.model, fallback.stand_in) for fallback in services.fallbacks)]
        listed = [
            dump_model(model.traits, choose(None, replace(services, model=model)), stand_in=stand_in)
            for model, stand_in in asked
        ]
        return cacheable(json_response(listed), "no-cache")

    def problems(self) -> Response:
        """Every error code, as a page."""
        return cacheable(Response(index_page(), mimetype="text/html"), "max-age=3600")

    def problem(self, code: str) -> Response:
        """What one error code means, as a page."""
        if code not in PROBLEMS:
            raise NotFound
        return cacheable(Response(problem_page(PROBLEMS[code]), mimetype="text/html"), "max-age=3600")


def _record(analysis: Analysis) -> None:
    usage = analysis.usage
    g.record |= {
        "prompt": analysis.provenance.prompt,
        "model": analysis.provenance.model.served or analysis.provenance.model.asked,
        "cache": usage.cache,
        "claims": len(analysis.claims),
        "warnings": [caveat.code for caveat in analysis.warnings],
        "set_aside": dict(Counter(str(refused.reason) for refused in analysis.set_aside)),
    }
    if reused := sum(passage.reused for passage in analysis.coverage.passages):
        g.record["reused"] = reused
    if usage.cache == MADE:  # what another request paid for is in that one's line
        g.record |= {
            "calls": usage.calls,
            "retries": usage.retries,
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
        }
