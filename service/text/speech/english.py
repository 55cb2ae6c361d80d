"""English, as newspapers write it: data, no rules."""

from service.text.speech.given_names import MEN, WOMEN
from service.text.speech.lexicon import ClauseWords, Lexicon, forms, phrases, words

_CLAUSES = ClauseWords(
    adverbial=("but", "so", "as", "although", "though", "while", "whereas", "yet"),
    asides=words("as although though while whereas"),
    relative=("which", "in which", "where", "who"),
    with_circumstance=("with", "despite"),
    following=("after", "following"),
    conjunctions=("and", "but"),
    that=("that",),
    subjects=tuple("the a an it he she they this there we i his her their its that these those no some many most all".split()),
    finite=(
        *"is are was were has have had will would could can should may might did does do must won led took made came".split(),
        *"went got gave found left fell rose began became held kept lost met ran saw set put sent shot sold spent".split(),
        *("stood", "told"),
        r"\w{2,}ed",
    ),
    participles=("[a-z]{4,}ing", "[a-z]{3,}ed"),
    no_participles=("including", "regarding", "following", "according", "concerning"),
    shared_subject=(),
    captions=("Image", "Photo", "Category", "Categories", "Source"),
    wishes=(
        *("You", "All further", "We want", "I want", "I hope", "We hope", "I think", "I feel", "I'm", "I am", "We're proud"),
        *("Let's", "Let us", "Thank", "Please", "Want to", "We should", "You should", "We need to", "We must", "Hopefully"),
        *("Hoping", "If you", "For more"),
    ),
)

ENGLISH = Lexicon(
    verbs=forms(
        asserts=(
            "said says say told tells stated states state claimed claims claim alleged alleges allege announced announces "
            "announce argued argues argue added adds warned warns warn insisted insists insist suggested suggests suggest "
            "explained explains explain confirmed confirms confirm noted notes note wrote writes write tweeted tweets "
            "reported reports report revealed reveals reveal acknowledged acknowledges acknowledge believes believe believed "
            "estimated estimates estimate predicted predicts predict asserted asserts assert declared declares declare "
            "maintained maintains contended contends contend concluded concludes conclude admitted admits admit conceded "
            "concedes remarked remarks remark commented comments observed observes emphasized emphasises emphasizes "
            "emphasised stressed stresses pointed points recalled recalls testified testifies disclosed discloses indicated "
            "indicates indicate replied replies responded responds countered counters joked jokes quipped boasted bragged "
            "complained complains lamented laments cautioned cautions promised vowed pledged accused accuses accuse recounted "
            "continued charged charges charge reiterated reiterates repeated described describes describe called calls feels "
            "felt thinks think thought recommends recommended recommend found finds shows showed show detailed details posted "
            "posts hinted speculated speculates expects expected expect fears feared worried worries concurred agreed agrees "
            "criticized criticised criticizes urged urges advised advises praised touted proclaimed opined hailed reasoned "
            "dubbed blamed blames credited vows pledges assured assures informed"
        ),
        denies=(
            "denied denies deny dismissed dismisses dismiss rejected rejects reject disputed disputes dispute refuted refutes "
            "refute rebutted debunked contradicted doubts doubted disputing"
        ),
        leaves_open="asked asks ask wondered wonders questioned questions question mentioned mentions mention discussed",
    ),
    participles=forms(
        asserts=(
            "saying stating claiming adding noting arguing warning insisting suggesting explaining confirming writing "
            "tweeting reporting announcing acknowledging asserting declaring telling emphasizing emphasising stressing "
            "alleging admitting concluding indicating pointing reiterating calling describing predicting estimating believing "
            "accusing maintaining contending boasting complaining revealing"
        ),
        denies="denying rejecting dismissing disputing refuting",
        leaves_open="asking wondering questioning mentioning",
    ),
    nouns=forms(
        asserts=(
            "report reports claim claims allegation allegations accusation accusations assertion assertions rumors rumours "
            "suggestion suggestions charges charge statement statements warning warnings belief"
        ),
        denies="denial denials",
    ),
    according=phrases("according to", "in the words of", "as per"),
    hearsay=phrases(
        "reportedly",
        "accused of",
        "charged with",
        "is claimed",
        "was claimed",
        "is alleged",
        "was alleged",
        "appears to have",
        "appear to have",
        "may have",
        "might have",
        "court heard",
        "allegedly",
        "purportedly",
        "supposedly",
        "alleged",
        "purported",
        "believed to",
        "thought to",
        "said to be",
        "said to have",
        "reported to",
    ),
    weak_verbs=words(
        "described describes describe called calls found finds shows showed show details detailed posted posts expects "
        "expected expect fears feared worried worries agreed agrees criticized criticised criticizes urged urges advised "
        "advises praised touted hailed dubbed blamed blames credited pointed points continued charged charges charge promised "
        "vowed pledged vows pledges estimated accused accuses accuse state note report comments remarks notes reports states "
        "tweeted tweets recommends recommended recommend dispute disputes reject rejects rejected dismissed question "
        "questions questioned mentioned mentions mention discussed recalled recalls believed indicated maintained repeated "
        "calling describing reporting pointing informed assured disputed answered felt thought asked revealed estimates "
        "doubts"
    ),
    bare=words("said says say told claims claimed claim tells"),
    factive=words("noted notes observed observes revealed reveals found finds detailed details detailing"),
    counting=words("reported reports estimated estimates"),
    confirming=words("confirm confirmed confirms verify verified deny denied denies"),
    that=words("that"),
    audience=words("reporters journalists lawmakers us them him her me supporters"),
    publications=words(
        "statement statements analysis tweet tweets letter speech remarks comments testimony memo email blog account page"
    ),
    negations=words("not never n't n’t cannot hardly nothing neither nor without declined refused"),
    modals=words("would could should may might"),
    nobody=words("no none nobody noone few hardly"),
    metonyms={
        "moscow": "russia",
        "kremlin": "russia",
        "kiev": "ukraine",
        "kyiv": "ukraine",
        "tehran": "iran",
        "beijing": "china",
        "berlin": "germany",
        "washington": "united",
    },
    specifying=words("of about over against from by that in on"),
    pointing=words("this these those such it"),
    after_mark=frozenset(),
    auxiliaries=words(
        "has have had was were is are be been being will would could should may might can did does do not n't n’t never also "
        "later then reportedly repeatedly recently previously since earlier first further once again now still only even just "
        "always often subsequently nevertheless nonetheless however meanwhile publicly privately initially finally eventually "
        "explicitly specifically clearly rightly wrongly falsely jokingly famously simply instead both all consistently "
        "strongly vehemently flatly categorically angrily quickly already today yesterday"
    ),
    finite=words(
        "is are was were has have had will would could can should may might did does do must isn't aren't wasn't weren't "
        "hasn't haven't hadn't won't wouldn't couldn't can't shouldn't didn't doesn't don't it's he's she's they're i'm we're "
        "isn’t aren’t wasn’t weren’t hasn’t haven’t hadn’t won’t wouldn’t couldn’t can’t shouldn’t didn’t doesn’t don’t it’s "
        "he’s she’s they’re i’m we’re i’ve we’ve they’ve we’ll"
    ),
    boundaries=words("but while although though because whereas if when whether after before until unless so that which who"),
    determiners=words(
        "the a an this that these those his her its their our my your some many several other another one no any neither both"
    ),
    persons=words("he she"),
    unfit={**dict.fromkeys(("he", "mr", "sir", "lord"), WOMEN), **dict.fromkeys(("she", "mrs", "ms", "miss", "lady"), MEN)},
    things=words("it they we i"),
    titles=words(
        "mr mr. mrs mrs. ms ms. dr dr. prof prof. professor sir lord lady dame president vice prime minister senator sen "
        "sen. rep rep. representative congressman congresswoman governor gov gov. mayor chancellor secretary general gen "
        "gen. colonel col col. captain capt capt. rev rev. del del. maj maj. cmdr cmdr. amb amb. lt lt. lieutenant sergeant "
        "sgt. admiral judge justice king queen prince princess pope bishop archbishop cardinal ambassador chairman "
        "chairwoman director ceo chief attorney commissioner spokesman spokeswoman spokesperson speaker deputy assistant "
        "senior coach candidate nominee sheriff detective officer inspector foreign defense defence state council security "
        "interior finance health education press campaign manager strategist adviser advisor author journalist host analyst "
        "director-general republican democratic democrat gop former then ex-president mp mep administrator leader leadership "
        "supreme"
    ),
    speakers=words(
        "official officials spokesman spokeswoman spokesperson spokespeople police authorities experts expert analysts "
        "analyst sources source report reports study studies survey statement researchers researcher scientists scientist "
        "witnesses witness residents critics supporters opponents lawyers lawyer attorney attorneys prosecutors government "
        "ministry minister company court agency department office party committee team group campaign media newspaper article "
        "documents document data videos people man woman doctor doctors family father mother son daughter brother sister "
        "friend soldier soldiers teacher students student president senator governor mayor church institute university union "
        "organisation organization association commission council leader leaders member members authors author poll polls "
        "professor director chairman ambassador judge ruling law letter memo email filing investigators investigator officers "
        "officer economists economist historians activists activist protesters delegates insiders aides aide adviser advisers "
        "advisor advisors allies ally operative operatives strategist strategists voters voter republicans democrats "
        "conservatives liberals administration regime army military troops rebels representatives representative firm bank "
        "site website paper magazine network channel outlet journalist journalists reporter reporters candidate nominee "
        "opponent rival coach manager owner founder boss chief deputy secretary ceo executive executives employees employee "
        "workers worker guests lawmakers congressman congresswoman senators allegations others some many most someone "
        "everyone another former"
    ),
    institutions=words(
        "journal times post news house council ministry department university institute church party committee court bank "
        "organisation organization association union agency commission foundation team group company inc corp police press "
        "states kingdom nations republic city county school college hospital center centre library museum world street "
        "government parliament congress senate army force forces network magazine report study survey america europe act "
        "tribune herald guardian week day cup festival global digital media watch coalition alliance fund board bureau "
        "league tv radio federation forum islands debates history"
    ),
    times=words(
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september "
        "october november december today yesterday tonight tomorrow week month year morning afternoon evening night weekend "
        "earlier later ago last this next"
    ),
    time_prepositions=words("on in last this earlier late early during at over after next since"),
    prepositions=words(
        "in on at to for from with by about of as into over under after before during against between through among via "
        "without within upon toward towards regarding concerning near despite amid outside inside since per"
    ),
    by=words("by"),
    by_or_from=words("from by"),
    numbers=words(
        "two three four five six seven eight nine ten dozen dozens hundred hundreds thousand thousands million millions"
    ),
    particles=words("al bin de la le van von der den du di da e y el"),
    links=words("of for and the on & at"),
    conjunctions=words("and but or then"),
    neither="neither",
    nor="nor",
    it=words("it"),
    negated_endings=("n't", "n’t"),
    infinitive="to",
    nouns_too=words(
        "claims claim notes note states state charges charge comments remarks estimates estimate points promises doubts "
        "question questions shows fears calls"
    ),
    passive=words("was were is are been be being"),
    no_clause=words("which who that how to why whether but and"),
    opening=words("and or but as yet then so for of"),
    binding=words("of for at from by with in"),
    tight=words("of for at"),
    relative=words("who"),
    adverb_ending="ly",
    suffixes=words("jr sr"),
    no_given=words(
        "north south east west northern southern eastern western central new united national international federal american "
        "british san santa los las fort mount saint capitol supreme great say what how why who when"
    ),
    speaking_for=words("of for"),
    own_pronouns=words("we i"),
    many=words("all any such"),
    plural_ending="s",
    copulas=words("was is were are would had has"),
    manners=words("how"),
    unproven=(
        r"\b(?:there (?:is|was|'s|’s) (?:currently )?no"
        r"|(?P<lacking>(?:do|does|did)(?:n['’]t| not) have(?: any)?|(?:has|have|had) no)"
        r"|(?:found|see|sees|saw) no|no) (?:credible |scientific |clear |hard |real )?"
        r"(?:evidence|proof|indication|sign)s? (?:that|to suggest that|to show that)\s"
        r"|\b(?:false|baseless|groundless|unfounded|debunked|discredited|unproven)"
        r" (?:claim|rumou?r|theory|idea|allegation|report)s? that\s"
        r"|\b(?:it is|it's|it’s|it was) (?:false|untrue|not true|a myth|a lie|wrong) that\s"
    ),
    denials=(
        r"(?:no, )?(?:that|this|it|all of this|all this)(?: is|['’]s| was)"
        r" (?:simply |just |completely |totally |absolutely |all )?"
        r"(?:false|untrue|not true|wrong|a lie|nonsense|fake news|fake|baseless|ridiculous|absurd|not the case|rubbish)"
    ),
    clauses=_CLAUSES,
)
