"""Allowed requests and their maximum size."""

from collections.abc import Callable
from typing import Any

API = "/gradio_api/"
# The requests of the page and of Gradio's client. Gradio has further routes, for
# reloading, video editing and a proxy.
ROUTES = {
    *("", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt"),
    *(f"{API}{name}" for name in ("app_id", "cancel", "info", "login_check", "reset")),
    *(f"{API}{name}" for name in ("startup-events", "token", "upload", "user")),
    *(f"{API}queue/{name}" for name in ("data", "join", "status")),
    *(f"{API}{name}" for name in ("upload_progress", "call/restore", "run/predict")),
}
BELOW = (
    *("/assets/", "/static/", "/svelte/"),
    *(f"{API}{name}" for name in ("file=", "heartbeat/", "call/restore/")),
)
UPLOAD = f"{API}upload"
BODY = 10**6  # bytes, for everything but files: settings, and the overhead of an upload


class RequestLimits:
    """ASGI middleware that refuses large requests, and all but the page's own.

    Args:
        app: The ASGI application.
        max_bytes: Int, maximum size of an uploaded file.
        has_room: Function of a number of bytes that returns whether an upload of that
            size is within the limits.
    """

    def __init__(
        self, app: Any, max_bytes: int, has_room: Callable[[int], bool]
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._has_room = has_room
        self._uploading = 0  # bytes of the uploads under way

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a request, or refuse it before its body is read."""
        found = self._refusal(scope) if scope["type"] == "http" else None
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif found is None:
            size = _upload_size(scope)
            self._uploading += size
            try:
                await self._app(scope, receive, send)
            finally:
                self._uploading -= size
        else:
            status, text = found
            kind = (b"content-type", b"text/plain; charset=utf-8")
            await send(
                {"type": "http.response.start", "status": status, "headers": [kind]}
            )
            await send({"type": "http.response.body", "body": text.encode()})

    def _refusal(self, scope):
        """Return the status and the text of a refusal, or `None`."""
        path = scope["path"]
        route = path.rstrip("/")
        if route not in ROUTES and not path.startswith(BELOW):
            return 404, "This page has no such address."
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        # A body of unknown length could fill the memory or the disk. With a transfer
        # encoding, servers ignore the length that is named.
        if not length.isdigit() or b"transfer-encoding" in headers:
            return 411, "A request must name its length."
        uploads = route == UPLOAD
        if int(length) > BODY + (self._max_bytes if uploads else 0):
            return 413, "The request exceeds the maximum allowed size."
        if uploads and not self._has_room(int(length) + self._uploading):
            return 507, "This page has no room for more photographs. Try again later."
        return None


def _upload_size(scope: dict[str, Any]) -> int:
    """Return the size of an upload that is not refused, or 0 for other requests."""
    if scope["type"] != "http" or scope["path"].rstrip("/") != UPLOAD:
        return 0
    return int(dict(scope["headers"]).get(b"content-length", 0))
