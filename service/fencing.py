"""What keeps an article's words apart from ours in a prompt: a fence around them, and a mark in the instructions.

Both are made of a secret, so whoever writes an article can foresee neither. Neither changes between calls about the same
article, so that what a provider has read once need not be paid for again.
"""

import hmac
import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes

from service.domain import Article
from service.errors import ModelError

_HEX_DIGITS = 16
_KEY_BYTES = 32
_NOT_A_SIGN = re.compile(r"[\W_]+")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


class PromptLeakedError(ModelError):
    """The model wrote down the mark of its instructions: it did what the article said, so nothing of its reply is used."""

    code = "prompt-leaked"


@dataclass(frozen=True)
class Fencing:
    """Fences and the canary of one secret: by default one of this process alone."""

    key: bytes = field(default_factory=lambda: token_bytes(_KEY_BYTES), repr=False)

    @classmethod
    def of(cls, secret: str | None) -> "Fencing":
        """The fencing of a deployment's secret, the same in each of its processes; without one, a fencing of this process."""
        return cls() if secret is None else cls(hmac.digest(secret.encode("utf-8"), b"fencing", sha256))

    @property
    def canary(self) -> str:
        """The mark that stands in the instructions and may stand in no answer: 16 hexadecimal digits."""
        return self._code(b"canary")

    def fence(self, article: Article) -> str:
        """What stands before and after everything of `article`: 16 hexadecimal digits.

        They depend on every word of it, so an article cannot hold its own, not even one that was let know another's.
        """
        return self._code(b"fence", article.sha256.encode("ascii"), (article.title or "").encode("utf-8", "surrogatepass"))

    def leaked(self, text: str) -> bool:
        """Whether the canary is in `text`: as it is, in capitals, spaced out, escaped, backwards or in Base64."""
        canary = self.canary
        if canary in text or any(form in text for form in _in_base64(canary)):
            return True
        # A reply is JSON, and JSON may write any letter as its number.
        plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\\u" in text else text
        folded = _NOT_A_SIGN.sub("", plain).casefold()
        return canary in folded or canary[::-1] in folded

    def _code(self, *parts: bytes) -> str:
        # Only the last part is of any length, so no two lists of parts are joined to the same bytes.
        return hmac.digest(self.key, b"\0".join(parts), sha256).hex()[:_HEX_DIGITS]


def _in_base64(text: str) -> tuple[str, ...]:
    """The letters that Base64 has for `text` wherever it begins, without those that depend on its neighbours."""
    forms = []
    for before in range(3):
        written = b64encode(b"\0" * before + text.encode("ascii")).decode("ascii").rstrip("=")
        first = -(-before * 8 // 6)
        last = (before + len(text)) * 8 // 6
        forms.append(written[first:last])
    return tuple(forms)
