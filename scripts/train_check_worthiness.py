"""Train the check-worthiness weights and tell how good they are: see docs/models/check_worthiness.md.

    pip install --group train
    FACTCHECK_DATA=... python -m scripts.train_check_worthiness --vectors SmolLM2-135M-Instruct.Q4_1.gguf

Deterministic. `--test` scores the debates kept for the last measurement too, `--private` a set that is for measuring only.
"""

import argparse
import json
import os
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gguf import GGUFReader, dequantize
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit
from scipy.stats import rankdata

from evals.datasets import data_folder
from service.text.kinds import kind_of
from service.text.worth import PACKAGED, CheckWorthiness, Weights, load_weights
from service.text.worth_features import Features, features

TOPICS = Path(__file__).with_name("check_worthiness_topics.toml")
TEST_EVERY, TEST_FROM = 5, 4  # of the debates in order of date
CONCERN, LEISURE = 1.0, -2.0
COMMON_WORDS = 600
TOPIC_STRENGTH = 4.5
FREEDOM = 3.0  # variance of a learned weight before the data are seen
SEEN_IN = 3  # sentences at least, for a word or pair to be learned
LEAST = 15  # hundredths: what weighs less is left out
LEAST_TOPIC = 150
WORTHY = 2
ROUNDS = 1_000
SEED = 20_261_122

Vector = np.ndarray[Any, np.dtype[np.float64]]


class Row(NamedTuple):
    """A labelled sentence: its text, the debate or article it is from, and whether it is worth checking."""

    text: str
    source: str
    worthy: bool


def main() -> None:
    """Train, write and measure, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, help="the GGUF file whose word vectors tell which words are alike")
    parser.add_argument("--measure", action="store_true", help="measure the packaged weights, train nothing")
    parser.add_argument("--test", action="store_true", help="measure on the test debates too")
    parser.add_argument("--private", action="store_true", help="measure on PoliClaim too")
    given = parser.parse_args()
    data = data_folder(os.environ)
    train, test = debates(data)
    if not given.measure:
        if given.vectors is None:
            parser.error("--vectors names no file")
        weights = trained(train, given.vectors)
        write(calibrated(weights, articles(data, "en")))
    measure(data, train, test if given.test else [], private=given.private)


def debates(data: Path) -> tuple[list[Row], list[Row]]:
    """ClaimBuster's sentences: those to train on, and those of every fifth debate, to measure on once."""
    records = lines(data / "open_licence/claimbuster/crowdsourced.jsonl")
    held = set(sorted({record["file"] for record in records})[TEST_FROM::TEST_EVERY])
    rows = [Row(record["sentence"], record["file"], record["verdict"] == "CFS") for record in records]
    return [row for row in rows if row.source not in held], [row for row in rows if row.source in held]


def articles(data: Path, language: str) -> list[Row]:
    """The claims of the reference articles in a language, as quoted."""
    return [
        Row(claim["quote"], article["doc_id"], claim["check_worthiness"] >= WORTHY)
        for article in lines(data / "reference/dev.jsonl")
        if article["lang"] == language
        for claim in article["claims"]
    ]


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of a JSON lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def trained(rows: Sequence[Row], vectors: Path) -> Weights:
    """Weights that start from what the topics weigh and go where the debates take them (maximum a posteriori)."""
    found = [features(row.text) for row in rows]
    topics = topic_weights(vectors, found)
    start = Weights(topics, {}, {}, {}, slope=1.0, intercept=0.0)
    offset = np.array([CheckWorthiness(start).total(one) for one in found])
    seen = Counter(chain.from_iterable((*one.words, *one.pairs) for one in found))
    kept = {name for name, count in seen.items() if count >= SEEN_IN}
    columns = {
        name: index for index, name in enumerate(sorted(kept) + sorted({_mark(mark) for one in found for mark in one.marks}))
    }
    table = sparse(found, columns)
    weighed = fit(table, np.array([row.worthy for row in rows], float), offset)
    by_name = {name: float(weighed[index]) for name, index in columns.items()}
    words, pairs = ({name for one in found for name in named(one)} & kept for named in (_words, _pairs))
    marks = {mark: round(by_name[_mark(mark)], 3) for mark in sorted({mark for one in found for mark in one.marks})}
    return Weights(topics, hundredths(by_name, words), hundredths(by_name, pairs), marks, slope=1.0, intercept=0.0)


def _mark(name: str) -> str:
    return f"mark: {name}"  # "name" and "figure" are words too


def _words(one: Features) -> tuple[str, ...]:
    return one.words


def _pairs(one: Features) -> tuple[str, ...]:
    return one.pairs


def hundredths(weights: Mapping[str, float], names: set[str]) -> dict[str, int]:
    """The weights of some names, rounded, without the light ones."""
    rounded = {name: round(100 * weights[name]) for name in sorted(names)}
    return {name: weight for name, weight in rounded.items() if abs(weight) >= LEAST}


def sparse(found: Sequence[Features], columns: Mapping[str, int]) -> csr_matrix:
    """One line for each sentence, one column for each word, pair and mark; a column of ones at the end."""
    data: list[float] = []
    indices: list[int] = []
    ends = [0]
    for one in found:
        known = [columns[name] for name in (*one.words, *one.pairs) if name in columns]
        indices += [*known, *(columns[_mark(mark)] for mark in one.marks), len(columns)]
        data += [*([1 / one.scale] * len(known)), *one.marks.values(), 1.0]
        ends.append(len(indices))
    return csr_matrix((data, indices, ends), shape=(len(found), len(columns) + 1))


def fit(table: csr_matrix, labels: Vector, offset: Vector) -> Vector:
    """Logistic regression with a fixed offset; all but the last column are held near 0."""
    held = np.full(table.shape[1], 1 / FREEDOM)
    held[-1] = 0.0
    turned = table.T.tocsr()

    def loss(weights: Vector) -> tuple[float, Vector]:
        logits = table @ weights + offset
        wrong = np.logaddexp(0, np.where(labels == 1, -logits, logits)).sum()
        return wrong + (held * weights**2).sum() / 2, turned @ (expit(logits) - labels) + held * weights

    return minimize(loss, np.zeros(table.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x


def topic_weights(vectors: Path, found: Sequence[Features]) -> dict[str, int]:
    """What each word the model knows weighs by its topic: ridge regression from the hand-written words to all others."""
    given = tomllib.loads(TOPICS.read_text("utf-8"))
    groups = {kind: set(chain.from_iterable(text.split() for text in lists.values())) for kind, lists in given.items()}
    counts = Counter(chain.from_iterable(sorted(one.words) for one in found))
    common = [word for word, _ in counts.most_common(COMMON_WORDS) if word.isalpha()]
    goals = {
        **dict.fromkeys(common, 0.0),
        **dict.fromkeys(groups["concern"], CONCERN),
        **dict.fromkeys(groups["leisure"], LEISURE),
    }
    words, table = word_vectors(vectors)
    at = {word: index for index, word in enumerate(words)}
    known = sorted(word for word in goals if word in at)
    given_table, wanted = table[[at[word] for word in known]], np.array([goals[word] for word in known])
    mean, level = given_table.mean(0), wanted.mean()
    centred = given_table - mean
    slopes = np.linalg.solve(centred.T @ centred + np.eye(table.shape[1]), centred.T @ (wanted - level))
    likely = {**dict(zip(words, (table - mean) @ slopes + level, strict=True)), **goals}
    rounded = {word: round(100 * TOPIC_STRENGTH * float(weight)) for word, weight in sorted(likely.items())}
    return {word: weight for word, weight in rounded.items() if abs(weight) >= LEAST_TOPIC}


def word_vectors(path: Path) -> tuple[list[str], Vector]:
    """The lower-case English words that are one token of the model, and their vectors, centred, of length 1."""
    reader = GGUFReader(path)
    field = reader.fields["tokenizer.ggml.tokens"]
    places: dict[str, list[int]] = {}
    for index, part in enumerate(field.data):
        token = bytes(field.parts[part]).decode("utf-8")
        if re.fullmatch(r"Ġ[A-Za-z]{3,}", token):
            places.setdefault(token[1:].lower(), []).append(index)
    (stored,) = (tensor for tensor in reader.tensors if tensor.name == "token_embd.weight")
    table = dequantize(stored.data, stored.tensor_type).astype(np.float64)
    words = sorted(places)
    found = np.stack([table[places[word]].mean(0) for word in words])
    found -= found.mean(0)
    return words, found / np.linalg.norm(found, axis=1, keepdims=True)


def platt(totals: Vector, labels: Vector) -> tuple[float, float]:
    """Slope and intercept of the logistic function that fits best."""

    def loss(given: Vector) -> float:
        logits = given[0] * totals + given[1]
        return float(np.logaddexp(0, np.where(labels == 1, -logits, logits)).sum())

    slope, intercept = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
    return float(slope), float(intercept)


def calibrated(weights: Weights, rows: Sequence[Row]) -> Weights:
    """The weights with a slope and intercept that make of the sum the share of worthy claims among `rows`."""
    slope, intercept = platt(totals(weights, rows), labels(rows))
    return Weights(weights.topics, weights.words, weights.pairs, weights.marks, round(slope, 4), round(intercept, 4))


def totals(weights: Weights, rows: Sequence[Row]) -> Vector:
    """What each row weighs."""
    scorer = CheckWorthiness(weights)
    return np.array([scorer.total(features(row.text)) for row in rows])


def labels(rows: Sequence[Row]) -> Vector:
    """1 where a row is worth checking, else 0."""
    return np.array([row.worthy for row in rows], float)


def write(weights: Weights) -> None:
    """Nothing; the packaged file holds `weights`, sorted."""
    about = "Written by scripts/train_check_worthiness.py; data and licences: docs/models/check_worthiness.md"
    told = {"about": about, **{name: getattr(weights, name) for name in sorted(Weights.__dataclass_fields__)}}
    PACKAGED.write_text(json.dumps(told, ensure_ascii=False, indent=0, sort_keys=True) + "\n", "utf-8")


def auc(scores: Vector, truth: Vector) -> float:
    """How often a worthy row scores above another; ties count half."""
    worthy = truth == 1
    count, others = int(worthy.sum()), int((~worthy).sum())
    if not count or not others:
        return float("nan")
    return float((rankdata(scores)[worthy].sum() - count * (count + 1) / 2) / (count * others))


def told(name: str, rows: Sequence[Row], scores: Vector, figure: Callable[[Vector, Vector], float] = auc) -> None:
    """A line with the figure over `rows` and its 95 % interval, whole debates or articles drawn again."""
    truth, sources = labels(rows), np.array([row.source for row in rows])
    places = [np.flatnonzero(sources == source) for source in sorted(set(sources))]
    draw = np.random.default_rng(SEED)
    drawn = [np.concatenate([places[one] for one in draw.integers(len(places), size=len(places))]) for _ in range(ROUNDS)]
    low, high = np.nanpercentile([figure(scores[some], truth[some]) for some in drawn], [2.5, 97.5])
    print(
        f"{name}: {figure(scores, truth):.3f} [{low:.3f}, {high:.3f}] n={len(rows)} of {len(places)}, {int(truth.sum())} worthy"
    )


def measure(data: Path, train: Sequence[Row], test: Sequence[Row], *, private: bool) -> None:
    """Nothing; figures of the packaged weights are printed."""
    weights = load_weights()
    told("ClaimBuster AUC, trained on", train, totals(weights, train))
    if test:
        told("ClaimBuster AUC, test debates", test, totals(weights, test))
    for language in ("en", "de"):
        rows = articles(data, language)
        told(f"reference {language} AUC", rows, totals(weights, rows))
    news = articles(data, "en")
    scores = totals(weights, news)
    print(f"reference en AUC within articles: {within(news, scores):.3f}")
    calibration(news, scores)
    kinds(data)
    if private:
        records = lines(data / "private_only/policlaim/train_gold.jsonl")
        rows = [Row(record["sentence"], record["speech"], int(record["gold"]) == 1) for record in records]
        told("PoliClaim train AUC", rows, totals(weights, rows))


def within(rows: Sequence[Row], scores: Vector) -> float:
    """The AUC over pairs from the same article only."""
    truth, sources = labels(rows), np.array([row.source for row in rows])
    above = pairs = 0.0
    for source in set(sources):
        here = sources == source
        count = truth[here].sum() * (1 - truth[here]).sum()
        if count:
            above, pairs = above + count * auc(scores[here], truth[here]), pairs + count
    return above / pairs


def calibration(rows: Sequence[Row], scores: Vector) -> None:
    """Nothing; how often claims of each score were worthy is printed, each article scored by a fit to the others."""
    truth, sources = labels(rows), np.array([row.source for row in rows])
    values = np.zeros(len(rows))
    for source in sorted(set(sources)):
        here = sources == source
        slope, intercept = platt(scores[~here], truth[~here])
        values[here] = expit(slope * scores[here] + intercept)
    print(f"Brier score {((values - truth) ** 2).mean():.3f}; of the share alone {truth.mean() * (1 - truth.mean()):.3f}")
    for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.01)):
        here = (values >= low) & (values < high)
        if here.any():
            print(
                f"  {low:.1f}-{min(high, 1):.1f}: n={here.sum()}, mean {values[here].mean():.2f}, "
                f"worthy {truth[here].mean():.2f}"
            )


def kinds(data: Path) -> None:
    """Nothing; how often the kind is the annotated one is printed."""
    for language in ("en", "de"):
        here = [article for article in lines(data / "reference/dev.jsonl") if article["lang"] == language]
        pairs = [(article["doc_id"], claim) for article in here for claim in article["claims"]]
        rows = [Row(claim["quote"], source, kind_of(claim["quote"], language) == claim["kind"]) for source, claim in pairs]
        told(f"kind accuracy {language}", rows, labels(rows), figure=lambda scores, _: float(scores.mean()))
        told(
            f"  always event {language}",
            rows,
            np.array([c["kind"] == "event" for _, c in pairs], float),
            lambda s, _: float(s.mean()),
        )


if __name__ == "__main__":
    sys.exit(main())
