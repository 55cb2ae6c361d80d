"""The labelled sets by name: where their files are, under which terms, who reads and who scores them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.items import Item
from evals.readers import articles, sentences
from evals.readers.marks import marked
from evals.scores.attributions import ATTRIBUTIONS
from evals.scores.pages import CENTRAL, EVIDENCE, SMOKE
from evals.scores.reference import REFERENCE
from evals.scores.scorer import Scorer
from evals.scores.sentences import CLAIMBUSTER, FACTS, POLICLAIM, SUBJECTIVITY
from evals.scores.topics import TOPICS
from service.errors import SetupError

DATA_VARIABLE = "FACTCHECK_DATA"


@dataclass(frozen=True)
class Dataset:
    """A labelled set. `file` is relative to the data folder; it is a folder where each article has a file of its own."""

    name: str
    file: str
    labels: str
    licence: str
    read: Callable[[Path], Iterator[Item[Any]]]
    scorer: Scorer

    @property
    def private(self) -> bool:
        """Whether its texts must not be passed on."""
        return self.file.startswith("private_only/")


_OWN = "annotations ours; texts CC BY 2.5 (Wikinews)"
_ASK = "no licence stated"

_ALL = (
    Dataset("reference", "reference/dev.jsonl", "every claim, in our words", _OWN, articles.reference, REFERENCE),
    Dataset("marked", "private_only/marked", "every claim, as editors marked them", "your newsroom's", marked, REFERENCE),
    Dataset("newsclaims", "private_only/newsclaims/dev.jsonl", "claims on COVID-19", _ASK, articles.newsclaims, TOPICS),
    Dataset("polnear", "private_only/polnear/dev.jsonl", "attributions", _ASK, articles.polnear, ATTRIBUTIONS),
    Dataset(
        "german_wikinews_quotes",
        "private_only/german_wikinews_quotes/dev.jsonl",
        "quotations and their speakers",
        "CC BY-NC-SA 4.0",
        articles.german_quotes,
        ATTRIBUTIONS,
    ),
    Dataset("policlaim", "private_only/policlaim/train_gold.jsonl", "claim sentences", _ASK, sentences.policlaim, POLICLAIM),
    Dataset(
        "claimbuster",
        "open_licence/claimbuster/crowdsourced.jsonl",
        "check-worthy sentences",
        "CC BY 4.0",
        sentences.claimbuster,
        CLAIMBUSTER,
    ),
    Dataset(
        "factcheck_bench",
        "open_licence/factcheck_bench/documents_first40.jsonl",
        "check-worthy sentences, worded claims",
        "Apache-2.0",
        articles.factcheck_bench,
        FACTS,
    ),
    Dataset(
        "averitec_dce",
        "private_only/averitec_dce/dev_usable.jsonl",
        "the claim a fact-checker took",
        _ASK,
        articles.averitec_dce,
        CENTRAL,
    ),
    Dataset("wice", "private_only/wice/claim_dev.jsonl", "evidence sentences", "CC BY-SA", articles.wice, EVIDENCE),
    *(
        Dataset(
            f"checkthat2025_subjectivity_{language}",
            f"private_only/checkthat2025_subjectivity/{language}_dev.jsonl",
            "objective or not, by sentence",
            "CC BY-NC-SA 4.0",
            sentences.subjectivity,
            SUBJECTIVITY,
        )
        for language in ("en", "de")
    ),
    *(
        Dataset(
            f"semeval2025_t10_{language}",
            f"private_only/semeval2025_t10/{language}_train.jsonl",
            "nothing: smoke test",
            _ASK,
            articles.semeval2025_t10,
            SMOKE,
        )
        for language in ("en", "ru")
    ),
)

DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in _ALL}


def data_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the labelled sets.

    Raises: SetupError when FACTCHECK_DATA does not name one.
    """
    named = environ.get(DATA_VARIABLE, "").strip()
    if not named:
        raise SetupError(f"{DATA_VARIABLE} must name the folder of the labelled sets")
    folder = Path(named)
    if not folder.is_dir():
        raise SetupError(f"{DATA_VARIABLE} names no folder")
    return folder
