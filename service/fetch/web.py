"""Pages from the web: the site's wishes asked first, each redirect checked like the address given, types and sizes held."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from threading import Event
from time import monotonic

from service.deadline import Deadline
from service.fetch.base import FetchedPage
from service.fetch.charset import UnknownCharsetError, decode
from service.fetch.robots import Robots
from service.fetch.safe_session import Answer, Reach, SafeSession, TooManyBytesError
from service.url_errors import UrlFetchFailedError, UrlNotAnArticleError, UrlRefusedError

ROBOT = "factcheck-service"
"""The name that a robots.txt speaks to us by."""

FETCH_S = 20.0
MAX_REDIRECTS = 3
MAX_PAGE_BYTES = 3_000_000
MAX_ROBOTS_BYTES = 512_000
"""RFC 9309, section 2.5: at least 500 kibibytes must be read; what follows is left out."""

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TRY_LATER = frozenset({408, 421, 425, 429})


class WebFetcher:
    """Fetches pages from where `reach` allows, each within `seconds`, up to `workers` at the same time."""

    def __init__(
        self,
        reach: Reach | None = None,
        *,
        seconds: float = FETCH_S,
        workers: int = 16,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._session = SafeSession(f"{ROBOT}/{version(ROBOT)}", reach)
        self._robots = Robots(ROBOT, self._read_robots, clock)
        self._seconds = seconds
        # Threads of their own: nothing ends a look-up of a name but the system, when it is tired of it.
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="fetch")

    def fetch(self, url: str, deadline: Deadline) -> FetchedPage:
        """The page at `url`, after at most three redirects.

        Raises: UrlNotAllowedError, UrlForbiddenByRobotsError, UrlRefusedError, UrlNotAnArticleError, UrlFetchFailedError,
        DeadlineExceededError, ClientGoneError.
        """
        until = Deadline(min(deadline.at, deadline.clock() + self._seconds), deadline.clock, deadline.interest)
        work = self._pool.submit(self._fetch, url, until)
        woken = Event()
        work.add_done_callback(lambda _: woken.set())
        with deadline.interest.when_lost(woken.set):
            woken.wait(max(until.remaining_s(), 0))
        try:
            return work.result(timeout=0)
        except UrlFetchFailedError:
            deadline.check()
            raise
        except TimeoutError as error:
            work.cancel()
            deadline.check()
            raise UrlFetchFailedError("the site took too long") from error

    def close(self) -> None:
        """Give back what is held; fetches that have begun end within their time."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, url: str, until: Deadline) -> FetchedPage:
        for _ in range(MAX_REDIRECTS + 1):
            parts = self._session.checked(url)
            self._robots.check(parts, until)
            with self._session.open(parts.geturl(), until) as answer:
                if answer.location is None:
                    return _page(answer)
                url = answer.location
        raise UrlRefusedError(f"The site redirects more than {MAX_REDIRECTS} times: give the address where the page is.")

    def _read_robots(self, site: str, until: Deadline) -> str:
        """What the site's robots.txt holds; nothing where it has none (RFC 9309, section 2.3.1).

        Raises: UrlNotAllowedError, UrlFetchFailedError.
        """
        url = f"{site}/robots.txt"
        for _ in range(MAX_REDIRECTS + 1):
            with self._session.open(url, until) as answer:
                if answer.location is None:
                    return _robots_text(answer)
                url = answer.location
        return ""


def _robots_text(answer: Answer) -> str:
    if _is_ok(answer.status):
        return answer.read(MAX_ROBOTS_BYTES, cut=True).decode("utf-8-sig", "replace")
    if _is_refusal(answer.status):
        return ""
    raise UrlFetchFailedError(f"robots.txt was answered with status {answer.status}")


def _page(answer: Answer) -> FetchedPage:
    if _is_refusal(answer.status):
        raise UrlRefusedError(f"The site answers with status {answer.status}: there is no such page, or not for everyone.")
    if not _is_ok(answer.status):
        raise UrlFetchFailedError(f"the page was answered with status {answer.status}")
    html = answer.media_type in _HTML
    if not html and answer.media_type != "text/plain":
        raise UrlNotAnArticleError("What is at the address is neither an HTML page nor plain text.")
    try:
        text = decode(answer.read(MAX_PAGE_BYTES), answer.content_type, html=html)
    except TooManyBytesError as error:
        raise UrlNotAnArticleError(f"The page has more than {MAX_PAGE_BYTES:,} bytes.") from error
    except UnknownCharsetError as error:
        raise UrlNotAnArticleError(
            "The page is not UTF-8, and names no character encoding that is read here: send its words as /article/text."
        ) from error
    return FetchedPage(answer.url, text, html)


def _is_ok(status: int) -> bool:
    return status == 200  # noqa: PLR2004 - OK; of the other 2xx none comes with a whole page


def _is_refusal(status: int) -> bool:
    return 400 <= status < 500 and status not in _TRY_LATER  # noqa: PLR2004 - the class of RFC 9110
