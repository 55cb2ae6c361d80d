"""What a caller handed over, made into the article that everything refers to."""

from hashlib import sha256

from service.domain import Article, ArticleInput
from service.text.language import detect


def ingest(given: ArticleInput) -> Article:
    """The article to analyse: its text untouched, with its hash and its language (ISO 639-1, the caller's word wins)."""
    return Article(
        text=given.text,
        sha256=sha256(given.text.encode("utf-8")).hexdigest(),
        language=given.language or detect(given.text),
        title=given.title,
        url=given.url,
        published_at=given.published_at,
        author=given.author,
    )
