"""What the page works out of an analysis before anything is drawn."""

from dataclasses import replace

from service.domain import Coverage, PassageCoverage, SetAside, SetAsideReason, Stance, StanceLabel
from service.export.compare import compare
from service.export.json_answer import dump_analysis
from service.web.room.shown import Shown
from service.web.room.standings import MOST_HOLDERS, standings
from service.web.room.strip import WIDTH, strip
from service.web.room.versus import Versus
from tests.export_cases import analysis, article, latin, scripts


def test_the_article_stands_first_and_then_who_takes_most_stances():
    table = standings(Shown(latin()).claims)
    assert table.holders[0].name == "The article"
    assert all(len(holder.standings) == len(latin().claims) for holder in table.holders)
    hale = next(holder for holder in table.holders if holder.name == "Ms Hale")
    assert (hale.standings[0].label, hale.standings[0].part) == (StanceLabel.SUPPORTS, "e1-0")


def test_holders_without_room_are_counted():
    crowd = tuple(Stance(f"Holder {number}", StanceLabel.SUPPORTS, None) for number in range(50))
    table = standings([replace(latin().claims[0], stances=crowd)])
    assert (len(table.holders), table.left_out) == (MOST_HOLDERS, 50 - MOST_HOLDERS + 1)


def test_the_line_shows_what_was_read_known_and_not_read():
    case = replace(
        scripts(),
        coverage=Coverage(
            3,
            2,
            (
                PassageCoverage(0, 20, "0" * 64),
                PassageCoverage(20, 40, "0" * 64, reused=True),
                PassageCoverage(40, len(scripts().article.text), "1" * 64, "odd-code"),
            ),
        ),
    )
    drawn = strip(case, Shown(case).claims)
    assert [stretch.state for stretch in drawn.stretches] == ["read", "reused", "failed"]
    assert drawn.stretches[-1].x + drawn.stretches[-1].width <= WIDTH + 0.2
    assert [tick.rank for tick in drawn.claims] == [1, 2]
    shown = Shown(case)
    assert shown.reused
    assert [(failed.code, failed.why) for failed in shown.failed] == [("odd-code", "it is not known why")]


def test_why_a_passage_was_not_read_is_said_in_words():
    assert [failed.why for failed in Shown(scripts()).failed] == ["the model's answer was cut off"]


def test_what_was_set_aside_is_on_the_line_where_its_words_stand():
    found = SetAside(SetAsideReason.DUPLICATE, "Prices rose")
    lost = SetAside(SetAsideReason.QUOTE_NOT_FOUND, "Nobody wrote this")
    blank = SetAside(SetAsideReason.QUOTE_NOT_FOUND, " ")
    drawn = strip(replace(latin(), set_aside=(found, lost, blank)), ())
    assert [tick.why for tick in drawn.set_aside] == ["it was proposed more than once"]


def test_an_article_without_claims_has_no_legend():
    assert Shown(analysis(article("Nothing."), [])).meanings == []


def test_who_says_a_claim_is_told_or_that_nobody_knows():
    cards = Shown(latin()).cards
    own = replace(cards[0].claim, claimant=None)
    assert {card.claimant for card in cards} >= {"Ms Hale"}
    assert replace(cards[0], claim=own).claimant == "Not named"
    assert replace(cards[0], claim=own).role is None
    assert cards[0].role == "the minister"


def versus(one, other):
    told = [dump_analysis(case, return_text=True) for case in (one, other)]
    return Versus(Shown(one, "one-"), Shown(other, "other-"), compare(*told))


def test_two_answers_are_told_apart_in_words():
    first = latin()
    changed = replace(first.claims[0], check_worthiness=0.5, claimant=None, stances=first.claims[0].stances[1:])
    usage = replace(first.usage, output_tokens=1371, duration_ms=1000)
    second = replace(first, claims=(changed,), usage=usage)
    shown = versus(first, second)
    assert shown.kind == "The same article, asked twice"
    assert shown.names[0] == "extract_claims@1, small-1-2026-05"
    [pair] = shown.both
    told = {row.name: (row.one, row.other) for row in pair.differences}
    assert told["check-worthiness"] == ("0.93", "0.50")
    assert told["who says it"] == ("Ms Hale", "The article, in its own voice")
    assert told["stance of Ms Hale"] == ("supports", "none")
    assert [card.claim.id for card in shown.only_one] == [claim.id for claim in Shown(first).claims[1:]]
    assert shown.only_other == []
    costs = {cost.field: (cost.one, cost.other, cost.more) for cost in shown.costs}
    assert costs["output_tokens"] == ("371", "1,371", "+1,000")
    assert costs["duration_ms"] == ("2.1", "1.0", "-1.1")
    assert shown.asked == ()


def test_two_versions_are_called_so():
    assert versus(latin(), scripts()).kind == "Two versions of an article"
