"""`factcheck keys`: who may call a service that knows its callers by API keys."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import click

from service.access.caller import Scope, is_name
from service.access.chosen import keys_path
from service.access.key_file import KeyFile, load_pepper
from service.access.keys import Key, digest, new_id, new_text
from service.access.settings import Mode
from service.cli.effects import Effects, echo_json
from service.cli.tables import aligned
from service.errors import SetupError

_DAY_S = 86_400
_HOUR_S = 3_600
_USUAL_DAYS = 365
_USUAL_HOURS = 24
_HEAD = ("ID", "STATE", "TENANT", "SCOPES", "CREATED", "EXPIRES", "NAME")

_Keys = Mapping[str, Key]


@click.group()
def keys() -> None:
    """The API keys of the service, kept as hashes in FACTCHECK_KEYS_FILE."""


@keys.command("create")
@click.option("--tenant", required=True, help="Whose cache and limits the key uses; keys of one tenant share them.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[Scope.ANALYZE.value],
    show_default=True,
    help="What the key may do; can be given more than once.",
)
@click.option(
    "--days", type=click.IntRange(0, 36_500), default=_USUAL_DAYS, show_default=True, help="Days until it expires; 0: never."
)
@click.option("--name", default="", help="Who holds it, for the list.")
@click.pass_obj
def create_key(effects: Effects, tenant: str, scopes: tuple[str, ...], days: int, name: str) -> None:
    """Make a key and print it: this once, because only its hash is kept."""
    if not is_name(tenant):
        raise click.UsageError("--tenant must be visible ASCII without spaces")
    now = int(effects.clock())
    expires_at = now + days * _DAY_S if days else None
    made = Key("", name, tenant, tuple(Scope(scope) for scope in dict.fromkeys(scopes)), now, expires_at, None, "")
    _add(effects, lambda _: (made, {}))


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_keys(effects: Effects, *, as_json: bool) -> None:
    """List the keys: all that is known of them but what they are."""
    file, _ = _file(effects)
    file.check()
    now = effects.clock()
    rows = [_row(key, now) for key in file.current().values()]
    if as_json:
        echo_json(rows, pretty=effects.is_terminal(sys.stdout))
        return
    cells = [tuple(" ".join(cell) if isinstance(cell, list) else cell or "-" for cell in row.values()) for row in rows]
    click.echo("\n".join(aligned([_HEAD, *cells])))


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
@click.pass_obj
def revoke_key(effects: Effects, key_id: str) -> None:
    """Let key ID in no more, from the next request on."""
    file, _ = _file(effects)
    now = int(effects.clock())
    file.change(lambda known: {**known, key_id: replace(_known(known, key_id), revoked_at=now)})
    click.echo(f"key {key_id} is revoked", err=True)


@keys.command("rotate")
@click.argument("key_id", metavar="ID")
@click.option(
    "--hours",
    type=click.IntRange(0, 8_760),
    default=_USUAL_HOURS,
    show_default=True,
    help="Hours that the old key is still good for.",
)
@click.pass_obj
def rotate_key(effects: Effects, key_id: str, hours: int) -> None:
    """Make a key like ID, for as long as that was made for, and print it; the old one expires soon."""
    now = int(effects.clock())

    def renewed(known: _Keys) -> tuple[Key, _Keys]:
        old = _known(known, key_id)
        if old.state(now) != "active":
            raise SetupError(f"key {key_id} is {old.state(now)}: make a new one with `factcheck keys create`")
        end = now + hours * _HOUR_S
        lifetime = None if old.expires_at is None else now + old.expires_at - old.created_at
        ending = replace(old, expires_at=end if old.expires_at is None else min(end, old.expires_at))
        return replace(old, created_at=now, expires_at=lifetime), {key_id: ending}

    _add(effects, renewed)


def _add(effects: Effects, make: Callable[[_Keys], tuple[Key, _Keys]]) -> None:
    """Nothing; the key that `make` gives has an id and a hash and is kept, with the keys it changed, and is printed."""
    file, pepper = _file(effects, make=True)
    made: list[tuple[Key, str]] = []

    def add(known: _Keys) -> _Keys:
        key, changed = make(known)
        key_id = new_id(known)
        text = new_text(key_id)
        key = replace(key, id=key_id, digest=digest(pepper, text))
        made.append((key, text))
        return {**known, **changed, key_id: key}

    file.change(add)
    ((key, text),) = made
    click.echo(text)
    click.echo(
        f"key {key.id} for {key.tenant} ({' '.join(key.scopes)}), "
        + ("never expires" if key.expires_at is None else f"expires {_day(key.expires_at)}")
        + ". It is not shown again.",
        err=True,
    )


def _file(effects: Effects, *, make: bool = False) -> tuple[KeyFile, bytes]:
    identity = effects.settings().identity
    if identity.access is not Mode.KEYS:
        raise SetupError("keys are used with FACTCHECK_ACCESS=keys: set it, and FACTCHECK_KEYS_FILE")
    path = keys_path(identity)
    pepper = load_pepper(path, identity.key_pepper, make=make and not path.exists())
    return KeyFile(path, pepper), pepper


def _known(known: _Keys, key_id: str) -> Key:
    if key_id not in known:
        raise SetupError(f"there is no key {key_id}: `factcheck keys list` shows those there are")
    return known[key_id]


def _row(key: Key, now: float) -> dict[str, str | list[str] | None]:
    return {
        "id": key.id,
        "state": key.state(now),
        "tenant": key.tenant,
        "scopes": [*key.scopes],
        "created": _day(key.created_at),
        "expires": None if key.expires_at is None else _day(key.expires_at),
        "name": key.name,
    }


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
