"""What the flow makes of recorded replies to the seeds must not get worse: no model is asked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from evals.cli import evals
from service.cli.effects import production

HERE = Path(__file__).parent / "recordings"
AT_LEAST = {
    "claim_f1": 0.811,
    "claim_recall": 0.848,
    "worthy_recall": 0.84,
    "own_voice": 0.928,
    "claimant_f1": 0.904,
    "article_stance": 0.928,
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    effects = production({"FACTCHECK_DATA": str(HERE)})
    recorded = ("--set", f"reference={HERE / 'reference_seeds.jsonl'}", "--replay", str(HERE / "seeds"))
    run = CliRunner().invoke(evals, ["run", *recorded, "--prompt", "extract_claims@2", "--out", str(out)], obj=effects)
    assert run.exit_code == 0, run.output
    figures = out / "figures.json"
    told = CliRunner().invoke(
        evals, ["report", run.stdout.strip(), "--out", str(out / "report.html"), "--json", str(figures)], obj=effects
    )
    assert told.exit_code == 0, told.output
    (folder,) = [path for path in out.iterdir() if path.is_dir()]
    found = [json.loads(path.read_text("utf-8")) for path in folder.rglob("*.json")]
    return json.loads(figures.read_text("utf-8")), [one["outcome"]["answer"] for one in found if "outcome" in one]


@pytest.mark.parametrize(("figure", "least"), AT_LEAST.items())
def test_no_figure_of_the_recorded_replies_falls(answers, figure, least):
    (system,) = [one for one in answers[0]["sets"]["reference"]["systems"] if one["run"] == "A"]
    assert system["figures"][figure]["value"] >= least


def stances_on(answers, words):
    """Who holds which stance on the one claim that holds these words."""
    (claim,) = [claim for answer in answers[1] for claim in answer["claims"] if words in claim["text"]]
    return {(stance["holder"], stance["stance"]) for stance in claim["stances"]}


def test_the_drone_supply_is_asserted_by_officials_and_denied_by_peskov(answers):
    held = stances_on(answers, "Russia received various unmanned aerial vehicles")
    assert {("American and Ukrainian officials", "supports"), ("Dmitry Peskov", "refutes"), ("article", "discusses")} <= held


def test_on_the_missiles_each_holds_a_stance_of_their_own(answers):
    held = stances_on(answers, "Iran has supplied short-range ballistic missiles")
    assert {("The Wall Street Journal", "supports"), ("Dmitry Peskov", "discusses"), ("article", "discusses")} <= held
    assert ("Tehran", "refutes") in stances_on(answers, "Iranian-designed attack drones")


def test_nothing_a_capable_model_proposed_was_refused(answers):
    assert [refused for answer in answers[1] for refused in answer["set_aside"]] == []
