"""The page over HTTP, without a browser."""

import http.server
import os
import pathlib
import re
import threading

import pytest

pytest.importorskip("gradio", reason="needs Gradio: the extra `page`")

import httpx  # noqa: E402
from gradio_client import Client, handle_file  # noqa: E402
from gradio_client.exceptions import AppError  # noqa: E402
from page.pages import LIMIT, small_page, write_photograph  # noqa: E402
from PIL import Image  # noqa: E402

import keras_indi  # noqa: E402
from keras_indi.page.serving import running  # noqa: E402
from keras_indi.restoration import restore_files  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.backend_free]

ROOT = pathlib.Path(keras_indi.__file__).parents[1]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    limits = {"max_megapixels": 1, "max_megabytes": 2, "max_waiting": 1}
    with small_page(tmp_path_factory.mktemp("page"), **limits) as page:
        yield page


@pytest.fixture
def client(page, tmp_path):
    return Client(page.address, verbose=False, download_files=str(tmp_path / "got"))


def preset(page):
    return page.service.suggested_preset


def called(page, photograph, *settings):
    """What a call of the endpoint answers, as lines."""
    base = f"{page.address}gradio_api/call/restore"
    data = {"data": [photograph, *settings]}
    event = httpx.post(base, json=data, timeout=LIMIT).json()["event_id"]
    return httpx.get(f"{base}/{event}", timeout=LIMIT).text


def test_a_client_gets_what_the_command_writes(page, client, tmp_path):
    path = write_photograph(tmp_path / "a.jpg")
    files, notes = client.predict(
        handle_file(path), preset(page), 2, 2, True, 5, api_name="/restore"
    )
    plain = restore_files(
        path,
        tmp_path / "plain",
        page.model,
        num_steps=2,
        num_samples=2,
        seed=5,
        dtype="float32",
    )
    assert [pathlib.Path(file).name for file in files] == [
        "a-restored-1.jpg",
        "a-restored-2.jpg",
    ]
    for file, wanted in zip(files, plain.written):
        assert pathlib.Path(file).read_bytes() == wanted.read_bytes()
    assert notes == ""


def test_the_client_of_the_docs(page, tmp_path, monkeypatch):
    (text,) = re.findall(
        r"```python\n(.+?)```", (ROOT / "docs/page.md").read_text("utf-8"), re.DOTALL
    )
    assert len(text.splitlines()) <= 10
    write_photograph(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    text = text.replace("http://127.0.0.1:7860/", page.address)
    text = text.replace('"indi_small_jpeg"', repr(preset(page)))
    exec(compile(text, "docs/page.md", "exec"), {})
    assert (tmp_path / "photo-restored.jpg").is_file()


def test_refusals_reach_the_client_without_paths(page, client, tmp_path):
    text = tmp_path / "text.png"
    text.write_bytes(b"not an image")
    with pytest.raises(AppError, match="cannot be restored.*not a PNG") as error:
        client.predict(handle_file(text), preset(page), 1, api_name="/restore")
    assert str(page.service.files.folder) not in str(error.value)
    large = tmp_path / "large.png"
    Image.new("RGB", (1001, 1000)).save(large)
    with pytest.raises(AppError, match="too large for this page"):
        client.predict(handle_file(large), preset(page), 1, api_name="/restore")
    photograph = handle_file(write_photograph(tmp_path / "a.png"))
    for settings in (("/etc", 1), (preset(page), 99), (preset(page), 1, 99)):
        with pytest.raises(AppError, match="/etc|99"):
            client.predict(photograph, *settings, api_name="/restore")


def test_an_upload_beyond_the_limit_is_refused(page):
    files = {"files": ("a.png", bytes(2 * 10**6 + 1))}
    response = httpx.post(f"{page.address}gradio_api/upload", files=files)
    assert response.status_code == 413 and "maximum allowed size" in response.text


def test_a_mistake_of_ours_shows_no_traceback(page, client, tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("secret: /etc/shadow")
        yield

    monkeypatch.setattr(page.service, "restore", fail)
    photograph = handle_file(write_photograph(tmp_path / "a.png"))
    with pytest.raises(AppError) as error:
        client.predict(photograph, preset(page), 1, api_name="/restore")
    assert (
        str(error.value)
        == "The restoration failed. The log of the page has the reason."
    )


PATHS = [
    "/etc/passwd",
    "../../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    str(ROOT / "setup.py"),
    os.path.expanduser("~/.bashrc"),
    "file:///etc/passwd",
    "https://example.com/a.png",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_file_of_the_machine_can_be_read(page, path):
    for route in (
        "gradio_api/file=",
        "file=",
        "gradio_api/file/",
        "static/",
        "assets/",
    ):
        response = httpx.get(f"{page.address}{route}{path}", timeout=LIMIT)
        assert response.status_code in (403, 404, 405), (route, response.status_code)
        assert "root:" not in response.text and "setuptools" not in response.text


META = {"meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    "more", [META, {}, {**META, "is_stream": True}, {**META, "url": "/a.png"}], ids=str
)
def test_no_file_of_the_machine_can_be_restored(page, tmp_path, more):
    private = write_photograph(tmp_path / "private.png")
    folder = page.service.files.folder
    paths = [private, "/etc/passwd", ROOT / "setup.py", "https://example.com/a.png"]
    paths.append(folder / ".." / private.relative_to("/"))
    for path in paths:
        photograph = {"path": str(path), **more}
        answer = called(page, photograph, preset(page), 1, 1, True, 0)
        assert "event: error" in answer and "complete" not in answer
        assert "Traceback" not in answer and str(folder) not in answer
    names = {path.name for path in folder.rglob("*")}
    assert not names & {"private.png", "private-restored.png", "passwd", "setup.py"}


def test_no_control_takes_files_or_addresses(page, tmp_path):
    asked = []

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    private = tmp_path / "private.txt"
    private.write_text("private")
    address = f"http://127.0.0.1:{server.server_port}/a.png"
    config = httpx.get(f"{page.address}config").json()
    try:
        for dependency in config["dependencies"]:
            for path in (str(private), address):
                data = [{"path": path, **META}] * len(dependency["inputs"])
                body = {"data": data, "fn_index": dependency["id"], "session_hash": "s"}
                for route in ("run/predict", "queue/join"):
                    httpx.post(f"{page.address}gradio_api/{route}", json=body)
        called(page, *[{"path": address, **META}] * 6)  # the others had their turns
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []
    folder = page.service.files.folder
    assert "private.txt" not in {path.name for path in folder.rglob("*")}


def test_requests_that_the_page_does_not_need_are_refused(page):
    api = f"{page.address}gradio_api"
    video = {"video": ("a.mp4", b"a video")}
    assert httpx.post(f"{api}/process_recording", files=video).status_code == 404
    large = httpx.post(f"{api}/upload", data={"files": "a" * 4 * 10**6})
    assert large.status_code == 413 and "maximum allowed size" in large.text
    endless = httpx.post(f"{api}/upload", content=(b"a" for _ in range(10)))
    assert endless.status_code == 411


def test_a_full_folder_refuses_until_files_are_deleted(page, client, tmp_path):
    photograph = handle_file(write_photograph(tmp_path / "a.png"))
    client.predict(photograph, preset(page), 1, api_name="/restore")
    files = {"files": ("b.png", b"1")}
    most = page.service.files._max_bytes
    page.service.files._max_bytes = 1000
    try:
        response = httpx.post(f"{page.address}gradio_api/upload", files=files)
        assert response.status_code == 507 and "no room" in response.text
    finally:
        page.service.files._max_bytes = most
    client.predict(photograph, preset(page), 1, api_name="/restore")


@pytest.mark.parametrize(
    "host, status",
    [
        ("127.0.0.1:1234", 200),
        ("LOCALHOST", 200),
        ("[::1]:80", 200),
        ("photos.example:7860", 403),
        ("127.0.0.1.example", 403),
        ("", 403),
    ],
)
def test_no_other_name_leads_to_a_page_for_this_machine(page, host, status):
    headers = {"host": host}
    response = httpx.get(f"{page.address}config", headers=headers, timeout=LIMIT)
    assert response.status_code == status


def test_every_answer_has_the_policy(page):
    for route in ("", "config", "theme.css", "gradio_api/info", "gradio_api/file=x"):
        response = httpx.get(f"{page.address}{route}", timeout=LIMIT)
        assert str(page.service.files.folder) not in response.text
        assert page.model not in response.text
        assert "default-src 'self'" in response.headers["content-security-policy"]


def test_a_full_queue_refuses_and_goes_on(page, tmp_path):
    path = write_photograph(tmp_path / "a.png")
    clients = [Client(page.address, verbose=False) for _ in range(3)]
    settings = preset(page), 1
    page.gate.clear()
    try:
        first = clients[0].submit(handle_file(path), *settings, api_name="/restore")
        wait_for(lambda: page.under_way)
        second = clients[1].submit(handle_file(path), *settings, api_name="/restore")
        wait_for(lambda: status_of(page) == 1)
        with pytest.raises(Exception, match="[Qq]ueue is full"):
            clients[2].predict(handle_file(path), *settings, api_name="/restore")
    finally:
        page.gate.set()
    for job in (first, second):
        assert len(job.result(LIMIT)[0]) == 1
    assert page.busiest == 1


def status_of(page):
    """How many restorations wait."""
    return httpx.get(f"{page.address}gradio_api/queue/status").json()["queue_size"]


def wait_for(condition):
    """Waits until a condition holds."""
    done = threading.Event()
    for _ in range(10 * LIMIT):
        if condition():
            return
        done.wait(0.1)
    raise AssertionError("not within the limit")


@pytest.mark.parametrize("host", ["", None])
def test_no_host_does_not_mean_the_whole_network(page, host):
    with pytest.raises(ValueError, match="`host` must be an address. Received: host="):
        with running(page.service, host):
            pass


def test_nothing_is_left_when_it_ends(tmp_path):
    path = write_photograph(tmp_path / "a.png")
    with small_page(tmp_path) as page:
        got = Client(page.address, verbose=False, download_files=str(tmp_path / "got"))
        got.predict(handle_file(path), preset(page), 1, api_name="/restore")
        folder = page.service.files.folder
        names = {file.name for file in folder.rglob("*.png")}
        assert {"a.png", "a-restored.png"} <= names
    assert not folder.exists()
