"""What the server tells the application of a request, in its WSGI environment; under other servers all of it is missing."""

import socket
from collections.abc import Mapping
from typing import Any, Final

ARRIVED: Final = "factcheck.arrived"
"""When the first byte of the request was seen, in seconds of the monotonic clock."""

DRAINING: Final = "factcheck.draining"
"""Whether the server takes no new work because it is being stopped."""


def client_connection(environ: Mapping[str, Any]) -> socket.socket | None:
    """The connection of a client that could be told "100 Continue" while it waits."""
    return environ.get("gunicorn.socket") if environ["SERVER_PROTOCOL"] == "HTTP/1.1" else None
