"""The shape of whatever points at words of an article."""

from service.web.openapi.schema import count, listed, record, text

_PLACE = {
    "start": count("Where they begin, in code points."),
    "end": count("Where they end, in code points; the offset behind the last one."),
    "start_utf16": count("Where they begin, in UTF-16 code units."),
    "end_utf16": count("Where they end, in UTF-16 code units."),
}
WARNING = record(
    {
        "code": text("Stable."),
        "detail": text("A sentence for people."),
        "spans": listed(record(_PLACE, "Words of the article."), "What it is about, where it is about some words."),
    },
    "A warning.",
    optional=["spans"],
)
QUOTE = record(
    {
        "text": text("The words, exactly as they stand in the article."),
        **_PLACE,
        "sentences": listed({"type": "integer", "minimum": 1}, "The sentences they touch, counted from 1."),
    },
    "Words of the article, proved to stand there. Offsets are half-open.",
)
