"""An article's answers by two runs beside each other and beside what people labelled, row by row in the article's order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten

from evals.answers import AnswerClaim
from evals.bootstrap import value
from evals.datasets import Dataset
from evals.items import Item, Range
from evals.matching import greedy_pairs, iou, token_f1, words
from evals.results import Scored, SetResult
from evals.scores.scorer import OWN_VOICE, GoldLine, Note, Slot
from service.domain import StanceLabel

SAME_PLACE_IOU = 0.3
SAME_NAME_F1 = 0.5
_TITLE_CHARS = 140


@dataclass(frozen=True)
class Chip:
    """A note on a claim; `right` by what people labelled (None: they did not), `changed` from the other run."""

    slot: str
    text: str
    right: bool | None
    changed: bool


@dataclass(frozen=True)
class Cell:
    """A claim of an answer, or what people labelled. `quote` is empty where it is the text itself."""

    text: str
    quote: str
    chips: tuple[Chip, ...]


@dataclass(frozen=True)
class RowShown:
    """One claim as people and each run have it; `gold` and cells are None where they do not."""

    gold: Cell | None
    cells: tuple[Cell | None, ...]

    @property
    def state(self) -> str:
        """`same`, `labels` (found by all, notes differ), `only` (some run alone), `missed` (labelled, found by none)."""
        found = [cell for cell in self.cells if cell]
        if not found:
            return "missed"
        if len(found) < len(self.cells):
            return "only"
        return "labels" if any(chip.changed for cell in found for chip in cell.chips) else "same"


@dataclass(frozen=True)
class ArticleShown:
    """An article with the answers of one or two runs.

    One value for each run: headline figure, number of claims (None: failed), code of the failure, what was set aside with
    its reason. `unplaced` is what people labelled by wording alone.
    """

    id: str
    title: str
    values: tuple[float | None, ...]
    claims: tuple[int | None, ...]
    failures: tuple[str | None, ...]
    set_aside: tuple[tuple[tuple[str, str], ...], ...]
    rows: tuple[RowShown, ...]
    unplaced: tuple[Cell, ...]

    @property
    def gain(self) -> float | None:
        """What the headline figure gained from the first run to the last."""
        first, last = self.values[0], self.values[-1]
        return None if first is None or last is None else last - first


def articles_shown(results: Sequence[SetResult], most: int) -> tuple[list[ArticleShown], int]:
    """The articles that all of the results asked, at most so many, and how many more there are.

    Failures come first, then those whose headline changed most (of two results) or is lowest (of one).
    """
    dataset = results[0].dataset
    asked = [{scored.item.id: scored for scored in result.scored} for result in results]
    shared = [[one[name] for one in asked] for name in asked[0] if all(name in other for other in asked)]
    ordered = sorted(shared, key=lambda scored: _interest(scored, _values(dataset, scored)))
    return [_article(dataset, scored) for scored in ordered[:most]], max(0, len(ordered) - most)


def _interest(scored: Sequence[Scored], values: Sequence[float | None]) -> tuple[bool, float]:
    answered = not any(one.failure for one in scored)
    first, last = values[0], values[-1]
    if len(values) > 1:
        return answered, -abs((last or 0.0) - (first or 0.0))
    return answered, 1.0 if first is None else first


def _values(dataset: Dataset, scored: Sequence[Scored]) -> tuple[float | None, ...]:
    return tuple(value(dataset.scorer.headline_figure, one.tally) if one.tally else None for one in scored)


def _article(dataset: Dataset, scored: Sequence[Scored]) -> ArticleShown:
    item = scored[0].item
    golds = dataset.scorer.golds(item)
    answers = [one.answer.claims if one.answer else () for one in scored]
    return ArticleShown(
        id=item.id,
        title=item.title or shorten(item.text[:_TITLE_CHARS], _TITLE_CHARS - 20, placeholder=" …"),
        values=_values(dataset, scored),
        claims=tuple(len(one.answer.claims) if one.answer else None for one in scored),
        failures=tuple(one.failure for one in scored),
        set_aside=tuple(_set_aside(one) for one in scored),
        rows=tuple(_rows(item, [line for line in golds if line.span], answers)),
        unplaced=tuple(_gold_cell(item, line) for line in golds if not line.span),
    )


def _set_aside(scored: Scored) -> tuple[tuple[str, str], ...]:
    refused = scored.document["set_aside"] if scored.document else ()
    return tuple((one["reason"].replace("_", " "), one["text"]) for one in refused)


@dataclass
class _Aligned:
    """Claims that lie in one place, by the position of their run."""

    span: Range
    gold: GoldLine | None
    claims: list[AnswerClaim | None]


def _rows(item: Item[object], golds: Sequence[GoldLine], answers: Sequence[Sequence[AnswerClaim]]) -> Iterator[RowShown]:
    aligned = [_Aligned(line.span or (0, 0), line, [None] * len(answers)) for line in golds]
    for run, claims in enumerate(answers):
        scored = [(iou(claim.quote.span, row.span), i, j) for i, claim in enumerate(claims) for j, row in enumerate(aligned)]
        places = {pair.ours: pair.theirs for pair in greedy_pairs(scored, SAME_PLACE_IOU)}
        for position, claim in enumerate(claims):
            if position in places:
                aligned[places[position]].claims[run] = claim
            else:
                row = _Aligned(claim.quote.span, None, [None] * len(answers))
                row.claims[run] = claim
                aligned.append(row)
    for row in sorted(aligned, key=lambda row: row.span):
        yield RowShown(_gold_cell(item, row.gold) if row.gold else None, tuple(_cells(row)))


def _cells(row: _Aligned) -> Iterator[Cell | None]:
    notes = [_notes(claim) if claim else () for claim in row.claims]
    for run, claim in enumerate(row.claims):
        if claim is None:
            yield None
            continue
        others = [notes[other] for other, it in enumerate(row.claims) if other != run and it]
        chips = (
            Chip(note.slot, note.text, _right(note, row.gold), bool(others) and any(note not in other for other in others))
            for note in notes[run]
        )
        quote = "" if claim.quote.text.strip(" .") == claim.text.strip(" .") else claim.quote.text
        yield Cell(claim.text, quote, tuple(chips))


def _notes(claim: AnswerClaim) -> tuple[Note, ...]:
    told = [held for held in claim.others if (held.holder, held.label) != (claim.claimant, StanceLabel.SUPPORTS)]
    return (
        Note(Slot.VOICE, claim.claimant or OWN_VOICE),
        Note(Slot.ARTICLE, claim.article or "none"),
        *(Note(Slot.HOLDER, f"{held.holder}: {held.label}") for held in told),
        Note(Slot.KIND, claim.kind),
        Note(Slot.WORTH, f"{claim.check_worthiness:.2f}"),
    )


def _right(note: Note, gold: GoldLine | None) -> bool | None:
    """Whether people say the same, where their note says anything that can be held against this one."""
    if gold is None or note.slot in {Slot.WORTH, Slot.LABEL}:
        return None
    theirs = [one.text for one in gold.notes if one.slot is note.slot]
    if not theirs:
        return None
    if note.slot is Slot.VOICE and OWN_VOICE not in {note.text, theirs[0]}:
        return token_f1(words(note.text), words(theirs[0])) >= SAME_NAME_F1
    if note.slot is Slot.HOLDER:
        return any(_same_stance(note.text, other) for other in theirs)
    return note.text == theirs[0]


def _same_stance(ours: str, theirs: str) -> bool:
    our_name, _, our_label = ours.rpartition(": ")
    name, _, label = theirs.rpartition(": ")
    return our_label == label and token_f1(words(our_name), words(name)) >= SAME_NAME_F1


def _gold_cell(item: Item[object], line: GoldLine) -> Cell:
    quote = item.text[slice(*line.span)] if line.span else ""
    chips = tuple(Chip(note.slot, note.text, None, changed=False) for note in line.notes)
    return Cell(line.words or quote, quote if line.words and line.words != quote else "", chips)
