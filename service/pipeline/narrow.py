"""A reply schema narrowed to what these sentences offer, for a model too small to be left free.

Left free, a 135M model writes valid JSON that is nonsense. Here it only chooses, sentence by sentence: is this the
article's own statement or that of whoever speaks in it; everything it could garble is fixed to the sentence's own words.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from service.domain import Kind, Options, Sentence, StanceLabel
from service.llm.base import ReplySchema
from service.text.candidates import speaker

NARROWABLE = frozenset({"claim_list.v1"})
"""The reply schemas this knows how to narrow: those whose claims stand alone."""

_MAX_ENTRIES = 10
"""At about 55 tokens an entry, what a 135M model writes in ten seconds on two cores."""

_TOKENS_PER_ENTRY = 90
_MIN_WORDS = 6
_STATEMENT_END = re.compile(r"[.!…。।؟።」”\"’'»)]\s*\Z")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Narrowed:
    """A reply schema for these sentences only, and the most output tokens a reply in it can need.

    `left_out` counts the sentences that could carry a claim but have no entry.
    """

    schema: ReplySchema
    output_tokens: int
    left_out: int


def narrow(schema: ReplySchema, sentences: Sequence[Sentence], options: Options) -> Narrowed:
    """`schema` (a claim list) with one entry for each of the first sentences that can carry a claim."""
    able = [sentence for sentence in sentences if _may_carry_claim(sentence.text)]
    asked = able[: min(_MAX_ENTRIES, options.max_claims or _MAX_ENTRIES)]
    entries = [_entry(schema.document["properties"]["claims"]["items"], sentence) for sentence in asked]
    claims: Mapping[str, Any] = {
        "type": "array",
        "minItems": len(entries),
        "maxItems": len(entries),
        **({"prefixItems": entries} if entries else {"items": {"type": "null"}}),
    }
    document = {**schema.document, "properties": {"claims": claims}}
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    narrowed = ReplySchema(schema.name, sha256(canonical.encode("utf-8")).hexdigest(), document)
    return Narrowed(narrowed, _TOKENS_PER_ENTRY * len(entries) + 16, len(able) - len(asked))


def _may_carry_claim(text: str) -> bool:
    """Whether a sentence is more than a headline, a bullet or a caption."""
    return len(text.split()) >= _MIN_WORDS and _STATEMENT_END.search(text) is not None


def _entry(item: Mapping[str, Any], sentence: Sentence) -> Mapping[str, Any]:
    """One claim about one sentence: in the article's own voice, or by whoever the sentence says is speaking."""
    kinds = [Kind.QUANTITY] if _DIGIT.search(sentence.text) else [Kind.EVENT, Kind.OTHER]
    fixed: Mapping[str, Any] = {
        "sentence": {"const": sentence.number},
        "quote": {"const": ""},
        "text": {"const": ""},
        "stances": {"type": "array", "items": {"type": "null"}, "maxItems": 0},
        "kind": {"enum": [kind.value for kind in kinds]},
        "worth": {"const": 0.5},
        "why": {"const": "not judged"},
    }
    own: Mapping[str, Any] = {"claimant": {"type": "null"}, "article": {"const": StanceLabel.SUPPORTS.value}}
    name = speaker(sentence.text)
    said: Mapping[str, Any] = {"claimant": {"const": name}, "article": {"const": StanceLabel.DISCUSSES.value}}
    voices = [own, said] if name else [own]
    shapes = [{**item, "properties": {name: {**fixed, **voice}[name] for name in item["properties"]}} for voice in voices]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
