import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.logs import LOGGED_FIELDS, MAX_ITEMS, MAX_VALUE_CHARS, ForeignFormatter, configure_logs, frames, keep_listed_fields
from tests.examples import examples

ARTICLE = "The minister said prices rose."


@pytest.fixture
def logged():
    """Lines logged so far, read as JSON; the configuration of both logging systems is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def raised():
    try:
        int(ARTICLE)
    except ValueError as error:
        return error


def test_a_line_is_one_json_object_with_level_and_time(logged):
    structlog.get_logger().info("request", request_id="r1", status=200, duration_ms=12)
    (line,) = logged()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "request", "level": "info", "request_id": "r1", "status": 200, "duration_ms": 12}


def test_what_is_not_listed_is_dropped(logged):
    structlog.get_logger().info("request", text=ARTICLE, body=ARTICLE, path="/x", query=ARTICLE, exc_info=raised())
    (line,) = logged()
    assert line.keys() == {"event", "level", "timestamp"}


def test_no_listed_field_is_named_after_something_an_article_could_be_in():
    assert not LOGGED_FIELDS & {
        "text",
        "title",
        "url",
        "body",
        "detail",
        "message",
        "exception",
        "path",
        "query",
        "quote",
        "reply",
    }


def test_lines_below_the_level_are_not_written(logged):
    structlog.get_logger().debug("request")
    assert logged() == []


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_every_level_an_operator_can_set_is_known(logged, level):  # noqa: ARG001 - the fixture puts the configuration back
    configure_logs(level, io.StringIO())
    assert logging.getLogger().level >= logging.WARNING


def test_lines_go_to_stderr_as_it_is_when_they_are_written(logged, capsys):  # noqa: ARG001 - the fixture puts the configuration back
    configure_logs("info")
    structlog.get_logger().info("request", prompt="é👍")
    told = capsys.readouterr()
    assert told.out == ""
    assert json.loads(told.err)["prompt"] == "é👍"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param(ARTICLE * 100, (ARTICLE * 100)[:MAX_VALUE_CHARS], id="long string"),
        pytest.param("a\ud800", "a\\ud800", id="half a character"),
        pytest.param(None, None, id="nothing"),
        pytest.param(True, True, id="boolean"),
        pytest.param(1.5, 1.5, id="number"),
        pytest.param(("a", 1), ["a", 1], id="tuple"),
        pytest.param(["a"] * 50, ["a"] * MAX_ITEMS, id="long list"),
        pytest.param({"duplicate": 2}, {"duplicate": 2}, id="counts"),
        pytest.param(raised(), "ValueError", id="an exception, by its class"),
        pytest.param(b"bytes", "bytes", id="bytes, by their class"),
    ],
)
def test_values_are_short_and_plain(value, kept):
    assert keep_listed_fields(None, "info", {"reason": value}) == {"reason": kept}


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters()) | st.binary() | st.builds(object),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=8,
)


@examples(50)
@given(st.dictionaries(st.sampled_from(sorted(LOGGED_FIELDS)) | st.text(st.characters()), anything))
def test_any_event_becomes_a_line(event):
    kept = keep_listed_fields(None, "info", event)
    assert kept.keys() <= LOGGED_FIELDS
    json.dumps(kept, ensure_ascii=False).encode()


def test_another_librarys_record_keeps_its_place_and_loses_its_words(logged):
    logging.getLogger("openai").warning("could not parse %s", ARTICLE)
    (line,) = logged()
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("at").startswith("test_logs:")
    assert line == {"event": "library message", "level": "warning", "logger": "openai"}


def test_another_librarys_exception_keeps_its_class_and_loses_its_message(logged):
    logging.getLogger("werkzeug").error("failed", exc_info=raised())
    (line,) = logged()
    assert line["error"] == "ValueError"
    assert line["at"][0].startswith("tests/unit/test_logs.py:")
    assert ARTICLE not in json.dumps(line)


def test_a_record_that_has_no_exception_after_all_is_still_a_line(logged):
    logging.getLogger("werkzeug").error("failed", exc_info=True)  # noqa: LOG014 - libraries do it
    assert "error" not in logged()[0]


def test_the_servers_own_words_about_processes_are_kept(logged):
    logging.getLogger("gunicorn.error").warning("Listening at: %s", "http://127.0.0.1:8000")
    assert logged()[0]["event"] == "Listening at: http://127.0.0.1:8000"


@pytest.mark.parametrize("level", ["info", "debug"])
def test_what_http_clients_say_below_a_warning_is_not_logged(logged, level):  # noqa: ARG001 - the fixture puts the configuration back
    stream = io.StringIO()
    configure_logs(level, stream)
    logging.getLogger("httpx2").info("HTTP Request: POST %s", ARTICLE)
    assert stream.getvalue() == ""


def test_places_are_told_without_words():
    (place,) = frames(raised())
    assert place.startswith("tests/unit/test_logs.py:")


def test_an_exception_never_raised_has_no_places():
    assert frames(ValueError(ARTICLE)) == []


def test_the_servers_lines_for_debugging_lose_their_words_because_they_name_paths():
    record = logging.makeLogRecord({"name": "gunicorn.error", "levelno": logging.DEBUG, "msg": "GET %s", "args": (ARTICLE,)})
    line = json.loads(ForeignFormatter().format(record))
    assert line["event"] == "library message"
    assert ARTICLE not in json.dumps(line)
