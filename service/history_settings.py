"""What an operator can set about stored analyses."""

from dataclasses import dataclass
from typing import Final

from environs import Env
from marshmallow.validate import Range

HISTORY_SETTING_NAMES: Final = frozenset({"FACTCHECK_HISTORY", "FACTCHECK_HISTORY_TTL_S"})
_MOST_S = 315_360_000


@dataclass(frozen=True)
class HistorySettings:
    """With `history`, a caller may have an answer stored, for `history_ttl_s` seconds, where answers are kept anyway."""

    history: bool = False
    history_ttl_s: float = 2_592_000.0

    @property
    def enabled(self) -> bool:
        """Whether answers are stored for those who ask for it."""
        return self.history


def read_history(env: Env) -> HistorySettings:
    """What the environment says of it; faults are kept by `env` until it is sealed."""
    plain = HistorySettings()
    return HistorySettings(
        env.bool("FACTCHECK_HISTORY", plain.history),
        env.float("FACTCHECK_HISTORY_TTL_S", plain.history_ttl_s, validate=Range(min=1, max=_MOST_S)),
    )
