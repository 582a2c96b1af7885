"""Protection against requests to other hosts, by the browser or by Gradio."""

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


class Privacy:
    """ASGI middleware that adds security headers and blocks Gradio's proxy.

    Without it, Gradio fetches URLs on behalf of a client (`/file=https://...`).

    Args:
        app: The ASGI application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            await send(message)

        if "http:/" in scope["path"] or "https:/" in scope["path"]:
            await send_with_headers(
                {"type": "http.response.start", "status": 403, "headers": []}
            )
            await send({"type": "http.response.body", "body": b"No such file."})
            return
        await self._app(scope, receive, send_with_headers)
