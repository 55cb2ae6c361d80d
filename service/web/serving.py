"""What the server tells the application of a request, in its WSGI environment; under other servers all of it is missing."""

import socket
from collections.abc import Mapping
from typing import Any, Final

ARRIVED: Final = "factcheck.arrived"
"""When the first byte of the request was seen, in seconds of the monotonic clock."""

DRAINING: Final = "factcheck.draining"
"""Whether the server is being stopped, and takes no new connections."""


def stream_connection(environ: Mapping[str, Any]) -> socket.socket | None:
    """The connection of a client that an answer is sent to as it is made."""
    return environ.get("gunicorn.socket")


def client_connection(environ: Mapping[str, Any]) -> socket.socket | None:
    """The connection of a client that could be told "100 Continue" while it waits."""
    return environ.get("gunicorn.socket") if environ["SERVER_PROTOCOL"] == "HTTP/1.1" else None


def own_address(environ: Mapping[str, Any]) -> str | None:
    """The address of this machine that the request was sent to, without the port."""
    connection: socket.socket | None = environ.get("gunicorn.socket")
    if connection is None or connection.family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    address: str = connection.getsockname()[0]
    return address
