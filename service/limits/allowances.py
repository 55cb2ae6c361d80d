"""How much each tenant may have and what models cost: the defaults, and a file that says otherwise for some."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from service.errors import SetupError
from service.limits.base import MONEY_UNIT, Allowance, Limit

UNLIMITED: Final = "unlimited"
"""What a file says to lift a limit that others have."""

MOST: Final = 10**12
MOST_MONEY: Final = 10**8
"""No limit is higher, and no price than the latter, so that all sums stay exact in every place they are kept."""


@dataclass(frozen=True)
class Price:
    """What a million tokens cost: those sent, those of them that the endpoint had kept, and those received."""

    input: Decimal
    cached: Decimal
    output: Decimal

    def of(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> int:
        """What these tokens cost, in millionths, rounded up. Cached ones are among the input ones."""
        fresh = max(0, input_tokens - cached_tokens)
        exact = fresh * self.input + cached_tokens * self.cached + output_tokens * self.output
        return int(exact.to_integral_value(rounding="ROUND_CEILING"))


@dataclass(frozen=True)
class Allowances:
    """What tenants may have: `usual` where `tenants` does not say otherwise. `prices` are those of models by name."""

    usual: Allowance = field(default_factory=Allowance)
    tenants: Mapping[str, Allowance] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)

    def of(self, tenant: str) -> Allowance:
        """What that tenant may have."""
        return self.tenants.get(tenant, self.usual)

    @property
    def limit_anything(self) -> bool:
        """Whether anybody is limited at all."""
        return any(allowance.limited for allowance in (self.usual, *self.tenants.values()))

    @property
    def limit_money(self) -> bool:
        """Whether anybody's money is limited."""
        return any(allowance.money is not None for allowance in (self.usual, *self.tenants.values()))


def money_of(amount: Decimal) -> int:
    """An amount of the currency, in whole millionths."""
    return int((amount * MONEY_UNIT).to_integral_value())


def read_allowances(usual: Allowance, file: Path | None) -> Allowances:
    """What tenants may have, by the defaults and the TOML file, if there is one.

    Raises: SetupError naming everything wrong in the file.
    """
    if file is None:
        return Allowances(usual)
    try:
        document = tomllib.loads(file.expanduser().read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise SetupError(f"FACTCHECK_LIMITS_FILE: {file} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"FACTCHECK_LIMITS_FILE: {file} is not TOML in UTF-8: {error}") from error
    faults: list[str] = [
        f"{name}: there is no such table; there are [tenants.NAME] and [prices.MODEL]"
        for name in sorted(set(document) - {"tenants", "prices"})
    ]
    tenants = dict(_tables(document, "tenants", lambda place, table: _allowance(place, table, usual, faults), faults))
    prices = dict(_tables(document, "prices", lambda place, table: _price(place, table, faults), faults))
    if faults:
        raise SetupError(f"FACTCHECK_LIMITS_FILE: {file} is wrong", faults)
    return Allowances(usual, tenants, prices)


def _tables(
    document: Mapping[str, Any], name: str, read: Callable[[str, Mapping[str, Any]], Any], faults: list[str]
) -> Iterator[tuple[str, Any]]:
    """The tables in the table of that name, each as `read` reads it."""
    tables = document.get(name, {})
    if not isinstance(tables, dict):
        faults.append(f"{name}: must hold tables, such as [{name}.NAME]")
        return
    for key, table in tables.items():
        place = f"{name}.{key}"
        if isinstance(table, dict):
            yield key, read(place, table)
        else:
            faults.append(f"{place}: must be a table")


def _allowance(place: str, table: Mapping[str, Any], usual: Allowance, faults: list[str]) -> Allowance:
    known = [str(limit) for limit in Limit]
    faults += [f"{place}.{name}: there is no such limit; there are {', '.join(known)}" for name in table if name not in known]
    changed: dict[str, int | None] = {}
    for name in known:
        if name not in table:
            continue
        value = table[name]
        if value == UNLIMITED:
            changed[name] = None
        elif name == Limit.MONEY and _is_number(value) and 0 < value <= MOST_MONEY and money_of(Decimal(value)) > 0:
            changed[name] = money_of(Decimal(value))
        elif name != Limit.MONEY and type(value) is int and 1 <= value <= MOST:
            changed[name] = value
        else:
            kind = "an amount of money above 0" if name == Limit.MONEY else "a whole number from 1"
            faults.append(f'{place}.{name}: must be {kind} or "{UNLIMITED}"')
    return replace(usual, **changed)


def _price(place: str, table: Mapping[str, Any], faults: list[str]) -> Price:
    known = ("input", "cached", "output")
    faults += [f"{place}.{name}: there is no such price; there are {', '.join(known)}" for name in table if name not in known]
    if "input" not in table or "output" not in table:
        faults.append(f"{place}: must tell input and output, each for a million tokens")
    for name in known:
        if name in table and not (_is_number(table[name]) and 0 <= table[name] <= MOST_MONEY):
            faults.append(f"{place}.{name}: must be an amount of money for a million tokens, 0 or more")
            return Price(Decimal(0), Decimal(0), Decimal(0))
    paid = {name: Decimal(table[name]) for name in known if name in table}
    whole = paid.get("input", Decimal(0))
    return Price(whole, paid.get("cached", whole), paid.get("output", Decimal(0)))


def _is_number(value: Any) -> bool:
    return type(value) is int or (isinstance(value, Decimal) and value.is_finite())
