"""Who is named in an article: each name's fullest form, and where persons are mentioned."""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from service.text.speech.lexicon import Lexicon
from service.text.speech.tokens import bare

_CAPITAL = r"(?:[^\W\d_a-zà-öø-ÿа-яё](?:[\w’'-]++|\.(?=\s?[A-Z])|(?![\w’'-])))"
_ASIDE = re.compile(r", (\w[^,.;:\n]{3,80}),")
_LONGEST_RUN = 200
_FEWEST_WORDS, _MOST_WORDS = 2, 4
"""In a person's name."""


class Names:
    """The names of one article."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self._text = text
        self._lexicon = lexicon
        self._known: dict[str, Counter[str]] = defaultdict(Counter)
        self._fullest: dict[tuple[str, str], str] = {}
        runs = [(match.start(), [bare(word) for word in match[0].split()]) for match in self._run.finditer(text)]
        persons = [(start, name) for start, words in runs if (name := self._person(words))]
        self._described = {name for start, name in persons if self._is_described(name, start)}
        for _, name in persons:
            for key in self._keys(name.split()):
                self._known[key][name] += 1
        persons += [(start, self.fullest(words[0])) for start, words in runs if len(words) == 1 and words[0] in self._known]
        self._persons = sorted(persons)
        self._alone = frozenset(words[0] for _, words in runs if len(words) == 1)

    @cached_property
    def _run(self) -> re.Pattern[str]:
        particles = "|".join(re.escape(particle) for particle in sorted(self._lexicon.particles) if len(particle) > 1)
        return re.compile(rf"(?<![\w’'-]){_CAPITAL}(?:[ \u00a0](?:(?:{particles}) )?{_CAPITAL})*+")

    @cached_property
    def _institutions(self) -> dict[str, str]:
        """The first word of each name like "Ministry of Defence", with all of it."""
        ties = "|".join(sorted(self._lexicon.speaking_for)) or "(?!)"
        named = re.finditer(rf"(?<![\w’'-])({_CAPITAL}) (?:{ties}) (?:the )?{_CAPITAL}(?: {_CAPITAL})*+", self._text)
        found: dict[str, str] = {}
        for match in named:
            if match[1].lower() in self._lexicon.institutions:
                found.setdefault(match[1], match[0])
        return found

    def fullest(self, name: str, address: str = "") -> str:
        """The form the article has most often of the names that `name` may be short for, without titles; else `name`.

        `address` is the form of address before it ("Mr."): it shows who is not meant.
        """
        if (name, address) not in self._fullest:
            self._fullest[name, address] = self._found(name, address)
        return self._fullest[name, address]

    def _found(self, name: str, address: str) -> str:
        words = self._without_titles(self._owner(name.split()))
        if any(word in self._lexicon.conjunctions for word in words):
            return name  # two who are named together
        return self._longer(words, address) or " ".join(words) or name

    def fits(self, name: str, word: str) -> bool:
        """Whether a pronoun or form of address ("she", "Mr.") may stand for a person, as far as names and addresses tell."""
        unfit = self._lexicon.unfit.get(word.lower().rstrip("."))
        given, *family = name.lower().split()
        if unfit is None or not family:
            return True
        told = [self._lexicon.unfit[one] is unfit for one in self._addresses.get(family[-1], ())]
        return given not in unfit and (not told or any(told))

    def is_person(self, name: str) -> bool:
        """Whether a name looks like a person's: two words or more, none of them an institution's."""
        words, lexicon = name.split(), self._lexicon
        if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS or words[0].lower() in lexicon.determiners:
            return False
        if any(word.lower() in lexicon.no_person for word in words):
            return False
        return all(word[:1].isupper() or word in lexicon.name_links for word in words)

    @cached_property
    def _addresses(self) -> Mapping[str, set[str]]:
        """The forms of address ("mr", "mrs") that stand before each family name, all in lower case."""
        forms = "|".join(sorted(self._lexicon.unfit.keys() - self._lexicon.persons))
        found: dict[str, set[str]] = defaultdict(set)
        for match in re.finditer(rf"(?<![\w’'-])((?i:{forms}))\.? ({_CAPITAL}(?: {_CAPITAL})*+)", self._text):
            found[bare(match[2].split()[-1]).lower()].add(match[1].lower())
        return found

    def first_person(self, start: int, end: int) -> str | None:
        """The person named first in a range of the article."""
        at = bisect_left(self._persons, (start, ""))
        return self._persons[at][1] if at < len(self._persons) and self._persons[at][0] < end else None

    def is_known(self, name: str) -> bool:
        """Whether a name that looks like a person's is one: by its given name, an address, an office, or its family name alone.

        Of two words either may be the family's ("Zhao Lijian").
        """
        given, *middle, family = name.split()
        told = any(given.lower() in names for names in self._lexicon.unfit.values())
        alone = family in self._alone or (not middle and given in self._alone)
        return told or alone or name in self._described or family.lower() in self._addresses

    def near(self, start: int, end: int) -> tuple[str, ...]:
        """The persons named in a range of the article, each once, in order."""
        low, high = bisect_left(self._persons, (start, "")), bisect_left(self._persons, (end, ""))
        return tuple(dict.fromkeys(name for _, name in self._persons[low:high]))

    def _person(self, words: Sequence[str]) -> str | None:
        """The person's name that a run of capitalised words ends in, None where it ends in none."""
        lexicon = self._lexicon
        titles = [at for at, word in enumerate(words[:-1]) if self._is_title(word)]
        first = titles[-1] + 1 if titles else 0
        small = lexicon.determiners | lexicon.prepositions | lexicon.boundaries | lexicon.times
        opening = small | (lexicon.auxiliaries - lexicon.finite)
        while first < len(words) and words[first].lower() in opening:
            first += 1
        name = words[first:]
        if not _FEWEST_WORDS <= len(name) <= _MOST_WORDS:
            return None
        if name[0].lower() in lexicon.no_given or name[-1].lower() in small or f"{name[-1].lower()}." in lexicon.titles:
            return None  # "What Mr" of "What Mr. Bell said"
        strange = lexicon.no_person | lexicon.times
        return None if any(word.lower() in strange for word in name) else " ".join(name)

    def _is_described(self, name: str, start: int) -> bool:
        """Whether words around a name, which stands from a place on, are an office ("Dr. Roe", ", a spokesman of it,")."""
        at = self._text.find(name, start, start + _LONGEST_RUN)
        ahead = _ASIDE.match(self._text, at + len(name)) if at >= 0 else None
        titled = any(self._is_title(word) for word in self._text[start : max(start, at)].split())
        known = self._lexicon.titles | self._lexicon.speakers
        return titled or (ahead is not None and any(word.lower() in known for word in ahead[1].split()))

    def _keys(self, words: Sequence[str]) -> Iterator[str]:
        """What a full name is found by: its last word, its first with its last, and the one before "Jr."."""
        yield words[-1]
        yield f"{words[0]} {words[-1]}"
        if words[-1].lower().rstrip(".") in self._lexicon.suffixes and len(words) > _FEWEST_WORDS:
            yield words[-2]
            yield f"{words[0]} {words[-2]}"

    def _longer(self, words: Sequence[str], address: str) -> str | None:
        """The name of the article that stands in `words`, or that they are short for; None where there is none."""
        if not words:
            return None
        if len(words) == 1 and words[0] in self._institutions:
            return self._institutions[words[0]]
        if len(words) > _FEWEST_WORDS:
            ends = (" ".join(words[at:]) for at in range(max(1, len(words) - _MOST_WORDS), len(words) - 1))
            return next((end for end in ends if end in self._known.get(words[-1], ())), None)
        known = self._known.get(" ".join(words), Counter())
        meant = [full for full in known if self.fits(full, address)]
        return max(meant, key=lambda full: (known[full], len(full)), default=None)

    def _is_title(self, word: str) -> bool:
        return word.lower() in self._lexicon.titles or word.lower().rstrip(".") in self._lexicon.titles

    def _owner(self, words: Sequence[str]) -> Sequence[str]:
        """The words up to whoever owns what is named: "Cornyn's statement" is Cornyn's."""
        at = next((at for at, word in enumerate(words) if bare(word) != word), None)
        if at is None or (at < len(words) - 1 and not self._lexicon.publications & set(words[at + 1 :])):
            return words
        return [*words[:at], bare(words[at])]

    def _without_titles(self, words: Sequence[str]) -> Sequence[str]:
        first = 0
        while first < len(words) - 1 and self._is_title(words[first]):
            first += 1
        return words[first:]
