"""A model that answers at once, in the process itself, with a reply as long as a real one's: all that is left is our work."""

import json
import re
from typing import Any

from closed_loop import article

from service.deadline import Deadline
from service.llm.base import ModelCall, ModelTraits, Reply, ResponseFormat
from service.text.segment import segment

CLAIMS = 20
_QUOTE_WORDS = 12
_EVIDENCE_WORDS = 6
_FAR_HOLDER = "Dmitry Peskov"
_NEAR_HOLDER = re.compile(r"\b[A-Z]\w+")


class LongReplyModel:
    """Proposes 20 claims, each by somebody in its sentence and disputed by somebody far from it.

    Every second quote has other spaces than the article.
    """

    traits = ModelTraits(
        "long-reply", "in the process", context_tokens=32_768, max_output_tokens=8_192, prompt="extract_claims@1"
    )

    def __init__(self) -> None:
        self._text = json.dumps({"claims": [_claim(number) for number in range(CLAIMS)]}, ensure_ascii=False)

    def complete(self, _call: ModelCall, _deadline: Deadline) -> Reply:
        return Reply(self._text, "long-reply", ResponseFormat.JSON_SCHEMA)

    def ready(self) -> str | None:
        return None


def _claim(number: int) -> dict[str, Any]:
    sentences = segment(article(0), "en")[:-1]  # the last one ends in the article's number
    sentence = sentences[number % len(sentences)]
    words = sentence.text.split(" ")
    words = words[-_QUOTE_WORDS:] if number >= len(sentences) else words[:_QUOTE_WORDS]
    near = _NEAR_HOLDER.findall(sentence.text)[-1]
    stances = [
        {"holder": holder, "stance": stance, "sentence": sentence.number, "words": " ".join(shown).strip()}
        for holder, stance, shown in (
            (near, "supports", words[:_EVIDENCE_WORDS]),
            (_FAR_HOLDER, "refutes", words[-_EVIDENCE_WORDS:]),
        )
    ]
    return {
        "sentence": sentence.number,
        "quote": ("\u00a0" if number % 2 else " ").join(words).strip(),
        "text": f"In words of its own the article says: {' '.join(words).strip()}",
        "claimant": near,
        "stances": stances,
        "article": "discusses",
        "kind": "event",
        "worth": 0.5,
        "why": "contested and of consequence",
    }
