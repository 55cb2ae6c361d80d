"""The events that an answer can be got as, described: OpenAPI 3.1 has no words of its own for them."""

from service.pipeline.following import Stage
from service.web.openapi.schema import Schema, count, one_of, record, ref, text

PROGRESS = record(
    {
        "passages": count("How many passages the article is read in."),
        "read": count("How many of them have been read."),
        "failed": count("How many could not be."),
        "claims": count("How many claims they hold, not yet merged."),
        "step": one_of(Stage, "Whether passages are being read, or their claims made one list."),
    },
    "How far the work is. Where nothing is read yet it begins, maybe anew with another model: earlier claims are void.",
)
EVENTS: dict[str, Schema] = {
    "progress": ref("Progress"),
    "claim": ref("Claim"),
    "done": ref("Analysis"),
    "problem": ref("Problem"),
}
"""The events by name, each with the shape of its data."""

_STREAM = (
    "Server-sent events, each with an increasing `id` and JSON as its `data`: `progress` when the work begins and after each "
    "passage; `claim` for each claim as it is proved, provisional: merging may join it with others, change its id or drop it; "
    "at the end `done` with the whole answer, as in JSON, or `problem` with a problem report. A stream without either was cut. "
    "Comments keep the connection in use. `x-events` has the shape of each event's data."
)


def event_stream() -> Schema:
    """The content of an answer that comes as events."""
    return {"schema": text(_STREAM), "x-events": EVENTS}
