"""Protection against requests to other hosts, and from other sites."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

# The browser blocks anything that the page would load from other hosts. Gradio's page
# needs inline scripts and styles.
CONTENT_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
HEADERS = [
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Privacy:
    """ASGI middleware that adds security headers and blocks Gradio's proxy.

    Without it, Gradio fetches URLs on behalf of a client (`/file=https://...`). A page
    for this machine only answers no other name: a site whose name has been made to
    lead here (DNS rebinding) could otherwise read the page in the user's browser.

    Args:
        app: The ASGI application.
        host: String, the address that the server listens on.
        allowed_hosts: Further names by which a page for this machine only may be
            opened, such as that of a proxy on it.
    """

    def __init__(
        self, app: Any, host: str = "0.0.0.0", allowed_hosts: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._names = None
        if is_loopback(host):
            names = (*LOOPBACK, host, *allowed_hosts)
            self._names = {name.lower() for name in names}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            await send(message)

        text = None
        if not self._is_own_name(dict(scope["headers"]).get(b"host", b"")):
            text = b"This page has another address. (--allowed-host allows this one.)"
        elif "http:/" in scope["path"] or "https:/" in scope["path"]:
            text = b"No such file."
        if text is not None:
            await send_with_headers(
                {"type": "http.response.start", "status": 403, "headers": []}
            )
            await send({"type": "http.response.body", "body": text})
            return
        await self._app(scope, receive, send_with_headers)

    def _is_own_name(self, host: bytes) -> bool:
        name = re.sub(r":\d*$", "", host.decode("latin-1")).lower()
        return self._names is None or name in self._names


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address that is listened on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
