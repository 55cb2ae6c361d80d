from itertools import product

import pytest

from service.llm.base import Message, ModelCall, ReplySchema, ResponseFormat
from service.llm.complaint import Complaint
from service.llm.negotiation import Negotiation, Terms

DOCUMENT = {"type": "object"}
CALL = ModelCall(
    (Message("system", "rules"), Message("user", "article")),
    ReplySchema("claim_list.v1", "0", DOCUMENT),
    temperature=0.2,
    max_output_tokens=77,
)
JSON_OBJECT = Terms(ResponseFormat.JSON_OBJECT)
TEXT = Terms(ResponseFormat.TEXT)
RENAMED = Terms(limit_name="max_completion_tokens")
COLD = Terms(temperature=False)


def test_the_strongest_terms_ask_for_the_strict_schema():
    assert Terms().body("m", CALL) == {
        "model": "m",
        "messages": [{"role": "system", "content": "rules"}, {"role": "user", "content": "article"}],
        "max_tokens": 77,
        "temperature": 0.2,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "claim_list_v1", "strict": True, "schema": DOCUMENT},
        },
    }


@pytest.mark.parametrize(
    ("terms", "gone", "added"),
    [
        pytest.param(JSON_OBJECT, {"response_format"}, {"response_format": {"type": "json_object"}}, id="any object"),
        pytest.param(TEXT, {"response_format"}, {}, id="plain text"),
        pytest.param(RENAMED, {"max_tokens"}, {"max_completion_tokens": 77}, id="other name for the limit"),
        pytest.param(COLD, {"temperature"}, {}, id="no temperature"),
    ],
)
def test_weaker_terms_change_one_member_only(terms, gone, added):
    strongest = Terms().body("m", CALL)

    assert terms.body("m", CALL) == {name: value for name, value in strongest.items() if name not in gone} | added


def test_a_schema_name_is_made_of_what_the_protocol_allows():
    call = ModelCall((), ReplySchema("énoncés/" + "x" * 99, "0", DOCUMENT), 0.0, 1)

    name = Terms().body("m", call)["response_format"]["json_schema"]["name"]

    assert name == ("_nonc_s_" + "x" * 99)[:64]


@pytest.mark.parametrize(
    ("terms", "complaint", "expected"),
    [
        pytest.param(Terms(), Complaint(400, param="response_format"), JSON_OBJECT, id="format by parameter"),
        pytest.param(Terms(), Complaint(500, text="failed to parse grammar"), JSON_OBJECT, id="llama.cpp grammar"),
        pytest.param(Terms(), Complaint(422, text="extra fields body response_format"), JSON_OBJECT, id="validation fault"),
        pytest.param(Terms(), Complaint(404, text="no endpoint supports structured outputs"), JSON_OBJECT, id="no route"),
        pytest.param(JSON_OBJECT, Complaint(400, text="json_object is not supported"), TEXT, id="second step"),
        pytest.param(TEXT, Complaint(400, param="response_format"), None, id="no third step"),
        pytest.param(Terms(), Complaint(503, text="schema"), None, id="a busy endpoint is not about formats"),
        pytest.param(Terms(), Complaint(400, param="max_tokens"), RENAMED, id="limit by parameter"),
        pytest.param(
            Terms(),
            Complaint(400, text="unsupported parameter: 'max_tokens'. use 'max_completion_tokens' instead."),
            RENAMED,
            id="limit in English",
        ),
        pytest.param(RENAMED, Complaint(400, param="max_tokens"), None, id="limit already renamed"),
        pytest.param(Terms(), Complaint(400, text="max_completion_tokens is unknown"), None, id="the other limit"),
        pytest.param(Terms(), Complaint(400, param="temperature"), COLD, id="temperature by parameter"),
        pytest.param(Terms(), Complaint(400, text="`temperature` does not support 0.2"), COLD, id="temperature in English"),
        pytest.param(COLD, Complaint(400, param="temperature"), None, id="temperature already dropped"),
        pytest.param(Terms(), Complaint(500, param="temperature"), None, id="only a 400 is about parameters"),
        pytest.param(
            Terms(),
            Complaint(400, text="'max_tokens' is too large: the maximum context length is 4096 tokens"),
            None,
            id="too long an article is not about the limit's name",
        ),
        pytest.param(Terms(), Complaint(400, text="no such model"), None, id="something else"),
    ],
)
def test_a_complaint_is_answered_by_the_step_that_meets_it(terms, complaint, expected):
    assert terms.after(complaint) == expected


def test_four_steps_at_most_lead_from_the_strongest_terms_to_the_weakest():
    everything = Complaint(400, text="max_tokens, temperature and response_format are not supported")
    steps = 0
    terms = Terms()
    while (weaker := terms.after(everything)) is not None:
        terms, steps = weaker, steps + 1

    assert steps == 4
    assert terms == Terms(ResponseFormat.TEXT, "max_completion_tokens", temperature=False)


def test_what_is_settled_only_ever_becomes_weaker():
    every = [Terms(*parts) for parts in product(ResponseFormat, ("max_tokens", "max_completion_tokens"), (True, False))]
    for first, second in product(every, every):
        negotiation = Negotiation()
        negotiation.settle(first)
        negotiation.settle(second)
        assert negotiation.terms == first.weaker_of(second) == second.weaker_of(first)


def test_calls_that_agree_on_different_steps_at_once_are_all_remembered():
    negotiation = Negotiation()
    for terms in (RENAMED, COLD, TEXT, JSON_OBJECT, Terms()):
        negotiation.settle(terms)

    assert negotiation.terms == Terms(ResponseFormat.TEXT, "max_completion_tokens", temperature=False)
