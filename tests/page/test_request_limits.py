"""The middleware that refuses requests before their body is read."""

import asyncio

import pytest

from keras_indi.page.request_limits import BODY, RequestLimits

pytestmark = pytest.mark.backend_free
FILE = 2_000_000  # bytes
UPLOAD, JOIN = "/gradio_api/upload", "/gradio_api/queue/join"


def status(method, path, length=None, room=10**9, encoding=None):
    """What is answered, where the application itself answers 200."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        pytest.fail("its body is read")

    async def send(message):
        sent.append(message)

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    if encoding is not None:
        headers.append((b"transfer-encoding", encoding))
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    limits = RequestLimits(app, FILE, lambda size: size <= room)
    asyncio.run(limits(scope, receive, send))
    return sent[0].get("status")


@pytest.mark.parametrize(
    "path",
    ["/", "/config", "/assets/a.js", "/gradio_api/file=/a.png", "/gradio_api/info/"],
)
def test_the_page_is_answered(path):
    assert status("GET", path) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/process_recording",
        "/gradio_api/dev/reload",
        "/gradio_api/proxy=x",
        "/gradio_api/vibe-code",
        "/monitoring",
        "/openapi.json",
        "/configuration",
    ],
)
def test_what_the_page_does_not_need_is_not_answered(path):
    assert status("GET", path) == status("POST", path, 1) == 404


def test_bodies_are_limited():
    assert status("POST", JOIN, 100) == status("POST", UPLOAD, FILE) == 200
    assert status("POST", JOIN, BODY + 1) == 413
    assert status("POST", UPLOAD, FILE + BODY + 1) == 413
    for path in (UPLOAD, JOIN):
        assert status("POST", path) == status("POST", path, "-1") == 411
        # A server reads chunks to their end, whatever length is named.
        assert status("POST", path, 100, encoding=b"chunked") == 411


def test_a_full_folder_takes_no_uploads():
    assert status("POST", UPLOAD, 1000, room=1000) == 200
    assert status("POST", UPLOAD, 1001, room=1000) == 507
    assert status("POST", JOIN, 1001, room=1000) == 200


def test_uploads_at_one_time_share_the_room():
    async def upload(limits, sent):
        headers = [(b"content-length", b"600")]
        scope = {"type": "http", "method": "POST", "path": UPLOAD, "headers": headers}

        async def send(message):
            sent.append(message.get("status"))

        await limits(scope, None, send)

    async def at_once():
        async def app(scope, receive, send):
            await asyncio.sleep(0)  # its body comes
            await send({"status": 200})
            raise ConnectionError  # and the browser leaves

        limits = RequestLimits(app, FILE, lambda size: size <= 1000)
        for _ in range(2):
            sent = []
            both = upload(limits, sent), upload(limits, sent)
            await asyncio.gather(*both, return_exceptions=True)
            assert sorted(filter(None, sent)) == [200, 507]

    asyncio.run(at_once())
