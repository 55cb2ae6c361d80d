import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracing import current, enter, headers_of_a_call, inner_span, server_span
from tests.examples import examples

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SOUND = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]")


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", 1, id="sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", 0, id="not sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-ff", 3, id="flags of a later version"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-what-the-future-holds", 1, id="a later version"),
    ],
)
def test_a_request_is_a_span_of_its_own_in_its_callers_trace(header, flags):
    trace = server_span(header, None)
    assert (trace.trace_id, trace.flags) == (TRACE, flags)
    assert trace.span_id != SPAN
    assert SOUND.fullmatch(trace.parent)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="forbidden version"),
        pytest.param(f"00-{TRACE}-{SPAN}-01-more", id="too much for its version"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="zero trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="zero span"),
        pytest.param(f"00-{TRACE.upper()}-{SPAN}-01", id="upper case"),
        pytest.param(f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01", id="two of them"),
        pytest.param(f"00-{TRACE}-{SPAN}-01\n", id="line end"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-{'x' * 200}", id="too long"),
    ],
)
def test_a_trace_that_cannot_be_read_is_not_joined(header):
    trace = server_span(header, "vendor=value")
    assert trace.trace_id != TRACE
    assert trace.headers == {"traceparent": trace.parent}
    assert SOUND.fullmatch(trace.parent)


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        pytest.param("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", id="two"),
        pytest.param(" a=1 ,\t, t@v=2", "a=1,t@v=2", id="spaces and an empty member"),
        pytest.param("a=1,a=2", "", id="a key twice"),
        pytest.param("A=1", "", id="upper case key"),
        pytest.param("a=1,nonsense", "", id="no member"),
        pytest.param("a=schöne Worte", "", id="not ASCII"),
        pytest.param("a=1\r\nx: y", "", id="line end"),
        pytest.param(",".join(f"k{n}=1" for n in range(33)), "", id="too many"),
        pytest.param("a=" + "x" * 250 + ",b=" + "x" * 250 + ",c=" + "x" * 250, "", id="too long"),
    ],
)
def test_what_others_keep_in_a_trace_is_handed_on_if_it_is_sound(header, kept):
    assert server_span(f"00-{TRACE}-{SPAN}-01", header).state == kept


@examples()
@given(st.one_of(st.none(), st.text()), st.one_of(st.none(), st.text()))
def test_whatever_is_sent_what_is_given_on_is_sound(parent, state):
    headers = server_span(parent, state).child().headers
    assert SOUND.fullmatch(headers["traceparent"])
    assert headers.get("tracestate", "a").isascii()
    assert headers.get("tracestate", "a").isprintable()


def test_each_call_is_a_span_of_its_own():
    trace = server_span(f"00-{TRACE}-{SPAN}-01", "a=1")
    enter(trace)
    try:
        first, second = headers_of_a_call(), headers_of_a_call()
    finally:
        enter(None)
    assert first["tracestate"] == "a=1"
    assert TRACE in first["traceparent"]
    assert len({first["traceparent"], second["traceparent"], trace.parent}) == 3


def test_a_span_within_a_span_knows_whom_it_is_for_and_ends():
    trace = server_span(f"00-{TRACE}-{SPAN}-01", "a=1")
    assert trace.caller == SPAN
    enter(trace)
    try:
        with inner_span():
            inner = current()
            with inner_span(outgoing=True):
                call = current()
                assert headers_of_a_call() == call.headers
        assert current() == trace
    finally:
        enter(None)
    assert (inner.caller, call.caller) == (trace.span_id, inner.span_id)
    assert (inner.outgoing, call.outgoing, call.state) == (False, True, "a=1")


@pytest.mark.parametrize(("sample", "flags"), [(True, 3), (False, 2)])
def test_a_trace_that_begins_here_is_recorded_where_that_is_asked_for(sample, flags):
    assert server_span(None, None, sample=sample).flags == flags
    assert server_span(f"00-{TRACE}-{SPAN}-00", None, sample=sample).flags == 0


def test_outside_a_request_nothing_is_sent():
    with inner_span():
        assert current() is None
    assert current() is None
    assert headers_of_a_call() == {}
