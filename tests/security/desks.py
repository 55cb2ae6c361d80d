"""A service whose callers have keys, and keys of every kind to try it with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time

from flask.testing import FlaskClient

from service.access.caller import ALL_SCOPES, Scope
from service.access.key_file import KeyFile
from service.access.keys import Key, digest, new_text
from service.access.settings import AccessSettings, Mode
from service.llm.base import ModelCall
from service.pipeline.analyze import Services
from service.pipeline.answers import Answers
from service.settings import Settings
from service.store.memory import MemoryStore
from tests.api.conftest import PROMPTS, NeverTired
from tests.described import create_app

PEPPER = "a pepper of more than thirty-two characters"
HOUR_S = 3_600
DESK, OTHER_DESK = "desk-a", "desk-b"


class Desks:
    """The service: `client` talks to it, `calls` are those its model got, and keys are made for whoever wants one."""

    def __init__(self, folder: Path) -> None:
        self.file = KeyFile(folder / "keys.json", PEPPER.encode())
        self.file.change(dict)
        identity = AccessSettings(access=Mode.KEYS, keys_file=folder / "keys.json", key_pepper=PEPPER)
        model = NeverTired()
        self.calls: list[ModelCall] = model.calls
        self.store = MemoryStore(10_000_000)
        services = Services(model, PROMPTS, store=self.store, answers=Answers(self.store, HOUR_S))
        self.client: FlaskClient = create_app(Settings(identity=identity), services).test_client()

    def key(
        self,
        *scopes: Scope,
        tenant: str = DESK,
        expires_in_s: float = HOUR_S,
        revoked: bool = False,
    ) -> str:
        """A new key, with all scopes where none are named."""
        now = int(time())
        key_id = f"{len(self.file.current()):08x}"
        text = new_text(key_id)
        key = Key(
            key_id,
            "",
            tenant,
            scopes or tuple(sorted(ALL_SCOPES)),
            now,
            now + int(expires_in_s),
            now if revoked else None,
            digest(PEPPER.encode(), text),
        )
        self.file.change(lambda known: {**known, key_id: key})
        return text


def bearing(key: str) -> dict[str, str]:
    """The headers of a request with this key."""
    return {"Authorization": f"Bearer {key}"}


@contextmanager
def desks() -> Iterator[Desks]:
    """A service, and a folder for its keys that is gone afterwards."""
    with TemporaryDirectory() as folder:
        yield Desks(Path(folder))
