"""Every quote that leaves the service is the article's own slice: tried on real texts with a model that lies.

    FACTCHECK_DATA=… python bench/proving.py [--quotes N] [--seed N]

Reads every text of at least 100 characters in the data folder. For each, a model double proposes quotes: copied, mangled
in typography, altered in a word or figure, or made up. Checked are slice-exactness in code points and UTF-16 (in Python,
and in JavaScript where node is installed), that no altered or invented words come back, and that nothing fails.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.domain import Kind, StanceLabel
from service.pipeline.prove import Prover
from service.pipeline.replies import ProposedClaim, ProposedStance
from service.text.segment import segment

MIN_CHARS, MAX_CHARS = 100, 200_000
MANGLED = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'", "–": "-", "\u00a0": " ", '"': "“", "'": "’", "-": "–"})
CHECK = """
let bad = 0, n = 0;
for (const line of require('fs').readFileSync(0, 'utf8').split('\\n')) {
  if (!line) continue;
  const one = JSON.parse(line);
  for (const [start, end, quote] of one.quotes) { n += 1; if (one.text.slice(start, end) !== quote) bad += 1; }
}
console.log(JSON.stringify({n, bad}));
"""


def texts(value: Any) -> Iterator[str]:
    """Every long text anywhere in a JSON value."""
    if isinstance(value, str):
        if MIN_CHARS <= len(value) <= MAX_CHARS and not any("\ud800" <= char <= "\udfff" for char in value):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def letters(text: str) -> str:
    """Nothing but the letters and digits of a text: whatever typography may change is gone."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text))).casefold()


def proposal(words: str, number: int) -> ProposedClaim:
    told = (ProposedStance(words, StanceLabel.REFUTES, number, words),)
    return ProposedClaim(number, words, "", None, told, StanceLabel.DISCUSSES, Kind.EVENT, 0.5, "")


def lies(text: str, rng: random.Random) -> tuple[str, str]:
    """A quote a model might give, and what sort it is."""
    words = text.split()
    at, count = rng.randrange(len(words)), rng.randint(2, 20)
    copied = words[at : at + count]
    match rng.randrange(4):
        case 0:
            start = rng.randrange(len(text))
            return text[start : start + rng.randint(1, 200)], "sliced"
        case 1:
            return " ".join(copied).translate(MANGLED), "mangled"
        case 2:
            copied[rng.randrange(len(copied))] = rng.choice(["not", "9731", "Zanzibar", "отнюдь", "不"])
            return " ".join(copied), "altered"
        case _:
            return " ".join(rng.choices(words, k=rng.randint(4, 12))) + " qxzzq", "invented"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quotes", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, counts, quotes = random.Random(asked.seed), Counter[str](), []
    for path in sorted(Path(os.environ["FACTCHECK_DATA"]).rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for text in dict.fromkeys(texts(json.loads(line))):
                counts["texts"] += 1
                quotes.append(check(text, rng, asked.quotes, counts))
    if node := shutil.which("node"):
        lines = "\n".join(map(json.dumps, quotes))
        seen = json.loads(subprocess.run([node, "-e", CHECK], input=lines, text=True, capture_output=True, check=True).stdout)
        counts["checked in JavaScript"], counts["WRONG in JavaScript"] = seen["n"], seen["bad"]
    for name, count in sorted(counts.items()):
        print(f"{count:>9,}  {name}")
    return int(any(count for name, count in counts.items() if name.startswith("WRONG")))


def check(text: str, rng: random.Random, count: int, counts: Counter[str]) -> dict[str, Any]:
    """The quotes that came back for a text, in UTF-16 units, everything about them counted."""
    language = rng.choice(["en", "de", "ru", "ar", "zh", "und"])
    sentences = segment(text, language)
    prover, utf16, plain = Prover(text, sentences), text.encode("utf-16-le"), letters(text)
    back = []
    for _ in range(count):
        words, sort = lies(text, rng)
        proof = prover.prove([proposal(words, rng.randint(1, len(sentences)))])
        counts[f"{sort}: proposed"] += 1
        for claim in proof.claims:
            counts[f"{sort}: proved"] += 1
            for quote in (claim.quote, *claim.occurrences, *(one.evidence for one in claim.stances if one.evidence)):
                span = quote.span
                exact = text[span.start : span.end] == quote.text
                exact = exact and utf16[2 * span.start_utf16 : 2 * span.end_utf16].decode("utf-16-le") == quote.text
                counts["spans"] += 1
                counts["WRONG slices"] += not exact
                back.append((span.start_utf16, span.end_utf16, quote.text))
            if letters(words) not in plain:
                counts["WRONG: came back though not in the text"] += 1
    return {"text": text, "quotes": back}


if __name__ == "__main__":
    sys.exit(main())
