"""German, as newspapers write it: data, no rules."""

from service.text.speech.given_names import MEN, WOMEN
from service.text.speech.lexicon import ClauseWords, Lexicon, forms, phrases, words

_CLAUSES = ClauseWords(
    adverbial=("aber", "während", "sondern", "wobei", "allerdings"),
    asides=words("obwohl während"),
    relative=("die", "der", "das", "deren", "dessen", "weshalb", "weil"),
    with_circumstance=(),
    following=("nachdem",),
    conjunctions=("und", "sowie", "aber"),
    that=("dass",),
    subjects=tuple("der die das ein eine er sie es man diese dieser".split()),
    finite=(
        *"ist sind war waren hat haben hatte hatten wird werden wurde wurden kann können soll sollen sei seien habe".split(),
        *("werde", r"\w{3,}ten?"),
    ),
    participles=(),
    no_participles=(),
    shared_subject=("und",),
    captions=("Foto", "Bild", "Quelle"),
    wishes=("Ich hoffe", "Wir hoffen", "Ich denke"),
)

GERMAN = Lexicon(
    verbs=forms(
        asserts=(
            "sagte sagt sagten sagen erklärte erklärt erklärten erklären teilte teilten teilt berichtete berichtet berichten "
            "berichteten betonte betont betonten warnte warnt warnten kündigte kündigt behauptete behauptet behaupten meinte "
            "meint meinten forderte fordert forderten schrieb schreibt schreiben gab gibt äußerte äußert verkündete räumte "
            "bestätigte bestätigt bestätigten ergänzte ergänzt fügte vermutet vermuten vermutete schätzt schätzen schätzte "
            "urteilte argumentierte argumentiert begründete begründet kritisierte kritisiert bezeichnete bezeichnet nannte "
            "nennt glaubt glauben hofft sieht sehen sah bekräftigte unterstrich unterstreicht hob verwies verweist "
            "versicherte verteidigte ließ informierte meldete meldet meldeten gestand stellte kommentierte resümierte zeigte "
            "beklagte beklagt prognostiziert prognostizierte rechnet gehen geht ging empfiehlt empfahl warf"
        ),
        denies="wies bestritt bestreitet bestritten dementierte dementiert leugnete widersprach widerspricht",
        leaves_open="fragte fragt",
    ),
    participles={},
    nouns={},
    according=phrases(
        "laut",
        "zufolge",
        "nach angaben von",
        "nach angaben des",
        "nach angaben der",
        "so",
        "wie",
        "nach aussage von",
        "nach meinung von",
        "nach ansicht von",
        "nach aussagen von",
        "nach ansicht des",
        "nach ansicht der",
    ),
    hearsay=phrases(
        "angeblich",
        "mutmaßlich",
        "vermeintlich",
        "offenbar",
        "mutmaßliche",
        "mutmaßlichen",
        "angebliche",
        "angeblichen",
        "sei",
        "seien",
        "habe",
        "werde",
        "könne",
        "müsse",
        "solle",
        "wolle",
        "dürfe",
        "soll",
        "sollen",
        "vorgeworfen",
        "beschuldigt",
    ),
    weak_verbs=words(
        "forderte fordert forderten gab gibt nannte nennt bezeichnete bezeichnet kritisierte kritisiert sieht sehen sah wies "
        "verwies verweist ließ stellte zeigte hob räumte warf geht gehen ging rechnet verteidigte fügte teilte teilten teilt "
        "fragte fragt empfahl empfiehlt begründete begründet hofft unterstrich bestätigte bestätigt kündigte kündigt glauben "
        "glaubt widersprach beklagte meldet schätzt schätzen leugnete"
    ),
    bare=words("sagte sagt sagten"),
    factive=words("bestätigte bestätigt"),
    counting=words("meldete meldeten zählte"),
    confirming=words("bestätigte bestätigt bestätigten"),
    that=words("dass daß"),
    audience=words("journalisten reportern"),
    publications=words("bericht studie zeitung"),
    negations=words("nicht nie kein keine weder nichts"),
    modals=words("würde würden könnte könnten"),
    nobody=words("kein keine keiner keines niemand wenige kaum nichts"),
    metonyms={"moskau": "russland", "kreml": "russland", "kiew": "ukraine", "teheran": "iran", "peking": "china"},
    specifying=words("der des von gegen wegen über dass"),
    pointing=words("diese dieser diesen solche es"),
    after_mark=words("so wie"),
    auxiliaries=words(
        "hat haben hatte hatten habe auch dann später zudem jedoch aber bereits heute gestern weiter dazu daraufhin sich "
        "inzwischen mittlerweile dagegen hingegen außerdem nun noch wiederum"
    ),
    finite=words(
        "ist sind war waren hat haben hatte hatten wird werden wurde wurden kann können konnte soll sollen sollte muss müssen "
        "musste will wollen wollte darf sei seien habe werde würde würden könne müsse wolle solle dürfe gebe gehe komme stehe "
        "bleibe"
    ),
    boundaries=words("aber während obwohl weil da wenn ob nachdem bevor bis sodass dass daß und oder sondern denn"),
    determiners=words(
        "der die das ein eine einer eines einem einen dem den des dieser diese dieses sein seine seiner ihr ihre ihrer "
        "mehrere viele einige"
    ),
    persons=words("er sie"),
    unfit={**dict.fromkeys(("er", "herr"), WOMEN), **dict.fromkeys(("sie", "frau"), MEN)},
    things=words("es wir ich man"),
    titles=words(
        "herr frau dr dr. prof prof. professor präsident präsidentin bundespräsident bundeskanzler bundeskanzlerin kanzler "
        "kanzlerin minister ministerin außenminister außenministerin innenminister finanzminister verteidigungsminister "
        "premierminister ministerpräsident ministerpräsidentin sprecher sprecherin regierungssprecher pressesprecher chef "
        "chefin general oberst bischof papst könig königin bürgermeister oberbürgermeister senator direktor vorsitzender "
        "vorsitzende parteichef us-präsident staatssekretär abgeordneter experte trainer leiter generalsekretär anwalt "
        "us-außenminister senatorin bundesaußenminister bundesfinanzminister bundesinnenminister regierungschef "
        "polizeisprecher umweltminister kardinal richter"
    ),
    speakers=words(
        "sprecher sprecherin polizei behörden behörde regierung ministerium experten experte forscher wissenschaftler bericht "
        "berichte studie angaben zeugen augenzeugen kritiker opposition agentur zeitung medien quellen unternehmen partei "
        "gericht staatsanwaltschaft institut universität organisation kommission präsident minister"
    ),
    institutions=words(
        "zeitung partei ministerium universität institut bank gericht polizei union kommission rat verband gesellschaft "
        "stiftung staaten republik stadt land agentur presse spiegel welt times post news"
    ),
    times=words(
        "montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar märz april mai juni juli august september "
        "oktober november dezember heute gestern morgen woche monat jahr vormittag nachmittag abend"
    ),
    time_prepositions=words("am im in seit vor nach gegen bis um"),
    prepositions=words(
        "in im an am auf zu zum zur für von vom mit bei beim aus nach vor seit über unter gegen durch zwischen während wegen "
        "trotz laut bis ohne um gegenüber"
    ),
    by=words("von"),
    by_or_from=words("von"),
    numbers=words("zwei drei vier fünf sechs sieben acht neun zehn dutzend hundert hunderte tausend tausende millionen"),
    particles=words("von van der den de zu al bin"),
    links=words("und für"),
    conjunctions=words("und oder aber"),
    neither="weder",
    nor="noch",
    it=words("es"),
    negated_endings=(),
    infinitive="zu",
    nouns_too=frozenset(),
    passive=frozenset(),
    no_clause=frozenset(),
    opening=words("und oder aber"),
    binding=words("in aus von"),
    tight=words("von"),
    relative=frozenset(),
    adverb_ending="",
    suffixes=frozenset(),
    no_given=words(
        "nord süd ost west nordrhein neu new los san santa sankt vereinigte vereinigten bundes was wie warum wer wann"
    ),
    speaking_for=frozenset(),
    own_pronouns=words("wir ich"),
    many=words("alle"),
    plural_ending="",
    copulas=frozenset(),
    manners=words("wie"),
    unproven=(
        r"\b(?:es gibt|es gab|gibt es|gab es|sah|sehe|sieht) (?:bislang |bisher )?keine"
        r" (?:Belege|Beweise|Hinweise|Anzeichen)(?: dafür| darauf)?, dass\s"
        r"|\bes ist (?:falsch|unwahr|nicht wahr), dass\s"
    ),
    denials=(
        r"(?:nein, )?(?:das|dies|es) (?:ist|sei|war|wäre) (?:einfach |schlicht |völlig |alles )?"
        r"(?:falsch|unwahr|nicht wahr|eine lüge|gelogen|unsinn|quatsch|absurd|haltlos)"
    ),
    clauses=_CLAUSES,
)
