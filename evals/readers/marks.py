"""Articles that editors marked: what an answer found rightly, wrongly and not at all, read as labelled articles.

A file holds the marks on one analysis, as `evals/marks.schema.json` says. It comes from people's browsers, so nothing of it
is believed before it was looked at.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs

from evals.items import GoldClaim, GoldStance, Item, ReferenceGold
from service import strictjson
from service.domain import ARTICLE_HOLDER, StanceLabel
from service.errors import SetupError

SCHEMA_FILE = Path(__file__).parents[1] / "marks.schema.json"
MAX_BYTES = 20_000_000
_MOST_FAULTS = 20
_MOST_CHARS = 200

Record = Mapping[str, Any]


def marked(path: Path) -> Iterator[Item[ReferenceGold]]:
    """The articles of one file of marks, or of every `.json` file in a folder, by name.

    Raises: SetupError naming the file and everything wrong with it, also when an editor has not come to its end.
    """
    if not path.is_dir():
        yield _item(path)
        return
    files = sorted(path.glob("*.json"))
    if not files:
        raise SetupError(f"{path} holds no marks: export some there, as .json files")
    for file in files:
        yield _item(file)


def _item(path: Path) -> Item[ReferenceGold]:
    document = _read(path)
    faults = [*_schema_faults(document)] or [*_faults(document)]
    if faults:
        more = [f"and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
        raise SetupError(f"{path} cannot be used as marks", [*faults[:_MOST_FAULTS], *more])
    article = document["article"]
    claims = sorted((_gold(mark) for mark in document["marks"] if mark["mark"] != "wrong"), key=lambda claim: claim.span)
    # Two editors, or one and two answers, may have marked the same article.
    cluster = sha256(article["text"].encode("utf-8")).hexdigest()[:16]
    return Item(path.stem, article["text"], article["language"], article.get("title"), ReferenceGold(tuple(claims)), cluster)


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SetupError(f"{path} has more than {MAX_BYTES} bytes: it holds more than one article's marks")
        return strictjson.loads(path.read_bytes())
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
    except strictjson.StrictJsonError as error:
        raise SetupError(f"{path} is not strict JSON: {error.reason}") from error


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    # The mask keeps an article's words out of what is told.
    return jsonschema_rs.Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")), mask="what is there")


def _schema_faults(document: Any) -> Iterator[str]:
    for error in _validator().iter_errors(document):
        yield _told("".join(f"/{part}" for part in error.instance_path), error.message)


def _faults(document: Record) -> Iterator[str]:
    """What a schema cannot say: that quotes are in the article, no claim is marked twice, and nothing is left to mark."""
    article = document["article"]
    text = article["text"]
    if "sha256" in article and article["sha256"] != sha256(text.encode("utf-8")).hexdigest():
        yield _told("/article/sha256", "this is not the hash of the text: the text was changed")
    if not document["complete"]:
        yield _told("/complete", "the marks are not complete: mark every claim, add those that are missing, and export again")
    seen: set[str] = set()
    for number, mark in enumerate(document["marks"]):
        where = f"/marks/{number}" if mark["mark"] == "missing" else f"/marks/{number}/claim"
        quote = mark.get("claim", mark)["quote"]
        if text[quote["start"] : quote["end"]] != quote["text"]:
            yield _told(f"{where}/quote", "these words are not at these places of the article")
        if "claim" in mark and mark["claim"]["id"] in seen:
            yield _told(f"{where}/id", "this claim is marked twice")
        seen.add(mark.get("claim", {}).get("id"))


def _told(pointer: str, words: str) -> str:
    shown = f"{pointer or '/'}: {words}"
    return "".join(letter if letter.isprintable() else "�" for letter in shown)[:_MOST_CHARS]


def _gold(mark: Record) -> GoldClaim:
    said = _missing(mark) if mark["mark"] == "missing" else _right(mark["claim"], mark.get("corrected", {}))
    quote = mark.get("claim", mark)["quote"]
    return GoldClaim(
        text=said["text"],
        span=(quote["start"], quote["end"]),
        claimant=said["claimant"],
        article=said["article"],
        others=tuple(GoldStance(stance["holder"], stance["stance"]) for stance in said["stances"]),
        kind=said["kind"],
        check_worthiness=mark.get("check_worthiness"),
    )


def _missing(mark: Record) -> Record:
    return {"stances": _supporting(mark["claimant"]), **mark}


def _right(claim: Record, corrected: Record) -> Record:
    """What an answer said of a claim, with what an editor says instead."""
    claimant = claim["claimant"] and claim["claimant"]["name"]
    others = [stance for stance in claim["stances"] if stance["holder"] != ARTICLE_HOLDER]
    if "claimant" in corrected:
        # Who turns out not to have said it has not taken a stance by saying it.
        others = [stance for stance in others if stance["holder"] not in {claimant, corrected["claimant"]}]
        others += _supporting(corrected["claimant"])
    (article,) = (stance["stance"] for stance in claim["stances"] if stance["holder"] == ARTICLE_HOLDER)
    said = {"text": claim["text"], "claimant": claimant, "article": article, "stances": others, "kind": claim["kind"]}
    return {**said, **corrected}


def _supporting(claimant: str | None) -> list[dict[str, str]]:
    return [{"holder": claimant, "stance": StanceLabel.SUPPORTS}] if claimant else []
