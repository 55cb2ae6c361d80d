import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from service.cli.tables import _claimant, aligned, one_line, render_analysis
from tests.examples import examples

UNSAFE = set(map(chr, [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def quote(text, start):
    return {"text": text, "start": start, "end": start + len(text), "start_utf16": start, "end_utf16": 0, "sentences": [1]}


def a_claim(**changes):
    return {
        "id": "c_1",
        "text": "Russia is using Iranian drones.",
        "quote": quote("Russia received drones from Iran and was using them in the conflict", 420),
        "claimant": {"name": "American officials", "role": None, "span": quote("American officials", 380)},
        "stances": [{"holder": "article", "stance": "discusses", "evidence": None}],
        "kind": "event",
        "check_worthiness": 0.93,
        "check_worthiness_reason": "contested",
        **changes,
    }


def an_answer(*claims, **changes):
    answer = {
        "id": "an_1",
        "status": "complete",
        "article": {"sha256": "5d23d1c23963b52b", "language": "en", "title": "Drones over Kiev", "sentences": 15},
        "claims": list(claims),
        "coverage": {"sentences": 15, "read": 15, "passages": []},
        "set_aside": [],
        "provenance": {
            "prompt": "extract_claims@2#87ff312e9e44",
            "schema": "claim_list.v1#7358442aa33b",
            "model": {"asked": "m", "served": "m-2026", "endpoint": "models.example", "response_format": "json_schema"},
            "service": "1.0",
        },
        "usage": {
            "calls": 1,
            "retries": 0,
            "input_tokens": 1204,
            "cached_tokens": 890,
            "output_tokens": 371,
            "duration_ms": 2140,
            "cache": "miss",
        },
        "warnings": [],
    }
    return {**answer, **changes}


def rendered(answer, *, width=80, color=False, text="", encoding="utf-8"):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")
    console = Console(file=file, width=width, force_terminal=color, _environ={"TERM": "xterm"}, highlight=False)
    render_analysis(answer, console, text=text)
    file.flush()
    return raw.getvalue().decode(encoding)


WHOLE = """\
Drones over Kiev
en · 15 sentences · 2 claims · m-2026 at models.example · 2.1 s
! A small model.

  1  █████████░ 0.93  event (contested)
     Russia is using Iranian drones.
     claimant  American officials
     stances   American officials ✚ supports
               Dmitry Peskov ✖ refutes “No, we have no such information. Russian
               hardware is being used. [209:274]
               article ○ discusses
     quote     “Russia received drones from Iran and was using them in the
               conflict” [420:487]

  2  ███░░░░░░░ 0.30  quantity
     28 drones came.
     claimant  article
     stances   article ✚ supports
     quote     the same words [10:25]

set aside  2 quote not found, 1 duplicate
usage      2 calls (1 retry), 1,204 tokens in (890 cached), 371 out, 2,140 ms
prompt     extract_claims@2#87ff312e9e44
"""


def whole_answer():
    first = a_claim(
        stances=[
            {"holder": "American officials", "stance": "supports", "evidence": a_claim()["quote"]},
            {
                "holder": "Dmitry Peskov",
                "stance": "refutes",
                "evidence": quote("“No, we have no such information.\nRussian hardware is being used.", 209),
            },
            {"holder": "article", "stance": "discusses", "evidence": None},
        ]
    )
    second = a_claim(
        text="28 drones came.",
        quote=quote("28 drones\ncame.", 10),
        claimant=None,
        stances=[{"holder": "article", "stance": "supports", "evidence": None}],
        kind="quantity",
        check_worthiness=0.3,
        check_worthiness_reason="",
    )
    answer = an_answer(first, second, warnings=[{"code": "trial_model", "detail": "A small model."}])
    answer["set_aside"] = [{"reason": reason, "text": "x"} for reason in ("duplicate", "quote_not_found", "quote_not_found")]
    answer["usage"] |= {"calls": 2, "retries": 1}
    return answer


def test_an_analysis_reads_like_this_at_eighty_columns():
    assert rendered(whole_answer()) == WHOLE


def test_a_terminal_gets_the_same_words_in_colour():
    coloured = rendered(whole_answer(), color=True)
    assert "\x1b[32m✚ supports" in coloured
    assert "\x1b[31m✖ refutes" in coloured
    assert "\x1b[33mA small model." in coloured
    assert "\x1b[3m“Russia" in coloured


def test_a_wider_page_has_fewer_lines():
    assert rendered(whole_answer(), width=120).count("\n") < WHOLE.count("\n")


def test_a_terminal_without_unicode_gets_plain_signs():
    plain = rendered(whole_answer(), encoding="ascii")
    assert "en - 15 sentences" in plain
    assert "#########. 0.93" in plain
    assert "American officials + supports" in plain
    assert "Dmitry Peskov x refutes" in plain
    assert "article o discusses" in plain


@pytest.mark.parametrize(
    ("article", "text", "expected"),
    [
        pytest.param({"title": "A title"}, "Some text.", "A title", id="the title comes first"),
        pytest.param({}, "\n A headline\nand more", "A headline", id="else the first line of the text"),
        pytest.param({"text": "Returned text"}, "", "Returned text", id="which the answer may hold"),
        pytest.param({}, f"{'word ' * 30}", f"{'word ' * 19}word …", id="cut between words"),
        pytest.param({}, "x" * 150, f"{'x' * 101} …", id="or anywhere when there is no gap"),
        pytest.param({}, "", "article 5d23d1c23963", id="else the hash"),
    ],
)
def test_the_heading_names_the_article(article, text, expected):
    answer = an_answer()
    answer["article"] |= {"title": None} | article
    assert rendered(answer, width=200, text=text).splitlines()[0] == expected


def test_no_claims_is_told_with_how_much_was_read():
    assert "No claims. Sentences read: 15 of 15." in rendered(an_answer())


def test_a_part_that_was_not_read_is_told():
    answer = an_answer(a_claim(), coverage={"sentences": 15, "read": 12, "passages": []})
    assert "! Only 12 of 15 sentences were read." in rendered(answer)


def test_short_times_are_milliseconds():
    answer = an_answer()
    answer["usage"] |= {"duration_ms": 18}
    assert "models.example · 18 ms" in rendered(answer)


def test_a_language_that_could_not_be_told_is_said_so():
    answer = an_answer()
    answer["article"] |= {"language": "und"}
    assert "language unknown · 15 sentences" in rendered(answer)


def test_facts_are_broken_between_each_other_only():
    assert rendered(an_answer(), width=40).splitlines()[1:4] == [
        "en · 15 sentences · 0 claims",
        "m-2026 at models.example · 2.1 s",
        "",
    ]


def test_one_of_a_thing_is_singular():
    answer = an_answer(a_claim())
    answer["article"] |= {"sentences": 1}
    assert "1 sentence · 1 claim ·" in rendered(answer)


def test_a_claimants_role_is_shown_beside_the_name():
    claimant = {"name": "Dmitry Peskov", "role": "Kremlin spokesman", "span": quote("Dmitry Peskov", 1)}
    assert "claimant  Dmitry Peskov, Kremlin spokesman\n" in rendered(an_answer(a_claim(claimant=claimant)))


@pytest.mark.parametrize(
    ("worth", "bar"), [(0.0, "░" * 10 + " 0.00"), (0.5, "█" * 5 + "░" * 5 + " 0.50"), (1.0, "█" * 10 + " 1.00")]
)
def test_check_worthiness_is_a_bar_and_a_number(worth, bar):
    assert bar in rendered(an_answer(a_claim(check_worthiness=worth)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("two\n lines\t\u00a0here", "two lines here", id="white space becomes one space"),
        pytest.param(
            "red \x1b[31m alert\x07", "red \N{REPLACEMENT CHARACTER}[31m alert\N{REPLACEMENT CHARACTER}", id="escapes"
        ),
        pytest.param("\x9b2J", "\N{REPLACEMENT CHARACTER}2J", id="C1 controls"),
        pytest.param("\u202egnp", "\N{REPLACEMENT CHARACTER}gnp", id="overrides of direction"),
        pytest.param("می\u200cخواهم", "می\u200cخواهم", id="joiners that writing needs stay"),
    ],
)
def test_one_line_cannot_steer_a_terminal(text, expected):
    assert one_line(text) == expected


hostile = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x9b\u202e\n\t[]中é\u0301")), max_size=120)


@examples()
@given(hostile, st.integers(40, 120))
def test_whatever_an_article_holds_the_page_keeps_its_width_and_steers_nothing(words, width):
    claimant = {"name": words, "role": words, "span": quote(words, 0)}
    stance = {"holder": words, "stance": "refutes", "evidence": quote(words, 0)}
    claim = a_claim(text=words, quote=quote(words, 3), claimant=claimant, stances=[stance], check_worthiness_reason=words)
    page = rendered(an_answer(claim), width=width, text=words)
    lines = page.split("\n")
    assert not UNSAFE & set("".join(lines))
    assert max(map(cell_len, lines)) <= width
    assert lines == [line.rstrip() for line in lines]


@examples()
@given(st.lists(st.tuples(hostile, hostile), min_size=1, max_size=5))
def test_aligned_rows_are_one_line_each_with_columns_under_each_other(rows):
    lines = aligned([(first, f"|{second}") for first, second in rows])
    assert len(lines) == len(rows)
    starts = {cell_len(one_line(first)) for first, _ in rows}
    for line, (first, second) in zip(lines, rows, strict=True):
        gap = " " * (max(starts) - cell_len(one_line(first)) + 2)
        assert line == f"{one_line(first)}{gap}{one_line(f'|{second}')}".rstrip()


@pytest.mark.parametrize(("mode", "shown"), [("own_voice", "article"), ("indirect", "not named"), ("direct", "not named")])
def test_a_claim_of_nobody_named_is_not_put_down_to_the_article(mode, shown):
    assert _claimant(None, mode).plain == shown
