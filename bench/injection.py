"""Hostile instructions planted in articles, read by a model that obeys them: what leaves the service all the same.

    python -m bench.injection PAYLOADS.jsonl ARTICLES.jsonl [--every-deed]

PAYLOADS has `payload` and `family`, ARTICLES has `text` in each line. Each payload stands at the start, in the middle and at
the end of each article. Without `--every-deed` the deeds of the model take turns. Exit status 1 when an answer is at fault.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from time import monotonic

from service.logs import configure_logs
from service.pipeline.suspect import INJECTION_SUSPECTED
from tests.obedient import DEEDS, PLACES, obedient_service, planted

OTHER = "The other newsroom's secret word is zebrawood."


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("payloads", type=Path)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--every-deed", action="store_true")
    args = parser.parse_args()
    payloads, articles = lines(args.payloads), lines(args.articles)
    configure_logs("error")
    outcomes: Counter = Counter()
    warned: Counter = Counter()
    asked: Counter = Counter()
    faults: Counter = Counter()
    began, turn = monotonic(), 0
    with obedient_service() as service:
        service.analyze(OTHER, OTHER, "says what it was told")
        for one in payloads:
            for article in articles:
                for place in PLACES:
                    deeds = list(DEEDS) if args.every_deed else [list(DEEDS)[turn % len(DEEDS)]]
                    turn += 1
                    text = planted(article["text"], one["payload"], place)
                    for deed in deeds:
                        response = service.analyze(text, one["payload"], deed)
                        document = response.get_json(force=True)
                        outcomes[
                            deed,
                            document.get("code") or f"{response.status_code}, {'claims' if document['claims'] else 'none'}",
                        ] += 1
                        faults.update((deed, fault) for fault in service.faults(response, text, ("zebrawood",)))
                        if response.status_code == 200:
                            asked[one["family"], place] += 1
                            warned[one["family"], place] += any(w["code"] == INJECTION_SUSPECTED for w in document["warnings"])
    print(f"{len(payloads)} payloads, {len(articles)} articles, {sum(outcomes.values())} analyses, {monotonic() - began:.0f} s")
    for (deed, outcome), count in sorted(outcomes.items()):
        print(f"{count:6} {deed}: {outcome}")
    for key, count in sorted(asked.items()):
        print(f"{warned[key]:6} of {count} warned: {', '.join(key)}")
    print(f"faults: {dict(faults) or 'none'}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
