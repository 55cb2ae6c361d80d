"""Which language an article is written in."""

from functools import cache
from threading import Lock
from typing import Protocol

UNDETERMINED = "und"
"""What ISO 639-2 writes for a language that cannot be told."""

_READ_CHARS = 1_000  # time grows with it, and 693 articles in three languages were told apart by half of this
_FEWEST_LETTERS = 20
_LOADING = Lock()


class _Classifier(Protocol):
    def __call__(self, text: str, /) -> tuple[str, float]: ...


def detect(text: str) -> str:
    """The ISO 639-1 code of the language that the first 1,000 characters are in; "und" below 20 letters."""
    sample = text[:_READ_CHARS]
    if sum(map(str.isalpha, sample)) < _FEWEST_LETTERS:
        return UNDETERMINED
    with _LOADING:  # requests that come first together must not each load a model of their own
        classify = _loaded()
    return classify(sample)[0]


def prepare() -> None:
    """Nothing: the classifier is loaded, so that no request waits for it or finds that it cannot be.

    Raises: OSError when the temporary folder has no room for its 65 MB.
    """
    with _LOADING:
        _loaded()


@cache
def _loaded() -> _Classifier:
    # It brings numpy and its model, near 100 MB: a command that analyses nothing never pays for them.
    from py3langid import classify  # noqa: PLC0415 - loaded at first use, see above

    classify("")
    return classify  # type: ignore[no-any-return]
