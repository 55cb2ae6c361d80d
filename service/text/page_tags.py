"""What each HTML tag and its attributes mean to someone who looks at the page."""

import re
from collections.abc import Mapping

_UNSEEN_TAGS = frozenset(
    "script style template noscript noframes iframe object embed applet svg canvas audio video map select datalist "
    "textarea meter progress rp rt rtc del s strike annotation annotation-xml title".split()
)
_SEEN_AMP_TAGS = frozenset({"amp-accordion", "amp-layout", "amp-fit-text"})
_UNSEEN_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))", re.IGNORECASE)
_UNSEEN_CLASSES = frozenset(
    "sr-only visually-hidden visuallyhidden screen-reader-text screen-reader-only u-visually-hidden mw-editsection".split()
)
_ROLES_AROUND_ARTICLE = frozenset("navigation search menu menubar toolbar complementary contentinfo dialog alertdialog".split())
_AROUND_ARTICLE = frozenset("nav aside footer dialog menu button label legend search".split())
_COPIED_AS = {"figure": "div", "figcaption": "p", "center": "div", "hgroup": "div", "summary": "p", "footer": "div"}
_MAX_ATTRIBUTE = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]")  # a tree takes none of these

BOXES = frozenset(
    "html body article main section div header footer nav aside p h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote pre "
    "table caption thead tbody tfoot tr td th figure figcaption form fieldset legend label button dialog menu details "
    "summary address hgroup center search hr".split()
)
"""Tags whose words stand apart from those before and after; all others only colour words within a line."""
PLAIN = frozenset("b i u em strong span font small big mark code cite abbr sub ins kbd samp var tt bdi bdo img wbr".split())
"""Tags that mean nothing here when they have no attributes."""
FRAMES = frozenset({"html", "body", "main", "article"})
ONE_PARAGRAPH = frozenset("p h1 h2 h3 h4 h5 h6 dt pre address caption".split())
LISTS = frozenset({"ul", "ol", "dl"})
ITEMS = frozenset({"li", "dt", "dd"})
CELLS = frozenset({"td", "th"})
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


def left_out(tag: str, attributes: Mapping[str, str], *, quoted: bool) -> bool:
    """Whether the words in this tag are not on the page, or are no part of an article wherever they stand.

    Not on the page are scripts, fall-backs and what is hidden; what is struck out was withdrawn, and <rt> tells how to
    say the characters before it. No part are menus, footers, dialogs, buttons; but a quotation's footer names its source.
    """
    if tag in _UNSEEN_TAGS or (tag.startswith("amp-") and tag not in _SEEN_AMP_TAGS):
        return True
    if tag in _AROUND_ARTICLE:
        return tag != "footer" or not quoted
    if not attributes or tag in {"html", "body"}:  # many a page is hidden until its scripts have run
        return False
    return (
        "hidden" in attributes
        or (tag not in FRAMES and attributes.get("role", "").strip().lower() in _ROLES_AROUND_ARTICLE)
        or _UNSEEN_STYLE.search(attributes.get("style", "")) is not None
        or not _UNSEEN_CLASSES.isdisjoint(attributes.get("class", "").split())
    )


def copied_as(tag: str, attributes: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The tag and the attributes under which the copy of a page shows this one to who looks for the main text.

    Captions are shown as what they are to a reader, a paragraph: what a picture is said to show is often what is false.
    """
    kept = {
        name: _CONTROL.sub(" ", value[:_MAX_ATTRIBUTE])
        for name in ("class", "id", "itemprop", "role", "aria-hidden")
        # A page saved with its dialog open has its main part marked as hidden from those who hear it.
        if (value := attributes.get(name)) and (name != "aria-hidden" or tag not in FRAMES)
    }
    if tag in {"figure", "figcaption"} or (tag in {"p", "div"} and "caption" in kept.get("class", "")):
        kept = {}
    return _COPIED_AS.get(tag, tag), kept
