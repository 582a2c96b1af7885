"""The middleware that keeps a page to itself."""

import asyncio

import pytest

from keras_indi.page.privacy import CONTENT_POLICY, Privacy, is_loopback

pytestmark = pytest.mark.backend_free


def answer(path, name="", **options):
    """The status, headers and body of an application that says hello."""
    sent = []

    async def app(scope, receive, send):
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hello"})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [(b"host", name.encode())]}
    asyncio.run(Privacy(app, **options)(scope, None, send))
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


@pytest.mark.parametrize(
    "host, listens_on, allowed_hosts, expected",
    [
        ("localhost:7860", "127.0.0.1", [], 200),
        ("127.0.0.5", "127.0.0.5", [], 200),
        ("evil.example", "127.0.0.1", [], 403),
        ("photos.example:80", "::1", ["Photos.example"], 200),
        # Opened to the network, it has names that nobody knows here.
        ("photos.example", "0.0.0.0", [], 200),
    ],
)
def test_a_page_for_this_machine_has_its_own_names(
    host, listens_on, allowed_hosts, expected
):
    status, headers, body = answer(
        "/", host, host=listens_on, allowed_hosts=allowed_hosts
    )
    assert status == expected and (body == b"hello") == (expected == 200)
    assert headers[b"content-security-policy"].decode() == CONTENT_POLICY


@pytest.mark.parametrize(
    "host, expected",
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)],
)
def test_loopback(host, expected):
    assert is_loopback(host) == expected
