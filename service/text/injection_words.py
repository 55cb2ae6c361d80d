# ruff: noqa: RUF001 - the words of other scripts
"""The words that give away a text meant for a language model, by language: what `service.text.injection` looks for.

Each pattern is a first word and sets of words; one of each set must follow it, in any order, in the same sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """Words that must come together within `reach` words; `opens`: the first of them begins its sentence, as an order does."""

    kind: str
    first: frozenset[str]
    others: tuple[frozenset[str], ...]
    reach: int = 8
    opens: bool = False


def _pattern(kind: str, first: str, *others: str, reach: int = 8, opens: bool = False) -> Pattern:
    return Pattern(kind, frozenset(first.split()), tuple(frozenset(words.split()) for words in others), reach, opens)


_ANSWER = "answer answers response responses reply replies output outputs message messages"
_MADE = "poem poems essay story recipe limerick haiku song script function code introduction joke"

PATTERNS = (
    # English
    _pattern(
        "override",
        "ignore disregard forget override bypass discard",
        "previous prior above preceding earlier foregoing all any your system original initial",
        "instruction instructions prompt prompts directives",
    ),
    _pattern(
        "override",
        "ignore disregard forget override bypass discard",
        "previous prior above preceding earlier your",
        "rules guidelines commands directions programming training",
    ),
    _pattern("override", "forget", "everything all", "learned learnt told said", "before above previously earlier"),
    _pattern("persona", "from", "now", "you", "act respond answer reply pretend obey prompts output", reach=14),
    _pattern("persona", "you", "act pretend behave immerse play simulate role", "ai al dan chatbot assistant model", reach=20),
    _pattern("persona", "pretend act", "be as", "ai dan stan dude chatbot unrestricted uncensored", reach=6),
    _pattern("persona", "developer dan jailbreak god", "mode", "enabled on activated you", reach=6),
    _pattern("persona", "broken break", "free", "confines rules restrictions"),
    _pattern("persona", "do", "anything", "now", reach=2),
    _pattern(
        "reply",
        "add include modify augment integrate enhance append insert replace remove provide render scramble misspell rearrange "
        "translate introduce jumble convert substitute group combine use anagram embed put write end start begin format give",
        "your",
        _ANSWER,
        reach=24,
        opens=True,
    ),
    _pattern(
        "reply", "in", "your", _ANSWER, "suggest tease include mention add say write promote recommend", reach=6, opens=True
    ),
    _pattern("reply", "none all any", "your", "answers responses replies outputs", reach=3),
    _pattern("reply", "your", "answers responses replies outputs", "should must", reach=3),
    _pattern("reply", "respond reply answer", "only just", "with", reach=3, opens=True),
    _pattern("reply", "return output", "empty", "list array json claims", reach=6, opens=True),
    _pattern(
        "secrets",
        "repeat print reveal show output display tell write leak disclose recite",
        "system initial hidden original secret your above preceding",
        "prompt prompts instructions",
        opens=True,
    ),
    _pattern("secrets", "repeat print output recite", "everything all text words", "above before", opens=True),
    _pattern("address", "if", "you", "are re", "an a", "ai llm chatbot bot language", reach=6),
    _pattern("address", "attention note message dear hello hey", "ai ais llm llms chatbot chatbots", reach=3, opens=True),
    _pattern("address", "ai ais llm llms", "assistants assistant models agents", "reading processing summarizing", reach=4),
    _pattern("task", "write compose draft generate create provide", _MADE, reach=6, opens=True),
    _pattern("task", "can could", "you", "show write give create", f"me simple {_MADE}", reach=6, opens=True),
    _pattern("task", "translate", "following", "sentence text words", reach=4, opens=True),
    _pattern("code", "following subsequent below", "code", "block snippet excerpt section", reach=3),
    # German
    _pattern(
        "override",
        "ignoriere ignorieren ignorier vergiss vergessen missachte missachten",
        "vorherigen vorherige vorigen bisherigen bisherige obigen früheren vorangegangenen deine deiner",
        "anweisungen anweisung instruktionen befehle vorgaben regeln prompt prompts",
    ),
    _pattern("persona", "du", "bist", "jetzt nun ab", "ki sprachmodell chatbot assistent"),
    _pattern("reply", "antworte", "nur ausschließlich immer", "mit auf", reach=4, opens=True),
    _pattern(
        "secrets", "zeige gib nenne wiederhole verrate", "system systemprompt deine deinen", "prompt systemprompt anweisungen"
    ),
    _pattern("address", "falls wenn", "du", "ki sprachmodell chatbot", "bist", reach=8),
    # French
    _pattern(
        "override",
        "ignore ignorez ignorer oublie oubliez oublier",
        "instructions instruction consignes directives règles",
        "précédentes précédente antérieures dessus reçues",
    ),
    # Spanish
    _pattern(
        "override",
        "ignora ignore ignorar ignoren olvida olvide olvidar olviden",
        "instrucciones órdenes indicaciones reglas",
        "anteriores previas arriba",
    ),
    # Italian
    _pattern("override", "ignora ignorate ignorare dimentica dimenticate", "istruzioni indicazioni", "precedenti sopra"),
    # Portuguese
    _pattern("override", "ignore ignora ignorar esqueça esquece", "instruções ordens", "anteriores prévias acima"),
    # Dutch
    _pattern("override", "negeer vergeet", "instructies opdrachten regels", "vorige eerdere bovenstaande voorgaande"),
    # Polish
    _pattern(
        "override", "zignoruj ignoruj zapomnij", "instrukcje instrukcji polecenia poleceń", "poprzednie poprzednich powyższe"
    ),
    # Russian
    _pattern(
        "override",
        "игнорируй игнорируйте проигнорируй забудь забудьте",
        "инструкции инструкций указания команды",
        "предыдущие предыдущих прежние все выше",
    ),
    # Ukrainian
    _pattern("override", "ігноруй ігноруйте проігноруй забудь забудьте", "інструкції вказівки", "попередні усі всі"),
    # Turkish, whose verb comes last
    _pattern("override", "önceki yukarıdaki", "talimatları komutları", "unut unutun yoksay görmezden"),
    # Arabic
    _pattern("override", "تجاهل", "التعليمات الأوامر", "السابقة أعلاه"),
)


def by_first_word() -> dict[str, tuple[Pattern, ...]]:
    """The patterns that each word may begin."""
    return {word: tuple(_beginning(word)) for pattern in PATTERNS for word in pattern.first}


def _beginning(word: str) -> Iterator[Pattern]:
    return (pattern for pattern in PATTERNS if word in pattern.first)
