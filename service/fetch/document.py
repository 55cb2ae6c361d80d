"""A document at an address that the operator chose, fetched in bounded time and size."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from service.deadline import Deadline
from service.fetch.safe_session import EVERYWHERE, Reach, SafeSession, TooManyBytesError
from service.url_errors import UrlFetchFailedError, UrlNotAllowedError

MAX_BYTES: Final = 500_000
SECONDS: Final = 5.0

_OK = 200
_DEFAULT_PORTS = {"http": 80, "https": 443}


class OperatorDocument:
    """The JSON at `url`, wherever in the operator's network that is. Redirects, proxies and cookies are not followed or kept.

    `authorities` is a file of certificate authorities to believe instead of the usual ones.
    """

    def __init__(self, url: str, user_agent: str, authorities: Path | None = None, *, seconds: float = SECONDS) -> None:
        parts = urlsplit(url)
        reach = Reach(frozenset({parts.port or _DEFAULT_PORTS[parts.scheme]}), EVERYWHERE)
        self._url = url
        self._seconds = seconds
        self._session = SafeSession(user_agent, reach, accept="application/json", authorities=authorities)

    def fetch(self) -> bytes:
        """What is there now.

        Raises: UrlFetchFailedError.
        """
        try:
            with self._session.open(self._url, Deadline.after(self._seconds)) as answer:
                if answer.status != _OK:
                    raise UrlFetchFailedError(f"it was answered with status {answer.status}")
                return answer.read(MAX_BYTES)
        except UrlNotAllowedError as error:
            raise UrlFetchFailedError("its server is not known") from error
        except TooManyBytesError as error:
            raise UrlFetchFailedError(f"it has more than {MAX_BYTES:,} bytes") from error
