import sys

import pytest

from service.errors import SetupError
from service.metrics import Metrics
from service.observing import AnswerReplayed
from service.settings import Settings
from service.watchers import Watchers


def test_without_a_collector_only_the_metrics_are_told():
    watchers = Watchers(Settings())
    assert type(watchers.observer) is Metrics
    assert not watchers.traced
    watchers.close()


def test_with_a_collector_both_are_told_and_nothing_is_sent_of_what_is_no_span():
    watchers = Watchers(Settings(traces="http://127.0.0.1:9"))
    watchers.observer.tell(AnswerReplayed())
    assert watchers.traced
    assert b'factcheck_answers_total{cache="replay"} 1.0' in watchers.metrics.text()
    watchers.close()


def test_spans_that_are_asked_for_without_the_extra_are_refused_at_start_up(monkeypatch):
    monkeypatch.setitem(sys.modules, "service.spans", None)  # what an import finds where the library is missing
    with pytest.raises(SetupError, match=r"factcheck-service\[tracing\]"):
        Watchers(Settings(traces="http://127.0.0.1:9"))
    Watchers(Settings()).close()
