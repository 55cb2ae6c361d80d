from dataclasses import replace

import pytest

from service.errors import (
    DeadlineExceededError,
    ModelBusyError,
    ModelEmptyError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
)
from service.llm.again import Question, again
from service.llm.base import Message, ModelCall, ReplySchema

CALL = ModelCall((Message("user", "hello"),), ReplySchema("s.v1", "0", {}), 0.0, 1_000, 4_000)
LARGER = replace(CALL, max_output_tokens=2_000, most_output_tokens=None)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(ModelUnavailableError("x"), CALL, id="down"),
        pytest.param(ModelBusyError("x"), CALL, id="busy"),
        pytest.param(ModelReplyError("x"), CALL, id="unreadable"),
        pytest.param(ModelReplyError("x", once=True), CALL, id="worth one more try"),
        pytest.param(ModelReplyError("x", may_retry=False), None, id="the same would happen"),
        pytest.param(ModelEmptyError("x"), LARGER, id="empty"),
        pytest.param(ModelTruncatedError("x"), LARGER, id="cut off"),
        pytest.param(ModelTruncatedError("x", blank=True), replace(CALL, schema_mode=False), id="white space"),
        pytest.param(ModelSchemaError("x"), None, id="off schema"),
        pytest.param(ModelQuotaError("x"), None, id="quota"),
        pytest.param(ModelRefusedError("x"), None, id="refused"),
    ],
)
def test_what_is_asked_after_a_failure(error, expected):
    assert again(CALL, [error]) == expected


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        pytest.param(None, None, id="no more allowed"),
        pytest.param(1_249, None, id="hardly more"),
        pytest.param(1_250, 1_250, id="a quarter more"),
        pytest.param(9_999, 2_000, id="twice as much at most"),
    ],
)
def test_a_reply_that_did_not_fit_gets_more_room_where_that_is_worth_it(most, expected):
    asked = again(replace(CALL, most_output_tokens=most), [ModelTruncatedError("x")])

    assert (asked and asked.max_output_tokens) == expected


def test_more_room_is_given_once():
    assert again(LARGER, [ModelTruncatedError("x"), ModelTruncatedError("x")]) is None


def test_an_empty_reply_without_more_room_is_asked_for_again_as_it_was():
    assert again(LARGER, [ModelEmptyError("x")]) == LARGER


def test_white_space_without_the_schema_ends_it():
    assert again(replace(CALL, schema_mode=False), [ModelTruncatedError("x", blank=True)]) is None


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param(ModelUnavailableError("x", once=True), None, id="after another of its kind"),
        pytest.param(ModelUnavailableError("x"), CALL, id="after one worth more"),
    ],
)
def test_what_is_worth_one_more_try_is_not_worth_two(before, expected):
    assert again(CALL, [before, ModelReplyError("x", once=True)]) == expected


def test_what_is_no_failure_of_a_model_is_not_repeated():
    question = Question(CALL)

    assert not question.is_worth_repeating_after(DeadlineExceededError("x"))
    question.learn(DeadlineExceededError("x"))
    assert (question.call, question.failures) == (CALL, [])


def test_the_failure_a_question_was_changed_for_is_remembered():
    question = Question(CALL)
    question.learn(ModelUnavailableError("x"))
    question.raise_what_it_was_changed_for()
    cut_off = ModelTruncatedError("x")
    question.learn(cut_off)
    question.learn(ModelMisconfiguredError("x"))

    with pytest.raises(ModelTruncatedError) as caught:
        question.raise_what_it_was_changed_for()

    assert caught.value is cut_off
    assert question.call == LARGER
