"""What runs the service beside others says what the service says: Compose and Kubernetes. Their schemas: `scripts/check`."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from service.secret_files import SECRET_FILES
from service.server import gunicorn_options
from service.settings import SETTING_NAMES, Settings, from_environ
from service.wiring import build_services
from tests.contract.test_deploy_files import DASHBOARD, TARGETS
from tests.programs import need_program

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
KUSTOMIZATION = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text("utf-8"))
MANIFESTS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in (DEPLOY / "kubernetes").glob("*.yaml")}
POD = MANIFESTS["deployment.yaml"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
SERVICE = COMPOSE["services"]["service"]
LONGEST_S = gunicorn_options(Settings(), 3)["graceful_timeout"]
OURS = "(FACTCHECK|OPENAI)_"


def settings_of_the_pod():
    named = {one["name"]: one["value"] for one in CONTAINER["env"]}
    return named | MANIFESTS["configmap.yaml"]["data"]


def plain(environment):
    """The settings that are no secrets, with what stands in for them where nobody says otherwise."""
    given = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", str(value)) for name, value in environment.items()}
    return {name: value for name, value in given.items() if name not in SECRET_FILES}


@pytest.mark.parametrize("environment", [SERVICE["environment"], settings_of_the_pod()], ids=["Compose", "Kubernetes"])
def test_every_setting_is_one_the_service_reads(environment):
    assert all(re.match(OURS, name) for name in environment)
    assert environment.keys() <= SETTING_NAMES | SECRET_FILES
    settings = from_environ(plain(environment))
    assert settings.gateways.hosts
    assert not settings.embedded


@pytest.mark.parametrize("environment", [SERVICE["environment"], settings_of_the_pod()], ids=["Compose", "Kubernetes"])
def test_callers_are_known_and_secrets_are_files(environment):
    assert environment["FACTCHECK_ACCESS"] == "keys"
    files = {name: value for name, value in environment.items() if name.endswith("_FILE")}
    assert set(files) >= {"OPENAI_API_KEY_FILE", "FACTCHECK_SEAL_KEY_FILE", "FACTCHECK_KEYS_FILE", "FACTCHECK_KEY_PEPPER_FILE"}
    assert all(value.startswith("/run/secrets/") for value in files.values())


def test_each_secret_file_of_compose_is_mounted_and_in_no_repository():
    mounted = {
        name: COMPOSE["secrets"][name]["file"]
        for service in COMPOSE["services"].values()
        for name in service.get("secrets", ())
    }
    assert mounted.keys() == COMPOSE["secrets"].keys()
    files = {value for name, value in SERVICE["environment"].items() if name.endswith("_FILE")}
    assert files == {f"/run/secrets/{name}" for name in SERVICE["secrets"]}
    assert all(path.startswith("./secrets/") for path in mounted.values())
    assert "deploy/secrets/" in (DEPLOY.parent / ".gitignore").read_text("utf-8").splitlines()


def test_nothing_is_given_more_rights_than_it_needs():
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert all("no-new-privileges:true" in service["security_opt"] for service in COMPOSE["services"].values())
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])
    assert COMPOSE["networks"]["store"]["internal"] is True
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] == 10001
    assert POD["automountServiceAccountToken"] is False
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "privileged": False,
        "capabilities": {"drop": ["ALL"]},
    }


def test_what_is_stopped_is_given_the_time_it_may_take():
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) > LONGEST_S
    before = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["terminationGracePeriodSeconds"] > before + LONGEST_S


def test_the_probes_ask_what_each_is_for():
    asked = {name: CONTAINER[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {name: told["path"] for name, told in asked.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {told["port"] for told in asked.values()} == {"http"}
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": Settings().port}]


def test_the_autoscaler_goes_by_a_metric_there_is():
    (metric,) = MANIFESTS["horizontalpodautoscaler.yaml"]["spec"]["metrics"]
    services = build_services(Settings(base_url="http://127.0.0.1:9/v1"))
    told = services.metrics()
    services.close()
    assert f"\n{metric['pods']['metric']['name']} ".encode() in (told if isinstance(told, bytes) else told.encode())
    assert int(metric["pods"]["target"]["averageValue"]) == Settings().server_threads // 2


def test_the_manifests_are_those_that_are_applied_and_speak_of_the_same_pods():
    assert {*KUSTOMIZATION["resources"], "kustomization.yaml"} == MANIFESTS.keys()
    labels = MANIFESTS["deployment.yaml"]["spec"]["selector"]["matchLabels"]
    assert MANIFESTS["deployment.yaml"]["spec"]["template"]["metadata"]["labels"] == labels
    assert MANIFESTS["service.yaml"]["spec"]["selector"] == labels
    for name, selector in (("poddisruptionbudget.yaml", "selector"), ("networkpolicy.yaml", "podSelector")):
        assert MANIFESTS[name]["spec"][selector]["matchLabels"] == labels


def test_the_rules_hold_their_own_tests():
    promtool = need_program("promtool")
    for command, file in (("check", "alerts.yaml"), ("test", "alerts_test.yaml")):
        done = subprocess.run(  # noqa: S603 - the program found
            [promtool, command, "rules", str(DEPLOY / "prometheus" / file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_questions_can_be_asked(tmp_path):
    promtool = need_program("promtool")
    asked = [re.sub(r"\$__(rate_)?interval", "5m", target["expr"]) for target in TARGETS]
    assert asked
    assert DASHBOARD["schemaVersion"]
    rules = [{"record": f"asked:{number}", "expr": question} for number, question in enumerate(asked)]
    file = tmp_path / "asked.json"
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": rules}]}))
    done = subprocess.run(  # noqa: S603 - the program found
        [promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
