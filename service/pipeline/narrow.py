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
from service.strictjson import StrictJsonError, loads
from service.text.candidates import speaker

NARROWABLE = frozenset({"claim_list.v1"})
"""The reply schemas this knows how to narrow: those whose claims stand alone."""

_MAX_ENTRIES = 30
"""At about 20 tokens an entry, what a 135M model writes in ten seconds on two cores."""

_TOKENS_PER_ENTRY = 32
_TOKENS_PER_NAME_CHAR = 0.5
_FIXED: Mapping[str, Any] = {"quote": "", "text": "", "stances": [], "worth": 0.5, "why": "not judged"}
"""What a model this small is not asked: the words are the sentence's own, and how worth checking they are stays open."""

_MIN_WORDS = 6
_MIN_LETTERS = 12  # of a script without spaces, or of a short sentence with long words
_STATEMENT_END = re.compile(r"[.!…。।؟።」”\"’'»)]\s*\Z")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Narrowed:
    """A reply schema for these sentences only, and the most output tokens a reply in it can need.

    `fixed` is what each entry is known to say, by its sentence's number: the model is not asked to write it. `left_out`
    counts the sentences that have no entry.
    """

    schema: ReplySchema
    fixed: Mapping[int, Mapping[str, Any]]
    output_tokens: int
    left_out: int

    def whole(self, reply: str) -> str:
        """A reply in this schema as one in the schema it was narrowed from; one that is not in it comes back as it is."""
        try:
            document = loads(reply)
            claims = [self._filled(claim) for claim in document["claims"]]
        except (StrictJsonError, KeyError, TypeError):
            return reply  # whoever reads it will tell what is wrong with it
        return json.dumps({**document, "claims": claims}, ensure_ascii=False)

    def _filled(self, claim: Mapping[str, Any]) -> Mapping[str, Any]:
        own = claim["claimant"] is None
        article = StanceLabel.SUPPORTS if own else StanceLabel.DISCUSSES
        return {**self.fixed[claim["sentence"]], "article": article.value, **claim}


def narrow(schema: ReplySchema, sentences: Sequence[Sentence], options: Options) -> Narrowed:
    """`schema` (a claim list) with one entry for each of the first sentences that can carry a claim."""
    able = [sentence for sentence in sentences if _may_carry_claim(sentence.text)]
    asked = able[: min(_MAX_ENTRIES, options.max_claims or _MAX_ENTRIES)]
    names = {sentence.number: speaker(sentence.text) for sentence in asked}
    entries = [_entry(sentence, names[sentence.number]) for sentence in asked]
    claims: Mapping[str, Any] = {
        "type": "array",
        "minItems": len(entries),
        "maxItems": len(entries),
        **({"prefixItems": entries} if entries else {"items": {"type": "null"}}),
    }
    document = {**schema.document, "properties": {"claims": claims}}
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    tokens = 16 + sum(_TOKENS_PER_ENTRY + int(_TOKENS_PER_NAME_CHAR * len(name or "")) for name in names.values())
    return Narrowed(
        schema=ReplySchema(schema.name, sha256(canonical.encode("utf-8")).hexdigest(), document),
        fixed={sentence.number: _FIXED for sentence in asked},
        output_tokens=tokens,
        left_out=len(sentences) - len(asked),
    )


def _may_carry_claim(text: str) -> bool:
    """Whether a sentence is more than a headline, a bullet or a caption."""
    long_enough = len(text.split()) >= _MIN_WORDS or sum(map(str.isalpha, text)) >= _MIN_LETTERS
    return long_enough and _STATEMENT_END.search(text) is not None


def _entry(sentence: Sentence, name: str | None) -> Mapping[str, Any]:
    """What is asked about one sentence: is it the article's own statement, or that of whoever it says is speaking."""
    kinds = [Kind.QUANTITY] if _DIGIT.search(sentence.text) else [Kind.EVENT, Kind.OTHER]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["sentence", "claimant", "kind"],
        "properties": {
            "sentence": {"const": sentence.number},
            "claimant": {"enum": [None, name] if name else [None]},
            "kind": {"enum": [kind.value for kind in kinds]},
        },
    }
