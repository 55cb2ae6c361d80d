"""Who is let in, and that what one tenant had done is of no use to another."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from service.access.settings import AccessSettings, Mode
from service.errors import SetupError
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.server import Server, refuse_exposed, warn_when_exposed
from service.settings import Settings
from service.web.guard import OPEN, SCOPES
from service.web.openapi.document import openapi_document
from tests.api.conftest import PROMPTS, TEXT, NeverTired, problem
from tests.api.running import HEAD, loopback, running
from tests.described import create_app
from tests.fakes import ScriptedModel
from tests.rereading import SentenceModel
from tests.security.desks import DESK, OTHER_DESK, PEPPER, bearing, desks
from tests.security.issuer import jwks, token
from tests.site_double import answer, site

SECRET = "a secret of more than thirty-two characters"
GATEWAY = {"X-Factcheck-Secret": SECRET, "X-Factcheck-Caller": "desk-7", "X-Factcheck-Scopes": "analyze"}


@pytest.fixture
def service():
    with desks() as made:
        yield made


def post(client, key, text=TEXT, **headers):
    return client.post("/analyze", data=text, content_type="text/plain", headers=bearing(key) | headers)


def test_every_path_says_who_may_call_it():
    app = create_app(Settings(), Services(NeverTired(), PROMPTS))
    assert {rule.rule for rule in app.url_map.iter_rules()} == set(SCOPES)


def test_who_is_kept_out_is_told_what_to_send(service):
    missing = service.client.post("/analyze", data="x")
    problem(missing, 401, "credential-missing")
    assert missing.headers["WWW-Authenticate"] == 'Bearer realm="factcheck"'
    wrong = service.client.get("/metrics", headers={"Authorization": "Basic eDp5"})
    problem(wrong, 401, "credential-refused")
    assert wrong.headers["WWW-Authenticate"] == 'Bearer realm="factcheck", error="invalid_token"'
    few = service.client.get("/prompts", headers=bearing(service.key("admin")))
    problem(few, 403, "scope-missing")
    assert few.headers["WWW-Authenticate"].endswith('error="insufficient_scope", scope="analyze prompts"')


def test_nothing_of_a_request_is_read_before_its_caller_is_known(service):
    response = service.client.post("/analyze", data=b"{", content_type="application/json", headers={"Accept": "image/png"})
    problem(response, 401, "credential-missing")
    assert service.calls == []


def test_a_path_that_is_none_and_a_method_that_is_not_taken_ask_nobody(service):
    problem(service.client.get("/nowhere"), 404, "not-found")
    problem(service.client.get("/analyze"), 405, "method-not-allowed")


def test_a_head_needs_what_its_get_does(service):
    assert service.client.head("/prompts").status_code == 401
    assert service.client.head("/prompts", headers=bearing(service.key())).status_code == 200


def test_metrics_can_be_left_open():
    identity = AccessSettings(access=Mode.HEADER, header_secret=SECRET, open_metrics=True)
    client = create_app(Settings(identity=identity), Services(NeverTired(), PROMPTS)).test_client()
    assert client.get("/metrics").status_code == 200
    problem(client.get("/prompts"), 401, "credential-missing")


def test_keys_that_cannot_be_read_let_nobody_in_and_the_service_is_not_ready(service):
    key = service.key()
    service.file.path.write_text("{}", "utf-8")
    response = post(service.client, key)
    problem(response, 503, "access-unavailable")
    assert response.headers["Retry-After"] == "5"
    ready = service.client.get("/readyz")
    assert (ready.status_code, ready.get_json()["reasons"]) == (503, ["the file of keys does not hold keys"])


def test_the_log_tells_who_called_and_why_not_and_never_a_key(service, log):
    key, expired = service.key("analyze"), service.key(expires_in_s=-1)
    post(service.client, key)
    post(service.client, expired)
    post(service.client, f"{key[:-1]}x")
    service.client.get("/metrics", headers=bearing(key))
    first, second, third, fourth = log()
    assert first["caller"] == "key:00000000"
    assert (second["reason"], second.get("caller")) == ("key 00000001 is expired", None)
    assert third["reason"] == "no such key"
    assert (fourth["code"], fourth["caller"]) == ("scope-missing", "key:00000000")
    told = json.dumps(log())
    assert not any(text in told for text in (key, key[13:], expired[13:], PEPPER, DESK))


def test_the_audit_tells_the_caller(log):
    identity = AccessSettings(access=Mode.HEADER, header_secret=SECRET)
    client = create_app(Settings(identity=identity, audit=True), Services(NeverTired(), PROMPTS)).test_client()
    client.post("/analyze", data=TEXT, content_type="text/plain", headers=GATEWAY)
    client.post("/analyze", data=TEXT, content_type="text/plain")
    (line,) = [line for line in log() if line["event"] == "analysed"]
    assert (line["caller"], line["client"], line["status"]) == ("proxy:desk-7", "127.0.0.1", 200)
    assert SECRET not in json.dumps(log())


def test_in_the_open_nobody_is_named_but_to_the_audit(log):
    client = create_app(Settings(audit=True), Services(NeverTired(), PROMPTS)).test_client()
    client.post("/analyze", data=TEXT, content_type="text/plain", headers=GATEWAY | bearing("x"))
    audited, request = sorted(log(), key=lambda line: line["event"])
    assert audited["caller"] == "127.0.0.1"
    assert "caller" not in request


def test_an_answer_kept_for_a_tenant_is_for_all_of_theirs_and_nobody_elses(service):
    first, second = service.key(tenant=DESK), service.key(tenant=DESK)
    assert post(service.client, first).get_json()["usage"]["cache"] == "miss"
    assert post(service.client, second).get_json()["usage"]["cache"] == "hit"
    assert post(service.client, service.key(tenant=OTHER_DESK)).get_json()["usage"]["cache"] == "miss"
    assert len(service.calls) == 2


def test_an_idempotency_key_is_a_tenants_own(service):
    repeated = {"Idempotency-Key": "k-1", "Cache-Control": "no-cache"}
    post(service.client, service.key(tenant=DESK), **repeated)
    other = post(service.client, service.key(tenant=OTHER_DESK), "Another article. It has two sentences.", **repeated)
    assert other.status_code == 200
    assert "Idempotent-Replayed" not in other.headers
    again = post(service.client, service.key(tenant=DESK), **repeated)
    assert again.headers["Idempotent-Replayed"] == "true"


class Meeting(NeverTired):
    """Answers once two articles are with it at the same time."""

    def __init__(self):
        super().__init__()
        self._both = threading.Barrier(2)

    def complete(self, call, deadline):
        self._both.wait(60)
        return super().complete(call, deadline)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k-1"}], ids=["flight", "idempotency key"])
def test_the_same_work_asked_for_by_two_tenants_at_once_is_done_for_each(service, headers):
    model = Meeting()
    identity = AccessSettings(access=Mode.KEYS, keys_file=service.file.path, key_pepper=PEPPER)
    app = create_app(Settings(identity=identity), Services(model, PROMPTS, store=service.store))
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(post, app.test_client(), service.key(tenant=tenant), **headers) for tenant in (DESK, OTHER_DESK)]
        answers = [response.result(120) for response in asked]
    assert [response.get_json()["usage"]["cache"] for response in answers] == ["miss", "miss"]
    assert len(model.calls) == 2


LIBRARY = load_prompts(find_prompts())


def test_an_earlier_answer_is_of_use_to_its_tenant_alone():
    with desks() as service:
        identity = AccessSettings(access=Mode.KEYS, keys_file=service.file.path, key_pepper=PEPPER)
        settings = Settings(identity=identity, seal_key=SECRET)
        mine, theirs = service.key(tenant=DESK), service.key(tenant=OTHER_DESK)

        def ask(key, **previous):
            client = create_app(settings, Services(SentenceModel(), LIBRARY)).test_client()
            body = {"article": {"text": TEXT, "language": "en"}, "prompt": "extract_claims@1", **previous}
            return client.post("/analyze", json=body, headers=bearing(key)).get_json()

        seal = {"previous": {"seal": ask(mine)["seal"]}}
        again = ask(mine, **seal)
        assert (again["coverage"]["passages"][0]["reused"], again["usage"]["calls"]) == (True, 0)
        stolen = ask(theirs, **seal)
        assert "reused" not in stolen["coverage"]["passages"][0]
        assert stolen["usage"]["calls"] == 1
        assert [warning["code"] for warning in stolen["warnings"]] == ["previous_not_reused"]


def test_the_document_says_which_scope_each_path_takes():
    for identity, scheme, optional in (
        (AccessSettings(), "bearer", [{}]),
        (AccessSettings(access=Mode.KEYS), "bearer", []),
        (AccessSettings(access=Mode.HEADER), "gateway", []),
    ):
        document = openapi_document(Settings(identity=identity))
        assert scheme in document["components"]["securitySchemes"]
        for path, methods in document["paths"].items():
            needed = SCOPES[path.replace("{", "<").replace("}", ">")]
            for operation in methods.values():
                wanted = [{scheme: [scope]} for scope in sorted(needed)] + optional if needed != OPEN else []
                assert operation.get("security", []) == wanted
    opened = openapi_document(Settings(identity=AccessSettings(access=Mode.KEYS, open_metrics=True)))
    assert "security" not in opened["paths"]["/metrics"]["get"]


def test_a_token_is_checked_with_the_keys_that_are_published():
    with site({"/jwks": answer(body=jwks(), content_type="application/json")}) as published:
        identity = AccessSettings(
            access=Mode.JWT,
            jwt_issuer="https://gateway.example.org/",
            jwt_audience="factcheck",
            jwks_url=f"{published.url}/jwks",
        )
        client = create_app(Settings(identity=identity), Services(NeverTired(), PROMPTS)).test_client()
        assert published.paths == ["/jwks"]
        assert client.get("/readyz").status_code == 200
        assert post(client, token()).status_code == 200
        problem(post(client, token(aud="other")), 401, "credential-refused")
        problem(client.get("/metrics", headers=bearing(token())), 403, "scope-missing")
    assert published.paths == ["/jwks"]


def test_a_service_whose_gateway_is_down_starts_and_is_not_ready(log):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    identity = AccessSettings(access=Mode.JWT, jwt_issuer="i", jwt_audience="a", jwks_url=f"http://127.0.0.1:{port}/jwks")
    client = create_app(Settings(identity=identity), Services(NeverTired(), PROMPTS)).test_client()
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()["reasons"]) == (503, ["the gateway's keys cannot be fetched"])
    response = post(client, token())
    problem(response, 503, "access-unavailable")
    assert 1 <= int(response.headers["Retry-After"]) <= 30
    assert [line["level"] for line in log() if line["event"] == "the gateway's keys cannot be fetched"] == ["warning"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])  # noqa: S104 - nothing listens there
def test_a_service_that_asks_nobody_is_not_shown_to_others_by_accident(host):
    with pytest.raises(SetupError, match="FACTCHECK_ALLOW_OPEN=on") as caught:
        refuse_exposed(Settings(host=host))
    assert host in str(caught.value)
    refuse_exposed(Settings(host=host, identity=AccessSettings(allow_open=True)))
    refuse_exposed(Settings(host=host, identity=AccessSettings(access=Mode.KEYS)))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "x" * 64])
def test_a_service_that_only_this_machine_reaches_may_ask_nobody(host):
    assert refuse_exposed(Settings(host=host)) is None


@pytest.mark.parametrize(
    ("host", "identity", "warned"),
    [
        pytest.param("127.0.0.1", AccessSettings(), False, id="loopback"),
        pytest.param("::1", AccessSettings(), False, id="loopback, IPv6"),
        pytest.param("::", AccessSettings(allow_open=True), True, id="open"),
        pytest.param("192.0.2.7", AccessSettings(allow_open=True), True, id="open to a network"),
        pytest.param("192.0.2.7", AccessSettings(access=Mode.KEYS), False, id="keys"),
    ],
)
def test_a_port_that_others_can_reach_is_warned_of(host, identity, warned, log):
    warn_when_exposed(host, 8000, identity)
    assert [(line["host"], line["port"], line["level"]) for line in log()] == [(host, 8000, "warning")] * warned


@loopback
def test_the_production_server_refuses_to_be_open_to_all():
    with running(settings={"host": "0.0.0.0"}) as server:  # noqa: S104 - it does not start
        assert server.finish() == 2
    assert "FACTCHECK_ALLOW_OPEN=on" in server.said
    assert "Traceback" not in server.said


@loopback
def test_through_the_production_server_only_the_gateway_is_believed():
    with running(identity={"access": "header", "header_secret": SECRET}) as server:
        assert server.ask(**GATEWAY)[0] == 200
        assert server.ask()[1]["code"] == "credential-missing"
        spelled = {name.replace("-", "_"): value for name, value in GATEWAY.items()}
        assert server.ask(**spelled)[1]["code"] == "credential-missing"
        twice = "".join(f"{name}: {value}\r\n" for name, value in GATEWAY.items())
        head = f"{HEAD.decode()}Connection: close\r\nContent-Length: 3\r\n{twice}"
        for name in GATEWAY:
            assert b"credential-refused" in server.send_raw(f"{head}{name}: admin\r\n\r\nabc".encode())


def test_a_worker_without_its_keys_ends_with_the_reason(tmp_path):
    identity = AccessSettings(access=Mode.KEYS, keys_file=tmp_path / "keys.json", key_pepper=PEPPER)
    server = Server(Settings(identity=identity), 3, lambda _: Services(ScriptedModel(), PROMPTS), 30)
    with pytest.raises(Exception, match="factcheck keys create"):
        server.load()


def test_a_path_that_nobody_wrote_into_the_table_lets_nobody_in(service):
    app = service.client.application
    app.add_url_rule("/forgotten", view_func=lambda: "secret")
    response = FlaskClient(app).get("/forgotten", headers=bearing(service.key()))
    problem(response, 403, "scope-missing")
