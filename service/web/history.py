"""Analyses stored because their callers asked for it, each to be read again at an address that nobody can guess."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe

from service.codec import Codec, CodecError, canonical
from service.domain import Analysis
from service.export.json_answer import Origin
from service.history_errors import AnalysisNotFoundError, HistoryUnavailableError
from service.store.base import Shelf, Store, StoreError

_KEY_BYTES = 24
_KEY = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True)
class Stored:
    """An analysis as it was answered, and where its article was fetched, if it was."""

    analysis: Analysis
    origin: Origin | None = None


_STORED = Codec(Stored, grown=True)


@dataclass(frozen=True)
class History:
    """The stored analyses. What goes wrong with `store` is told: an address is only given out where something can be read.

    The key of an analysis is 192 random bits. What is stored is found by a hash of key and tenant, so neither who can see
    the names in the store nor another tenant can read it by them.
    """

    store: Store
    ttl_s: float

    def keep(self, stored: Stored, tenant: str = "") -> str:
        """The key by which `stored` can be read for `ttl_s` seconds.

        Raises: HistoryUnavailableError, also when there is no room for it.
        """
        key = token_urlsafe(_KEY_BYTES)
        place, text = _place(key, tenant), _STORED.dump(stored)
        with _told():
            self.store.put(Shelf.HISTORY, place, text, self.ttl_s)
            kept = self.store.get(Shelf.HISTORY, place)
        if kept != text:
            raise HistoryUnavailableError("there is no room for an analysis of this size")
        return key

    def find(self, key: str, tenant: str = "") -> Stored:
        """The analysis of that key.

        Raises: AnalysisNotFoundError, HistoryUnavailableError.
        """
        try:
            return _STORED.load(self._text(key, tenant))
        except CodecError as error:
            raise AnalysisNotFoundError("What is stored here was written by another version of this service.") from error

    def remove(self, key: str, tenant: str = "") -> None:
        """Nothing; the analysis of that key is gone.

        Raises: AnalysisNotFoundError when there was none, HistoryUnavailableError.
        """
        text = self._text(key, tenant)
        with _told():
            self.store.remove(Shelf.HISTORY, _place(key, tenant), text)

    def _text(self, key: str, tenant: str) -> str:
        text = None
        if _KEY.fullmatch(key):
            with _told():
                text = self.store.get(Shelf.HISTORY, _place(key, tenant))
        if text is None:
            raise AnalysisNotFoundError("No analysis is stored at this address: it was deleted, or its time is over.")
        return text


def _place(key: str, tenant: str) -> str:
    return sha256(canonical([tenant, key]).encode()).hexdigest()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise HistoryUnavailableError(str(error)) from error
