"""Server of the page."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from keras_indi.backend.interrupts import interrupted_by_signals
from keras_indi.optional_packages import optional_import
from keras_indi.page.comparison_view import STYLE
from keras_indi.page.layout import Layout
from keras_indi.page.limits import Limits
from keras_indi.page.privacy import Privacy
from keras_indi.page.request_limits import RequestLimits
from keras_indi.page.restoration_service import RestorationService
from keras_indi.validation import checked_integer

PATIENCE = 10  # seconds, for the server to end
PAGE_STYLE = """
.gradio-container { max-width: 80rem !important; margin: 0 auto; }
#results { position: sticky; top: 1rem; }
#card, #curve, #file-text { font-size: 0.9rem; }
#card p, #card li { margin: 0.2rem 0; }
#card ul { list-style: disc; padding-left: 1.2rem; }
/* Results are for download; Gradio offers to take single ones off the list. */
#files button[aria-label="Remove this file"] { display: none; }
/* Gradio leaves the list open when the Tab key leaves it. */
#preset:not(:focus-within) [role=listbox] { display: none; }
/* Gradio takes the outline away from what has the keyboard's focus. */
.gradio-container :is(a, button, input, summary):focus-visible {
  outline: 3px solid #c2410c !important; outline-offset: 1px;
}
/* Room of its own for Gradio's bar, which lies over what it stands for. */
#progress { min-height: 3.5rem; margin: -0.5rem 0; }
.refusal { padding: 0.75rem 1rem; border-left: 4px solid #b91c1c; }
"""


@contextlib.contextmanager
def running(
    service: RestorationService,
    host: str = "127.0.0.1",
    port: int = 7860,
    allowed_hosts: Sequence[str] = (),
) -> Iterator[str]:
    """A context in which the page is served.

    Args:
        service: `RestorationService`, which stays open.
        host: String, the address to listen on. Defaults to this machine only.
        port: Int.
        allowed_hosts: Sequence of strings, names by which browsers may open a page for
            this machine only, besides its own; such as that of a proxy on it.

    Yields:
        String, the URL of the page.

    Raises:
        ValueError: If the host or the port is not valid.
        OSError: If the port is taken.
        ImportError: If Gradio is not installed.
    """
    checked_integer("port", port, most=65535)
    if not host:  # to a socket, it would mean the whole network
        raise ValueError(f"`host` must be an address. Received: host={host!r}")
    listening = _listening(host, port)
    with listening:
        server = _server(Layout(service), service, host, allowed_hosts)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, daemon=True
        )
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("The page's server has not started: see its log.")
            time.sleep(0.05)
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        finally:
            # The server would log every browser that is still connected.
            log = logging.getLogger("uvicorn.error")
            level = log.level
            log.setLevel(logging.CRITICAL)
            server.should_exit = True
            thread.join(PATIENCE)
            log.setLevel(level)


def serve(
    preset: str | None = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    limits: Limits | None = None,
    dtype: str = "auto",
    allowed_hosts: Sequence[str] = (),
) -> None:
    """Serve the page until it is interrupted, then delete all uploads and results.

    Args:
        preset: As for `RestorationService`.
        host: As for `running`.
        port: As for `running`.
        limits: As for `RestorationService`.
        dtype: As for `RestorationService`.
        allowed_hosts: As for `running`.

    Raises:
        ValueError: If there is no such preset, or the host or port is not valid.
        OSError: If the port is taken.
        ImportError: If Gradio is not installed.
    """
    with contextlib.suppress(KeyboardInterrupt), interrupted_by_signals():
        with RestorationService(preset, limits, dtype) as service:
            with running(service, host, port, allowed_hosts) as address:
                print(f"The page runs at {address} (end it by Ctrl-C)", flush=True)
                while True:
                    time.sleep(3600)


def _listening(host: str, port: int) -> socket.socket:
    """Return a listening socket; fail here if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        reason = error.strerror or error
        raise OSError(
            f"The page cannot listen there: {reason}. Pass another --port. "
            f"Received: host={host!r}, port={port}"
        ) from error
    return listening


def _server(
    layout: Layout,
    service: RestorationService,
    host: str,
    allowed_hosts: Sequence[str],
) -> Any:
    """Return the server. (Gradio's own sends itself a request when it starts.)"""
    fastapi, uvicorn = (
        optional_import(name, extra="page", purpose="The page")
        for name in ("fastapi", "uvicorn")
    )
    gradio = layout.gradio
    # System fonts: those of the theme would be sent with the page.
    theme = gradio.themes.Default(
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
    app = gradio.mount_gradio_app(
        fastapi.FastAPI(openapi_url=None),
        layout.page,
        path="/",
        show_error=False,
        max_file_size=service.limits.max_megabytes * 10**6,
        allowed_paths=[],
        enable_monitoring=False,
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        footer_links=[],
        css=PAGE_STYLE + STYLE,
        theme=theme.set(
            block_info_text_color="*neutral_600", slider_color="*primary_600"
        ),
    )
    # Otherwise Gradio does not check the file paths in requests to a mounted page.
    layout.page.has_launched = True
    max_bytes = service.limits.max_megabytes * 10**6
    return uvicorn.Server(
        uvicorn.Config(
            Privacy(
                RequestLimits(app, max_bytes, service.files.has_room),
                host,
                allowed_hosts,
            ),
            log_level="warning",
            server_header=False,
            # Browsers that are open keep their connections.
            timeout_graceful_shutdown=1,
        )
    )
