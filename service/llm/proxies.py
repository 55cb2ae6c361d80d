"""Which proxy the environment names for an endpoint."""

from ipaddress import ip_address
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from service.errors import SetupError


def proxy_for(url: httpx2.URL) -> httpcore2.Proxy | None:
    """The proxy that the environment names for `url`, None for the loopback interface and where it names none.

    Raises: SetupError when it is of a kind not spoken here.
    """
    if _is_loopback(url.host) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    proxies = getproxies()
    address = proxies.get(url.scheme) or proxies.get("all")
    if not address:
        return None
    scheme = address.partition("://")[0] if "://" in address else "http"
    if scheme.lower() not in {"http", "https"}:
        raise SetupError("the environment names a proxy that is neither http nor https")
    proxy = httpx2.Proxy(address if "://" in address else f"http://{address}")
    return httpcore2.Proxy(str(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
