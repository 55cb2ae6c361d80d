"""Sets in which single sentences are labelled, put back together to the texts that an analysis needs."""

from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path

from evals.items import Item, SentenceGold
from evals.readers.lines import Labelled, Record, read_each, sentence_items

PAGE_CHARS = 2_500
"""Sentences taken from many articles are read in small pages, as lines of their own."""


def policlaim(path: Path) -> Iterator[Item[SentenceGold]]:
    """PoliClaim: speeches of US governors; a sentence is positive when it makes a claim that can be verified."""
    return _by_speech(read_each(path, _policlaim))


def claimbuster(path: Path) -> Iterator[Item[SentenceGold]]:
    """ClaimBuster: US presidential debates; CFS (check-worthy, positive), UFS (unimportant fact), NFS (no fact)."""
    return _by_speech(read_each(path, _claimbuster))


def subjectivity(path: Path) -> Iterator[Item[SentenceGold]]:
    """CheckThat! 2025 task 1: OBJ (positive) and SUBJ sentences of news, from many articles."""
    rows = list(read_each(path, _subjectivity))
    language = rows[0][0] if rows else "en"
    pages = sentence_items(f"{language}-page", language, [row[1] for row in rows], separator="\n", part_chars=PAGE_CHARS)
    for page in pages:
        yield Item(page.id, page.text, page.language, page.title, page.gold)


Spoken = tuple[str, Labelled]


def _policlaim(record: Record) -> Spoken:
    return record["speech"], (record["sentence"], str(record["gold"]), int(record["gold"]) == 1)


def _claimbuster(record: Record) -> Spoken:
    return record["file"].removesuffix(".txt"), (record["sentence"], record["verdict"], record["verdict"] == "CFS")


def _subjectivity(record: Record) -> Spoken:
    return record["lang"], (record["sentence"], record["label"], record["label"] == "OBJ")


def _by_speech(rows: Iterator[Spoken]) -> Iterator[Item[SentenceGold]]:
    speeches = groupby(rows, key=lambda row: row[0])
    return chain.from_iterable(sentence_items(speech, "en", [row[1] for row in group]) for speech, group in speeches)
