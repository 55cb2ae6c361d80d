"""What sites ask robots to leave alone (RFC 9309), asked once and remembered for a while."""

import re
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from urllib.parse import SplitResult

from protego import Protego

from service.deadline import Deadline
from service.url_errors import UrlForbiddenByRobotsError

KEPT_S = 3_600.0
MAX_SITES = 1_000

_AGENT = re.compile(r"\s*user[ -]?agent(?:\s*:\s*|\s+)(.*)", re.IGNORECASE)

ReadRobots = Callable[[str, Deadline], str]
"""The robots.txt of a site, such as "https://example.org", as text; empty where there is none. Raises what a fetch raises."""


class Robots:
    """The wishes of sites toward the robot named `token`, read by `read_robots`. Thread-safe."""

    def __init__(self, token: str, read_robots: ReadRobots, clock: Callable[[], float]) -> None:
        self._token = token
        self._read = read_robots
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Protego]] = OrderedDict()
        self._lock = Lock()

    def check(self, url: SplitResult, until: Deadline) -> None:
        """Nothing, when the site does not mind that `url` is fetched.

        Raises: UrlForbiddenByRobotsError; what `read_robots` raises: a site whose wishes cannot be known is left alone.
        """
        site = f"{url.scheme}://{url.netloc}"
        if not self._wishes(site, until).can_fetch(url.geturl(), self._token):
            raise UrlForbiddenByRobotsError("The site asks robots not to fetch this page, in its robots.txt.")

    def _wishes(self, site: str, until: Deadline) -> Protego:
        with self._lock:
            known = self._known.get(site)
            if known and known[0] > self._clock():
                self._known.move_to_end(site)
                return known[1]
        wishes = Protego.parse(self._concerning(self._read(site, until)))
        with self._lock:
            self._known[site] = (self._clock() + KEPT_S, wishes)
            self._known.move_to_end(site)
            if len(self._known) > MAX_SITES:
                self._known.popitem(last=False)
        return wishes

    def _concerning(self, text: str) -> str:
        """`text` with all other robots under one name.

        The parser keeps each rule once for every name it is under: 20,000 of each would fill the memory. It also takes
        half of our name for it.
        """
        lines = []
        for line in text.splitlines():
            found = _AGENT.match(line)
            if found:
                name = re.split(r"[/#\s]", found[1].strip().lower(), maxsplit=1)[0]
                lines.append(f"User-agent: {name if name in {'*', self._token} else 'other'}")
            else:
                lines.append(line)
        return "\n".join(lines)
