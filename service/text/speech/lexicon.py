"""What a language says with: its reporting verbs, and the small words that stand around a name. Shapes only, no words."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from service.domain import StanceLabel


def words(text: str) -> frozenset[str]:
    """The words of a text, each once."""
    return frozenset(text.split())


def phrases(*texts: str) -> tuple[tuple[str, ...], ...]:
    """Phrases, each as the words it is made of."""
    return tuple(tuple(text.split()) for text in texts)


def forms(asserts: str = "", denies: str = "", leaves_open: str = "") -> Mapping[str, StanceLabel]:
    """Each word with what it does to what is said."""
    given = {StanceLabel.SUPPORTS: asserts, StanceLabel.REFUTES: denies, StanceLabel.DISCUSSES: leaves_open}
    return {form: label for label, text in given.items() for form in text.split()}


@dataclass(frozen=True)
class ClauseWords:
    """The words at which sentences of a language are cut into clauses, and by which those that state nothing are known.

    All but `captions` and `wishes` are in lower case.
    """

    adverbial: tuple[str, ...]
    """After a comma, they open a clause that says something of its own."""
    asides: frozenset[str]
    """Those that open what the writer adds to somebody else's words ("as", "although")."""
    relative: tuple[str, ...]
    with_circumstance: tuple[str, ...]
    following: tuple[str, ...]
    """Words before what happened earlier ("after")."""
    conjunctions: tuple[str, ...]
    that: tuple[str, ...]
    subjects: tuple[str, ...]
    """Words a clause can begin with, after a conjunction; a capital can, too."""
    finite: tuple[str, ...]
    """Verbs a clause can have, as expressions."""
    participles: tuple[str, ...]
    """Participles that open a clause after a comma, as expressions."""
    no_participles: tuple[str, ...]
    shared_subject: tuple[str, ...]
    """Conjunctions that may be followed by a verb of their own, without a subject."""
    captions: tuple[str, ...]
    """What stands before the colon of a picture's caption, or of a list of sources."""
    wishes: tuple[str, ...]
    """How sentences begin that only wish, thank or advise."""


@dataclass(frozen=True)
class Lexicon:
    """The words of one language, in lower case. Mappings give what each word does to what is said."""

    verbs: Mapping[str, StanceLabel]
    """The forms of reporting verbs that can have a subject."""
    participles: Mapping[str, StanceLabel]
    """Those that go on about the subject before ("…, adding that")."""
    nouns: Mapping[str, StanceLabel]
    """What somebody says, as a noun ("reports that", "a denial of")."""
    according: tuple[tuple[str, ...], ...]
    """Phrases right before who says something."""
    hearsay: tuple[tuple[str, ...], ...]
    """Phrases by which a writer leaves something to others ("reportedly")."""
    weak_verbs: frozenset[str]
    """Verbs that report only with "that" or a quotation; without them they mean something else."""
    bare: frozenset[str]
    """Verbs that report whatever follows them, also without "that"."""
    factive: frozenset[str]
    """Verbs by which a noun's words are told on ("reports that detailed how")."""
    counting: frozenset[str]
    """Verbs that report a number of things ("reported five explosions")."""
    confirming: frozenset[str]
    that: frozenset[str]
    audience: frozenset[str]
    """Who is spoken to, between the verb and what is said."""
    publications: frozenset[str]
    """What is its owner's ("Cornyn's statement" is Cornyn's)."""
    negations: frozenset[str]
    modals: frozenset[str]
    """With a reporting verb, what could be said and was not ("would say")."""
    nobody: frozenset[str]
    """How a mention of nobody begins ("no one at the ministry")."""
    metonyms: Mapping[str, str]
    """Places that stand for a country's government, and the country."""
    specifying: frozenset[str]
    """Words after which a noun names claims of its own ("the charges of fraud")."""
    pointing: frozenset[str]
    """Determiners by which a noun names claims told before ("these allegations")."""
    after_mark: frozenset[str]
    """Openings of a source that count only after a comma or a quotation mark (German "so Meier")."""
    negated_endings: tuple[str, ...]
    infinitive: str
    """The word that makes a verb no report ("to say")."""
    passive: frozenset[str]
    """The words that make what follows no report of its subject ("was told")."""
    nouns_too: frozenset[str]
    """Reporting verbs that are also nouns ("the claims")."""
    no_clause: frozenset[str]
    """Words before the verb that show that what follows a reporting verb is no whole clause."""
    auxiliaries: frozenset[str]
    """Auxiliaries and adverbs between a subject and its verb."""
    adverb_ending: str
    finite: frozenset[str]
    """Verbs that show that words are a clause."""
    copulas: frozenset[str]
    """Those that show that "that" before them is a pronoun's."""
    manners: frozenset[str]
    boundaries: frozenset[str]
    """Words that no mention of somebody goes past."""
    conjunctions: frozenset[str]
    opening: frozenset[str]
    """Words that may stand before a mention and are none of it."""
    neither: str
    nor: str
    determiners: frozenset[str]
    persons: frozenset[str]
    """Pronouns for a person who was named before."""
    things: frozenset[str]
    """Pronouns for others."""
    own_pronouns: frozenset[str]
    """Those of `things` for whoever is writing."""
    it: frozenset[str]
    """The one that can stand for what was claimed."""
    many: frozenset[str]
    """Words for more than one claim ("denied all of this")."""
    plural_ending: str
    unfit: Mapping[str, frozenset[str]]
    """Pronouns and forms of address, each with the given names of those it is not for ("she" and "Mrs": "John")."""
    relative: frozenset[str]
    titles: frozenset[str]
    """Words before a name that are not of it: offices, ranks, forms of address."""
    suffixes: frozenset[str]
    """Words after a family name that are none."""
    no_given: frozenset[str]
    """Words with which names of places and others begin, and no person's ("North Korea")."""
    particles: frozenset[str]
    """Small words inside a person's name."""
    links: frozenset[str]
    """Small words inside other names."""
    speaking_for: frozenset[str]
    """Words that tie an institution to its name ("Ministry of Defence")."""
    speakers: frozenset[str]
    """Common nouns for those who can say something."""
    institutions: frozenset[str]
    """Words in the names of what is no person."""
    times: frozenset[str]
    time_prepositions: frozenset[str]
    prepositions: frozenset[str]
    by: frozenset[str]
    """Prepositions before who wrote or said the noun ahead of them ("a report by")."""
    by_or_from: frozenset[str]
    binding: frozenset[str]
    """Prepositions that may tie a place or an employer to who speaks."""
    tight: frozenset[str]
    """Those of them that may stand between two names."""
    numbers: frozenset[str]
    unproven: str
    """An expression for the words that deny what follows them ("there is no evidence that "), which leave it open where its
    group `lacking` is found ("the police have no evidence that ")."""
    denials: str
    """An expression for whole sayings that only deny what somebody else said ("That is false")."""
    clauses: ClauseWords

    @cached_property
    def pronouns(self) -> frozenset[str]:
        """The pronouns that can be who speaks."""
        return self.persons | self.things

    @cached_property
    def name_links(self) -> frozenset[str]:
        """The small words inside names of any kind."""
        return self.particles | self.links

    @cached_property
    def adverbial(self) -> frozenset[str]:
        """The words that can open an adverbial."""
        return self.prepositions | self.time_prepositions

    @cached_property
    def no_person(self) -> frozenset[str]:
        """The words that are in no person's name."""
        return self.institutions | self.speakers

    @cached_property
    def small_words(self) -> frozenset[str]:
        """The words that say nothing of what a clause is about."""
        return self.auxiliaries | self.boundaries | self.determiners | self.pronouns | self.prepositions | self.finite
