"""The warning that an article seems to speak to the model: for people to look at, and without effect on the analysis."""

from service.domain import Article, Caveat
from service.text.injection import suspicions
from service.text.offsets import OffsetMap

INJECTION_SUSPECTED = "injection_suspected"


def suspect(article: Article) -> tuple[Caveat, ...]:
    """A warning with the places that seem meant for a model; none where there are none."""
    found = suspicions(article.text)
    in_title = suspicions(article.title or "")
    if not found and not in_title:
        return ()
    places = f"{len(found)} places" if len(found) > 1 else "a place" if found else "its title"
    kinds = ", ".join(sorted({one.kind for one in (*found, *in_title)}))
    detail = (
        f"The article seems to speak to a language model instead of its readers in {places} ({kinds}). It was analysed all the "
        "same, and what it says can change nothing but which claims are found: read those places before trusting the answer."
    )
    offsets = OffsetMap(article.text)
    return (Caveat(INJECTION_SUSPECTED, detail, tuple(offsets.span(one.start, one.end) for one in found)),)
