"""Serves the page from a thread of its own, until it is stopped."""

from __future__ import annotations

import os
import socket
from threading import Thread

import uvicorn
from starlette.types import ASGIApp

_PATIENCE = 5.0
"""Seconds in which open answers may end."""


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens at a host and a port, of which 0 is any. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        if socket.has_ipv6 and family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if os.name == "posix":  # elsewhere it would let another program take the port over
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen()  # who comes before the server has started waits
    except OSError:
        made.close()
        raise
    return made


class Serving:
    """A server that runs."""

    def __init__(self, app: ASGIApp, at: socket.socket) -> None:
        """Serve an application at a socket that is bound."""
        config = uvicorn.Config(
            app,
            log_level="critical",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http="h11",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, args=([at],), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
