"""Analyses built by hand for the export tests, each span found in the text by its words.

Run as a program (`python -m tests.export_cases`), it writes the goldens anew: read the difference before keeping it.
"""

from hashlib import sha256
from pathlib import Path

from hypothesis import strategies as st

from service.domain import (
    ARTICLE_HOLDER,
    Analysis,
    AnalysisStatus,
    Article,
    Caveat,
    Claim,
    Claimant,
    Coverage,
    Kind,
    Mode,
    PassageCoverage,
    Quote,
    SetAside,
    SetAsideReason,
    Stance,
    StanceLabel,
    Usage,
)
from service.earlier import Changes, ClaimMemory
from service.export.formats import FORMATS
from service.export.html_page import CONTENT_SECURITY_POLICY
from service.export.html_style import STYLE
from service.provenance import DecidedBy, Decider, ModelProvenance, Provenance
from service.text.offsets import OffsetMap

GOLDEN = Path(__file__).parent / "golden" / "export"
PROVENANCE = Provenance(
    prompt="extract_claims@1#87ff312e9e44",
    schema="claim_list@1#0123456789ab",
    model=ModelProvenance("small-1", "small-1-2026-05", "models.example.org", "json_schema"),
    decided_by=DecidedBy(Decider.MODEL, Decider.MODEL, Decider.MODEL, Decider.MODEL),
    service="0.1.0",
)
USAGE = Usage(calls=2, retries=1, input_tokens=1204, cached_tokens=890, output_tokens=371, duration_ms=2140, cache="miss")


class Words:
    """Finds quotes in one text."""

    def __init__(self, text):
        self._text = text
        self._offsets = OffsetMap(text)

    def __call__(self, words, sentences=(1,)):
        start = self._text.index(words)
        return self.at(start, start + len(words), sentences)

    def at(self, start, end, sentences=(1,)):
        return Quote(self._text[start:end], self._offsets.span(start, end), sentences)


def analysis(article, claims, **changes):
    return Analysis(
        **{
            "id": "an_00112233445566778899aabb",
            "status": AnalysisStatus.COMPLETE,
            "article": article,
            "sentences": 3,
            "claims": tuple(claims),
            "coverage": Coverage(3, 3, (PassageCoverage(0, len(article.text), "0" * 64),)),
            "set_aside": (),
            "provenance": PROVENANCE,
            "usage": USAGE,
            "warnings": (),
            **changes,
        }
    )


def made_claim(name, text, quoted, claimant, *judged):
    """A claim whose quote stands in one place, in the mode that goes with its claimant."""
    return Claim(name, text, quoted, (quoted,), claimant, Mode.INDIRECT if claimant else Mode.OWN_VOICE, *judged)


def article(text, language="en", **known):
    return Article(text, sha256(text.encode()).hexdigest(), language, **known)


def latin():
    """Curly quotes, an en dash, overlapping quotes; evidence that contains a quote; set aside and warned."""
    text = (
        "“Prices rose by 5 % – the most since 1998,” said Ms Hale, the <b>minister</b>.\r\n\r\n"
        "Her ministry’s own figures say 3 %. =SUM(A1) is no figure, *she* added.\r\n"
    )
    words = Words(text)
    hale = Claimant("Ms Hale", words("Ms Hale"), "the minister")
    return analysis(
        article(
            text,
            title="Prices & <i>people</i>",
            url="https://news.example.org/a?b=1&c=2",
            published_at="2026-05-04",
            author="*Ada* <b>Quill</b>",
        ),
        [
            made_claim(
                "c_0a1b2c",
                "Prices rose by 5 %.",
                words("Prices rose by 5 %"),
                hale,
                (
                    Stance("Ms Hale", StanceLabel.SUPPORTS, words("said Ms Hale")),
                    Stance("Her ministry", StanceLabel.REFUTES, words("Her ministry’s own figures say 3 %", (2,))),
                    Stance("article", StanceLabel.DISCUSSES, None),
                ),
                Kind.QUANTITY,
                0.93,
                "A number | that can be looked up",
            ),
            made_claim(
                "c_3d4e5f",
                "The rise in prices is the largest since 1998.",
                words("rose by 5 % – the most since 1998"),
                hale,
                (Stance("article", StanceLabel.REFUTES, None),),
                Kind.EVENT,
                0.71,
                "A comparison",
            ),
            made_claim(
                "c_6a7b8c",
                "The ministry’s figures say 3 %.",
                words("Her ministry’s own figures say 3 %. =SUM(A1) is no figure", (2, 3)),
                None,
                (Stance("article", StanceLabel.SUPPORTS, None),),
                Kind.QUANTITY,
                0.71,
                "",
            ),
        ],
        set_aside=(
            SetAside(SetAsideReason.QUOTE_NOT_FOUND, "Prices fell."),
            SetAside(SetAsideReason.DUPLICATE, "Prices rose by 5 %."),
            SetAside(SetAsideReason.QUOTE_NOT_FOUND, "<script>alert(1)</script>"),
        ),
        warnings=(Caveat("trial_model", "small-1 is a small model for trying the service out."),),
    )


def scripts():
    """Characters outside the first plane, right-to-left and Chinese text; no address, partly read."""
    text = "👩‍🚒🔥 أعلنت الوزارة أن الأسعار ارتفعت 5٪.\n部长说：“价格上涨了五倍。”🎉\nשלום 𝒳."
    words = Words(text)
    return analysis(
        article(text, "ar"),
        [
            made_claim(
                "c_111111",
                "ارتفعت الأسعار 5٪.",
                words("الأسعار ارتفعت 5٪"),
                Claimant("الوزارة", words("الوزارة")),
                (
                    Stance("الوزارة", StanceLabel.SUPPORTS, words("أعلنت الوزارة")),
                    Stance("部长", StanceLabel.DISCUSSES, words("部长说", (2,))),
                    Stance("article", StanceLabel.DISCUSSES, None),
                ),
                Kind.QUANTITY,
                0.5,
                "رقم",
            ),
            made_claim(
                "c_222222",
                "价格上涨了五倍。",
                words("“价格上涨了五倍。”🎉", (2,)),
                Claimant("部长", words("部长", (2,)), "部长"),
                (Stance("article", StanceLabel.SUPPORTS, None),),
                Kind.PREDICTION,
                0.875,
                "五倍很多",
            ),
        ],
        id="an_ffeeddccbbaa998877665544",
        status=AnalysisStatus.PARTIAL,
        coverage=Coverage(
            3, 2, (PassageCoverage(0, 58, "0" * 64), PassageCoverage(58, len(text), "1" * 64, "upstream-truncated"))
        ),
    )


CASES = {"latin": latin(), "scripts": scripts()}


# What a sentence of an article or a model may hold that would be structure in one of the formats.
HOSTILE = (
    "<script>alert(1)</script>",
    "</style></title></textarea>--><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' style='x' javascript:alert(1)",
    "]]>&lt;b&gt;&#106;&amp;",
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(A1)",
    "'=1",
    "\t=1",
    "\r\n# heading\r\n- item\r\n\r\n    code",
    "1. item",
    "- - -",
    "> quote | cell | `code` *em* __strong__ ~~gone~~ \\",
    "[link](javascript:alert(1)) ![image](x) [^1]: <https://x.example> https://x.example www.x.example a@x.example",
    "[x]: https://x.example",
    "{{ template }} {% raw %} ${math}$ :smile: #1 ==lit==",
    "---\n===",
    'a;b,c"d\ne',
    "\u202eright to left\u2066 never closed",
    "\u2028line\u2029s\x85",
    "👩‍👩‍👧‍👦 e\u0301 \u00a0 𝒳",
    "\x00\x01\x1b[31m",
    "",
    " ",
)
strings = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20), st.text("<>&'\"`*_[]()#|=+-.:!1 \n\r\tax", max_size=20))
# The web layer takes no other control characters and no halves of surrogate pairs.
texts = st.one_of(
    st.lists(st.sampled_from([words for words in HOSTILE if not set(words) & set("\x00\x01\x1b")]), max_size=5).map("".join),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), max_size=60),
    st.text("ab \n\r\t<&𝒳", max_size=60),
).filter(str.strip)


@st.composite
def analyses(draw):
    """Any analysis whose spans are right: the strings hostile, the quotes overlapping as they like."""
    text = draw(texts)
    words = Words(text)

    def quote():
        start = draw(st.integers(0, len(text) - 1))
        return words.at(start, draw(st.integers(start + 1, len(text))))

    def claim(number):
        holders = draw(st.lists(strings, max_size=2))
        stances = [Stance(holder, draw(st.sampled_from(StanceLabel)), quote()) for holder in holders]
        own = draw(st.sampled_from([None, *StanceLabel]))
        return made_claim(
            f"c_{number:06x}",
            draw(strings),
            quote(),
            draw(st.none() | st.builds(Claimant, strings, st.just(quote()), st.none() | strings)),
            (*stances, *([Stance(ARTICLE_HOLDER, own, None)] if own else [])),
            draw(st.sampled_from(Kind)),
            draw(st.floats(0, 1)),
            draw(strings),
        )

    maybe = st.none() | strings
    claims = [claim(number) for number in range(draw(st.integers(0, 3)))]
    failed = draw(maybe)
    former = st.lists(st.builds(ClaimMemory, strings, strings, strings), max_size=2).map(tuple)
    ids = tuple(claim.id for claim in claims)
    new, kept = (ids, ()) if draw(st.booleans()) else ((), ids)
    return analysis(
        article(text, draw(strings), title=draw(maybe), url=draw(maybe), published_at=draw(maybe), author=draw(maybe)),
        claims,
        id=draw(strings),
        status=draw(st.sampled_from(AnalysisStatus)),
        coverage=Coverage(3, 2, (PassageCoverage(0, len(text), "0" * 64, failed),)),
        set_aside=tuple(draw(st.lists(st.builds(SetAside, st.sampled_from(SetAsideReason), strings), max_size=2))),
        warnings=tuple(draw(st.lists(st.builds(Caveat, strings, strings), max_size=2))),
        changes=draw(st.none() | st.builds(Changes, strings, st.just(new), former, st.just(kept), former)),
        provenance=draw(
            st.builds(
                Provenance,
                strings,
                strings,
                st.builds(ModelProvenance, strings, st.none() | strings, strings, st.none() | strings),
                st.builds(DecidedBy, *[st.sampled_from(Decider)] * 4),
                strings,
            )
        ),
    )


def without_style(page):
    """An HTML export without its style sheet, which would bury what a golden is about."""
    return page.replace(STYLE, "STYLE").replace(CONTENT_SECURITY_POLICY, "POLICY")


def write_goldens():
    for name, case in CASES.items():
        for exported in FORMATS:
            path = GOLDEN / f"{name}{exported.extension}"
            path.write_bytes(without_style(exported.dump(case)).encode())


if __name__ == "__main__":
    write_goldens()
