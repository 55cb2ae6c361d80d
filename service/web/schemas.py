"""What `POST /analyze` takes, as marshmallow schemas that coerce nothing and list every fault."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Range

from service.domain import ArticleInput, Options
from service.errors import ArticleTooLongError, Fault, InvalidRequestError
from service.text.page import read_page
from service.web.fields import boolean, integer, number, string

MAX_TITLE_CHARS = 500
MAX_URL_CHARS = 2_000
MAX_PROMPT_CHARS = 200
MAX_CLAIMS = 200
MAX_FAULTS = 50

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NOT_IN_URL = re.compile(r"[\s\x00-\x20\x7f\ud800-\udfff]")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,5}")
_MOMENT = re.compile(r"[0-9W-]{7,10}([T ][0-9:.,]+(Z|[+-][0-9:]+)?)?")
_FIELD_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,60}")
_UNKNOWN = "There is no such field: remove it, or correct its name."
_NO_ARTICLE = 'There must be an object here, with the words of the article as its "text".'
_NO_TEXT = "The article's words are missing: put them here as a string."


@dataclass(frozen=True)
class AnalyzeRequest:
    """A request that can be taken. `prompt` None means the active one; `deadline_s` None means the service's own."""

    article: ArticleInput
    options: Options = field(default_factory=Options)
    prompt: str | None = None
    deadline_s: float | None = None
    return_text: bool = False


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


def _at_most(chars: int) -> Any:
    def check(text: str) -> None:
        if len(text) > chars:
            raise ValidationError(f"This has {len(text)} characters: shorten it to at most {chars}.")

    return check


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and not parts.password
        _ = parts.port
    except ValueError:
        sound = False
    if not sound or _NOT_IN_URL.search(url):
        raise ValidationError("This must be a whole http or https address, without spaces, user name or password.")


def _check_language(language: str) -> None:
    if not _LANGUAGE.fullmatch(language):
        raise ValidationError('This must be a BCP 47 language tag that begins in lower case, such as "en" or "pt-BR".')


def _check_moment(moment: str) -> None:
    try:
        if _MOMENT.fullmatch(moment):
            _ = datetime.fromisoformat(moment) if len(moment) > len("2026-01-31") else date.fromisoformat(moment)
            return
    except ValueError:
        pass  # told below, together with what only looks like a date
    raise ValidationError('This must be an ISO 8601 date or date and time, such as "2026-01-31" or "2026-01-31T09:30:00Z".')


class _StrictSchema(Schema):
    error_messages = {"unknown": _UNKNOWN, "type": "This must be a JSON object."}  # noqa: RUF012 - declared by marshmallow


class _ArticleSchema(_StrictSchema):
    text = string(validate=check_text)
    html = string()
    title = string(load_default=None, validate=[_at_most(MAX_TITLE_CHARS), check_text])
    url = string(load_default=None, validate=[_at_most(MAX_URL_CHARS), _check_url])
    published_at = string(load_default=None, validate=_check_moment)
    language = string(load_default=None, validate=_check_language)

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _has_text(self, _data: Any, original: Any, **_: Any) -> None:
        # What is no object at all has been told as such.
        if not isinstance(original, Mapping):
            return
        if "text" in original and "html" in original:
            raise ValidationError("There is a text already: send the page or its words, not both.", "html")
        if "text" in original or "html" in original:
            return
        if original.get("url") is not None:
            told = "An article is not fetched by its address yet: send its words as /article/text as well."
            raise ValidationError(told, "url")
        raise ValidationError(_NO_TEXT, "text")


class _OptionsSchema(_StrictSchema):
    max_claims = integer(
        load_default=None, validate=Range(1, MAX_CLAIMS, error=f"This must be a whole number from 1 to {MAX_CLAIMS}.")
    )
    min_check_worthiness = number(load_default=0.0, validate=Range(0, 1, error="This must be a number from 0 to 1."))
    allow_partial = boolean(load_default=False)
    deadline_s = number(
        load_default=None,
        validate=Range(0, min_inclusive=False, error="This must be a number of seconds greater than 0."),
    )
    return_text = boolean(load_default=False)


class _AnalyzeSchema(_StrictSchema):
    article = fields.Nested(_ArticleSchema, required=True, error_messages={"required": _NO_ARTICLE, "null": _NO_ARTICLE})
    prompt = string(load_default=None, validate=_at_most(MAX_PROMPT_CHARS))
    options = fields.Nested(_OptionsSchema, load_default=None)


_SCHEMA = _AnalyzeSchema()


def load_request(document: Any, max_article_chars: int) -> AnalyzeRequest:
    """The request that a JSON document makes.

    Raises: InvalidRequestError with every fault, ArticleTooLongError.
    """
    try:
        loaded = _SCHEMA.load(document)
    except ValidationError as error:
        raise refusal(list(_faults(error.messages, ""))) from error
    given = dict(loaded["article"])
    page = given.pop("html", None)
    article = article_of_page(page, **given) if page is not None else ArticleInput(**given)
    check_length(article.text, max_article_chars)
    options = dict(loaded["options"] or {})
    deadline_s, return_text = options.pop("deadline_s", None), options.pop("return_text", False)
    # Who sends a page cannot know the text that offsets refer to.
    return AnalyzeRequest(article, Options(**options), loaded["prompt"], deadline_s, return_text or page is not None)


def article_of_page(html: str, **given: str | None) -> ArticleInput:
    """The article on an HTML page; what the caller says of it wins over what the page says.

    Raises: UnreadablePageError.
    """
    page = read_page(html)
    told = {"title": page.title, "url": page.url, "published_at": page.published_at, "language": page.language}
    return ArticleInput(page.text, **{name: given.get(name) or value for name, value in told.items()})


def check_length(text: str, max_article_chars: int) -> None:
    """Nothing, when `text` is short enough, in code points.

    Raises: ArticleTooLongError.
    """
    if len(text) > max_article_chars:
        raise ArticleTooLongError(f"The article has {len(text)} characters; send at most {max_article_chars} at a time.")


def refusal(faults: Sequence[Fault]) -> InvalidRequestError:
    """The error that lists `faults`; past the first 50 it only tells how many more there are."""
    kept = list(faults[:MAX_FAULTS])
    if len(faults) > MAX_FAULTS:
        kept.append(Fault("", f"There are {len(faults) - MAX_FAULTS} more faults, not listed here."))
    things = "one thing" if len(faults) == 1 else f"{len(faults)} things"
    return InvalidRequestError(f"The request has {things} to change, listed under errors.", kept)


def _faults(messages: Any, pointer: str) -> Iterator[Fault]:
    if not isinstance(messages, Mapping):
        yield from (Fault(pointer, str(told)) for told in messages)
        return
    for name, told in messages.items():
        key = str(name)  # the place in a list comes as a number
        # marshmallow files what concerns a whole object under the same name a field could have.
        if key == "_schema" and told != [_UNKNOWN]:
            yield from _faults(told, pointer)
        elif _FIELD_NAME.fullmatch(key):
            yield from _faults(told, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
        else:
            yield Fault(pointer, "A field of this object has a name that is not known and too odd to repeat: remove it.")
