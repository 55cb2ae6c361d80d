import hmac
import zlib
from base64 import urlsafe_b64encode
from dataclasses import fields
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.earlier import Circumstances, ClaimMemory, Memory, PassageMemory
from service.web.seal import Sealer
from tests.examples import examples

KEY = "a key of more than thirty-two characters"
OURS = Sealer(KEY)
CIRCUMSTANCES = Circumstances("0.1.0", "p@1", "r@1", "s", "m", "nowhere", 6_000, None, "en", None, 0.0)
MEMORY = Memory(
    "an_1",
    CIRCUMSTANCES,
    (ClaimMemory("c_1", "Il a dit « 5 % » 𝒳.", "« 5 % »"),),
    (PassageMemory("f", "o", 3, 120, "s", 7, 1, ("fence", "asked_again"), '{"claims": []}', "m-1", "json_schema"),),
)
SEALED = OURS.seal(MEMORY)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
numbers = st.integers(0, 10**6)
memories = st.builds(
    Memory,
    words,
    st.builds(Circumstances, *[words] * 6, numbers, st.none() | words, words, st.none() | numbers, st.floats(0, 1)),
    st.lists(st.builds(ClaimMemory, words, words, words), max_size=3).map(tuple),
    st.lists(
        st.builds(
            PassageMemory,
            *(words, words, numbers, numbers, words, numbers, numbers),
            st.lists(words, max_size=2).map(tuple),
            *(words, words, words),
        ),
        max_size=3,
    ).map(tuple),
)


@examples()
@given(memories)
def test_what_was_sealed_comes_back_as_it_was(memory):
    assert OURS.open(OURS.seal(memory)).memory == memory


def test_the_same_answer_has_the_same_seal_in_every_process_with_the_same_key():
    assert Sealer(KEY).seal(MEMORY) == SEALED
    assert Sealer(KEY).open(SEALED).memory == MEMORY


def test_without_a_key_a_seal_is_of_one_process_only():
    assert Sealer().open(SEALED).memory is None
    one, other = Sealer(), Sealer()
    assert one.open(one.seal(MEMORY)).memory == MEMORY
    assert other.open(one.seal(MEMORY)).memory is None


@examples()
@given(st.integers(0, len(SEALED) - 1), st.characters())
def test_a_seal_with_any_character_changed_is_none_of_ours(at, char):
    changed = SEALED[:at] + char + SEALED[at + 1 :]
    # The last characters of each part may hold bits that stand for nothing.
    assert OURS.open(changed).memory in {None, MEMORY}
    assert changed == SEALED or OURS.open(changed).memory is None or at in {len(SEALED) - 1, SEALED.rindex(".") - 1}


@examples()
@given(st.text(max_size=80))
def test_any_text_is_no_seal(text):
    assert OURS.open(text).memory is None


@pytest.mark.parametrize("cut", [0, 1, len(SEALED) // 2, len(SEALED) - 1])
def test_a_seal_cut_short_is_none_of_ours(cut):
    assert OURS.open(SEALED[:cut]).memory is None


def encoded(content):
    return urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("key", [pytest.param("", id="no key"), pytest.param("another key", id="another key")])
def test_nothing_is_unpacked_that_is_signed_with_another_key(key):
    bomb = "." + encoded(zlib.compress(b"[" * 50_000_000))
    signature = encoded(hmac.new(key.encode(), bomb.encode(), sha256).digest())
    assert OURS.open(f"{bomb}.{signature}").memory is None


def test_a_seal_of_another_format_is_none_of_ours():
    # When this fails, the fields of a memory have changed: raise the number of the format in service/web/seal.py.
    assert [[field.name for field in fields(kind)] for kind in (Memory, Circumstances, ClaimMemory, PassageMemory)] == [
        ["analysis", "circumstances", "claims", "passages"],
        [
            *("service", "prompt", "repair_prompt", "reply_schema", "model", "endpoint", "passage_chars"),
            *("title", "language", "max_claims", "min_check_worthiness"),
        ],
        ["id", "text", "quote"],
        [
            *("fingerprint", "opening", "sentences", "chars", "surroundings", "first", "left_out"),
            *("repairs", "reply", "served", "response_format"),
        ],
    ]


def test_a_seal_is_made_of_letters_digits_and_three_marks():
    assert SEALED.isascii()
    assert SEALED.replace("-", "").replace("_", "").replace(".", "").isalnum()
