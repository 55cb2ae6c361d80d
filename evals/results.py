"""Runs read back and scored: every article's outcome beside its gold, and the counts that figures are made of."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evals.answers import Answer, AnswerJson, read_answer
from evals.baselines import BASELINES, RELABELLINGS
from evals.bootstrap import Difference, Estimate, differences, estimates
from evals.datasets import DATASETS, Dataset
from evals.figures import Figure
from evals.items import Item
from evals.judgements import Judge, Judgements, judge_of
from evals.run import RunFolder, RunInfo
from evals.scores import intrinsic, judged
from evals.scores.scorer import Tally, Wordings
from service.errors import SetupError


@dataclass(frozen=True)
class Scored:
    """An article that was asked: its answer and counts, or the code of the failure."""

    item: Item[Any]
    document: AnswerJson | None
    answer: Answer | None
    tally: Tally | None
    failure: str | None


@dataclass(frozen=True)
class SetResult:
    """What a run came to on one set. Articles that were not asked are not in it. `judge` is who compared wordings, if any."""

    dataset: Dataset
    scored: tuple[Scored, ...]
    judge: Judge | None = None

    @property
    def failures(self) -> Counter[str]:
        """How often which error came instead of an answer."""
        return Counter(scored.failure for scored in self.scored if scored.failure)

    @property
    def failed(self) -> int:
        """How many articles were not answered."""
        return self.failures.total()

    @property
    def answered(self) -> dict[str, Scored]:
        """The articles that were answered, by id."""
        return {scored.item.id: scored for scored in self.scored if scored.tally is not None}

    def rows(self, ids: Iterable[str] | None = None) -> dict[str, Tally]:
        """The counts of each cluster of answered articles, in the set's order; only of the articles `ids`, if given."""
        wanted = self.answered if ids is None else {name: one for name, one in self.answered.items() if name in set(ids)}
        rows: dict[str, Tally] = {}
        for scored in wanted.values():
            row = rows.setdefault(scored.item.drawn_with, Tally())
            for column, amount in (scored.tally or {}).items():
                row.add(column, amount)
        return rows


@dataclass(frozen=True)
class RunResult:
    """A run and what it came to on each set."""

    info: RunInfo
    sets: Mapping[str, SetResult]


def figures_of(dataset: Dataset) -> tuple[Figure, ...]:
    """Every figure of a set: its own, those of a judge, then those that need no labels."""
    return (*dataset.scorer.figures, *(judged.FIGURES if dataset.scorer.pairs else ()), *intrinsic.FIGURES)


def tally(dataset: Dataset, item: Item[Any], answer: Answer) -> Tally:
    """Every count of one answer."""
    counts = intrinsic.count(item, answer)
    for column, amount in dataset.scorer.count(item, answer).items():
        # Columns of the two never mean different things, and none is counted twice.
        counts.setdefault(column, amount)
    return counts


def read_items(dataset: Dataset, data: Path, file: str | None = None) -> list[Item[Any]]:
    """The items of a set, from its usual file or from `file`.

    Raises: SetupError.
    """
    return list(dataset.read(Path(file) if file else data / dataset.file))


def load_run(path: Path, data: Path) -> RunResult:
    """The run in the folder `path`, scored.

    Raises: SetupError when something of it is missing or damaged.
    """
    folder = RunFolder.load(path)
    judge = judge_of(path)
    sets = {}
    for name, file in folder.info.sets.items():
        if name not in DATASETS:
            raise SetupError(f"{path} has answers to a set that is not known: {name}")
        dataset = DATASETS[name]
        scored = (_scored(folder, dataset, item) for item in read_items(dataset, data, file))
        result = SetResult(dataset, tuple(one for one in scored if one))
        sets[name] = _judged(path, judge, name, result) if judge and dataset.scorer.pairs else result
    return RunResult(folder.info, sets)


def pairs_of(result: SetResult) -> dict[str, Sequence[Wordings]]:
    """What a judge may compare, by article: claims found and the labelled ones, in the words of each."""
    compared = result.dataset.scorer.pairs
    return {
        name: compared(scored.item, scored.answer) if compared and scored.answer else ()
        for name, scored in result.answered.items()
    }


def _judged(path: Path, judge: Judge, name: str, result: SetResult) -> SetResult:
    kept = Judgements(path, judge, {name: pairs_of(result)})
    for scored in result.answered.values():
        if scored.tally is not None:
            scored.tally.update(kept.count(name, scored.item))
    return replace(result, judge=judge)


def load_runs(paths: Sequence[Path], data: Path) -> list[RunResult]:
    """The runs in these folders, scored; those that share a label get their folder's name added to it.

    Raises: SetupError when something of one is missing or damaged, or one is given twice.
    """
    runs = [load_run(path, data) for path in paths]
    taken = Counter(run.info.label for run in runs)
    named = [
        replace(run, info=replace(run.info, label=f"{run.info.label} ({path.name})")) if taken[run.info.label] > 1 else run
        for path, run in zip(paths, runs, strict=True)
    ]
    if len({run.info.label for run in named}) < len(named):
        raise SetupError("the same run is given twice")
    return named


def _scored(folder: RunFolder, dataset: Dataset, item: Item[Any]) -> Scored | None:
    outcome = folder.outcome(dataset.name, item)
    if outcome is None:
        return None
    if outcome.answer is None:
        return Scored(item, None, None, None, outcome.failure or "internal-error")
    return _answered(dataset, item, outcome.answer)


def _answered(dataset: Dataset, item: Item[Any], document: AnswerJson) -> Scored:
    try:
        answer = read_answer(document)
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(f"the answer to {dataset.name}/{item.id} is not in the shape of this version's") from error
    return Scored(item, document, answer, tally(dataset, item, answer), None)


def baseline_results(result: SetResult, names: Iterable[str]) -> dict[str, SetResult]:
    """What the baselines `names` come to on the articles that this result answers, by name."""
    items = [scored.item for scored in result.answered.values()]
    return {name: _rescored(result, [(item, BASELINES[name](item)) for item in items]) for name in names}


def relabelled_results(result: SetResult) -> dict[str, SetResult]:
    """What relabelling this result's own claims in the most obvious ways comes to, by name."""
    given = [(scored.item, scored.document) for scored in result.answered.values() if scored.document is not None]
    return {
        name: _rescored(result, [(item, relabel(document)) for item, document in given])
        for name, relabel in RELABELLINGS.items()
    }


def _rescored(result: SetResult, answers: Iterable[tuple[Item[Any], AnswerJson]]) -> SetResult:
    return SetResult(result.dataset, tuple(_answered(result.dataset, item, document) for item, document in answers))


def estimate(result: SetResult) -> dict[str, Estimate]:
    """Every figure of a result by name."""
    return estimates(figures_of(result.dataset), result.rows())


def compare(before: SetResult, after: SetResult) -> tuple[int, dict[str, Difference]]:
    """How many articles both answered, and what each figure gains on those; what two judges said is not compared."""
    shared = before.answered.keys() & after.answered.keys()
    left_out = set() if before.judge == after.judge else {figure.name for figure in judged.FIGURES}
    figures = [figure for figure in figures_of(before.dataset) if figure.name not in left_out]
    return len(shared), differences(figures, before.rows(shared), after.rows(shared))
