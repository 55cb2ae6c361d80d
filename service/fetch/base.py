"""What fetches the page of an article, as the rest of the service sees it."""

from dataclasses import dataclass
from typing import Protocol

from service.deadline import Deadline
from service.url_errors import UrlNotAllowedError


@dataclass(frozen=True)
class FetchedPage:
    """A page, decoded: its `text` is HTML, or an article's bare words. `url` is where it was found, after redirects."""

    url: str
    text: str
    html: bool


class PageFetcher(Protocol):
    """Fetches pages from public web servers and nowhere else. Thread-safe."""

    def fetch(self, url: str, deadline: Deadline) -> FetchedPage:
        """The page at `url`, which may be any text at all.

        Raises: UrlNotAllowedError, UrlForbiddenByRobotsError, UrlRefusedError, UrlNotAnArticleError, UrlFetchFailedError,
        DeadlineExceededError, ClientGoneError.
        """

    def close(self) -> None:
        """Give back what is held."""


class NoFetcher:
    """Fetches nothing."""

    def fetch(self, _url: str, _deadline: Deadline) -> FetchedPage:
        """Never a page.

        Raises: UrlNotAllowedError.
        """
        raise UrlNotAllowedError("This service does not fetch articles: send the article's words as /article/text.")

    def close(self) -> None:
        """Nothing."""
