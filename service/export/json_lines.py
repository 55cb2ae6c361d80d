"""JSON Lines: one claim a line, and each line enough by itself to know what it is about and where it came from."""

import json
from typing import Any

from service.domain import Analysis, Claim
from service.export.json_answer import dump_claim
from service.export.report import change

# JSON may hold these as they are, but programs that split text at Unicode line boundaries would break a line there.
_LINE_BREAKS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPED_BREAKS = str.maketrans(_LINE_BREAKS)


def dump(analysis: Analysis) -> str:
    """One line for each claim, in the article's order; nothing at all when there are no claims.

    `claim` has the shape it has in our JSON answer; `change` is there where an earlier answer came with the
    article. Offsets are half-open, in code points and in UTF-16 units.
    """
    about = _about(analysis)
    lines = (
        json.dumps(about | _change(analysis, claim) | {"claim": dump_claim(claim)}, ensure_ascii=False, allow_nan=False)
        for claim in analysis.claims
    )
    return "".join(f"{line.translate(_ESCAPED_BREAKS)}\n" for line in lines)


def _change(analysis: Analysis, claim: Claim) -> dict[str, str]:
    fate = change(analysis, claim)
    return {"change": fate} if fate else {}


def _about(analysis: Analysis) -> dict[str, Any]:
    article, provenance = analysis.article, analysis.provenance
    return {
        "analysis": analysis.id,
        "status": analysis.status,
        "warnings": [caveat.code for caveat in analysis.warnings],
        "article": {
            "sha256": article.sha256,
            "title": article.title,
            "author": article.author,
            "url": article.url,
            "published_at": article.published_at,
            "language": article.language,
        },
        "prompt": provenance.prompt,
        "schema": provenance.schema,
        "model": {
            "asked": provenance.model.asked,
            "served": provenance.model.served,
            "endpoint": provenance.model.endpoint,
            "response_format": provenance.model.response_format,
        },
        "service": provenance.service,
    }
