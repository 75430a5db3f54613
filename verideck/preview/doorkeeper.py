"""Who may ask the server: this machine's own browser, or one that has the token.

A page of another site can make a browser ask a server on its own machine, and by a name that it
rebinds to that machine's address even read the answers. So each request says by which name it was
asked, and from where.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides about a request. Names of headers are in lower case."""

    path: str
    token: str
    """Of the address; empty if it has none."""
    headers: Mapping[str, str]


class Doorkeeper:
    """Decides which requests are answered."""

    def __init__(self, host: str, port: int, *, acts: bool = False) -> None:
        """Guard a server that listens at a host and a port.

        `acts` says that it does what not everybody on this machine may have done.
        """
        self._host = host
        self.is_local = is_loopback(host)
        """Whether this machine alone can reach the server."""
        self.token = "" if self.is_local and not acts else secrets.token_urlsafe(24)
        """Asked for where others than this machine's own browser could ask."""
        self.cookie = f"verideck-{port}"
        """A cookie's name: browsers send cookies to all ports of a host."""

    def refusal(self, asked: Asked) -> str:
        """Why a request is not answered; empty if it is."""
        headers = asked.headers
        host = headers.get("host", "")
        if not self._is_ours(host):
            return "this server is not called by that name"
        origin = headers.get("origin", f"http://{host}")
        if origin != f"http://{host}":
            return "another site asks"
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            is_link = headers.get("sec-fetch-mode") == "navigate" and asked.path == "/"
            if not (is_link and headers.get("sec-fetch-dest") == "document"):
                return "another site asks"
        if self.token and not self._has_token(asked):
            return "this address needs the token that `verideck preview` printed"
        return ""

    def admits(self, token: str) -> bool:
        """Whether a token is the one that is asked for."""
        return bool(self.token) and compare_digest(token.encode(), self.token.encode())

    def _has_token(self, asked: Asked) -> bool:
        if asked.path == "/" and self.admits(asked.token):
            return True
        try:
            cookies = SimpleCookie(asked.headers.get("cookie", ""))
        except CookieError:
            return False
        return self.cookie in cookies and self.admits(cookies[self.cookie].value)

    def _is_ours(self, host: str) -> bool:
        """Whether a `Host` names this server in a way that no other site can.

        An address is what it is; a name may be rebound, so only our own are taken.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in LOOPBACK:
            return True
        if self.is_local:
            return False
        return _is_address(name) or name in {self._host.lower(), socket.gethostname().lower()}


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as it calls itself."""
    return host in LOOPBACK or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
