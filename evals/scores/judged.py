"""What a judge's verdicts come to: whether a claim that was found says what people wrote. No figure without a judge."""

import numpy as np

from evals.figures import Array, Better, Figure, Sums, Unit, ratio

_GROUP = "Wording and kind"


def _pairs(sums: Sums) -> Array:
    judged = sums["judged"]
    known: Array = np.where(judged > 0, judged, np.nan)
    return known


def _failed(sums: Sums) -> Array:
    failed, asked = sums["judge_failed"], sums["judge_failed"] + sums["judged"]
    share: Array = np.divide(failed, asked, out=np.full(len(asked), np.nan), where=asked > 0)
    return share


FIGURES = (
    Figure(
        "judged_equivalent",
        "Judged equivalent",
        _GROUP,
        ratio("judged_same", "judged"),
        "Of found claims, those whose text says the same as the annotated one, by a language model's judgement.",
    ),
    Figure("judged_pairs", "… pairs judged", _GROUP, _pairs, "On how many it rests.", Unit.NUMBER, Better.NEITHER),
    Figure(
        "judge_failed",
        "… judge failed",
        _GROUP,
        _failed,
        "Of all pairs, those of articles whose judgement failed; they are in neither of the two.",
        better=Better.LOWER,
    ),
)
