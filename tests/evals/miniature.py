"""Invented labelled sets in miniature, one row or two each, in the shapes of the real ones; and answers to them."""

import json
from pathlib import Path
from typing import Any

from evals.answers import Answer, read_answer
from evals.datasets import DATASETS
from evals.items import GoldClaim, GoldStance, Item, ReferenceGold

TEXT = "Mayor Ann Roe said the bridge cost 40 million euros. Her rival Tom Poe denied it. It opened in May."


def span(words: str, text: str = TEXT) -> tuple[int, int]:
    """Where `words` are in `text`, which must hold them."""
    start = text.index(words)
    return start, start + len(words)


def quote(words: str, text: str = TEXT) -> dict[str, Any]:
    """`words` as an answer quotes them."""
    start, end = span(words, text)
    utf16 = [len(text[:at].encode("utf-16-le")) // 2 for at in (start, end)]
    return {"text": words, "start": start, "end": end, "start_utf16": utf16[0], "end_utf16": utf16[1], "sentences": [1]}


def claim(words: str, within: str = TEXT, **changes: Any) -> dict[str, Any]:
    """A claim of an answer, in the article's own voice. `claimant` is a name in `within`; `others` maps holders to stances."""
    claimant, others = changes.pop("claimant", None), changes.pop("others", {})
    stances = [{"holder": name, "stance": label, "evidence": quote(words, within)} for name, label in others.items()]
    return {
        "id": "c_1",
        "text": words,
        "quote": quote(words, within),
        "occurrences": [quote(words, within)],
        "claimant": {"name": claimant, "role": None, "span": quote(claimant, within), "cites": None} if claimant else None,
        "mode": "indirect" if claimant else "own_voice",
        "stances": [*stances, {"holder": "article", "stance": changes.pop("article", "supports"), "evidence": None}],
        "kind": "event",
        "check_worthiness": 0.5,
        "check_worthiness_reason": "a fact",
        **changes,
    }


def document(*claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An answer as the service gives it."""
    usage = {"calls": 1, "retries": 0, "input_tokens": 100, "cached_tokens": 40, "output_tokens": 20, "duration_ms": 1500}
    return {
        "id": "an_1",
        "status": "complete",
        "article": {"sha256": "0", "language": "en", "title": None, "code_points": 1, "utf16_units": 1, "sentences": 3},
        "claims": list(claims),
        "coverage": {"sentences": 3, "read": 3, "passages": []},
        "set_aside": changes.pop("set_aside", []),
        "provenance": {},
        "usage": {**usage, "cache": "miss", **changes.pop("usage", {})},
        "warnings": changes.pop("warnings", []),
        **changes,
    }


def answer(*claims: dict[str, Any], **changes: Any) -> Answer:
    """An answer as scorers read it."""
    return read_answer(document(*claims, **changes))


GOLD = ReferenceGold(
    (
        GoldClaim(
            "The bridge cost 40 million euros.",
            span("the bridge cost 40 million euros"),
            "Mayor Ann Roe",
            "discusses",
            (GoldStance("Mayor Ann Roe", "supports"), GoldStance("Tom Poe", "refutes")),
            "quantity",
            3,
        ),
        GoldClaim("The bridge opened in May.", span("It opened in May"), None, "supports", (), "event", 1),
    )
)
ITEM = Item("bridge", TEXT, "en", None, GOLD)


def _stance(holder: str, label: str) -> dict[str, Any]:
    return {"holder": holder, "stance": label, "quote": None, "span": None}


REFERENCE_ROW = {
    "doc_id": "bridge",
    "lang": "en",
    "text": TEXT,
    "claims": [
        {
            "id": f"c{number}",
            "text": gold.text,
            "quote": TEXT[slice(*gold.span)],
            "span": list(gold.span),
            "claimant": gold.claimant,
            "claimant_span": None,
            "stances": [*(_stance(one.holder, one.label) for one in gold.others), _stance("article", gold.article)],
            "kind": gold.kind,
            "check_worthiness": gold.check_worthiness,
        }
        for number, gold in enumerate(GOLD.claims, 1)
    ],
    "notes": "",
}

TOPIC_TEXT = "Bats do not carry the virus, Dr Lee said. Masks protect from the virus. The weather was fine."
TOPIC_ROW = {
    "doc_id": "bats",
    "text": TOPIC_TEXT,
    "n_sentences": 3,
    "sentences": [
        {"id": f"bats-{number}", "start": span(words, TOPIC_TEXT)[0], "end": span(words, TOPIC_TEXT)[1]}
        for number, words in enumerate(
            ("Bats do not carry the virus, Dr Lee said.", "Masks protect from the virus.", "The weather was fine.")
        )
    ],
    "claims": [
        {
            "sentence_id": "bats-0",
            "sent_start": 0,
            "sent_end": 41,
            "sentence": TOPIC_TEXT[:41],
            "topic": "Origin",
            "stance": "Refute",
            "has_claimer": True,
            "claimer": "Dr Lee",
            "claimer_in_sentence": True,
            "claim_object": "bats",
            "span_start": 0,
            "span_end": 27,
            "span_text": TOPIC_TEXT[:27],
        },
        {
            "sentence_id": "bats-1",
            "sent_start": 42,
            "sent_end": 71,
            "sentence": TOPIC_TEXT[42:71],
            "topic": "Protection",
            "stance": None,
            "has_claimer": False,
            "claimer": None,
            "claimer_in_sentence": False,
            "claim_object": None,
        },
    ],
}


def _piece(words: str) -> dict[str, Any]:
    return {"spans": [list(span(words))], "text": words}


POLNEAR_ROW = {
    "doc_id": "bridge",
    "publisher": "nobody",
    "date": "2020-01-01",
    "title": "A bridge",
    "wire": "None",
    "text": TEXT,
    "annotations": [
        {
            "annotator": "one",
            "attributions": [
                {
                    "source": _piece("Mayor Ann Roe"),
                    "cue": _piece("said"),
                    "content": _piece("the bridge cost 40 million euros"),
                },
                {"source": None, "cue": _piece("denied"), "content": None},
            ],
        },
        {"annotator": "two", "attributions": []},
    ],
}
GERMAN_TEXT = "Die Brücke kostet 40 Millionen, sagte Anna Roth. Sie ist seit Mai offen."
GERMAN_ROW = {
    "doc_id": "brücke",
    "title": "Eine Brücke",
    "text": GERMAN_TEXT,
    "sentences": [[0, 48], [49, 72]],
    "attributions": [
        {
            "type": "Indirect",
            "medium": "SP",
            "quote": {"spans": [[0, 30]], "text": GERMAN_TEXT[:30]},
            "speaker": {"spans": [[38, 47]], "text": "Anna Roth"},
            "cue": {"spans": [[32, 37]], "text": "sagte"},
            "addressee": None,
            "nested": False,
        }
    ],
}
POLICLAIM_ROWS = [
    {"id": f"{speech}-{number}", "speech": speech, "sentence": words, "gold": gold}
    for speech, number, words, gold in (
        ("OZ2020", 0, "We built four hundred schools last year.", 1),
        ("OZ2020", 1, "What a wonderful evening this is.", 0),
        ("OZ2021", 0, "Taxes fell by 5 percent.", 1),
    )
]
CLAIMBUSTER_ROWS = [
    {"id": "1", "sentence": "Unemployment is at 4 percent.", "verdict": "CFS", "speaker": "A", "file": "1900-01-01.txt"},
    {"id": "2", "sentence": "I met him on a Tuesday.", "verdict": "UFS", "speaker": "A", "file": "1900-01-01.txt"},
    {"id": "3", "sentence": "Thank you very much.", "verdict": "NFS", "speaker": "A", "file": "1900-01-01.txt"},
]
SUBJECTIVITY_ROWS = [
    {"id": "a", "lang": "en", "sentence": "The bridge opened in May.", "label": "OBJ"},
    {"id": "b", "lang": "en", "sentence": "It is an ugly thing.", "label": "SUBJ"},
]
FACTS_ROW = {
    "id": "f-0",
    "prompt": "Tell me about the bridge.",
    "response": "The bridge opened in May. I like it. It cost 40 million euros.",
    "response_factuality": True,
    "sentences": [
        {
            "text": "The bridge opened in May.",
            "decontext": "The bridge opened in May.",
            "checkworthiness": "yes",
            "claims": [{"claim": "It opened in May.", "revised": "The bridge opened in May.", "checkworthiness": "factual"}],
        },
        {
            "text": "I like it.",
            "decontext": "I like the bridge.",
            "checkworthiness": "opinion",
            "claims": [{"claim": "I like it.", "revised": None, "checkworthiness": "opinion"}],
        },
        {
            "text": "It cost forty million euros.",
            "decontext": "The bridge cost 40 million euros.",
            "checkworthiness": "yes",
            "claims": [{"claim": "The bridge cost 40 million euros.", "revised": None, "checkworthiness": "factual"}],
        },
    ],
}
CENTRAL_ROW = {"id": "dev-0", "text": TEXT, "gold_claim": "The bridge cost 40 million euros", "speaker": "Ann Roe"}
WICE_ROW = {
    "id": "w-0",
    "claim": "The bridge is open.",
    "label": "supported",
    "supporting_sentences": [[0], [0, 1]],
    "evidence": ["It opened in May.", "Cars cross it.", "Subscribe now."],
    "title": "Bridge",
    "section": "",
    "context": "",
}
SMOKE_ROW = {"doc_id": "s-0", "lang": "RU", "text": "Мост открыт."}

ROWS = {
    "reference": [REFERENCE_ROW],
    "newsclaims": [TOPIC_ROW],
    "polnear": [POLNEAR_ROW],
    "german_wikinews_quotes": [GERMAN_ROW],
    "policlaim": POLICLAIM_ROWS,
    "claimbuster": CLAIMBUSTER_ROWS,
    "checkthat2025_subjectivity_en": SUBJECTIVITY_ROWS,
    "factcheck_bench": [FACTS_ROW],
    "averitec_dce": [CENTRAL_ROW],
    "wice": [WICE_ROW],
    "semeval2025_t10_ru": [SMOKE_ROW],
}


def lines(rows: list[dict[str, Any]]) -> str:
    """The rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_sets(folder: Path) -> Path:
    """The folder, laid out as a data folder with the miniatures in it."""
    for name, rows in ROWS.items():
        file = folder / DATASETS[name].file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(lines(rows), encoding="utf-8")
    return folder
