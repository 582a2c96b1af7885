"""Runs a page, and leaves nothing behind."""

import contextlib
import socket
import time
from collections.abc import Iterator

from keras_indi.backend.interrupts import interrupted_by_signals
from keras_indi.page.comparison_view import STYLE
from keras_indi.page.layout import Layout
from keras_indi.page.limits import Limits
from keras_indi.page.privacy import Privacy
from keras_indi.page.restoration_service import RestorationService
from keras_indi.validation import checked_integer

PAGE_STYLE = """
.gradio-container { max-width: 80rem !important; margin: 0 auto; }
#results { position: sticky; top: 1rem; }
#card, #curve, #file-text { font-size: 0.9rem; }
#card p, #card li { margin: 0.2rem 0; }
#card ul { list-style: disc; padding-left: 1.2rem; }
.refusal { padding: 0.75rem 1rem; border-left: 4px solid #b91c1c; }
"""


@contextlib.contextmanager
def running(
    service: RestorationService, host: str = "127.0.0.1", port: int = 7860
) -> Iterator[str]:
    """A context in which a page runs.

    Args:
        service: `RestorationService`, which stays open.
        host: String, the address to listen on. Defaults to this machine alone.
        port: Int.

    Yields:
        String, the page's address.

    Raises:
        OSError: If the port is taken.
        ImportError: If Gradio is not installed.
    """
    checked_integer("port", port, most=65535)
    _check_free(host, port)
    layout = Layout(service)
    gradio = layout.gradio
    _, address, _ = layout.page.launch(
        server_name=host,
        server_port=port,
        share=False,
        show_error=False,
        quiet=True,
        inbrowser=False,
        prevent_thread_lock=True,
        max_file_size=service.limits.max_megabytes * 10**6,
        allowed_paths=[],
        enable_monitoring=False,
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        footer_links=[],
        css=PAGE_STYLE + STYLE,
        # Fonts of the system: the theme's own would come with the page.
        theme=gradio.themes.Default(
            font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
        ).set(block_info_text_color="*neutral_600", slider_color="*primary_600"),
        app_kwargs={"middleware": [_middleware()]},
    )
    try:
        yield address
    finally:
        layout.page.close(verbose=False)


def serve(
    preset: str | None = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    limits: Limits | None = None,
    dtype: str = "auto",
) -> None:
    """Runs a page until it is interrupted, then deletes all uploads and results.

    Args:
        preset: As for `RestorationService`.
        host: As for `running`.
        port: As for `running`.
        limits: As for `RestorationService`.
        dtype: As for `RestorationService`.

    Raises:
        ValueError: If there is no such preset.
        OSError: If the port is taken.
        ImportError: If Gradio is not installed.
    """
    with contextlib.suppress(KeyboardInterrupt), interrupted_by_signals():
        with RestorationService(preset, limits, dtype) as service:
            with running(service, host, port) as address:
                print(f"The page runs at {address} (end it by Ctrl-C)", flush=True)
                while True:
                    time.sleep(3600)


def _check_free(host, port):
    """Raises before anything is loaded; Gradio's own error would come last."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OSError(
                f"The page cannot listen there: {error.strerror}. Pass another --port. "
                f"Received: host={host!r}, port={port}"
            ) from error


def _middleware():
    from starlette.middleware import Middleware

    return Middleware(Privacy)
