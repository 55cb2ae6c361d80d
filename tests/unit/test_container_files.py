"""What the container image is made of, read from its files; building it needs an engine and a network."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from service.cli import main
from service.settings import SETTING_NAMES, Settings, from_environ

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
OURS = PROJECT["project"]["name"]
CONTEXT = {"LICENSE", "README.md", "prompts", "pyproject.toml", "requirements-sbom.lock", "requirements.lock", "service"}


def instructions():
    """Each instruction of the Dockerfile as its word and the rest, on one line, without comments."""
    lines = [line for line in (ROOT / "Dockerfile").read_text("utf-8").split("\n") if not re.match(r"\s*#", line)]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.split("\n") if line.strip()]


def stages():
    """The instructions of each stage, by its name; of the last one, which has none, by ""."""
    found, name = {}, None
    for word, rest in instructions():
        if word == "FROM":
            name = rest.partition(" AS ")[2]
            found[name] = []
        found[name].append((word, rest))
    return found


def values(stage, word):
    return [rest for found, rest in stages()[stage] if found == word]


def assigned(stage, word):
    return dict(part.split("=", 1) for rest in values(stage, word) for part in shlex.split(rest))


def health_check():
    (told,) = values("", "HEALTHCHECK")
    return json.loads(told.partition("CMD ")[2])


def only_for_the_build():
    """The packages of the lock file that nothing but the build needs."""
    needed_by, name = {}, None
    for line in (ROOT / "requirements.lock").read_text("utf-8").split("\n"):
        if pinned := re.match(r"([\w.-]+)==", line):
            name = pinned[1]
            needed_by.setdefault(name, set())
        elif via := re.match(r"\s+#(?: via)? +(\S.*)", line):
            needed_by[name].add(via[1])
    build = {f"{OURS} (pyproject.toml:build)"}
    while more := {name for name, parents in needed_by.items() if parents <= build} - build:
        build |= more
    return build & needed_by.keys()


def test_the_last_stage_is_the_one_without_a_name():
    assert list(stages())[-1] == ""


def test_every_stage_stands_on_one_base_image_of_a_fixed_python_and_debian():
    bases = {name: rest.partition(" AS ")[0] for name, of in stages().items() for word, rest in of if word == "FROM"}
    assert bases["base"] == "python:3.11-slim-bookworm"
    assert {base for name, base in bases.items() if name != "base"} <= bases.keys()
    assert bases[""] == "base"


def test_the_image_runs_as_a_numbered_user_without_rights():
    last = stages()[""]
    assert values("", "USER") == ["10001:10001"]
    assert any("useradd --uid 10001 --gid 10001" in rest for rest in values("", "RUN"))
    after = last[last.index(("USER", "10001:10001")) :]
    assert not any(word in {"COPY", "ADD"} for word, _ in after)


def test_the_image_holds_the_environment_and_the_weights_and_nothing_else_of_the_build():
    copied = [re.sub(r"--chown=\S+ ", "", rest) for rest in values("", "COPY")]
    assert copied == [
        "--from=trimmed /opt/factcheck /opt/factcheck",
        "--from=listed /sbom.cdx.json /usr/share/factcheck/sbom.cdx.json",
        "--from=weights /models /models",
    ]


def test_what_the_image_holds_is_listed_by_a_locked_tool_that_is_not_in_it():
    word, run = stages()["listed"][-1]
    assert word == "RUN"
    assert "/opt/sbom/bin/pip install --require-hashes -r requirements-sbom.lock" in run
    assert run.endswith(" /opt/factcheck/bin/python")
    assert stages()["listed"][0] == ("FROM", "trimmed AS listed")
    assert "cyclonedx-bom==" in (ROOT / "requirements-sbom.lock").read_text("utf-8")


def test_a_build_reads_only_what_it_needs_of_the_checkout():
    lines = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == CONTEXT
    # After the last exception, so that no folder that is let in brings its own.
    assert rules[len(CONTEXT) + 1 :] == ["**/.*", "**/__pycache__", "**/*.py[co]"]


def test_all_that_is_copied_from_the_checkout_is_named_let_in_and_there():
    copied = {
        source for word, rest in instructions() if word == "COPY" and "--from=" not in rest for source in shlex.split(rest)[:-1]
    }
    assert copied == CONTEXT
    assert all((ROOT / name).exists() for name in copied)


def test_nothing_is_added_from_an_address_and_no_index_is_named():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "ADD" not in {word for word, _ in instructions()}
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("word", ["ENV", "ARG", "LABEL"])
def test_no_secret_is_written_into_the_image(word):
    for stage in stages():
        for name in assigned(stage, word):
            assert not re.search("KEY|TOKEN|SECRET|PASSWORD|OPENAI", name, re.IGNORECASE)


def test_what_the_builder_brings_along_is_mounted_for_a_step_and_not_copied():
    mounts = {match for _, rest in instructions() for match in re.findall(r"--mount=type=secret,id=(\w+)", rest)}
    assert mounts == {"debian_sources", "pip_conf", "ca_bundle"}
    assert assigned("build", "ENV")["PIP_CONFIG_FILE"] == "/run/secrets/pip_conf"
    kept = [*stages()["base"], *stages()[""]]
    assert not any("pip_conf" in rest or "ca_bundle" in rest for _, rest in kept)


def test_dependencies_are_installed_as_locked_with_their_hashes_and_ours_from_the_checkout():
    installs = [rest for rest in values("build", "RUN") if "pip install" in rest]
    assert [re.sub(r"--mount=\S+\s+", "", rest) for rest in installs] == [
        "pip install --require-hashes -r requirements.lock",
        "pip install --no-index --no-build-isolation --no-deps .",
    ]
    others = stages().keys() - {"build", "listed"}
    assert not any("pip install" in rest for stage in others for rest in values(stage, "RUN"))


def test_what_only_the_build_needs_is_removed():
    (run,) = values("trimmed", "RUN")
    removed, checked, installers = run.split(" && ")
    assert removed.split()[:3] == ["pip", "uninstall", "--yes"]
    assert set(removed.split()[3:]) == only_for_the_build()
    assert checked == "pip check"
    assert installers == "pip uninstall --yes pip setuptools"


def test_the_lock_file_is_understood():
    assert {"hatchling", "editables"} <= only_for_the_build()
    assert not {"flask", "pip", "typing-extensions"} & only_for_the_build()


def test_the_prompts_travel_inside_the_wheel_and_are_checked_where_they_arrive():
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"] == {"prompts": "service/_prompts"}
    last = stages()[""]
    (check,) = [at for at, (word, rest) in enumerate(last) if word == "RUN" and "factcheck prompts check" in rest]
    assert last.index(("USER", "10001:10001")) < check


def test_the_image_needs_to_write_to_tmp_only():
    given = assigned("", "ENV")
    assert given["HOME"] == "/tmp"  # noqa: S108 - the one folder the container may write to
    assert given["PYTHONDONTWRITEBYTECODE"] == "1"


def test_every_setting_the_image_makes_is_one_the_service_reads():
    given = {name: value for name, value in assigned("", "ENV").items() if name.startswith("FACTCHECK_")}
    assert given.keys() <= SETTING_NAMES
    settings = from_environ(given | {"FACTCHECK_MODEL": ""})
    assert settings.host == "0.0.0.0"  # noqa: S104 - inside the container; what of it is published is the engine's matter
    assert str(settings.model_dir) == "/models"


def test_a_model_is_embedded_only_when_it_is_asked_for():
    assert assigned("weights", "ARG")["EMBEDDED_MODEL"] == assigned("", "ARG")["EMBEDDED_MODEL"] == ""
    assert assigned("", "ENV")["FACTCHECK_MODEL"] == "$EMBEDDED_MODEL"


def test_the_image_starts_the_service_and_is_stopped_by_the_signal_it_obeys():
    assert values("", "ENTRYPOINT") == ['["factcheck"]']
    assert "factcheck" in PROJECT["project"]["scripts"]
    (command,) = values("", "CMD")
    assert json.loads(command) == ["serve"]
    assert "serve" in main.commands
    assert values("", "STOPSIGNAL") == ["SIGTERM"]
    assert values("", "EXPOSE") == [str(Settings().port)]


def test_the_labels_say_what_the_project_says():
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in assigned("", "LABEL").items()}
    project = PROJECT["project"]
    assert labels == {
        "title": OURS,
        "description": project["description"],
        "version": project["version"],
        "revision": "$REVISION",
        "created": "$CREATED",
        "base.name": f"docker.io/library/{stages()['base'][0][1].partition(' ')[0]}",
        "licenses": project["license"],
    }


def test_each_rule_of_the_linter_that_is_ignored_has_its_reason():
    lines = (ROOT / ".hadolint.yaml").read_text("utf-8").split("\n")
    ignored = [line for line in lines if line.startswith("  - ")]
    assert ignored
    assert all(re.fullmatch(r"  - (DL|SC)\d{4}  # \S.+", line) for line in ignored)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(rule, id=rule.split()[0])
        for rule in (
            "--read-only: the root file system",
            "--tmpfs /tmp: what it writes to",
            "--cap-drop ALL: every capability",
            "--security-opt no-new-privileges: no set-uid program",
            "EMBEDDED_MODEL: weights in the image",
            "--secret id=pip_conf: the builder's index",
            "--secret id=ca_bundle: the builder's authorities",
            "--secret id=debian_sources: the builder's mirror",
            "--stop-timeout: longer than a request",
        )
    ],
)
def test_the_page_about_the_container_tells_how(command):
    assert command.partition(":")[0] in (ROOT / "docs" / "container.md").read_text("utf-8")


@contextmanager
def answering(status):
    """The port of a server that answers every request with `status`, and the paths it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1], asked
        finally:
            server.shutdown()
            thread.join()


def run_health_check(port, **environ):
    program, *arguments = health_check()
    assert program == "python"
    return subprocess.run(  # noqa: S603 - our own interpreter and our own check
        [sys.executable, *arguments],
        env={"FACTCHECK_PORT": str(port), **environ},
        stderr=subprocess.DEVNULL,
        timeout=30,
        check=False,
    ).returncode


@pytest.mark.loopback
@pytest.mark.parametrize(("status", "exit_status"), [pytest.param(200, 0, id="well"), pytest.param(503, 1, id="unwell")])
def test_the_health_check_passes_on_what_the_service_says_of_itself(status, exit_status):
    with answering(status) as (port, asked):
        assert run_health_check(port) == exit_status
    assert asked == ["/healthz"]


@pytest.mark.loopback
def test_the_health_check_asks_the_service_and_not_a_proxy():
    with answering(200) as (port, _), answering(503) as (proxy, asked):
        assert run_health_check(port, http_proxy=f"http://127.0.0.1:{proxy}", HTTP_PROXY=f"http://127.0.0.1:{proxy}") == 0
    assert asked == []


@pytest.mark.loopback
def test_the_health_check_fails_when_nobody_answers():
    with answering(200) as (port, _):
        pass
    assert run_health_check(port) == 1


def test_the_health_check_asks_at_the_port_the_service_takes_by_itself():
    assert f"os.environ.get('FACTCHECK_PORT') or {Settings().port})" in health_check()[-1]
