"""Which language is read with which words."""

from collections.abc import Mapping

from service.text.speech.english import ENGLISH
from service.text.speech.german import GERMAN
from service.text.speech.lexicon import Lexicon

_LEXICONS: Mapping[str, Lexicon] = {"en": ENGLISH, "de": GERMAN}


def lexicon_of(language: str) -> Lexicon | None:
    """The words of a language (ISO 639-1), None where the rules do not know it."""
    return _LEXICONS.get(language)
