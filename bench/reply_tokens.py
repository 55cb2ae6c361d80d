"""Output tokens that recorded replies cost for each claim, and input tokens of every prompt's instructions and schema.

    python bench/reply_tokens.py WEIGHTS.gguf FOLDER...

Counted by the embedded engine with the tokenizer inside WEIGHTS (`factcheck models path NAME`). A FOLDER holds recordings
(`factcheck eval run --record`).
"""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from service.deadline import Deadline
from service.llm.engine import Engine, EngineConfig
from service.llm.replay import TRAITS_FILE
from service.prompt_files import find_prompts, load_prompts
from service.prompting import Prompt

_CONTEXT_TOKENS = 512
_START_S = 120.0


@contextmanager
def counting(weights: Path) -> Iterator[Callable[[str], int]]:
    """A function that counts the tokens of a text as the model in `weights` does."""
    engine = Engine(EngineConfig(weights, "tokenizer", _CONTEXT_TOKENS))
    with closing(engine):
        address = engine.ensure(Deadline.after(_START_S))
        connection = HTTPConnection(urlsplit(address.base_url).netloc)

        def count(text: str) -> int:
            headers = {"Authorization": f"Bearer {address.api_key}", "Content-Type": "application/json"}
            connection.request("POST", "/tokenize", json.dumps({"content": text}), headers)
            return len(json.load(connection.getresponse())["tokens"])

        yield count


def instructions(prompt: Prompt) -> str:
    """What every call to a prompt begins with, and its reply schema as it is sent."""
    return prompt.blocks[0].template + json.dumps(prompt.output.document, separators=(",", ":"), ensure_ascii=False)


def replies(folder: Path) -> Iterator[tuple[str, str]]:
    """The name and the text of each recorded reply in `folder`."""
    for path in sorted(folder.glob("*.json")):
        if path.name != TRAITS_FILE:
            yield path.stem, json.loads(path.read_text("ascii"))["reply"]["text"]


def main() -> None:
    """Print a line for each prompt and each reply, and one for each folder's mean over all its claims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    args = parser.parse_args()
    with counting(args.weights) as count:
        for prompt in load_prompts(find_prompts(), drafts=True):
            print(f"{prompt.name}: {count(instructions(prompt))} tokens of instructions and schema")
        for folder in args.folders:
            tokens = claims = 0
            for name, text in replies(folder):
                cost, found = count(text), len(json.loads(text)["claims"])
                print(
                    f"{folder.name}/{name[:12]}: {cost} tokens, {found} claims{f', {cost / found:.1f} each' if found else ''}"
                )
                tokens, claims = tokens + cost, claims + found
            print(f"{folder.name}: {tokens / max(claims, 1):.1f} tokens a claim over {claims} claims")


if __name__ == "__main__":
    main()
