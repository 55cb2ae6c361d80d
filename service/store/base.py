"""What the rest of the service needs of a place to keep texts, wherever that is."""

from enum import StrEnum
from typing import ClassVar, Protocol


class Shelf(StrEnum):
    """What a text is kept as: an analysis, the saved reply of a request, or the mark of one that is being worked on.

    `HISTORY` has the analyses that their callers wanted stored.
    """

    ANSWERS = "answers"
    REPLIES = "replies"
    FLIGHTS = "flights"
    HISTORY = "history"


class StoreError(Exception):
    """The place cannot be used now. The message is one of ours: it quotes no key, no text and no path."""


class StoreBusyError(StoreError):
    """Others are using it; the next try may succeed."""


class Store(Protocol):
    """Texts under keys, each until its time is over or room is needed.

    No call waits for much longer than a tenth of a second. Keys are hashes and hold nothing of an article.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes see what is kept."""

    def get(self, shelf: Shelf, key: str) -> str | None:
        """The text kept under `key`, or None.

        Raises: StoreError.
        """

    def put(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> None:
        """Keep `text` for `ttl_s` seconds, in place of what was there; a text too large for the place is not kept.

        Raises: StoreError.
        """

    def claim(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> str | None:
        """None when `text` is what is kept under `key` now, else the text that was there before and still is.

        Raises: StoreError.
        """

    def swap(self, shelf: Shelf, key: str, old: str, new: str, ttl_s: float) -> None:
        """Keep `new` for `ttl_s` seconds where `old` is kept; change nothing where it is not.

        Raises: StoreError.
        """

    def remove(self, shelf: Shelf, key: str, old: str) -> None:
        """Keep nothing where `old` is kept; change nothing where it is not.

        Raises: StoreError.
        """

    def ready(self) -> str | None:
        """None when it can be used now, else a short reason for `/readyz`."""

    def close(self) -> None:
        """Give back what is held; what is kept stays."""


class NoStore:
    """Keeps nothing: every claim is granted and every look finds nothing."""

    shared: ClassVar[bool] = False

    def get(self, _shelf: Shelf, _key: str) -> str | None:
        """None."""
        return None

    def put(self, _shelf: Shelf, _key: str, _text: str, _ttl_s: float) -> None:
        """Nothing."""

    def claim(self, _shelf: Shelf, _key: str, _text: str, _ttl_s: float) -> str | None:
        """None: whoever asks may go on."""
        return None

    def swap(self, _shelf: Shelf, _key: str, _old: str, _new: str, _ttl_s: float) -> None:
        """Nothing."""

    def remove(self, _shelf: Shelf, _key: str, _old: str) -> None:
        """Nothing."""

    def ready(self) -> str | None:
        """None: it never fails."""
        return None

    def close(self) -> None:
        """Nothing."""
