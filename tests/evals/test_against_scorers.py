"""Our figures against those of the scorers that came with the data, on the same answers. Needs the data folder."""

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from evals.answers import read_answer
from evals.baselines import BASELINES
from evals.datasets import DATASETS
from evals.results import Scored, SetResult, estimate, read_items, tally
from evals.scores.topics import stance_of_claimer

DATA = Path(os.environ.get("FACTCHECK_DATA", "")) if os.environ.get("FACTCHECK_DATA") else None
pytestmark = pytest.mark.skipif(DATA is None, reason="FACTCHECK_DATA does not name the labelled sets")

OUR_NAMES = {
    "P": "claim_precision",
    "R": "claim_recall",
    "F1": "claim_f1",
    "R_worthy": "worthy_recall",
    "worth_AUC": "worth_auc",
    "IoU": "quote_iou",
    "own_voice": "own_voice",
    "claimant_F1": "claimant_f1",
    "text_F1": "wording_f1",
    "kind": "kind",
    "article_stance": "article_stance",
    "holder_found": "holder_found",
    "holder_stance": "holder_stance",
}


def shaken(item):
    """An answer that is the annotation with a third of it lost, moved or labelled otherwise."""
    rng = random.Random(item.id)  # noqa: S311 - a fixture
    labels, kinds = ("supports", "refutes", "discusses"), ("event", "quantity", "causal", "rule", "prediction", "other")

    def or_another(value, others):
        return value if rng.random() < 0.7 else rng.choice(others)

    answer = BASELINES["every_sentence"](item)
    holders = [one.holder for gold in item.gold.claims for one in gold.others] or ["nobody"]
    for gold in item.gold.claims:
        if rng.random() < 0.3:
            continue
        start = max(0, gold.span[0] + rng.choice((0, 0, -9, 12)))
        quote = {"text": "", "start": start, "end": gold.span[1], "start_utf16": 0, "end_utf16": 0}
        claimant = or_another(gold.claimant, [None, rng.choice(holders)])
        stances = [(or_another(one.holder, holders), or_another(one.label, labels)) for one in gold.others]
        answer["claims"].append(
            {
                "text": gold.text if rng.random() < 0.5 else item.text[slice(*gold.span)],
                "quote": quote,
                "occurrences": [quote],
                "claimant": {"name": claimant, "role": None, "span": quote, "cites": None} if claimant else None,
                "stances": [
                    {"holder": holder, "stance": label, "evidence": quote}
                    for holder, label in [*stances, ("article", or_another(gold.article, labels))]
                ],
                "kind": or_another(gold.kind, kinds),
                "check_worthiness": round(gold.check_worthiness / 3 + rng.uniform(-0.4, 0.4), 1),
                "check_worthiness_reason": "",
            }
        )
    return answer


def result_of(name, answering):
    dataset = DATASETS[name]
    scored = []
    for item in read_items(dataset, DATA):
        document = answering(item)
        answer = read_answer(document)
        scored.append(Scored(item, document, answer, tally(dataset, item, answer), None))
    return SetResult(dataset, tuple(scored))


def output_of(script, *arguments):
    done = subprocess.run(  # noqa: S603 - a script of the data folder
        [sys.executable, str(DATA / script), *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return done.stdout


def in_percent(value):
    return f"{100 * (value or 0.0):.1f}"


@pytest.mark.parametrize("name", ["every_sentence", "reporting_verb", "shaken"])
def test_reference_figures_and_their_ranges_are_those_of_the_reference_scorer(name, tmp_path):
    result = result_of("reference", shaken if name == "shaken" else BASELINES[name])
    answers = tmp_path / "answers.jsonl"
    rows = ({"doc_id": scored.item.id, "response": scored.document} for scored in result.scored)
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    told = output_of("score_reference.py", DATA / DATASETS["reference"].file, answers)
    theirs = dict(re.findall(r"^(\w+) +([\d.]+ +\[[\d.]+, [\d.]+\])$", told, re.MULTILINE))
    found = estimate(result)
    ours = {
        name: f"{in_percent(found[our].value)}  [{in_percent(found[our].low)}, {in_percent(found[our].high)}]"
        for name, our in OUR_NAMES.items()
    }
    assert ours == {name: re.sub(r" +\[", "  [", line) for name, line in theirs.items()}


def test_every_sentence_as_a_claim_is_the_known_yardstick():
    found = estimate(result_of("reference", BASELINES["every_sentence"]))["claim_f1"]
    assert found.value == pytest.approx(0.70, abs=0.01)
    assert (found.low, found.high) == (pytest.approx(0.671, abs=0.01), pytest.approx(0.725, abs=0.01))


def predictions(result, path, claimer):
    """The answers in the shape the older scorer reads; `claimer` gives what it compares with the labelled one."""
    rows = [
        {
            "doc_id": scored.item.id,
            "claims": [
                {
                    "start": claim.quote.span[0],
                    "end": claim.quote.span[1],
                    "claimer": claimer(claim),
                    "stance": stance_of_claimer(claim),
                }
                for claim in scored.answer.claims
            ],
        }
        for scored in result.scored
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["every_sentence", "reporting_verb"])
def test_newsclaims_figures_are_those_of_its_scorer(name, tmp_path):
    result = result_of("newsclaims", BASELINES[name])
    told = output_of(
        "score.py",
        "newsclaims",
        DATA / DATASETS["newsclaims"].file,
        predictions(result, tmp_path / "p.jsonl", lambda claim: claim.takes_stance),
    )
    found = {name: in_percent(one.value) for name, one in estimate(result).items()}
    assert f"'R': {found['sentence_recall']}, 'F1': {found['sentence_f1']}," in told
    assert f"acc {found['topic_stance']} " in told
    assert f"in-sentence {found['claimer_inside']} out-of-sentence {found['claimer_outside']} " in told
    assert f"'F1': {found['own_f1']}," in told
    assert f"mean IoU {found['span_iou']} " in told


@pytest.mark.parametrize("name", ["every_sentence", "reporting_verb"])
@pytest.mark.parametrize("dataset", ["polnear", "german_wikinews_quotes"])
def test_attribution_figures_are_those_of_their_scorer(dataset, name, tmp_path):
    result = result_of(dataset, BASELINES[name])
    told = output_of(
        "score.py",
        "attribution",
        DATA / DATASETS[dataset].file,
        predictions(result, tmp_path / "p.jsonl", lambda claim: claim.named_as),
    )
    found = {name: one.value and in_percent(one.value) for name, one in estimate(result).items()}
    assert f"accuracy {found['voice']}% " in told
    assert f"when both attributed {found['claimant_f1']}\n" in told
    assert f"'F1': {found['content_f1'] or 0.0}," in told
    assert (
        f"some attributed claim: {found['content_touched'] or 0.0}% | source token-F1 on matches {found['source_f1']} " in told
    )


def test_policlaim_figures_are_those_of_the_binary_scorer(tmp_path):
    result = result_of("policlaim", BASELINES["every_sentence"])
    rows = [json.loads(line) for line in (DATA / DATASETS["policlaim"].file).read_text(encoding="utf-8").splitlines()]
    found_in = [
        any(claim.quote.span[0] < one.span[1] and one.span[0] < claim.quote.span[1] for claim in scored.answer.claims)
        for scored in result.scored
        for one in scored.item.gold.sentences
    ]
    answers = tmp_path / "labels.jsonl"
    labels = ({"id": row["id"], "label": int(found)} for row, found in zip(rows, found_in, strict=True))
    answers.write_text("".join(json.dumps(label) + "\n" for label in labels), encoding="utf-8")
    told = output_of("score.py", "binary", DATA / DATASETS["policlaim"].file, answers)
    found = {name: in_percent(one.value) for name, one in estimate(result).items()}
    assert f"'F1': {found['sentence_f1']}," in told
    assert f"accuracy {found['sentence_accuracy']} " in told
    macro = float(re.search(r"macro-F1 ([\d.]+)", told)[1])
    assert float(found["sentence_macro_f1"]) == pytest.approx(macro, abs=0.11)
