"""The JSON that goes out, as JSON Schemas by name: the one owner of the shape of an answer.

What is published lets an answer grow new fields; what is sent is held to these fields alone (`sealed`).
"""

from service.domain import AnalysisStatus, Kind, Mode, SetAsideReason, StanceLabel
from service.limits.base import Limit
from service.llm.base import Circuit, ResponseFormat
from service.pipeline.answers import KEPT, MADE, SHARED
from service.provenance import Decider
from service.web.limit_problems import VIOLATED
from service.web.openapi.events import PROGRESS
from service.web.openapi.schema import SCHEMAS, Schema, closed, count, flag, listed, one_of, or_null, record, ref, text
from service.web.openapi.words import QUOTE, WARNING
from service.web.problems import PROBLEMS

# Passages of one article may be held to it in more ways than one.
_FORMATS = "^({0})(, ({0}))*$".format("|".join(ResponseFormat))

_SHA256 = "^[0-9a-f]{64}$"
_FORMER = record({"id": text("Its id then."), "text": text("What it said.")}, "A claim of the earlier answer.")
_ARTICLE = record(
    {
        "sha256": text("SHA-256 of the text that offsets refer to, in UTF-8.", pattern=_SHA256),
        "language": text("Its language, a BCP 47 tag, as told or as found."),
        "title": or_null(text("Its headline, where one is known.")),
        "author": or_null(text("Who wrote it, where that is known.")),
        "code_points": count("The length of the text in Unicode code points."),
        "utf16_units": count("The length of the text in UTF-16 code units."),
        "sentences": count("How many sentences it has."),
        "text": text("The text that offsets refer to: when asked for with `return_text`, and always of an HTML page."),
        "fetched": record(
            {
                "url": text("The address its page was found at."),
                "canonical_url": or_null(text("The address that the page gives as its own.")),
            },
            "Where it was fetched, if it was.",
        ),
    },
    "The article that was read.",
    optional=["text", "fetched"],
)
_CLAIM = record(
    {
        "id": text("Its id: the same for the same words in the same article, also after edits elsewhere."),
        "text": text("The claim, readable by itself, in the article's language."),
        "quote": ref("Quote"),
        "occurrences": listed(ref("Quote"), "All places where the words of the quote stand, in order."),
        "claimant": or_null(ref("Claimant")),
        "mode": one_of(Mode, "Whose words they are: the claimant's, the article's report of them, both, or its own."),
        "stances": listed(ref("Stance"), "Who stands where on it; the article itself among them."),
        "kind": one_of(Kind, "What sort of proposition it is."),
        "check_worthiness": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "How worth checking it is; 1 is what an editor checks first.",
        },
        "check_worthiness_reason": text("Why."),
    },
    "One checkable proposition that the article carries.",
)
_CLAIMANT = record(
    {
        "name": text("Their name, as fully as the article gives it."),
        "role": or_null(text("Their office or description, in the article's words.")),
        "span": ref("Quote"),
        "cites": or_null(ref("Quote")),
    },
    "Who puts a claim forward, the words nearest to it that name them, and the source they cite.",
)
_STANCE = record(
    {
        "holder": text("Who: a name as the article gives it, or `article` for its own voice."),
        "stance": one_of(StanceLabel, "What they do to the claim."),
        "evidence": or_null(ref("Quote")),
    },
    "Who stands where on a claim, and the words that show it (null only for the article's own voice).",
)
_COVERAGE = record(
    {
        "sentences": count("How many sentences the article has."),
        "read": count("How many of them were read."),
        "passages": listed(
            record(
                {
                    "start": count("Where it begins, in code points."),
                    "end": count("Where it ends, in code points."),
                    "sha256": text("SHA-256 of its text.", pattern=_SHA256),
                    "status": one_of(["ok", "failed"], "Whether it was read."),
                    "code": text("Why it was not: an error code, see Problem."),
                    "reused": flag("There and true when the reply of the earlier answer was used."),
                },
                "A stretch of the article that is read at once.",
                optional=["code", "reused"],
            ),
            "The article's passages, in order.",
        ),
    },
    "What was read. No claims with full coverage means: there are none to be found.",
)
_PROVENANCE = record(
    {
        "prompt": text("The prompt asked with: its name, version and content hash."),
        "schema": text("The schema its reply was held to: its name and content hash."),
        "model": record(
            {
                "asked": text("The model that was asked for."),
                "served": or_null(text("The name the endpoint gave to what answered; null where nothing had to be asked.")),
                "endpoint": text("The endpoint's host, or `embedded`."),
                "response_format": or_null(text("How the endpoint was held to the schema.", pattern=_FORMATS)),
            },
            "The model.",
        ),
        "decided_by": record(
            {part: one_of(Decider, "Who.") for part in ("claims", "claimants", "stances", "check_worthiness")},
            "Who decided what: a model, rules, both, or nobody.",
        ),
        "service": text("The version of this service."),
    },
    "What produced the answer.",
)
_USAGE = record(
    {
        "calls": count("Model calls made, retries and repairs among them."),
        "retries": count("How many of them were repeats after a failure."),
        "input_tokens": count("Tokens sent, as the endpoint counts them."),
        "cached_tokens": count("How many of them the endpoint had kept."),
        "output_tokens": count("Tokens received."),
        "duration_ms": count("How long the work took."),
        "cache": one_of([MADE, KEPT, SHARED], "Worked out for this request, kept from earlier, or made for another one."),
    },
    "What the answer cost.",
)
_CHANGES = record(
    {
        "since": text("The id of the earlier answer."),
        "new": listed({"type": "string"}, "Ids of claims that were not in it."),
        "gone": listed(_FORMER, "Its claims that are not found any more."),
        "kept": listed({"type": "string"}, "Ids of claims that were in it."),
        "unlisted": listed(_FORMER, "Its claims that are not here, but not known to be gone."),
    },
    "What became of the claims of the earlier answer.",
)
_ANALYSIS = record(
    {
        "id": text("The id of the answer: the same answer has the same id."),
        "status": one_of(
            AnalysisStatus, "`partial` only where the request allows it; `stand_in` when a lesser model answered."
        ),
        "article": ref("AnalysedArticle"),
        "claims": listed(ref("Claim"), "The claims, in the article's order."),
        "coverage": ref("Coverage"),
        "set_aside": listed(
            record(
                {"reason": one_of(SetAsideReason, "Why."), "text": text("The words the model proposed.")},
                "Something refused.",
            ),
            "What the model proposed and could not be proved, or was left out.",
        ),
        "provenance": ref("Provenance"),
        "usage": ref("Usage"),
        "warnings": listed(WARNING, "What to know before trusting the answer."),
        "changes": ref("Changes"),
        "seal": text("What to send as `previous` with the edited article."),
        "analysis_url": text("Where this very answer can be read again, if it was stored.", format="uri-reference"),
    },
    "The answer to one article.",
    optional=["changes", "seal", "analysis_url"],
)
_PROBLEM = record(
    {
        "type": text("The address of a page that explains it.", format="uri-reference"),
        "title": text("What sort of failure it is."),
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
        "detail": text("What happened this time."),
        "code": one_of(PROBLEMS, "Stable."),
        "request_id": text("Tell it to whoever runs the service."),
        "retryable": flag("Whether the same request may succeed later."),
        "passage": record(
            {"start": count("Where it begins, in code points."), "end": count("Where it ends.")},
            "The range of the article whose reading failed.",
        ),
        VIOLATED: listed(one_of(Limit, "A limit."), "The limits in the way."),
        "errors": listed(
            record(
                {
                    "pointer": text("Where in the body (RFC 6901); empty for the whole request."),
                    "detail": text("What to change."),
                },
                "One fault.",
            ),
            "Every fault of the request.",
        ),
    },
    "A failure (RFC 9457).",
    optional=["passage", VIOLATED, "errors"],
)
_UPSTREAM = record(
    {
        "model": text("Its name."),
        "endpoint": text("The endpoint's host, or `embedded`."),
        "circuit": one_of(Circuit, "Whether it is asked: always, not now, or by one request to see."),
        "reason": text("Why it is not asked."),
        "probe_in_s": {"type": "number", "minimum": 0, "description": "In how many seconds it is tried again."},
        "calls": count("The calls looked at."),
        "failures": count("How many of them failed."),
        "openings": count("How often it was given up, since the start."),
        "retry_tokens": {"type": "number", "minimum": 0, "description": "How many repeats could be made now."},
    },
    "How a model's endpoint has done lately.",
    optional=["reason", "probe_in_s"],
)
_REASONS = {"type": "string"}
_READINESS = record(
    {
        "status": one_of(["ready", "not-ready"], "Whether an article could be analysed now."),
        "reasons": listed(_REASONS, "Why not."),
        "models": listed(_UPSTREAM, "Each model, in the order they are asked."),
        "degraded": listed(_REASONS, "What makes the service slower, or its limits stricter or laxer."),
    },
    "Whether the service is ready.",
    optional=["reasons", "models", "degraded"],
)
_PROMPTS = listed(
    record(
        {
            "ref": text("Name, version and content hash."),
            "name": text("What a request names it by."),
            "task": text("What it is for."),
            "version": {"type": "integer", "minimum": 1, "description": "Its version."},
            "active": flag("Whether it is used where a request names none."),
            "sealed": flag("Whether its words are fixed for good."),
            "summary": text("What it asks."),
            "sha256": text("SHA-256 of its file.", pattern=_SHA256),
            "output": record(
                {"name": text("The reply schema."), "sha256": text("Its SHA-256.", pattern=_SHA256)}, "What it wants back."
            ),
        },
        "A prompt.",
    ),
    "The prompts a request may name.",
)
_MODELS = listed(
    record(
        {
            "name": text("Its name."),
            "endpoint": text("The endpoint's host, or `embedded`."),
            "prompt": text("The prompt it is asked with where a request names none."),
            "context_tokens": count("What prompt and reply may fill together."),
            "max_output_tokens": count("What a reply may fill."),
            "passage_chars": count("A longer article is read in passages, at most one for each so many characters."),
            "trial": flag("Whether it is for trying the service out only."),
            "stand_in": flag("Whether its answers have the status `stand_in`."),
        },
        "A model.",
    ),
    "The models this service asks, in their order.",
)
SHAPES: dict[str, Schema] = {
    "Analysis": _ANALYSIS,
    "AnalysedArticle": _ARTICLE,
    "Claim": _CLAIM,
    "Quote": QUOTE,
    "Claimant": _CLAIMANT,
    "Stance": _STANCE,
    "Coverage": _COVERAGE,
    "Provenance": _PROVENANCE,
    "Usage": _USAGE,
    "Changes": _CHANGES,
    "Problem": _PROBLEM,
    "Progress": PROGRESS,
    "Alive": record({"status": one_of(["ok"], "Always `ok`.")}, "The process is alive."),
    "Readiness": _READINESS,
    "Prompts": _PROMPTS,
    "Models": _MODELS,
}
"""Every shape, by the name it is published under."""


def sealed(shape: str) -> Schema:
    """One whole JSON Schema for the shape of that name, in which no object has properties that are not told."""
    return {"$ref": f"{SCHEMAS}{shape}", "components": {"schemas": {name: closed(schema) for name, schema in SHAPES.items()}}}


def open_to_growth(shape: str) -> Schema:
    """One whole JSON Schema for the shape of that name, as it is published."""
    return {"$ref": f"{SCHEMAS}{shape}", "components": {"schemas": SHAPES}}
