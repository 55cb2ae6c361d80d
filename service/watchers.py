"""Who is told of the work done: the metrics always, and a collector of spans where one is set."""

from service.errors import SetupError
from service.metrics import Metrics
from service.observing import All, Observer
from service.pipeline.assemble import SERVICE_VERSION
from service.settings import Settings


class Watchers:
    """The observers that these settings ask for. `observer` tells all of them.

    Raises: SetupError when spans are asked for and OpenTelemetry is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics(SERVICE_VERSION)
        self.observer: Observer = self.metrics
        self._spans = None
        if settings.traces is None:
            return
        try:
            from service.spans import Spans, collector  # noqa: PLC0415 - an extra that most services do without
        except ModuleNotFoundError as error:
            raise SetupError("FACTCHECK_TRACES needs OpenTelemetry: pip install 'factcheck-service[tracing]'") from error
        self._spans = Spans(collector(settings.traces), SERVICE_VERSION)
        self.observer = All((self.metrics, self._spans))

    @property
    def traced(self) -> bool:
        """Whether spans are sent anywhere."""
        return self._spans is not None

    def close(self) -> None:
        """Nothing; the last spans are sent, if that takes no more than a few seconds."""
        if self._spans is not None:
            self._spans.close()
