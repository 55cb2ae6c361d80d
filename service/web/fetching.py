"""The article of a request that only says where it is."""

from dataclasses import replace
from urllib.parse import urlsplit

from flask import g
from marshmallow import ValidationError

from service.deadline import Deadline
from service.domain import ArticleInput
from service.errors import UnreadablePageError
from service.export.json_answer import Origin
from service.fetch.base import FetchedPage, PageFetcher
from service.url_errors import UrlNotAnArticleError
from service.web.checks import check_text
from service.web.schemas import AnalyzeRequest, article_of_page, check_length


def with_article(asked: AnalyzeRequest, fetcher: PageFetcher, deadline: Deadline, max_chars: int) -> AnalyzeRequest:
    """`asked` with its article's text, fetched where it has only an address. What the caller says of the article wins.

    Raises: ArticleTooLongError, DeadlineExceededError; RequestError and UrlFetchFailedError as the fetcher does.
    """
    if asked.page_url is None:
        return asked
    # Of the address no more than this is logged: the rest may say who asks, or let others in.
    g.record["host"] = urlsplit(asked.page_url).hostname
    page = fetcher.fetch(asked.page_url, deadline)
    article, canonical_url = _read(page, asked.article)
    check_length(article.text, max_chars)
    return replace(asked, article=article, page_url=None, origin=Origin(page.url, canonical_url))


def _read(page: FetchedPage, given: ArticleInput) -> tuple[ArticleInput, str | None]:
    """The article on the page, at the address that was given, and the address the page gives."""
    try:
        if not page.html:
            check_text(page.text)
            return replace(given, text=page.text), None
        said = {"title": given.title, "author": given.author, "published_at": given.published_at, "language": given.language}
        found = article_of_page(page.text, **said)
    except ValidationError as error:
        raise UrlNotAnArticleError("What is at the address is no text that can be read.") from error
    except UnreadablePageError as error:
        raise UrlNotAnArticleError(error.message) from error
    return replace(found, url=given.url), found.url
