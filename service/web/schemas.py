"""What `POST /analyze` takes, as marshmallow schemas that coerce nothing and list every fault."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Range

from service.domain import ArticleInput, Options
from service.errors import ArticleTooLongError, Fault, InvalidRequestError
from service.export.json_answer import Origin
from service.text.page import read_page
from service.web.checks import LANGUAGE, MOMENT, PRINTABLE, at_most, check_language, check_moment, check_text, check_url
from service.web.fields import Boolean, Integer, Number, String

MAX_TITLE_CHARS = 500
MAX_AUTHOR_CHARS = 300
MAX_URL_CHARS = 2_000
MAX_PROMPT_CHARS = 200
MAX_CLAIMS = 200
MAX_FAULTS = 50

_FIELD_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,60}")

_UNKNOWN = "There is no such field: remove it, or correct its name."
_NO_ARTICLE = 'There must be an object here, with the words of the article as its "text".'
_NO_TEXT = "The article's words are missing: put them here as a string."


@dataclass(frozen=True)
class AnalyzeRequest:
    """A request that can be taken. `prompt` None means the active one; `deadline_s` None means the service's own.

    With `store` the answer is to be stored, to be read again later.

    `previous` is the seal of the earlier answer that came with it, empty where that has none.
    `page_url` is where the article is to be fetched from: until then it has no text. `origin` tells where it was fetched.
    """

    article: ArticleInput
    options: Options = field(default_factory=Options)
    prompt: str | None = None
    deadline_s: float | None = None
    return_text: bool = False
    previous: str | None = None
    page_url: str | None = None
    origin: Origin | None = None
    store: bool = False


class _StrictSchema(Schema):
    error_messages = {"unknown": _UNKNOWN, "type": "This must be a JSON object."}  # noqa: RUF012 - declared by marshmallow


def _told(description: str, **keywords: Any) -> dict[str, Any]:
    """What the API's description says of a field: its meaning, and in JSON Schema what its validators hold it to."""
    return {"description": description, **keywords}


def _words(description: str, max_chars: int) -> dict[str, Any]:
    return _told(description, maxLength=max_chars, pattern=PRINTABLE)


class _ArticleSchema(_StrictSchema):
    fetched: ClassVar[bool] = False
    """Whether an address is enough."""

    text = String(validate=check_text, metadata=_told("The article's words. All offsets refer to them.", pattern=PRINTABLE))
    html = String(metadata=_told("The HTML page the article stands on, instead of its words; its main text is taken."))
    title = String(
        load_default=None,
        validate=[at_most(MAX_TITLE_CHARS), check_text],
        metadata=_words("Its headline.", MAX_TITLE_CHARS),
    )
    author = String(
        load_default=None,
        validate=[at_most(MAX_AUTHOR_CHARS), check_text],
        metadata=_words("Who wrote it.", MAX_AUTHOR_CHARS),
    )
    url = String(
        load_default=None,
        validate=[at_most(MAX_URL_CHARS), check_url],
        metadata=_told(
            "Where it was published, an http or https address.",
            maxLength=MAX_URL_CHARS,
            format="uri",
            pattern="^[Hh][Tt][Tt][Pp][Ss]?://",
        ),
    )
    published_at = String(
        load_default=None,
        validate=check_moment,
        metadata=_told(
            "When it was published, an ISO 8601 date or date and time.", pattern=f"^{MOMENT.pattern}$", examples=["2026-01-31"]
        ),
    )
    language = String(
        load_default=None,
        validate=check_language,
        metadata=_told(
            "Its language, a BCP 47 tag that begins in lower case; told from its words when left out.",
            pattern=f"^{LANGUAGE.pattern}$",
        ),
    )

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
            if self.fetched:
                return
            told = "This service does not fetch articles by their address: send the words as /article/text as well."
            raise ValidationError(told, "url")
        raise ValidationError(_NO_TEXT, "text")


class _OptionsSchema(_StrictSchema):
    max_claims = Integer(
        load_default=None,
        validate=Range(1, MAX_CLAIMS, error=f"This must be a whole number from 1 to {MAX_CLAIMS}."),
        metadata=_told("At most so many claims, the most check-worthy; null for all."),
    )
    min_check_worthiness = Number(
        load_default=0.0,
        validate=Range(0, 1, error="This must be a number from 0 to 1."),
        metadata=_told("Only claims at least this worth checking."),
    )
    allow_partial = Boolean(
        load_default=False, metadata=_told("Whether an answer may leave out passages that could not be read.")
    )
    deadline_s = Number(
        load_default=None,
        validate=Range(0, min_inclusive=False, error="This must be a number of seconds greater than 0."),
        metadata=_told("At most so many seconds; never more than the service's own limit.", exclusiveMinimum=0),
    )
    return_text = Boolean(load_default=False, metadata=_told("Whether the answer holds the text that its offsets refer to."))
    store = Boolean(
        load_default=False,
        metadata=_told("Whether the answer is stored, for `GET /analyses/{key}`; only where this service does that."),
    )


class _PreviousSchema(_StrictSchema):
    """Of an earlier answer only its seal is read: whatever else is in it could have been written by anyone."""

    class Meta:
        unknown = EXCLUDE

    seal = String(load_default="", metadata=_told("The seal of the earlier answer."))


class AnalyzeSchema(_StrictSchema):
    """The JSON body of `POST /analyze`."""

    article = fields.Nested(_ArticleSchema, required=True, error_messages={"required": _NO_ARTICLE, "null": _NO_ARTICLE})
    prompt = String(
        load_default=None,
        validate=at_most(MAX_PROMPT_CHARS),
        metadata=_told("The prompt to ask with, one of /prompts; the active one when left out.", maxLength=MAX_PROMPT_CHARS),
    )
    options = fields.Nested(_OptionsSchema, load_default=None)
    previous = fields.Nested(_PreviousSchema, load_default=None)


class _FetchedArticleSchema(_ArticleSchema):
    fetched = True


class _FetchingSchema(AnalyzeSchema):
    article = fields.Nested(_FetchedArticleSchema, required=True, error_messages={"required": _NO_ARTICLE, "null": _NO_ARTICLE})


_SCHEMA, _FETCHING_SCHEMA = AnalyzeSchema(), _FetchingSchema()


def load_request(document: Any, max_article_chars: int, *, fetch_urls: bool = False) -> AnalyzeRequest:
    """The request that a JSON document makes; with `fetch_urls`, an article's address does for its words.

    Raises: InvalidRequestError with every fault, ArticleTooLongError.
    """
    try:
        loaded = (_FETCHING_SCHEMA if fetch_urls else _SCHEMA).load(document)
    except ValidationError as error:
        raise refusal(list(_faults(error.messages, ""))) from error
    given = dict(loaded["article"])
    page = given.pop("html", None)
    page_url = given["url"] if page is None and "text" not in given else None
    if page_url is not None:
        given["text"] = ""
    article = article_of_page(page, **given) if page is not None else ArticleInput(**given)
    check_length(article.text, max_article_chars)
    options = dict(loaded["options"] or {})
    deadline_s, return_text = options.pop("deadline_s", None), options.pop("return_text", False)
    store = options.pop("store", False)
    # Who sends a page cannot know the text that offsets refer to.
    return_text = return_text or page is not None or page_url is not None
    previous = loaded["previous"] and loaded["previous"]["seal"]
    asked = AnalyzeRequest(article, Options(**options), loaded["prompt"], deadline_s, return_text, previous, page_url)
    return replace(asked, store=store)


def article_of_page(html: str, **given: str | None) -> ArticleInput:
    """The article on an HTML page; what the caller says of it wins over what the page says.

    Raises: UnreadablePageError.
    """
    page = read_page(html)
    told = {
        "title": page.title,
        "author": page.author,
        "url": page.url,
        "published_at": page.published_at,
        "language": page.language,
    }
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
