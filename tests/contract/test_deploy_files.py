"""What is ready to load into Prometheus and Grafana asks for nothing that the service does not tell."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.settings import Settings
from service.web.problems import PROBLEMS
from service.wiring import build_services

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "factcheck.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
TESTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts_test.yaml").read_text(encoding="utf-8"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "info": ("_info",)}

ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
QUERIES = [
    *(pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS),
    *(pytest.param(target["expr"], id=f"panel {number}") for number, target in enumerate(TARGETS)),
]


@pytest.fixture(scope="module")
def told():
    """The names of all samples the service can tell."""
    services = build_services(Settings(base_url="http://127.0.0.1:9/v1"))
    families = list(text_string_to_metric_families(services.metrics().decode()))
    services.close()
    return {"up"} | {family.name + suffix for family in families for suffix in SUFFIXES.get(family.type, ("",))}


def names(query):
    return set(re.findall(r"\b(?:factcheck|process|python)_[a-z_]+|\bup\b", re.sub(r'"[^"]*"', '""', query)))


@pytest.mark.parametrize("query", QUERIES)
def test_every_metric_asked_for_is_told(query, told):
    assert names(query)
    assert names(query) <= told


@pytest.mark.parametrize("query", QUERIES)
def test_every_error_code_asked_for_exists(query):
    asked = re.findall(r'(?:code|outcome)(?:=~?|!=)"([^"]+)"', query)
    codes = {*PROBLEMS, "stand_in"}
    assert all(any(re.fullmatch(alternative, code) for code in codes) for one in asked for alternative in alternatives(one))


def alternatives(pattern):
    """The alternatives of a pattern: `a-(b|c)` is `a-b` and `a-c`."""
    if found := re.fullmatch(r"(.*)\((.*)\)", pattern):
        return [found[1] + end for end in found[2].split("|")]
    return pattern.split("|")


def test_no_error_code_is_named_in_vain():
    assert alternatives("up-(a|b)") == ["up-a", "up-b"]
    assert alternatives("a|b") == ["a", "b"]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_urgent_it_is_and_operations_says_what_to_do(rule):
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert f"`{rule['alert']}`" in OPERATIONS


def test_operations_explains_no_alert_and_no_metric_that_is_not_there(told):
    assert set(re.findall(r"`(Factcheck\w+)`", OPERATIONS)) == {rule["alert"] for rule in ALERTS}
    assert names(OPERATIONS) <= told


def test_the_rules_tests_are_about_alerts_there_are():
    tested = {one["alertname"] for test in TESTS["tests"] for one in test["alert_rule_test"]}
    assert tested <= {rule["alert"] for rule in ALERTS}


def test_the_dashboard_can_be_loaded_under_any_data_source():
    assert (DASHBOARD["uid"], DASHBOARD["title"]) == ("factcheck", "factcheck")
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for part in (*DASHBOARD["panels"], *TARGETS):
        assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(DASHBOARD["panels"]))) <= variables


def test_panels_do_not_overlap():
    taken = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
