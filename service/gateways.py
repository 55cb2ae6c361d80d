"""What an operator says of the gateways in front of the service."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

_NAME = re.compile(r"\.?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Gateways:
    """How many gateways each request passes through, and under which host names the service is asked for.

    The field names are those of the settings. Without `hosts` any name will do; one that begins with a dot stands for
    itself and all names below it.
    """

    proxy_hops: int = 0
    hosts: tuple[str, ...] = ()


def host_faults(hosts: Iterable[str]) -> list[str]:
    """What is wrong with the names of `hosts`."""
    return [
        f"{host!r} is no host name or address: leave out scheme, port and path, and write an IPv6 address without brackets"
        for host in hosts
        if not _NAME.fullmatch(host) and not _is_address(host)
    ]


def _is_address(host: str) -> bool:
    try:
        return "%" not in host and bool(ip_address(host))
    except ValueError:
        return False
