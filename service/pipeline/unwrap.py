"""What a model writes around its JSON, taken off; the JSON itself is never mended."""

import re

_FENCE = "```"
_FENCE_LANGUAGES = frozenset({"", "json"})
_THINK = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


def unwrap(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without one leading think block, one code fence and the prose around that, and which of them there was."""
    repairs = []
    without_think = _THINK.sub("", text, count=1)
    if without_think != text:
        repairs.append("think")
    surrounded, in_prose = _surrounded(without_think), _in_prose(without_think)
    if surrounded is not None:
        return surrounded, (*repairs, "fence")
    if in_prose is not None:
        return in_prose, (*repairs, "fence", "prose")
    return without_think, tuple(repairs)


# Without regular expressions: those for fences try every place in a run of spaces anew, and a model can write a million.


def _surrounded(text: str) -> str | None:
    """What stands in the code fence that a text is, or None."""
    inner = text.strip().removeprefix(_FENCE).removesuffix(_FENCE)
    return _below_language(inner) if len(inner) + 2 * len(_FENCE) == len(text.strip()) else None


def _in_prose(text: str) -> str | None:
    """What stands in the only code fence of a text, or None: of two, nobody could say which is the answer."""
    match text.split(_FENCE, 3):
        case [before, inside, after]:
            alone = not before.rpartition("\n")[2].strip() and not after.partition("\n")[0].strip()
            return _below_language(inside) if alone else None
        case _:
            return None


def _below_language(inside: str) -> str | None:
    language, line_end, body = inside.partition("\n")
    return body if line_end and language.strip().lower() in _FENCE_LANGUAGES else None
