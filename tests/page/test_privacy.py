"""The middleware that keeps a page to itself."""

import asyncio

import pytest

from keras_indi.page.privacy import CONTENT_POLICY, Privacy

pytestmark = pytest.mark.backend_free


def answer(path):
    """The status, headers and body of an application that says hello."""
    sent = []

    async def app(scope, receive, send):
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello"})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path}
    asyncio.run(Privacy(app)(scope, None, send))
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


def test_browsers_are_told_to_load_nothing_from_elsewhere():
    status, headers, body = answer("/gradio_api/file=/tmp/a.png")
    assert (status, body) == (200, b"hello")
    assert headers[b"content-security-policy"].decode() == CONTENT_POLICY
    assert headers[b"content-type"] == b"text/plain"
    assert "http" not in CONTENT_POLICY and "*" not in CONTENT_POLICY


@pytest.mark.parametrize("address", ["https://a.b/c.png", "http://a.b", "https:/a.b"])
def test_it_is_no_proxy(address):
    status, _, body = answer(f"/gradio_api/file={address}")
    assert status == 403 and b"hello" not in body
