"""How the HTML page looks, as one constant: its hash is what the page's content security policy lets in.

Colour never speaks alone: what the article does to a claim is also the pattern of the line under its words and a word in
the list. Text has a contrast of at least 4.5 to 1 on what it stands on, in both palettes.
"""

LINKED_CLAIMS = 100
"""So many claims and their words light one another up under the pointer; the links work for any number."""

LIGHT = {
    "page": "#f6f5f1",
    "sheet": "#ffffff",
    "ink": "#1c1d20",
    "soft": "#5a5c63",
    "rule": "#d9d7cf",
    "link": "#0b57a4",
    "supports": "#0f6b4f",
    "supports-wash": "#dcf1e6",
    "refutes": "#a92f16",
    "refutes-wash": "#fbe3da",
    "discusses": "#3d50a6",
    "discusses-wash": "#e3e8fa",
    "unknown": "#5a5c63",
    "unknown-wash": "#ececec",
    "lit": "#fff0a8",
    "lit-ink": "#1c1d20",
    "warn": "#6b4a00",
    "warn-wash": "#fff3d1",
}
DARK = {
    "page": "#16171a",
    "sheet": "#1f2125",
    "ink": "#e9e8e4",
    "soft": "#a9abb3",
    "rule": "#3a3d44",
    "link": "#8ec1ff",
    "supports": "#6fd3ac",
    "supports-wash": "#173a2e",
    "refutes": "#ff9f85",
    "refutes-wash": "#4a2219",
    "discusses": "#aebbff",
    "discusses-wash": "#272f56",
    "unknown": "#a9abb3",
    "unknown-wash": "#33353b",
    "lit": "#5c4d00",
    "lit-ink": "#fffbe6",
    "warn": "#ffd98a",
    "warn-wash": "#3b2e0c",
}
_STANCES = ("supports", "refutes", "discusses", "unknown")


def _palette(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def _lit() -> str:
    """Rules that light up a claim's words under the pointer on the claim, and the other way round."""
    ranks = range(1, LINKED_CLAIMS + 1)
    words = ",".join(f"body:has(#c{rank}:is(:hover,:target),#q{rank}:target) .c{rank}" for rank in ranks)
    cards = ",".join(f"body:has(mark.c{rank}:hover,#q{rank}:is(:hover,:target)) #c{rank}" for rank in ranks)
    return f"{words}{{background:var(--lit);color:var(--lit-ink)}}\n{cards}{{outline:2px solid var(--own);outline-offset:-1px}}"


_OWN_COLOURS = "\n".join(f".s-{name}{{--own:var(--{name});--wash:var(--{name}-wash)}}" for name in _STANCES)

STYLE = f"""
:root{{color-scheme:light dark;{_palette(LIGHT)}}}
@media (prefers-color-scheme:dark){{:root{{{_palette(DARK)}}}}}
{_OWN_COLOURS}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}}
a{{color:var(--link)}}
a:focus-visible,summary:focus-visible{{outline:3px solid var(--link);outline-offset:2px}}
header,main,footer{{max-width:76rem;margin:0 auto;padding:0 1.5rem}}
header{{padding-top:2.5rem}}
h1,#article-text,blockquote{{font-family:Georgia,"Noto Serif","Times New Roman",serif}}
h1{{font-size:clamp(1.6rem,1.2rem + 2vw,2.4rem);line-height:1.2;margin:.1em 0 .4em;max-width:24em;text-wrap:balance}}
h2{{font-size:1.05rem;margin:0 0 .75rem}}
.kicker{{margin:0;color:var(--soft);font-size:.8rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase}}
.facts{{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;list-style:none;margin:0 0 .8rem;padding:0;
color:var(--soft);font-size:.9rem}}
.caution{{margin:0 0 1rem;max-width:44rem;font-size:.95rem}}
.warnings{{max-width:60rem;margin:0 0 1rem;padding:.8rem 1rem;border-inline-start:4px solid var(--warn);
background:var(--warn-wash)}}
.warnings h2{{color:var(--warn);margin:0 0 .3rem}}
.warnings ul{{margin:0;padding-inline-start:1.2rem}}
.changes{{max-width:60rem;margin:0 0 1rem}}
.changes h3{{font-size:1rem;margin:.5rem 0 .2rem}}
.changes ul{{margin:0;padding-inline-start:1.2rem}}
nav{{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:.6rem 0;border-block:1px solid var(--rule);font-size:.9rem}}
main{{display:grid;grid-template-columns:minmax(0,1fr) minmax(20rem,26rem);gap:2rem;align-items:start;padding-block:1.5rem}}
#article{{min-width:0;padding:1.5rem clamp(1rem,3vw,2.5rem) 2rem;background:var(--sheet);
border:1px solid var(--rule);border-radius:6px}}
#article-text{{font-size:1.125rem;line-height:1.75;max-width:38em}}
#article-text p{{margin:0 0 1em;white-space:pre-wrap}}
.legend{{margin:0 0 1.4rem;padding:0 0 .9rem;border-bottom:1px solid var(--rule);color:var(--soft);font-size:.85rem}}
.legend p{{margin:0}}
.legend ul{{display:flex;flex-wrap:wrap;gap:.1rem 1.4rem;list-style:none;margin:.3rem 0 0;padding:0}}
mark{{padding:.12em 0;background:var(--wash);color:inherit}}
mark.d2{{background:color-mix(in srgb,var(--own) 16%,var(--wash))}}
mark.d3{{background:color-mix(in srgb,var(--own) 28%,var(--wash))}}
.unread{{color:var(--soft);background:repeating-linear-gradient(135deg,transparent 0 .5em,var(--rule) .5em .6em)}}
mark,.key{{text-decoration:underline 2px var(--own);text-underline-offset:.22em;text-decoration-skip-ink:none}}
.s-refutes:is(mark,.key){{text-decoration-style:wavy;text-decoration-thickness:1.5px}}
.s-discusses:is(mark,.key){{text-decoration-style:dotted;text-decoration-thickness:3px}}
.s-unknown:is(mark,.key){{text-decoration-style:dashed}}
.key{{color:var(--own);font-weight:600;margin-inline-end:.3em}}
.n{{display:inline-block;min-width:1.6em;padding:0 .35em;border-radius:.8em;background:var(--own);color:var(--sheet);
font:700 .8125rem/1.6em system-ui,sans-serif;text-align:center;text-decoration:none;white-space:nowrap}}
.n::before{{content:attr(data-n)}}
#article-text .n{{display:inline;margin-inline-end:.3em;padding:.15em .5em;font-size:.75rem;line-height:1;
vertical-align:.12em}}
[id]{{scroll-margin-top:1rem}}
.at:target+:not(.at),.at:target+.at+:not(.at),.at:target+.at+.at+:not(.at){{background:var(--lit);color:var(--lit-ink)}}
#claims{{position:sticky;top:0;max-height:100vh;overflow-y:auto;padding:.2rem .3rem 1rem;scrollbar-width:thin}}
.cards{{list-style:none;margin:0;padding:0;display:grid;gap:.9rem}}
.card{{padding:.9rem 1rem;background:var(--sheet);border:1px solid var(--rule);
border-inline-start:4px solid var(--own);border-radius:6px}}
h3{{display:flex;gap:.6rem;align-items:baseline;margin:0;font-size:1rem;line-height:1.4}}
h3 .n{{flex:none}}
.worth{{display:flex;flex-wrap:wrap;gap:.1rem .45rem;align-items:center;margin:.5rem 0 0;color:var(--soft);font-size:.85rem}}
.worth b{{color:var(--ink)}}
.kind{{margin-inline-start:auto;padding:0 .5em;border:1px solid var(--rule);border-radius:1em}}
.bar{{width:5.5rem;height:.5rem;border-radius:.25rem;background:var(--rule);fill:var(--ink)}}
.why{{margin:.35rem 0 0;color:var(--soft);font-size:.9rem}}
blockquote{{margin:.7rem 0;padding-inline-start:.8rem;border-inline-start:2px solid var(--rule);white-space:pre-line}}
dl{{margin:0;font-size:.9rem}}
dt{{color:var(--soft);font-size:.8rem}}
dd{{margin:0 0 .45rem}}
dd ul{{list-style:none;margin:0;padding:0}}
dd li{{margin:.2rem 0}}
.chip{{padding:.05em .5em;border:1px solid;border-radius:1em;background:var(--wash);color:var(--own);
font-size:.8rem;font-weight:600}}
q{{font-family:Georgia,"Noto Serif",serif;font-style:italic}}
.where{{font-size:.8rem;white-space:nowrap}}
footer{{padding-bottom:3rem;font-size:.9rem}}
footer section{{padding-top:1.2rem;border-top:1px solid var(--rule);margin-top:.5rem}}
footer ul{{padding-inline-start:1.2rem}}
footer small{{color:var(--soft)}}
.provenance{{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:.4rem 1.5rem}}
@media (max-width:60rem){{
main{{grid-template-columns:minmax(0,1fr)}}
#claims{{position:static;max-height:none;overflow:visible;padding:0}}
}}
@media (max-width:40rem){{
header,main,footer{{padding-inline:1rem}}
header{{padding-top:1.25rem}}
#article-text{{font-size:1.0625rem;line-height:1.7}}
}}
@media (prefers-reduced-motion:no-preference){{html,#claims{{scroll-behavior:smooth}}}}
{_lit()}
@media print{{
:root{{{_palette(LIGHT)}--page:#fff}}
body{{font-size:10pt}}
main{{display:block}}
nav,.where{{display:none}}
#article{{padding:0;border:0}}
#article-text{{max-width:none;font-size:11pt;line-height:1.6}}
h2,h3{{break-after:avoid}}
#claims{{position:static;max-height:none;overflow:visible;padding-top:1rem}}
.card{{break-inside:avoid}}
mark,.n,.chip,.warnings{{print-color-adjust:exact}}
}}
"""
