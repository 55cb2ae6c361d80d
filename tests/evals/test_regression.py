"""What the flow makes of recorded replies must not get worse: no model is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from evals.answers import AnswerJson
from evals.bootstrap import value
from evals.cli import evals
from evals.results import figures_of, load_run
from evals.scores.scorer import Tally
from service.cli.effects import production

HERE = Path(__file__).parent / "recordings"
SEEDS = (HERE / "reference_seeds.jsonl",)
AT_LEAST = {
    "v2": {
        "claim_f1": 0.811,
        "claim_recall": 0.848,
        "worthy_recall": 0.84,
        "own_voice": 0.928,
        "claimant_f1": 0.904,
        "article_stance": 0.928,
    },
    "v3": {
        "claim_f1": 0.881,
        "claim_precision": 0.838,
        "claim_recall": 0.929,
        "worthy_recall": 0.905,
        "own_voice": 0.983,
        "claimant_f1": 0.934,
        "article_stance": 0.98,
        "holder_found": 0.945,
        "holder_stance": 1.0,
        "worth_auc": 0.969,
        "kind": 0.893,
        "exact": 1.0,
        "exact_utf16": 1.0,
    },
}


@dataclass(frozen=True)
class Replayed:
    """What a version's recorded replies came to."""

    version: str
    figures: Mapping[str, float | None]
    answers: Sequence[AnswerJson]


@pytest.fixture(scope="module", params=AT_LEAST)
def replayed(request, tmp_path_factory):
    version = request.param
    out = tmp_path_factory.mktemp("runs")
    gold = out / "reference.jsonl"
    files = (*SEEDS, HERE / "reference_wikinews.jsonl") if version == "v3" else SEEDS
    gold.write_bytes(b"".join(path.read_bytes() for path in files))
    recorded = ("--set", f"reference={gold}", "--replay", str(HERE / version), "--prompt", f"extract_claims@{version[1:]}")
    run = CliRunner().invoke(evals, ["run", *recorded, "--out", str(out)], obj=production({"FACTCHECK_DATA": str(HERE)}))
    assert run.exit_code == 0, run.output
    found = load_run(Path(run.stdout.strip()), HERE).sets["reference"]
    counts = Tally()
    for row in found.rows().values():
        for column, amount in row.items():
            counts.add(column, amount)
    figures = {figure.name: value(figure, counts) for figure in figures_of(found.dataset)}
    return Replayed(version, figures, [one.document for one in found.scored if one.document])


def test_no_figure_of_the_recorded_replies_falls(replayed):
    least = AT_LEAST[replayed.version]
    assert {name: found for name in least if (found := replayed.figures[name]) is None or found < least[name]} == {}


def test_every_recorded_article_is_answered(replayed):
    assert len(replayed.answers) == {"v2": 2, "v3": 12}[replayed.version]


def stances_on(replayed, words):
    """Who holds which stance on the one claim that holds these words."""
    (claim,) = [claim for answer in replayed.answers for claim in answer["claims"] if words in claim["text"]]
    return {(stance["holder"], stance["stance"]) for stance in claim["stances"]}


def test_the_drone_supply_is_asserted_by_officials_and_denied_by_peskov(replayed):
    held = stances_on(replayed, "Russia received various unmanned aerial vehicles")
    assert {("American and Ukrainian officials", "supports"), ("Dmitry Peskov", "refutes"), ("article", "discusses")} <= held


def test_on_the_missiles_each_holds_a_stance_of_their_own(replayed):
    held = stances_on(replayed, "Iran has supplied short-range ballistic missiles")
    assert {("The Wall Street Journal", "supports"), ("Dmitry Peskov", "discusses"), ("article", "discusses")} <= held
    assert ("Tehran", "refutes") in stances_on(replayed, "Iranian-designed attack drones")


def test_of_what_a_capable_model_proposed_hardly_anything_was_refused(replayed):
    refused = [(one["reason"], one["text"]) for answer in replayed.answers for one in answer["set_aside"]]
    # The article holds these words twice, and neither sentence names whose stance they would show.
    unclear = ("evidence_not_found", "I needed to disconnect from her")
    assert refused == ([unclear] if replayed.version == "v3" else [])
