"""Sentence boundaries against labelled sets: ours, the library below it, pysbd when installed, and a regular expression.

    FACTCHECK_DATA=/path/to/data python -m bench.segmentation [--wrong SET]

A boundary is the place after a sentence's last visible character; the end of a text is not counted. A set that is not
there is left out. "joined" sets are lists of sentences: their texts are these, joined by spaces, so that paragraphs and
paired quotation marks are lost. `--wrong` prints where we and a set's annotators differ.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path

import sentencex

from service.text.segment import segment

try:
    import pysbd
except ImportError:  # an optional peer: the table is printed without it
    pysbd = None

Pieces = list[str]
Segmenter = Callable[[str, str], Pieces]


@dataclass(frozen=True)
class LabelledSet:
    name: str
    language: str
    path: str
    read: Callable[[list[dict]], Iterator[tuple[str, Pieces]]]


def by_offsets(records: list[dict]) -> Iterator[tuple[str, Pieces]]:
    for record in records:
        text, at, pieces = record["text"], 0, []
        for item in record["sentences"]:
            end = item["end"] if isinstance(item, dict) else item[1]
            pieces.append(text[at:end])
            at = end
        if text[at:].strip():
            pieces.append(text[at:])
        yield text, pieces


def by_search(text_key: str, sentence_key: str) -> Callable[[list[dict]], Iterator[tuple[str, Pieces]]]:
    def read(records: list[dict]) -> Iterator[tuple[str, Pieces]]:
        for record in records:
            text, at, pieces = record[text_key], 0, []
            for item in record["sentences"]:
                found = text.find(item[sentence_key], at)
                if found < 0 or text[at:found].strip():
                    break  # the annotators rewrote this one: its bounds are not known
                end = found + len(item[sentence_key])
                pieces.append(text[at:end])
                at = end
            else:
                yield text, pieces

    return read


def joined(group_key: str | None, most: int = 5_000) -> Callable[[list[dict]], Iterator[tuple[str, Pieces]]]:
    def read(records: list[dict]) -> Iterator[tuple[str, Pieces]]:
        for _, group in groupby(records[:most], key=lambda record: record[group_key] if group_key else None):
            pieces = [record["sentence"].strip() + " " for record in group]
            yield "".join(pieces), pieces

    return read


SETS = (
    LabelledSet("newsclaims", "en", "private_only/newsclaims/dev.jsonl", by_offsets),
    LabelledSet("factscore_human", "en", "open_licence/factscore_human/chatgpt.jsonl", by_search("text", "sentence")),
    LabelledSet("factcheck_bench", "en", "open_licence/factcheck_bench/documents_first40.jsonl", by_search("response", "text")),
    LabelledSet("policlaim (joined)", "en", "private_only/policlaim/train_gold.jsonl", joined("speech")),
    LabelledSet("subjectivity (joined)", "en", "private_only/checkthat2025_subjectivity/en_dev.jsonl", joined(None)),
    LabelledSet("claimbuster (joined)", "en", "open_licence/claimbuster/crowdsourced.jsonl", joined("file")),
    LabelledSet("german_wikinews", "de", "private_only/german_wikinews_quotes/dev.jsonl", by_offsets),
    LabelledSet("subjectivity (joined)", "de", "private_only/checkthat2025_subjectivity/de_dev.jsonl", joined(None)),
)


def ours(text: str, language: str) -> Pieces:
    return [sentence.text for sentence in segment(text, language)]


def library(text: str, language: str) -> Pieces:
    return list(sentencex.segment(language, text))


def expression(text: str, _language: str) -> Pieces:
    return re.split(r"(?<=[.!?])\s+", text)


def pragmatic(text: str, language: str) -> Pieces:
    return list(pysbd.Segmenter(language=language, clean=False).segment(text))


def segmenters() -> dict[str, Segmenter]:
    found: dict[str, Segmenter] = {"ours": ours, "sentencex": library, "regex": expression}
    if pysbd is not None:
        found["pysbd"] = pragmatic
    return found


def boundaries(pieces: Iterable[str]) -> set[int]:
    ends = set(accumulate(len("".join(piece.split())) for piece in pieces))
    return ends - {0, max(ends, default=0)}


@dataclass
class Score:
    hits: int = 0
    proposed: int = 0
    gold: int = 0
    seconds: float = 0.0

    def add(self, proposed: set[int], gold: set[int]) -> None:
        self.hits += len(proposed & gold)
        self.proposed += len(proposed)
        self.gold += len(gold)

    def __str__(self) -> str:
        precision, recall = self.hits / max(1, self.proposed), self.hits / max(1, self.gold)
        f1 = 2 * self.hits / max(1, self.proposed + self.gold)
        return f"{100 * f1:6.2f} ({100 * precision:6.2f} {100 * recall:6.2f}) {self.seconds:7.3f}s"


def show_differences(text: str, proposed: set[int], gold: set[int]) -> None:
    visible = [index for index, char in enumerate(text) if not char.isspace()]
    for end in sorted(proposed ^ gold):
        kind, at = ("cut, should not be" if end in proposed else "not cut, should be"), visible[end - 1] + 1
        print(f"  {kind}: {text[max(0, at - 60) : at]!r} | {text[at : at + 40]!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", metavar="SET", help="print our differences on the sets whose name starts with this")
    options = parser.parse_args()
    root = Path(os.environ.get("FACTCHECK_DATA", ""))
    found = [labelled for labelled in SETS if (root / labelled.path).is_file()]
    if not found:
        print("FACTCHECK_DATA must name the folder of the labelled sets", file=sys.stderr)
        return 2
    columns = segmenters()
    print(f"{'set':24}{'':4}{'gold':>6}  " + "".join(f"{name + ': F1 (P R)':34}" for name in columns))
    for labelled in found:
        records = [json.loads(line) for line in (root / labelled.path).read_text("utf-8").splitlines()]
        scores = {name: Score() for name in columns}
        for text, pieces in labelled.read(records):
            gold = boundaries(pieces)
            for name, cut in columns.items():
                began = time.perf_counter()
                proposed = boundaries(cut(text, labelled.language))
                scores[name].seconds += time.perf_counter() - began
                scores[name].add(proposed, gold)
                if name == "ours" and options.wrong and labelled.name.startswith(options.wrong):
                    show_differences(text, proposed, gold)
        row = "".join(f"{score!s:34}" for score in scores.values())
        print(f"{labelled.name:24}{labelled.language:4}{scores['ours'].gold:6}  {row}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
