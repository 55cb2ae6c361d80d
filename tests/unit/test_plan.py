from hypothesis import given
from hypothesis import strategies as st

from service.domain import Article
from service.pipeline.plan import plan
from service.text.segment import segment


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


@given(st.text(min_size=1).filter(str.strip), st.integers(1, 50))
def test_passages_tile_the_article(text, chars):
    passages = planned(text, chars)
    assert "".join(text[one.start : one.end] for one in passages) == text
    assert all(one.sentences for one in passages)
    assert len(passages) <= max(1, len(text) // chars)
