"""The reading room over HTTP, without a browser."""

import gzip
import io
import json
import re

import pytest
from flask import Flask

from service.pipeline.analyze import Services
from service.settings import Settings
from service.web.openapi.check import AnswerCheck
from service.web.room.pages import CONTENT_SECURITY_POLICY
from service.web.room.routes import Room
from service.web.routes import Routes
from service.wiring import build_sealer
from tests.api.conftest import PROMPTS, TEXT, problem, start_service
from tests.fakes import ScriptedModel, claim

REPLY = json.dumps({"claims": [claim(1, "Prices rose by 5 percent", claimant=None)]})


@pytest.fixture
def room():
    return start_service(ScriptedModel(REPLY, REPLY))


def send(room, **fields):
    return room.client.post("/room", data=fields, content_type="multipart/form-data")


def answer_of(room):
    return room.post({"article": {"text": TEXT}, "options": {"return_text": True}}).get_json()


def test_the_page_offers_the_prompts_and_holds_to_its_policy(room):
    response = room.client.get("/")
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    page = response.get_data(as_text=True)
    assert "extract_claims@1" in page
    assert "repair_claims" not in page
    assert "style=" not in page
    assert not re.search(r"\son[a-z]+=", page)
    assert not re.search(r"<script(?! type=\"module\" src=)", page)
    assert room.client.get("/", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_the_page_is_sent_compressed_to_who_takes_that(room):
    plain = room.client.get("/")
    packed = room.client.get("/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_the_parts_of_the_page_are_kept_for_good_and_there_are_no_others(room):
    page = room.client.get("/").get_data(as_text=True)
    named = re.findall(r'"(/room/static/[^"]+)"', page)
    assert len(named) > 5
    for address in named:
        response = room.client.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert response.mimetype in {"text/css", "text/javascript"}
    digest = named[0].split("/")[3]
    for path in (f"/room/static/{digest}/../routes.py", f"/room/static/{digest}/none.js", "/room/static/0/room.js"):
        problem(room.client.get(path), 404, "not-found")


def test_whoever_must_say_who_they_are_sees_nothing_of_the_service_before():
    settings = Settings()
    routes = Routes(settings, Services(ScriptedModel(), PROMPTS), build_sealer(settings), AnswerCheck(), lambda: None)
    app = Flask(__name__, static_folder=None)
    Room(routes, keyed=True).register(app)
    page = app.test_client().get("/").get_data(as_text=True)
    assert "extract_claims" not in page
    assert "scripted" not in page
    assert 'id="key"' in page


def test_the_form_shows_the_claims(room):
    page = send(room, text=TEXT).get_data(as_text=True)
    assert ">Prices rose by 5 percent</mark>" in page
    assert 'id="matrix"' in page


def test_line_ends_that_the_browser_made_are_unmade_in_the_field_but_not_in_a_file(room):
    text = "Prices rose by 5 percent.\r\nShe denied it."
    assert "&#13;" not in send(room, text=text).get_data(as_text=True)
    filed = send(room, text="", file=(io.BytesIO(text.encode()), "a.txt", "text/plain")).get_data(as_text=True)
    assert "&#13;\n" in filed


def test_a_page_is_read_as_one(room):
    words = "Prices rose by 5 percent in May, the ministry of economy said on Monday in a long report about the year. " * 3
    page = f"<html><head><title>Prices</title></head><body><article><p>{words}</p></article></body></html>"
    shown = send(room, file=(io.BytesIO(page.encode()), "a.html", "application/octet-stream")).get_data(as_text=True)
    assert "Claims in: Prices" in shown


@pytest.mark.parametrize(("form", "kind"), [("json", "application/json"), ("csv", "text/csv"), ("html", "text/html")])
def test_the_form_gives_every_form_of_an_answer(room, form, kind):
    response = send(room, **{"text": TEXT, "as": form})
    assert response.mimetype == kind
    assert response.headers["Content-Disposition"].startswith('attachment; filename="claims-an_')


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"text": " "}, "/article/text", id="no text"),
        pytest.param({"text": TEXT, "max_claims": "many"}, "/options/max_claims", id="no number"),
        pytest.param({"text": TEXT, "min_check_worthiness": "7.5"}, "/options/min_check_worthiness", id="out of range"),
        pytest.param({"text": TEXT, "as": "pdf"}, "/as", id="no such form"),
        pytest.param({"text": TEXT, "store": "on"}, "/options/store", id="nothing is stored here"),
        pytest.param({"url": "https://a.example/"}, "/article/url", id="nothing is fetched here"),
        pytest.param({"text": TEXT, "prompt": "none@1"}, "unknown-prompt", id="no such prompt"),
    ],
)
def test_what_is_wrong_with_the_form_is_told_on_the_page_with_what_was_written(room, fields, told):
    response = send(room, **fields)
    assert response.status_code == 422
    page = response.get_data(as_text=True)
    assert told in page
    assert fields.get("text", "").strip() in page


def test_a_file_in_another_encoding_is_told(room):
    response = send(room, file=(io.BytesIO("Grüße".encode("latin-1")), "a.txt"))
    assert response.status_code == 400
    assert "not UTF-8 at byte 2" in response.get_data(as_text=True)


def test_a_form_that_another_site_sends_is_not_taken(room):
    response = room.client.post("/room", data={"text": TEXT}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 422
    assert room.model.calls == []


def test_what_is_no_form_is_told(room):
    assert room.client.post("/room", data=TEXT, content_type="text/plain").status_code == 415
    broken = room.client.post("/room", data="x", content_type="multipart/form-data")
    assert broken.status_code == 422


def test_an_answer_is_drawn_without_asking_a_model(room):
    answer = answer_of(room)
    asked = len(room.model.calls)
    drawn = room.client.post("/room/view", json=answer)
    assert ">Prices rose by 5 percent</mark>" in drawn.get_data(as_text=True)
    assert drawn.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert len(room.model.calls) == asked


def test_an_answer_with_fields_of_a_later_version_is_drawn(room):
    assert room.client.post("/room/view", json=answer_of(room) | {"later": 1}).status_code == 200


def test_an_answer_is_given_in_another_form(room):
    response = room.client.post("/room/export", json=answer_of(room), headers={"Accept": "text/markdown"})
    assert response.mimetype == "text/markdown"
    assert "Prices rose by 5 percent" in response.get_data(as_text=True)
    odd = answer_of(room) | {"id": 'x"\r\nX: y'}
    assert room.client.post("/room/export", json=odd).headers["Content-Disposition"] == 'attachment; filename="claims.json"'


def test_two_answers_are_drawn_beside_each_other(room):
    answer = answer_of(room)
    drawn = room.client.post("/room/compare", json={"one": answer, "other": answer}).get_data(as_text=True)
    ids = re.findall(r' id="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    assert "1 claim found by both" in drawn
    problem(room.client.post("/room/compare", json={"one": answer}), 422, "invalid-request")


@pytest.mark.parametrize(
    ("send_it", "status", "code"),
    [
        pytest.param({"json": {"claims": []}}, 422, "invalid-request", id="no answer"),
        pytest.param({"json": []}, 422, "invalid-request", id="a list"),
        pytest.param({"data": "{", "content_type": "application/json"}, 400, "invalid-json", id="no JSON"),
        pytest.param({"data": "{}", "content_type": "text/plain"}, 415, "unsupported-media-type", id="what a form can send"),
    ],
)
def test_what_is_no_answer_is_told(room, send_it, status, code):
    for path in ("/room/view", "/room/export", "/room/compare"):
        problem(room.client.post(path, **send_it), status, code)


def test_words_that_were_put_into_an_answer_are_not_shown(room):
    answer = answer_of(room)
    answer["claims"][0]["quote"]["text"] = "Prices fell by 5 percent"
    told = problem(room.client.post("/room/view", json=answer), 422, "invalid-request")
    assert "does not stand in its text" in told["detail"]
