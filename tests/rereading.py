"""A model that says the same of a sentence wherever it stands, and articles to edit: for tests of earlier answers."""

import json
import re
import threading

from service.llm.base import Reply, ResponseFormat
from tests.fakes import TRAITS, claim, stance

NUMBERED = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)
_NAME = re.compile(r"(?:Minister|Mayor) [A-Z]\w+")


def proposed(number, sentence):
    """What the model says of one sentence: its words claimed by whoever it names, denied by whoever it says denies."""
    names = _NAME.findall(sentence)
    denier = [stance(names[1], "refutes", number, "denied")] if len(names) > 1 and "denied" in sentence else []
    words = re.search(r"the \w+ cost \d+ million", sentence)
    return claim(
        number,
        words[0] if words else "",
        text=sentence.replace("the ", "The ", 1) if "house" in sentence else "",
        claimant=names[0] if names else ("Minister Gray" if "She" in sentence else None),
        stances=denier,
        article="discusses" if names else "supports",
        worth=(len(sentence) % 10) / 10,
    )


def reply_to(content):
    """The reply to a prompt in version 1 of the reply schema."""
    return json.dumps({"claims": [proposed(int(number), sentence) for number, sentence in NUMBERED.findall(content)]})


class SentenceModel:
    """Answers call by call, from any thread; keeps the prompts it was asked and fails where it is told to.

    `odd` names a sentence it was never shown.
    """

    def __init__(self, *, traits=TRAITS, fail_on=None, failure=None, odd=False):
        self.traits = traits
        self.asked = []
        self._fail_on = fail_on
        self._failure = failure
        self._odd = odd
        self._lock = threading.Lock()

    def complete(self, call, deadline):
        deadline.check()
        content = call.messages[-1].content
        with self._lock:
            self.asked.append(content)
        if self._fail_on and self._fail_on in content:
            raise self._failure
        text = reply_to(content)
        if self._odd:
            text = json.dumps({"claims": [*json.loads(text)["claims"], claim(9_999, "The harbour")]})
        return Reply(text, "reader-1", ResponseFormat.JSON_SCHEMA, 10, 5, 5)

    def ready(self):
        return None
