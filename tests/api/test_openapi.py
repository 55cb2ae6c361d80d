import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example as also
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from marshmallow import ValidationError
from openapi_spec_validator import validate

from scripts.openapi import COMMITTED, breaking_changes, main, take_examples
from service.domain import StanceLabel
from service.errors import ArticleTooLongError, InvalidRequestError
from service.export.formats import FORMATS
from service.history_settings import HistorySettings
from service.llm.base import Reply, ResponseFormat
from service.pipeline.analyze import Fallback, Services
from service.settings import Settings
from service.web.checks import PRINTABLE, check_text
from service.web.openapi.check import AnswerCheck
from service.web.openapi.document import openapi_document
from service.web.openapi.examples import example
from service.web.openapi.operations import paths
from service.web.problems import PROBLEMS
from service.web.schemas import load_request
from tests.api.conftest import PROMPTS, TEXT, NeverTired, problem, start_service
from tests.described import CheckedClient, create_app
from tests.examples import examples
from tests.fakes import TRAITS, ScriptedModel, claim

DOCUMENT = openapi_document(Settings())
SECRET = "the words of an embargoed article"


def test_the_document_is_valid_openapi():
    validate(DOCUMENT)


def test_the_document_served_is_that_of_the_service_as_it_is_set_up():
    served = start_service(ScriptedModel(), max_article_chars=321, max_request_bytes=5_000, deadline_s=7).client.get(
        "/openapi.json"
    )
    assert served.content_type == "application/json"
    document = served.get_json()
    assert document["openapi"].startswith("3.1")
    assert document["components"]["schemas"]["ArticleRequest"]["properties"]["text"]["maxLength"] == 321
    words = document["paths"]["/analyze"]["post"]["description"]
    assert "5000 bytes" in words
    assert "321 characters" in words
    assert "7 seconds" in words


def test_the_committed_document_is_the_codes():
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert breaking_changes(committed, DOCUMENT) == [], "clients would break: raise the first number of the version"
    assert committed == DOCUMENT, "docs/openapi.json is not the code's: python -m scripts.openapi writes it anew"


def test_every_path_and_method_is_described(service):
    rules = {
        (re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in service.client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, methods in paths(Settings()).items() for method in methods} == rules


def test_every_error_code_is_described_where_articles_are_sent_or_is_about_paths():
    told = set(re.findall(r"`([a-z-]+)`: ", json.dumps(DOCUMENT["paths"]["/analyze"])))
    assert told >= set(PROBLEMS) - {"not-found", "method-not-allowed", "analysis-not-found"}


def test_every_form_of_an_answer_is_described():
    content = DOCUMENT["paths"]["/analyze"]["post"]["responses"]["200"]["content"]
    forms = {"application/json", *(form.media_type.partition(";")[0] for form in FORMATS)}
    assert set(content) == {*forms, "text/event-stream"}
    assert set(DOCUMENT["paths"]["/analyses/{key}"]["get"]["responses"]["200"]["content"]) == forms


def test_the_events_of_a_stream_are_described():
    events = DOCUMENT["paths"]["/analyze"]["post"]["responses"]["200"]["content"]["text/event-stream"]["x-events"]
    assert set(events) == {"progress", "claim", "done", "problem"}
    assert all(event["$ref"].rpartition("/")[2] in DOCUMENT["components"]["schemas"] for event in events.values())


def test_the_labels_are_those_of_the_code():
    assert DOCUMENT["components"]["schemas"]["Stance"]["properties"]["stance"]["enum"] == list(StanceLabel)


def test_the_examples_are_true():
    assert load_request(example("request"), 1_000).article.title == "Bridge bill"
    assert AnswerCheck().fault(example("answer")) is None


def of_the_document(schema):
    return Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]})


REQUESTS = of_the_document("AnalyzeRequest")


def is_taken(document):
    try:
        load_request(document, Settings().max_article_chars)
    except (InvalidRequestError, ArticleTooLongError):
        return False
    return True


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"article": {"text": TEXT}}, id="least"),
        pytest.param({"article": {"text": TEXT, "html": "<p>x</p>"}}, id="both"),
        pytest.param({"article": {"title": "x"}}, id="no words"),
        pytest.param({"article": {"text": " "}}, id="blank"),
        pytest.param({"article": {"text": "x\x00"}}, id="control character"),
        pytest.param({"article": {"text": "x" * 200_001}}, id="too long"),
        pytest.param({"article": {"text": "🚁" * 200_000}}, id="as long as may be, in code points"),
        pytest.param({"article": {"text": TEXT, "title": "x" * 501}}, id="long title"),
        pytest.param({"article": {"text": TEXT, "language": "EN"}}, id="upper case language"),
        pytest.param({"article": {"text": TEXT, "language": "pt-BR"}}, id="language"),
        pytest.param({"article": {"text": TEXT, "language": None}}, id="null"),
        pytest.param({"article": {"text": None}}, id="null text"),
        pytest.param({"article": {"text": TEXT, "colour": 1}}, id="unknown field"),
        pytest.param({}, id="empty"),
        pytest.param([], id="list"),
        pytest.param({"article": {"text": TEXT}, "prompt": "p" * 201}, id="long prompt"),
        pytest.param({"article": {"text": TEXT}, "options": {"max_claims": 0}}, id="no claims"),
        pytest.param({"article": {"text": TEXT}, "options": {"max_claims": 201}}, id="many claims"),
        pytest.param({"article": {"text": TEXT}, "options": {"max_claims": "3"}}, id="quoted number"),
        pytest.param({"article": {"text": TEXT}, "options": {"max_claims": True}}, id="boolean number"),
        pytest.param({"article": {"text": TEXT}, "options": {"min_check_worthiness": 1.01}}, id="over one"),
        pytest.param({"article": {"text": TEXT}, "options": {"min_check_worthiness": None}}, id="null that is not taken"),
        pytest.param({"article": {"text": TEXT}, "options": {"deadline_s": 0}}, id="no time"),
        pytest.param({"article": {"text": TEXT}, "options": {"deadline_s": 0.5}}, id="little time"),
        pytest.param({"article": {"text": TEXT}, "options": {"allow_partial": "yes"}}, id="quoted boolean"),
        pytest.param({"article": {"text": TEXT}, "options": {}, "previous": {"seal": "x", "claims": []}}, id="earlier answer"),
        pytest.param({"article": {"text": TEXT}, "previous": {"seal": 1}}, id="no seal"),
        pytest.param({"article": {"text": TEXT}, "previous": None, "options": None}, id="nulls"),
    ],
)
def test_the_document_takes_what_the_service_takes(document):
    assert REQUESTS.is_valid(document) is is_taken(document)


@pytest.mark.parametrize(
    ("article", "taken"),
    [
        pytest.param({"url": "https://example.org/a"}, True, id="address"),
        pytest.param({"url": None}, False, id="no address"),
        pytest.param({"url": "https://example.org/a", "text": TEXT}, True, id="address and words"),
        pytest.param({"text": TEXT, "html": "<p>x</p>"}, False, id="words and page"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_an_address_is_enough_where_articles_are_fetched(article, taken):
    components = openapi_document(Settings(fetch_urls=True))["components"]
    requests = Draft202012Validator({"$ref": "#/components/schemas/AnalyzeRequest", "components": components})
    assert requests.is_valid({"article": article}) is taken
    try:
        load_request({"article": article}, 1_000, fetch_urls=True)
    except InvalidRequestError:
        assert not taken
    else:
        assert taken


@examples()
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
@also("\x85")
@also("\ufeff")
@also("\t\n")
@also("\x1c")
def test_the_words_it_describes_are_those_that_are_taken(words):
    try:
        check_text(words)
    except ValidationError:
        taken = False
    else:
        taken = True
    assert bool(re.search(PRINTABLE, words)) is taken


def broken_reply():
    words = json.dumps({"claims": [claim(1, SECRET)]})
    return Reply(words, "scripted-1", ResponseFormat.TEXT, input_tokens=-1)


def test_an_answer_that_breaks_its_shape_does_not_go_out(log):
    service = start_service(ScriptedModel(broken_reply()))
    response = service.post({"article": {"text": f"Here are {SECRET}."}})
    document = problem(response, 500, "internal-error")
    assert document["retryable"] is False
    request = next(line for line in log() if line["event"] == "request")
    assert request["error"] == "AnswerShapeError"
    assert request["reason"] == "the answer breaks its schema at /components/schemas/Usage/properties/input_tokens/minimum"
    for told in (json.dumps(log()), response.get_data(as_text=True)):
        assert SECRET not in told


def test_an_answer_with_a_field_that_is_not_told_breaks_its_shape():
    answer = example("answer")
    answer["claims"][0]["quote"]["secret"] = SECRET
    assert AnswerCheck().fault(answer) == "/components/schemas/Quote/additionalProperties"


def test_the_published_shapes_let_an_answer_grow():
    assert of_the_document("Analysis").is_valid(example("answer") | {"more": 1})


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/models"])
def test_what_rarely_changes_can_be_asked_for_again_at_no_cost(service, path):
    tag = service.client.get(path).headers["ETag"]
    again = service.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.get_data(), again.headers["ETag"]) == (304, b"", tag)
    assert service.client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_models_are_listed_in_their_order():
    spare, last = ScriptedModel(traits=TRAITS), ScriptedModel(traits=TRAITS)
    fallbacks = (Fallback(spare), Fallback(last, stand_in=True))
    app = create_app(Settings(), Services(model=NeverTired(), prompts=PROMPTS, fallbacks=fallbacks))
    listed = app.test_client().get("/models").get_json()
    assert listed[0] == {
        "name": "scripted",
        "endpoint": "nowhere",
        "prompt": PROMPTS.select("extract_claims@1", "extract_claims").ref,
        "context_tokens": 32_768,
        "max_output_tokens": 8_192,
        "passage_chars": 6_000,
        "trial": False,
        "stand_in": False,
    }
    assert [model["stand_in"] for model in listed] == [False, False, True]


@pytest.mark.parametrize("history", [True, False])
def test_an_answer_can_be_asked_to_be_stored_where_the_service_does_that(history):
    components = openapi_document(Settings(history=HistorySettings(history=history)))["components"]
    requests = Draft202012Validator({"$ref": "#/components/schemas/AnalyzeRequest", "components": components})
    for store in (True, False):
        asked = {"article": {"text": TEXT}, "options": {"store": store}}
        assert requests.is_valid(asked) is (history or not store)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.ids = set(), [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        given = dict(attrs)
        self.links += [given[name] for name in ("href", "src") if name in given]
        self.ids.add(given.get("id"))


def test_the_page_shows_every_path_and_shape_and_fetches_nothing(service):
    response = service.client.get("/docs")
    assert response.content_type == "text/html; charset=utf-8"
    page = Page(response.get_data(as_text=True))
    assert not {"script", "link", "img", "iframe", "form"} & page.tags
    assert {link for link in page.links if not link.startswith("#")} == {"/openapi.json"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    for name in DOCUMENT["components"]["schemas"]:
        assert f"shape-{name}" in page.ids
    for path in DOCUMENT["paths"]:
        assert f" {path}</code>" in response.get_data(as_text=True)


def test_the_pages_policy_lets_in_its_own_style_and_nothing_else(service):
    policy = service.client.get("/docs").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


def changed(*steps):
    """The document, changed: each step is a path into it and a new value, or None to take away what is there."""
    document = json.loads(json.dumps(DOCUMENT))
    for place, value in steps:
        owner = document
        for part in place[:-1]:
            owner = owner[part]
        if value is None:
            del owner[place[-1]]
        else:
            owner[place[-1]] = value
    return document


SCHEMAS = ("components", "schemas")
ANALYZE = ("paths", "/analyze", "post")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        pytest.param((("paths", "/readyz"), None), "gone: GET /readyz", id="path"),
        pytest.param(((*ANALYZE, "responses", "409"), None), "gone: POST /analyze, status 409", id="status"),
        pytest.param(
            ((*ANALYZE, "requestBody", "content", "text/html"), None),
            "gone: POST /analyze, request, text/html",
            id="media type",
        ),
        pytest.param(
            ((*ANALYZE, "parameters"), []), "gone: POST /analyze, parameter #/components/parameters/prompt", id="parameter"
        ),
        pytest.param(((*SCHEMAS, "Claim", "properties", "mode"), None), "gone: Claim.mode", id="field"),
        pytest.param(((*SCHEMAS, "Stance"), None), "gone: Stance.evidence", id="shape"),
        pytest.param(((*SCHEMAS, "Usage", "properties", "cache", "enum"), ["hit"]), "gone: Usage.cache = 'miss'", id="value"),
        pytest.param(
            ((*SCHEMAS, "OptionsRequest", "required"), ["max_claims"]), "demanded: OptionsRequest.max_claims", id="new demand"
        ),
    ],
)
def test_what_breaks_clients_is_told(step, told):
    assert told in breaking_changes(DOCUMENT, changed(step))


def test_what_is_new_breaks_nobody():
    grown = changed(
        ((*SCHEMAS, "Claim", "properties", "more"), {"type": "string"}),
        ((*SCHEMAS, "NewRequest"), {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        (("paths", "/new"), {"get": {"responses": {}}}),
    )
    assert breaking_changes(DOCUMENT, grown) == []


def test_a_higher_first_number_may_break_clients():
    assert breaking_changes(DOCUMENT, changed((("paths", "/readyz"), None), (("info", "version"), "900.0.0"))) == []


def test_the_document_is_not_written_where_it_would_break_clients(tmp_path, capsys):
    committed = tmp_path / "openapi.json"
    before = json.dumps(changed((("paths", "/old"), {"get": {"responses": {}}})))
    committed.write_text(before)
    assert main([], committed) == 1
    assert committed.read_text() == before
    assert "gone: GET /old" in capsys.readouterr().err
    assert main(["--allow-breaking"], committed) == 0
    assert json.loads(committed.read_text()) == DOCUMENT
    assert main([], committed) == 0


def test_the_examples_are_taken_from_the_readme(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text('```json\n{"a": "é"}\n```\nand\n```json\n[1]\n```\n', encoding="utf-8")
    take_examples(readme, tmp_path)
    assert json.loads((tmp_path / "example_request.json").read_text(encoding="utf-8")) == {"a": "é"}
    assert json.loads((tmp_path / "example_answer.json").read_text(encoding="utf-8")) == [1]


def test_what_the_document_does_not_describe_fails_a_test():
    app = create_app(Settings(), Services(model=NeverTired(), prompts=PROMPTS))
    app.add_url_rule("/secret", view_func=lambda: "told to nobody")
    app.view_functions["healthz"] = lambda: {"status": "fine"}
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    with pytest.raises(AssertionError, match="/secret is not described"):
        client.get("/secret")
    with pytest.raises(Exception, match='"fine" is not'):
        client.get("/healthz")
