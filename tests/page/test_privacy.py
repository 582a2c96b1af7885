"""Which names lead to the page."""

import asyncio

import pytest

from keras_indi.page.privacy import Privacy, is_loopback

pytestmark = pytest.mark.backend_free


def answer(host, listens_on, allowed_hosts=()):
    """The status of a request with a name, of a page that listens on an address."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    page = Privacy(app, listens_on, allowed_hosts)
    scope = {"type": "http", "path": "/", "headers": [(b"host", host.encode())]}
    asyncio.run(page(scope, None, send))
    assert any(name == b"content-security-policy" for name, _ in sent[0]["headers"])
    return sent[0]["status"]


def test_a_page_for_this_machine_has_its_own_names():
    assert answer("localhost:7860", "127.0.0.1") == 200
    assert answer("127.0.0.5", "127.0.0.5") == 200
    assert answer("evil.example", "127.0.0.1") == 403
    assert answer("photos.example:80", "::1", ["Photos.example"]) == 200
    # Opened to the network, it has names that nobody knows here.
    assert answer("photos.example", "0.0.0.0") == 200


@pytest.mark.parametrize(
    "host, expected",
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)],
)
def test_loopback(host, expected):
    assert is_loopback(host) == expected
