"""`deploy/nginx.conf` says what the service says: its numbers, and the words of the problems nginx tells itself."""

import json
import re
from math import ceil
from pathlib import Path

import pytest
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from service.server import gunicorn_options
from service.settings import Settings
from service.web.problems import PROBLEMS
from service.web.security import SECURITY_HEADERS

CONFIG = (Path(__file__).parents[2] / "deploy" / "nginx.conf").read_text("utf-8")
PLAIN = Settings()
TOLD = re.findall(r"^ +(\S+) '(\"type\".*)';$", CONFIG, re.MULTILINE)


def values(name):
    return re.findall(rf"^ +{name} (.*);$", CONFIG, re.MULTILINE)


def seconds(value):
    return float(value.removesuffix("s"))


def test_bodies_have_the_same_limit_and_stay_in_memory():
    assert values("client_max_body_size") == [str(PLAIN.max_request_bytes)]
    assert int(values("client_body_buffer_size")[0]) > 1.1 * PLAIN.max_request_bytes  # the sizes of chunks go in, too
    assert values("proxy_max_temp_file_size") == ["0"]


def test_nothing_is_given_up_that_the_service_would_still_answer():
    longest = gunicorn_options(PLAIN, 3)["graceful_timeout"]
    assert longest == ceil(PLAIN.deadline_s) + 5
    assert seconds(values("proxy_read_timeout")[0]) > longest
    assert seconds(re.search(r"^worker_shutdown_timeout (.*);", CONFIG, re.MULTILINE)[1]) > longest


def test_connections_to_the_service_are_given_up_before_a_stopping_service_closes_them():
    upstream, client = map(seconds, values("keepalive_timeout"))
    assert upstream <= STOP_KEEPALIVE_LINGER / 2
    assert upstream < gunicorn_options(PLAIN, 3)["keepalive"]
    assert client > upstream


@pytest.mark.parametrize(("status", "members"), TOLD, ids=[status for status, _ in TOLD])
def test_a_problem_is_told_as_the_service_tells_it(status, members):
    told = json.loads(f"{{{members}}}")
    problem = PROBLEMS[told["code"]]
    assert told == {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "detail": problem.detail,
        "code": problem.code,
        "retryable": problem.retryable,
    }
    if status.isdigit():
        assert problem.status == int(status)


def test_every_status_nginx_may_choose_is_told():
    statuses = set(" ".join(values("error_page")).split()) - {"/.problem", "494"}
    known = {status for status, _ in TOLD}
    assert {status.lstrip("=") for status in statuses} - {"400", "502", "503", "504"} == known - {"default", "~^50[234]$"}


def test_answers_of_nginx_carry_the_headers_that_all_answers_do():
    added = dict(value.removesuffix(" always").split(" ", 1) for value in values("add_header"))
    assert {name: value.strip('"') for name, value in added.items()} == SECURITY_HEADERS | {
        "X-Request-Id": "$rid",
        "Cache-Control": "no-store",
    }


def test_no_forwarding_header_of_a_client_gets_through():
    assert "proxy_add_x_forwarded_for" not in CONFIG
    assert dict(value.split(" ", 1) for value in values("proxy_set_header")) == {
        "Connection": '""',
        "Host": "$host",
        "X-Request-Id": "$rid",
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "$scheme",
        "X-Forwarded-Host": "$host",
        "X-Forwarded-Port": "$server_port",
        "X-Forwarded-Prefix": '""',
        "X-Forwarded-Server": '""',
        "X-Real-IP": '""',
        "Forwarded": '""',
    }
