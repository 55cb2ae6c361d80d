"""The page's HTML, from the templates beside this module. Everything put into them is escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.domain import StanceLabel
from service.export.formats import FORMATS
from service.prompting import Prompt
from service.web.room.assets import Assets
from service.web.room.forms import Given
from service.web.room.shown import Shown
from service.web.room.versus import Versus
from service.web.schemas import MAX_CLAIMS

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FORMAT_WORDS = {
    "json": "JSON",
    "html": "A page to keep",
    "markdown": "Markdown",
    "csv": "A table (CSV)",
    "jsonl": "JSON lines",
    "annotation": "Web annotations",
}
SIGNS = {StanceLabel.SUPPORTS: "+", StanceLabel.REFUTES: "−", StanceLabel.DISCUSSES: "?"}
SHORTCUTS = (
    ("j", "the next claim"),
    ("k", "the claim before"),
    ("o", "its words in the article"),
    ("c", "copy it with its citation"),
    ("f", "filter the claims"),
    ("m", "who stands where"),
    ("e", "export"),
    ("r", "mark it as right"),
    ("w", "mark it as wrong"),
    ("x", "correct who says it, or the article's stance"),
    ("a", "mark the words you selected as a missing claim"),
    ("n", "a new article"),
    ("?", "these keys"),
    ("Esc", "stop reading; let go of the claim"),
)


@dataclass(frozen=True)
class FormatOffered:
    """A form of an answer and our words for it."""

    name: str
    words: str


OFFERED = tuple(FormatOffered(name, FORMAT_WORDS[name]) for name in ("json", *(form.name for form in FORMATS)))


@dataclass(frozen=True)
class Asked:
    """A model that is asked: its name and its endpoint's host."""

    name: str
    endpoint: str


@dataclass(frozen=True)
class Offer:
    """What the form lets people choose, as this service is set up. `usual` is the prompt used where none is chosen."""

    prompts: Sequence[Prompt]
    usual: str
    models: Sequence[Asked]
    fetch_urls: bool
    history: bool
    keyed: bool


class Pages:
    """Writes the page."""

    def __init__(self, assets: Assets) -> None:
        self._jinja = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=False,
        )
        self._jinja.globals |= {
            "asset": assets.address,
            "modules": sorted(name for name in assets.files if name.endswith(".js")),
            "formats": OFFERED,
            "shortcuts": SHORTCUTS,
            "signs": SIGNS,
            "max_claims": MAX_CLAIMS,
        }

    def whole(self, offer: Offer, given: Given, shown: Shown | None = None, problem: Mapping[str, Any] | None = None) -> str:
        """The page: the form, and above it what came of it."""
        return self._jinja.get_template("index.html").render(
            {name: getattr(offer, name) for name in Offer.__dataclass_fields__}, given=given, shown=shown, problem=problem
        )

    def result(self, shown: Shown) -> str:
        """The part of the page that shows one analysis."""
        return self._jinja.get_template("result.html").render(shown=shown)

    def comparison(self, versus: Versus) -> str:
        """The part of the page that shows two analyses beside each other."""
        return self._jinja.get_template("compare.html").render(versus=versus)
