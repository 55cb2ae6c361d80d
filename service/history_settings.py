"""What an operator can set about stored analyses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HistorySettings:
    """With `enabled`, a caller may have an answer stored, for `ttl_s` seconds, where answers are kept anyway."""

    enabled: bool = False
    ttl_s: float = 2_592_000.0
