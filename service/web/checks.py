"""What a single value of a request must be; each check says what to change."""

import re
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NOT_IN_URL = re.compile(r"[\s\x00-\x20\x7f\ud800-\udfff]")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,5}")
MOMENT = re.compile(r"[0-9W-]{7,10}([T ][0-9:.,]+(Z|[+-][0-9:]+)?)?")
PRINTABLE = r"^[^\S\x0b\x0c\x1c-\x1f]*[^\s\x00-\x1f][^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
"""What `check_text` takes, as a regular expression of ECMA-262."""


def check_text(text: str) -> None:
    """Nothing, when every character of `text` can be analysed and counted.

    Raises: marshmallow's ValidationError with what to change and the code-point offset of the first bad character.
    """
    if not text.strip():
        raise ValidationError("This is blank: put words here.")
    if found := _CONTROL.search(text):
        raise ValidationError(
            f"There is a control character (U+{ord(found[0]):04X}) at offset {found.start()}: "
            "remove it; of these only tab, line feed and carriage return are taken."
        )
    if found := _SURROGATE.search(text):
        raise ValidationError(
            f"There is half of a surrogate pair (U+{ord(found[0]):04X}) at offset {found.start()}: "
            "send the whole character, or remove it."
        )


def at_most(chars: int) -> Any:
    """A check that a text has at most `chars` characters."""

    def check(text: str) -> None:
        if len(text) > chars:
            raise ValidationError(f"This has {len(text)} characters: shorten it to at most {chars}.")

    return check


def check_url(url: str) -> None:
    """Nothing, when `url` is a whole web address.

    Raises: marshmallow's ValidationError.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and not parts.password
        _ = parts.port
    except ValueError:
        sound = False
    if not sound or _NOT_IN_URL.search(url):
        raise ValidationError("This must be a whole http or https address, without spaces, user name or password.")


def check_language(language: str) -> None:
    """Nothing, when `language` is a language tag.

    Raises: marshmallow's ValidationError.
    """
    if not LANGUAGE.fullmatch(language):
        raise ValidationError('This must be a BCP 47 language tag that begins in lower case, such as "en" or "pt-BR".')


def check_moment(moment: str) -> None:
    """Nothing, when `moment` is a date, or a date and time.

    Raises: marshmallow's ValidationError.
    """
    try:
        if MOMENT.fullmatch(moment):
            _ = datetime.fromisoformat(moment) if len(moment) > len("2026-01-31") else date.fromisoformat(moment)
            return
    except ValueError:
        pass  # told below, together with what only looks like a date
    raise ValidationError('This must be an ISO 8601 date or date and time, such as "2026-01-31" or "2026-01-31T09:30:00Z".')
