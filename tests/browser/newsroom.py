"""Articles and what the model double says of them: one is a claim of the reply schema's first version."""

import json
import re
import threading

from tests.fakes import claim, stance
from tests.model_answers import Answer, Call, article_of, completion, json_answer, reply_to, version_of

PROMPT = "extract_claims@1"
EMOJI = (
    "👩‍🚒🔥 Mayor Jane Roe said on Monday that the bridge 🌉 cost 40 million euros. Tom Poe denied that the bridge 🌉 cost 40 "
    "million euros.\n\nThe bridge 🌉 opened in May 2026, and “nobody” paid for it.  Two  spaces stay.\n"
)
ARABIC = "أعلنت وزارة الاقتصاد يوم الإثنين أن الأسعار ارتفعت بنسبة خمسة في المئة. ونفى الحزب أن الأسعار ارتفعت.\n"
CHINESE = "财政部长周一表示，今年的价格上涨了百分之五。反对党领袖否认了这一说法，并称经济正在衰退。\n"
HOSTILE = (
    "The mayor said <script>window.broken=1;alert(1)</script> cost five euros. "
    '"><img src=https://evil.example/x onerror=alert(2)> rose by six percent. '
    "<style>*{display:none}</style><base href=https://evil.example/> fell in May. "
    "<a href=\"javascript:alert(3)\">press</a> </textarea></title>--> {{ 7*7 }} ' onfocus='alert(4)' autofocus x=' closed. "
    f"The {'W' * 3000} was opened in June. \u202eright to left and never closed.\n"
)
MANY = "".join(
    f"Town number {number} spent {number} million euros on its new bridge last year.\n\n" for number in range(1, 301)
)
SLOW = "SLOW is the reading of this article, the mayor said.\n"
_SCRIPTED = {
    "👩‍🚒": [
        claim(
            1,
            "the bridge 🌉 cost 40 million euros",
            claimant="Jane Roe",
            stances=[
                stance("Jane Roe", "supports", 1, "Mayor Jane Roe said"),
                stance("Tom Poe", "refutes", 2, "Tom Poe denied"),
            ],
            article="discusses",
            kind="quantity",
            worth=0.9,
            why="a sum of public money",
        ),
        claim(1, "Mayor Jane Roe said on Monday that the bridge 🌉 cost 40 million euros", article="refutes", worth=0.3),
        claim(3, "The bridge 🌉 opened in May 2026", worth=0.6),
    ],
    "أعلنت": [claim(1, "الأسعار ارتفعت بنسبة خمسة في المئة", claimant="وزارة الاقتصاد", worth=0.8)],
    "财政部长": [claim(1, "今年的价格上涨了百分之五", claimant="财政部长", article="discusses", worth=0.8)],
    "window.broken": [
        claim(
            1,
            "<script>window.broken=1;alert(1)</script> cost five euros",
            text="<b onmouseover=alert(5)>x</b>",
            claimant="The mayor",
        ),
        claim(2, "onerror=alert(2)> rose by six percent", why="</p><script>alert(6)</script>"),
        claim(3, "<style>*{display:none}</style><base href=https://evil.example/> fell in May"),
    ],
}


class Newsroom:
    """The double's replies. A slow article waits for `go_on`, or until the service has left."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, call: Call) -> Answer:
        """The answer to one chat request."""
        words = article_of(call.body)
        if "SLOW" in words:
            self.asked.set()
            self.go_on.wait(30)
        for known, claims in _SCRIPTED.items():
            if known in words and version_of(call.body) == 1:
                return json_answer(
                    completion(json.dumps({"claims": claims}), model="double-1", input_tokens=900, output_tokens=120)
                )
        if "Town number" in words:
            numbered = re.findall(r"^\[(\d+)\] (Town number (\d+) .*?)\.?$", words, re.MULTILINE)
            claims = [
                claim(int(at), quote, claimant=None, worth=(int(town) % 100) / 100, kind="quantity")
                for at, quote, town in numbered
            ]
            return json_answer(completion(json.dumps({"claims": claims}), model="double-1"))
        return json_answer(completion(reply_to(call.body), model="double-1", input_tokens=900, output_tokens=120))
