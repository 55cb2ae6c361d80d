from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import Article
from service.earlier import PassageMemory
from service.pipeline.plan import fingerprint, plan
from service.text.segment import segment
from tests.examples import examples


def long_text(sentences):
    return " ".join(f"Sentence number {number} says something about matter {number * 7}." for number in range(1, sentences + 1))


def planned(text, chars=1_000):
    return plan(Article(text, "0" * 64, "en"), segment(text, "en"), chars)


def test_a_short_article_is_one_passage_without_a_lead():
    (one,) = planned("A short article. It has two sentences.")
    assert (one.start, len(one.sentences), one.lead) == (0, 2, ())


def test_passages_are_of_about_the_same_length_and_never_more_than_asked():
    text = long_text(300)
    passages = planned(text)
    assert len(passages) == len(text) // 1_000
    lengths = [one.end - one.start for one in passages]
    assert max(lengths) - min(lengths) <= 120


def test_later_passages_carry_the_lead_of_the_article():
    first, second, *_ = planned(long_text(100))
    assert first.lead == ()
    assert [sentence.number for sentence in second.lead] == [1, 2]


@examples()
@given(st.text(min_size=1).filter(str.strip), st.integers(1, 50))
def test_passages_tile_the_article(text, chars):
    passages = planned(text, chars)
    assert "".join(text[one.start : one.end] for one in passages) == text
    assert all(one.sentences for one in passages)
    assert len(passages) <= max(1, len(text) // chars)


def remembered(passage):
    return PassageMemory(
        fingerprint=fingerprint(passage.sentences),
        opening=fingerprint(passage.sentences[:1]),
        sentences=len(passage.sentences),
        chars=passage.end - passage.start,
        surroundings="",
        first=1,
        left_out=0,
        repairs=(),
        reply="",
        served="",
        response_format="",
    )


def planned_again(before, text, chars=1_000):
    """The passages of `text` after those of `before`, and the texts of those that are not among these."""
    earlier = planned(before, chars)
    known = [remembered(one) for one in earlier]
    passages = plan(Article(text, "0" * 64, "en"), segment(text, "en"), chars, known)
    old = {before[one.start : one.end] for one in earlier}
    return passages, [words for one in passages if (words := text[one.start : one.end]) not in old]


LONG = long_text(600)
EDITED = "Sentence number 300 says something about matter 2100."


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param("It says more, and at greater length than ever before, about nothing at all.", id="longer"),
        pytest.param("No.", id="shorter"),
        pytest.param("One sentence. And another. And a third one.", id="several"),
    ],
)
def test_an_edit_of_any_length_leaves_the_bounds_of_all_other_passages(edited):
    passages, anew = planned_again(LONG, LONG.replace(EDITED, edited))
    assert len(passages) == len(planned(LONG))
    (one,) = anew
    assert edited in one


def test_two_edits_leave_what_lies_between_them():
    text = LONG.replace(EDITED, "No.").replace("Sentence number 40 says", "Sentence forty did not say")
    _, anew = planned_again(LONG, text)
    assert len(anew) == 2


def test_a_passage_that_moved_is_known_again():
    whole = planned(LONG)
    parts = [LONG[one.start : one.end] for one in whole]
    _, anew = planned_again(LONG, "".join([*parts[5:10], *parts[:5], *parts[10:]]))
    assert anew == []


def test_what_is_too_short_for_a_passage_is_read_with_its_neighbour():
    border = planned(LONG)[7].start
    added = "A new sentence stands on the border. "
    passages, (one,) = planned_again(LONG, LONG[:border] + added + LONG[border:])
    assert added in one
    assert len(one) > len(added)
    assert len(passages) == len(planned(LONG))


def test_known_passages_stand_only_while_the_rest_takes_no_more_reading_than_all():
    before, middle, after = (long_text(4).replace("matter", name) + " " for name in ("the first", "the second", "the third"))
    text = before + middle + after
    known = [remembered(one) for one in planned(middle, 400)]
    article = Article(text, "0" * 64, "en")
    assert len(middle) > 200
    (only,) = plan(article, segment(text, "en"), 400, known)
    assert (only.start, only.end) == (0, len(text))
    assert len(plan(article, segment(text, "en"), 200, known)) == 3


@examples()
@given(
    st.lists(st.sampled_from(["One. ", "Two and two. ", "Three, at some more length. "]), min_size=1, max_size=60), st.data()
)
def test_passages_tile_an_edited_article_and_no_more_are_read_than_anew(sentences, data):
    before = "".join(sentences)
    first = data.draw(st.integers(0, len(sentences)))
    last = data.draw(st.integers(first, len(sentences)))
    text = "".join([*sentences[:first], data.draw(st.sampled_from(["", "Four. "])), *sentences[last:]]) or "Five. "
    passages, anew = planned_again(before, text, 60)
    assert "".join(text[one.start : one.end] for one in passages) == text
    assert len(anew) <= max(1, len(text) // 60)


class Counting(list):
    """Sentences that count how many of them were copied out."""

    copied = 0

    def __getitem__(self, key):
        found = super().__getitem__(key)
        if isinstance(key, slice):
            Counting.copied += len(found)
        return found


def test_a_text_made_to_look_like_known_passages_everywhere_is_walked_once():
    sentences = Counting(segment("Aa. " * 5_000, "en"))
    article = Article("Aa. " * 5_000, "0" * 64, "en")
    one = remembered(planned("Aa. " * 50, 1_000)[0])
    known = [replace(one, fingerprint=f"{number}") for number in range(200)]
    Counting.copied = 0
    passages = plan(article, sentences, 1_000, known)
    assert len(passages) == 20
    assert Counting.copied < 5 * len(sentences)
